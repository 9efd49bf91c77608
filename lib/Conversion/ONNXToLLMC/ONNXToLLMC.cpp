//===- ONNXToLLMC.cpp - from the onnx carrier to the language of models ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/ONNXToLLMC/ONNXToLLMC.h"
#include "Graph/NormalizeONNX.h"
#include "Raise/ContextLimit.h"
#include "Raise/NameParameters.h"
#include "Raise/Outputs.h"
#include "Raise/Raise.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <map>

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

namespace llmc {
#define GEN_PASS_DEF_RAISEONNX
#include "llmc/Conversion/ONNXToLLMC/Passes.h.inc"
} // namespace llmc

static constexpr int64_t defaultContext = 2048;
/// A graph that can't be raised for so few positions can't be for any.
static constexpr int64_t leastContext = 32;
/// Angles are computed for every position of a context.
static constexpr int64_t maxContext = int64_t(1) << 24;

//===----------------------------------------------------------------------===//
// What can't be raised
//===----------------------------------------------------------------------===//

LogicalResult llmc::reportProblems(ModuleOp module, ArrayRef<ProbeProblem> problems) {
  if (problems.empty())
    return success();
  struct Group {
    NodeOp first;
    std::string reason;
    int64_t count = 0;
  };
  std::map<std::pair<std::string, std::string>, Group> groups;
  for (const ProbeProblem &problem : problems) {
    std::string type = problem.node ? Node(problem.node).getType() : "";
    Group &group = groups[{type, problem.reason}];
    if (group.count++ == 0)
      group = {problem.node, problem.reason, 1};
  }
  InFlightDiagnostic diagnostic = module.emitError("cannot raise ")
                                  << problems.size() << (problems.size() == 1 ? " node" : " nodes")
                                  << " of the graph";
  auto opsets = module->getAttrOfType<DictionaryAttr>("onnx.opsets");
  for (auto &[key, group] : groups) {
    if (!group.first) {
      diagnostic.attachNote() << group.reason;
      continue;
    }
    StringRef domain = group.first.getDomain().empty() ? "ai.onnx" : group.first.getDomain();
    auto version = opsets ? opsets.getAs<IntegerAttr>(domain) : IntegerAttr();
    Diagnostic &note = diagnostic.attachNote(group.first.getLoc());
    note << group.first.getOpType() << " (domain " << domain << ", version ";
    if (version)
      note << version.getInt();
    else
      note << "not stated";
    note << "), " << group.count << (group.count == 1 ? " node" : " nodes") << ", e.g. '"
         << group.first.getName()
         << "': " << (group.reason.empty() ? "this operator is not known" : group.reason);
  }
  return diagnostic;
}

//===----------------------------------------------------------------------===//
// The raise
//===----------------------------------------------------------------------===//

/// Whether two parameters hold the same numbers.
static bool sameContents(ParameterOp a, ParameterOp b) {
  if (a.getType() != b.getType() || a.getTensorType().getEncoding())
    return a.getType() == b.getType() && a.getData() == b.getData();
  FailureOr<ParameterReader> first = ParameterReader::get(a), second = ParameterReader::get(b);
  if (failed(first) || failed(second))
    return false;
  std::vector<float> left(first->getNumColumns()), right(first->getNumColumns());
  for (int64_t row = 0; row < first->getNumRows(); ++row) {
    first->readRow(row, left);
    second->readRow(row, right);
    if (std::memcmp(left.data(), right.data(), left.size() * sizeof(float)) != 0)
      return false;
  }
  return true;
}

/// Ties the head to the embedding where the file holds the same matrix twice.
static void tieHead(func::FuncOp step) {
  auto head = step.getBody().front().getTerminator()->getOperand(0).getDefiningOp<LinearOp>();
  ParameterValueOp table;
  step.walk([&](EmbeddingOp op) {
    if (isa<BlockArgument>(op.getIndices()))
      table = op.getTable().getDefiningOp<ParameterValueOp>();
  });
  auto weight = head ? head.getWeight().getDefiningOp<ParameterValueOp>() : ParameterValueOp();
  if (!weight || !table || weight.getParameter() == table.getParameter() ||
      weight.getType() != table.getType())
    return;
  auto a = SymbolTable::lookupNearestSymbolFrom<ParameterOp>(table, table.getParameterAttr());
  auto b = SymbolTable::lookupNearestSymbolFrom<ParameterOp>(weight, weight.getParameterAttr());
  if (a && b && sameContents(a, b))
    weight.setParameterAttr(table.getParameterAttr());
}

namespace {

/// A graph that was read, to be raised for one context or another.
struct Reading {
  mutable ModuleOp module;
  mutable GraphOp graph;
  ArrayRef<ModelInput> inputs;
  Probe &probe;
  bool hasPast;
};

/// Keeps diagnostics back until it is known what they are worth.
class HeldDiagnostics {
public:
  explicit HeldDiagnostics(MLIRContext *context)
      : handler(context, [this](Diagnostic &diagnostic) {
          held.push_back(std::move(diagnostic));
          return success();
        }) {}

  /// What the first error says.
  std::string getError() const {
    for (const Diagnostic &diagnostic : held)
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        return diagnostic.str();
    return "";
  }
  std::vector<Diagnostic> take() { return std::move(held); }

  static void emit(MLIRContext *context, std::vector<Diagnostic> diagnostics) {
    for (Diagnostic &diagnostic : diagnostics)
      context->getDiagEngine().emit(std::move(diagnostic));
  }

private:
  std::vector<Diagnostic> held;
  ScopedDiagnosticHandler handler;
};

} // namespace

