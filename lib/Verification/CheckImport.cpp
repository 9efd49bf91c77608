//===- CheckImport.cpp - a raised model compared with the graph it came from ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Verification/CheckImport.h"
#include "FirstDifference.h"
#include "RaisedProgram.h"
#include "ReferenceModel.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"
#include "llmc/Support/Stopwatch.h"
#include "llmc/Transforms/Blocks.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/CSE.h"
#include "llvm/Support/FormatVariadic.h"

#include <random>

using namespace mlir;
using namespace llmc;

// Logits that differ by more than this part of the row's largest are refused. Programs compute in
// fp32; angles that a graph has in half precision are taken as the exact ones behind them.
static constexpr double tolerance = 1e-4, halfTolerance = 1e-2;

//===----------------------------------------------------------------------===//
// Texts
//===----------------------------------------------------------------------===//

/// The steps of each text: one row or several, first or after others.
static std::vector<std::vector<int64_t>> getStepSizes(ImportCheck check) {
  if (check == ImportCheck::Quick)
    return {{1, 5, 1}, {7, 1, 4}};
  return {{1, 5, 1, 1}, {33, 1, 7}, {64, 64, 64, 1, 1, 3}};
}

using Text = std::vector<std::vector<int32_t>>;

/// Texts of tokens drawn from a fixed seed, none longer than the model's context.
static std::vector<Text> makeTexts(ImportCheck check, int64_t vocabulary, int64_t context) {
  std::vector<Text> texts;
  // The same texts every time.
  std::mt19937_64 random(20240229); // NOLINT(bugprone-random-generator-seed)
  for (const std::vector<int64_t> &sizes : getStepSizes(check)) {
    Text text;
    int64_t length = 0;
    for (int64_t size : sizes) {
      size = std::min(size, context - length);
      if (size <= 0)
        break;
      length += size;
      std::vector<int32_t> &step = text.emplace_back();
      for (int64_t i = 0; i < size; ++i)
        step.push_back(static_cast<int32_t>(random() % static_cast<uint64_t>(vocabulary)));
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

//===----------------------------------------------------------------------===//
// The raised model
//===----------------------------------------------------------------------===//

/// What the raised model says of itself.
namespace {
struct Shape {
  int64_t width = 0;      ///< of the logits
  int64_t vocabulary = 0; ///< tokens that every table has a row for
  int64_t context = INT64_MAX, heads = 1, size = 1;
};
} // namespace

static FailureOr<Shape> getShape(ModuleOp raised) {
  Shape shape;
  auto step = raised.lookupSymbol<func::FuncOp>(LLMCDialect::stepFunctionName);
  if (!step || step.getNumResults() != 1)
    return raised.emitError("expected a raised module");
  shape.width = cast<RankedTensorType>(step.getResultTypes().front()).getDimSize(1);
  shape.vocabulary = shape.width;
  step.walk([&](EmbeddingOp op) {
    if (isa<BlockArgument>(op.getIndices()))
      shape.vocabulary =
          std::min(shape.vocabulary, cast<ShapedType>(op.getTable().getType()).getShape().front());
  });
  for (Type type : step.getArgumentTypes())
    if (auto cache = dyn_cast<KVCacheType>(type)) {
      shape.context = std::min(shape.context, cache.getCapacity());
      shape.heads = cache.getHeads();
      shape.size = cache.getHeadSize();
    }
  return shape;
}

/// The raised model without the roundings of activations, which are compared with none.
static OwningOpRef<ModuleOp> removeRounding(ModuleOp raised) {
  OwningOpRef<ModuleOp> exact = raised.clone();
  exact->walk([](LinearOp op) { op.removeActivationAttr(); });
  return exact;
}

/// Whether a graph holds numbers narrower than fp32.
static bool hasNarrowNumbers(ModuleOp graph) {
  WalkResult result = graph.walk([](carrier::InitializerOp op) {
    auto type = dyn_cast<FloatType>(cast<ShapedType>(op.getType()).getElementType());
    return type && type.getWidth() < 32 ? WalkResult::interrupt() : WalkResult::advance();
  });
  return result.wasInterrupted();
}

//===----------------------------------------------------------------------===//
// The comparison
//===----------------------------------------------------------------------===//

namespace {
/// A row of logits that differs.
struct Difference {
  size_t step; ///< of its text
  int64_t past, rows, position;
  double amount;
};
} // namespace

/// Runs one text by both; gives the first row that differs too much, if any.
static FailureOr<std::optional<Difference>> compareText(ReferenceModel &reference,
                                                        RaisedProgram &program, const Text &text,
                                                        double most, ImportCheckResult &result) {
  reference.restart();
  program.restart();
  int64_t past = 0;
  for (auto [index, step] : llvm::enumerate(text)) {
    FailureOr<ReferenceLogits> expected = reference.step(step);
    if (failed(expected))
      return failure();
    std::vector<float> found = program.step(step).front();
    auto rows = static_cast<int64_t>(step.size());
    size_t width = found.size() / rows;
    for (int64_t i = 0; i < expected->rows; ++i) {
      int64_t row = rows - expected->rows + i;
      double amount = getRowDifference(ArrayRef(expected->values).slice(i * width, width),
                                       ArrayRef(found).slice(row * width, width));
      result.difference = std::max(result.difference, amount);
      ++result.rows;
      if (!(amount <= most))
        return std::optional(Difference{index, past, rows, past + row, amount});
    }
    past += rows;
  }
  return std::optional<Difference>();
}

static LogicalResult report(ModuleOp graph, const Difference &difference, double most,
                            const FirstDifference &first) {
  InFlightDiagnostic diagnostic = graph.emitError("the program that this graph was raised to "
                                                  "computes something else: at position ")
                                  << difference.position << ", in a step of " << difference.rows
                                  << (difference.rows == 1 ? " row" : " rows") << " after "
                                  << difference.past << ", logits differ by " << difference.amount
                                  << " of the largest, expected at most " << most;
  if (!first.differs.empty()) {
    diagnostic << "; the first layer that differs ends at node '" << first.differs << "'";
    if (!first.agrees.empty())
      diagnostic << ", after '" << first.agrees << "', which agrees";
  } else if (!first.agrees.empty()) {
    diagnostic << "; layers agree up to node '" << first.agrees << "'";
  }
  return diagnostic << " (this is a fault of the compiler; --check-import=off writes the program "
                       "all the same)";
}

/// Compares on all texts; what keeps the graph from being run is left to `reference`.
static FailureOr<std::optional<ImportCheckResult>> compare(ModuleOp graph, ModuleOp raised,
                                                           ImportCheck check) {
  FailureOr<Shape> shape = getShape(raised);
  if (failed(shape))
    return failure();
  // Messages of a graph that can't be run are kept for a warning; remarks were made by the raise.
  std::string why;
  auto listen = [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      why = diagnostic.str();
    return success();
  };
  auto warn = [&]() {
    graph.emitWarning("cannot compare the raised model with its graph: ") << why;
    return std::optional<ImportCheckResult>();
  };
  OwningOpRef<ModuleOp> own = graph.clone();
  FailureOr<ReferenceModel> reference = failure();
  {
    ScopedDiagnosticHandler handler(graph.getContext(), listen);
    reference = ReferenceModel::create(*own, shape->width);
  }
  if (failed(reference))
    return warn();
  reference->setCacheShape(shape->heads, shape->size);
  OwningOpRef<ModuleOp> exact = removeRounding(raised);
  FailureOr<RaisedProgram> program = RaisedProgram::compile(*exact);
  if (failed(program))
    return failure();
  ImportCheckResult result;
  double most = hasNarrowNumbers(graph) ? halfTolerance : tolerance;
  for (const Text &text : makeTexts(check, shape->vocabulary, shape->context)) {
    FailureOr<std::optional<Difference>> difference = failure();
    {
      ScopedDiagnosticHandler handler(graph.getContext(), listen);
      difference = compareText(*reference, *program, text, most, result);
    }
    if (failed(difference))
      return warn();
    if (!*difference)
      continue;
    FirstDifference first = findFirstDifference(
        *reference, *exact, ArrayRef(text).take_front((*difference)->step + 1), most);
    return report(graph, **difference, most, first);
  }
  return std::optional(result);
}

FailureOr<ImportCheckResult> llmc::checkImport(ModuleOp graph, ModuleOp raised, ImportCheck check) {
  if (check == ImportCheck::Off)
    return ImportCheckResult();
  const Stopwatch watch;
  FailureOr<std::optional<ImportCheckResult>> result = compare(graph, raised, check);
  if (failed(result))
    return failure();
  ImportCheckResult found = result->value_or(ImportCheckResult());
  found.seconds = watch.getSeconds();
  return found;
}

namespace {

struct ProgramChecker : ImportChecker {
  using ImportChecker::ImportChecker;

  LogicalResult check(ModuleOp graph, ModuleOp raised, ImportCheck check) const override {
    // Blocks that are the same are compiled once.
    OwningOpRef<ModuleOp> program = raised.clone();
    IRRewriter rewriter(program->getContext());
    DominanceInfo dominance;
    eliminateCommonSubExpressions(rewriter, dominance, *program);
    outlineBlocks(*program);
    FailureOr<ImportCheckResult> result = checkImport(graph, *program, check);
    if (succeeded(result) && result->rows > 0)
      graph.emitRemark() << llvm::formatv("the program computes what the graph says: {0} rows of "
                                          "logits differ by at most {1:e1} of the largest ({2:f1} "
                                          "s)",
                                          result->rows, result->difference, result->seconds)
                                .str();
    return result;
  }
};

} // namespace

void llmc::registerImportCheck(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *, carrier::ONNXDialect *dialect) {
    dialect->addInterfaces<ProgramChecker>();
  });
}
