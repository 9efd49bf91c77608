//===- NormalizeONNX.cpp - a graph brought to the operators that the raise knows ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/NormalizeONNX.h"
#include "Graph/ExpandQuantized.h"
#include "Graph/Expansion.h"
#include "Graph/InlineFunctions.h"
#include "llmc/Conversion/ONNXToLLMC/ONNXToLLMC.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

namespace llmc {
#define GEN_PASS_DEF_NORMALIZEONNX
#include "llmc/Conversion/ONNXToLLMC/Passes.h.inc"
} // namespace llmc

/// Nodes that one graph may be expanded to; a node becomes a few dozen at most.
static constexpr int64_t maxExpanded = 8 * maxNodes;

/// Expands nodes at the ranks that they have at `sizes`; gives those that can't be.
static std::vector<ProbeProblem> expandNodes(GraphOp graph, ArrayRef<ModelInput> inputs,
                                             ProbeSizes sizes) {
  std::vector<ProbeProblem> problems;
  int64_t count = 0;
  Probe probe(graph, inputs, sizes);
  auto rewrite = [&](NodeOp op) {
    const Operator *row = findOperator(Node(op).getType());
    if (!row || !row->expand)
      return Probe::Rewriting::Run;
    // What feeds it could not run: its ranks are not known, and that is reported elsewhere.
    for (Value input : op.getInputs())
      if (!isa<AbsentType>(input.getType()) && !probe.get(input))
        return Probe::Rewriting::Run;
    Expansion expansion(op, probe);
    Expanded expanded = Expanded::Failed;
    if (std::optional<std::string> unknown = findUnknownPart(*row, expansion.node))
      (void)expansion.fail(*unknown);
    else if (++count > maxExpanded)
      (void)expansion.fail("the graph grows beyond what any model needs");
    else
      expanded = row->expand(expansion);
    switch (expanded) {
    case Expanded::Kept:
      return Probe::Rewriting::Run;
    case Expanded::Failed:
      problems.push_back({op, expansion.error});
      return Probe::Rewriting::Skip;
    case Expanded::Replaced:
      op.erase();
      return Probe::Rewriting::Replaced;
    }
  };
  probe.setRewrite(rewrite);
  probe.run();
  return problems;
}

FailureOr<NormalizedGraph> llmc::normalizeONNX(ModuleOp module) {
  auto graph = module.lookupSymbol<GraphOp>("main");
  if (!graph)
    return module.emitError("expected onnx.graph @main");
  if (failed(inlineFunctions(module)) || failed(expandQuantized(module)))
    return failure();
  FailureOr<SmallVector<ModelInput>> inputs = classifyInputs(graph);
  if (failed(inputs))
    return failure();
  bool hasPast =
      llvm::any_of(*inputs, [](const ModelInput &input) { return input.role == InputRole::Past; });
  std::vector<ProbeProblem> problems =
      expandNodes(graph, *inputs, hasPast ? withPast : withoutPast);
  return NormalizedGraph{graph, std::move(*inputs), hasPast, std::move(problems)};
}

namespace {

struct NormalizeONNXPass : public llmc::impl::NormalizeONNXBase<NormalizeONNXPass> {
  void runOnOperation() override {
    FailureOr<NormalizedGraph> normalized = normalizeONNX(getOperation());
    if (failed(normalized) || failed(reportProblems(getOperation(), normalized->problems)))
      signalPassFailure();
  }
};

} // namespace