/// Raises the graph into a function; leaves nothing behind where it fails.
static FailureOr<func::FuncOp> raiseFor(const Reading &reading, int64_t context) {
  ModuleOp module = reading.module;
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  auto tokens = RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
  auto step = func::FuncOp::create(
      builder, reading.graph->getLoc(), LLMCDialect::stepFunctionName,
      builder.getFunctionType({tokens, RowsType::get(module.getContext())}, {}));
  Raise raise(reading.graph, reading.inputs, reading.probe, step, context);
  raise.run();
  LengthCheck lengths{reading.graph, reading.inputs, reading.probe,  raise.lengths,
                      raise.factors, context,        reading.hasPast};
  if (succeeded(reportProblems(module, raise.getProblems())) && succeeded(emitOutputs(raise)) &&
      succeeded(checkLengths(lengths)))
    return step;
  step.erase();
  for (auto parameter : llvm::make_early_inc_range(module.getOps<ParameterOp>()))
    parameter.erase();
  return failure();
}

/// The largest context below one for which the graph can be raised; nothing where the context is
/// not what is in the way.
static std::optional<int64_t> findContext(const Reading &reading, int64_t below) {
  auto works = [&](int64_t context) {
    HeldDiagnostics held(reading.module.getContext());
    FailureOr<func::FuncOp> step = raiseFor(reading, context);
    if (failed(step))
      return false;
    step->erase();
    ModuleOp module = reading.module;
    for (auto parameter : llvm::make_early_inc_range(module.getOps<ParameterOp>()))
      parameter.erase();
    return true;
  };
  int64_t least = leastContext;
  if (least >= below || !works(least))
    return std::nullopt;
  while (below - least > 1) {
    int64_t middle = least + (below - least) / 2;
    (works(middle) ? least : below) = middle;
  }
  return least;
}

/// Raises the graph for a context that was `asked` for or, where it was not, for the largest one of
/// at most as many positions that works.
static FailureOr<func::FuncOp> raiseWithin(const Reading &reading, int64_t context, bool asked) {
  MLIRContext *mlirContext = reading.module.getContext();
  std::vector<Diagnostic> diagnostics;
  std::string error;
  FailureOr<func::FuncOp> raised = failure();
  {
    HeldDiagnostics held(mlirContext);
    raised = raiseFor(reading, context);
    error = held.getError();
    diagnostics = held.take();
  }
  if (succeeded(raised)) { // with remarks, perhaps
    HeldDiagnostics::emit(mlirContext, std::move(diagnostics));
    return raised;
  }
  std::optional<int64_t> smaller = findContext(reading, context);
  if (smaller && !asked) {
    reading.graph->emitRemark("takes a context of ")
        << *smaller << " positions, the most that works: " << error;
    return raiseFor(reading, *smaller);
  }
  if (smaller && !diagnostics.empty())
    diagnostics.back().attachNote(reading.graph->getLoc())
        << "the largest that works is --context=" << *smaller;
  HeldDiagnostics::emit(mlirContext, std::move(diagnostics));
  return failure();
}

/// Raises without a comparison.
static LogicalResult raise(ModuleOp module, const RaiseOptions &options) {
  if (options.context < 0 || options.context > maxContext)
    return module.emitError("expected a context of 1 to ")
           << maxContext << " positions, found " << options.context;
  FailureOr<NormalizedGraph> normalized = normalizeONNX(module);
  if (failed(normalized))
    return failure();
  auto &[graph, inputs, hasPast, problems] = *normalized;
  Probe probe(graph, inputs, hasPast ? withPast : withoutPast);
  probe.run();
  for (const ProbeProblem &problem : probe.getProblems())
    if (llvm::none_of(problems,
                      [&](const ProbeProblem &known) { return known.node == problem.node; }))
      problems.push_back(problem);
  if (failed(reportProblems(module, problems)))
    return failure();

  int64_t limit = findContextLimit(probe);
  if (options.context > limit)
    return graph.emitError("expected a context of at most ")
           << limit << " positions, the rows of the model's tables, found " << options.context
           << "; the largest that works is --context=" << limit;
  int64_t context = options.context > 0 ? options.context : std::min(limit, defaultContext);
  FailureOr<func::FuncOp> step =
      raiseWithin({module, graph, inputs, probe, hasPast}, context, options.context > 0);
  if (failed(step))
    return failure();
  graph.erase();
  for (auto function : llvm::make_early_inc_range(module.getOps<FunctionOp>()))
    function.erase();
  for (StringRef name : {"onnx.ir_version", "onnx.opsets", "onnx.producer", "onnx.metadata",
                         "onnx.domain", "onnx.model_version", "onnx.doc_string"})
    module->removeAttr(name);
  // What was computed for nothing: parameters of parts that were cut further, unused norms.
  if (failed(applyPatternsGreedily(*step, FrozenRewritePatternSet())))
    return failure();
  tieHead(*step);
  nameParameters(module, *step);
  return success();
}

LogicalResult llmc::raiseONNX(ModuleOp module, const RaiseOptions &options) {
  if (options.checkImport == ImportCheck::Off)
    return raise(module, options);
  auto *dialect = module.getContext()->getLoadedDialect<ONNXDialect>();
  const auto *checker = dialect ? dialect->getRegisteredInterface<ImportChecker>() : nullptr;
  if (!checker)
    return module.emitError("check-import: expected a tool that can run programs to compare with");
  OwningOpRef<ModuleOp> graph = module.clone();
  if (failed(raise(module, options)))
    return failure();
  return checker->check(*graph, module, options.checkImport);
}

namespace {

struct RaiseONNXPass : public llmc::impl::RaiseONNXBase<RaiseONNXPass> {
  using RaiseONNXBase::RaiseONNXBase;

  void runOnOperation() override {
    if (failed(raiseONNX(getOperation(), {context, checkImport})))
      signalPassFailure();
  }
};

} // namespace
