//===- NormalizeONNX.cpp - a graph brought to the operators that the raise knows ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/NormalizeONNX.h"
#include "Graph/CacheForm.h"
#include "Graph/CacheInputs.h"
#include "Graph/ExpandQuantized.h"
#include "Graph/Expansion.h"
#include "Graph/InlineFunctions.h"
#include "Graph/MergeBranches.h"
#include "Graph/MergeNodes.h"
#include "Graph/RemoveUnused.h"
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

namespace {

/// One walk over the graph that rewrites nodes with what is known of their inputs.
class Rewriter {
public:
  Rewriter(GraphOp graph, ArrayRef<ModelInput> inputs, ProbeSizes sizes, bool keepsCaches = false)
      : graph(graph), probe(graph, inputs, sizes), caches(graph, inputs), keepsCaches(keepsCaches) {
  }

  void run();
  ArrayRef<ProbeProblem> getProblems() const { return problems; }
  const CacheForms &getCaches() const { return caches; }

private:
  Probe::Rewriting rewrite(NodeOp op);

  GraphOp graph;
  Probe probe;
  CacheForms caches;
  bool keepsCaches; ///< in the form that they have
  Sequences sequences;
  std::vector<ProbeProblem> problems;
  int64_t count = 0;
};

} // namespace

Probe::Rewriting Rewriter::rewrite(NodeOp op) {
  if (!keepsCaches && caches.rewrite(op, probe) == Probe::Rewriting::Replaced)
    return Probe::Rewriting::Replaced;
  const Operator *row = findOperator(Node(op).getType());
  if (!row || !row->expand)
    return Probe::Rewriting::Run;
  // What feeds it could not run: its ranks are not known, and that is reported elsewhere.
  for (Value input : op.getInputs())
    if (!isa<AbsentType>(input.getType()) && !probe.get(input) &&
        !sequences.contains(probe.resolve(input)))
      return Probe::Rewriting::Run;
  Expansion expansion(op, probe, sequences);
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
  case Expanded::Held:
    return Probe::Rewriting::Skip;
  case Expanded::Replaced:
    op.erase();
    return Probe::Rewriting::Replaced;
  }
}

void Rewriter::run() {
  auto function = [this](NodeOp op) { return rewrite(op); };
  probe.setRewrite(function);
  probe.run();
  SmallPtrSet<Operation *, 16> unused;
  for (auto &[value, tensors] : sequences)
    unused.insert(value.getDefiningOp());
  removeUnusedNodes(graph, std::move(unused));
  if (!keepsCaches)
    caches.removeUnused();
}

/// The sizes of heads where an input does not state them: what is known of another cache, or 1.
static SmallVector<ModelInput> guessSizes(ArrayRef<ModelInput> inputs) {
  ModelInput known = ModelInput::makePast(1, 1);
  for (const ModelInput &input : inputs)
    if (input.role == InputRole::Past && input.hasSizes())
      known = input;
  SmallVector<ModelInput> guessed(inputs);
  for (ModelInput &input : guessed)
    if (input.role == InputRole::Past && !input.hasSizes())
      input = known;
  return guessed;
}

/// Rewrites the graph's nodes; gives those that should have been and can't be. Caches get the sizes
/// that new rows have, where their inputs leave them open.
static std::vector<ProbeProblem> rewriteNodes(GraphOp graph, SmallVectorImpl<ModelInput> &inputs,
                                              ProbeSizes sizes) {
  auto isOpen = [](const ModelInput &input) {
    return input.role == InputRole::Past && !input.hasSizes();
  };
  for (bool learned = llvm::any_of(inputs, isOpen); learned;) {
    SmallVector<ModelInput> guessed = guessSizes(inputs);
    Rewriter rewriter(graph, guessed, sizes);
    rewriter.run();
    learned = false;
    for (auto [argument, size] : rewriter.getCaches().getSizes()) {
      learned |= isOpen(inputs[argument]);
      if (isOpen(inputs[argument]))
        inputs[argument] = ModelInput::makePast(size.first, size.second);
    }
  }
  Rewriter rewriter(graph, inputs, sizes);
  rewriter.run();
  return rewriter.getProblems();
}

static bool hasPast(ArrayRef<ModelInput> inputs) {
  return llvm::any_of(inputs,
                      [](const ModelInput &input) { return input.role == InputRole::Past; });
}

LogicalResult llmc::expandOperators(ModuleOp module, GraphOp graph, ArrayRef<ModelInput> inputs) {
  SmallVector<ModelInput> guessed = guessSizes(inputs);
  Rewriter rewriter(graph, guessed, hasPast(inputs) ? withPast : withoutPast,
                    /*keepsCaches=*/true);
  rewriter.run();
  return reportProblems(module, rewriter.getProblems());
}

FailureOr<NormalizedGraph> llmc::normalizeONNX(ModuleOp module) {
  auto graph = module.lookupSymbol<GraphOp>("main");
  if (!graph)
    return module.emitError("expected onnx.graph @main");
  if (failed(inlineFunctions(module)) || failed(expandQuantized(module)) ||
      failed(keepLogits(graph)))
    return failure();
  for (StringRef type : leaveOutSoftmax(graph))
    graph.emitRemark("leaves out ") << type << " of the output: logits give the same probabilities";
  mergeEqualNodes(graph);
  mergeEqualBranches(graph);
  FailureOr<SmallVector<ModelInput>> inputs = classifyInputs(graph);
  if (failed(inputs))
    return failure();
  splitCacheInputs(graph, *inputs);
  bool isDecoder = hasPast(*inputs);
  std::vector<ProbeProblem> problems =
      rewriteNodes(graph, *inputs, isDecoder ? withPast : withoutPast);
  return NormalizedGraph{graph, std::move(*inputs), isDecoder, std::move(problems)};
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
