//===- ONNXToLLMC.cpp - from the onnx carrier to the language of models ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/ONNXToLLMC/ONNXToLLMC.h"
#include "Graph/InlineFunctions.h"
#include "Raise/Angles.h"
#include "Raise/NameParameters.h"
#include "Raise/Raiser.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

namespace llmc {
#define GEN_PASS_DEF_RAISEONNX
#include "llmc/Conversion/ONNXToLLMC/Passes.h.inc"
} // namespace llmc

/// The lengths at which the graph is read: unlike each other and unlike usual widths.
static constexpr ProbeSizes withPast{18, 11}, withoutPast{0, 29};
static constexpr int64_t defaultContext = 2048;
/// Rows of a prompt that is long, and yet cheap to look at where it makes masks.
static constexpr int64_t longPrompt = 256;
/// Angles are computed for every position of a context.
static constexpr int64_t maxContext = int64_t(1) << 24;

//===----------------------------------------------------------------------===//
// What can't be raised
//===----------------------------------------------------------------------===//

/// Reports nodes by operator: how many there are, one name, and why.
static LogicalResult reportProblems(ModuleOp module, ArrayRef<ProbeProblem> problems) {
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
// How long a text may be
//===----------------------------------------------------------------------===//

/// Rows of the smallest table that is read by position.
static int64_t findContextLimit(const Probe &probe) {
  int64_t limit = INT64_MAX;
  ProbeSizes sizes = probe.getSizes();
  for (NodeOp op : probe.getNodes()) {
    auto get = [&](unsigned i) {
      return i < op.getInputs().size() ? probe.get(op.getInputs()[i]) : nullptr;
    };
    StringRef type = op.getOpType();
    if (type == "Gather" && get(0) && get(1) && get(1)->isKnown() &&
        get(1)->getNumElements() == sizes.rows && !get(0)->shape.empty() &&
        (get(0)->constant || get(0)->isWeights)) {
      double offset = (*get(1))[0] - sizes.past;
      bool counts = offset >= 0;
      for (int64_t i = 0; i < sizes.rows; ++i)
        counts &= (*get(1))[i] == sizes.past + i + offset;
      if (counts)
        limit = std::min(limit, get(0)->shape[0] - static_cast<int64_t>(offset));
    } else if (type == "GroupQueryAttention" || type == "RotaryEmbedding") {
      unsigned table = type == "GroupQueryAttention"       ? 7
                       : op.getDomain() == "com.microsoft" ? 2
                                                           : 1;
      if (get(table) && get(table)->constant && get(table)->shape.size() == 2)
        limit = std::min(limit, get(table)->shape[0]);
    } else if (type == "Slice" && get(0) && get(0)->constant && get(2) && get(2)->isKnown() &&
               get(2)->getNumElements() == 1 && (*get(2))[0] == sizes.total()) {
      // A stored mask that is cut to the lengths of the step.
      int64_t largest = 0;
      for (int64_t dim : get(0)->shape)
        largest = std::max(largest, dim);
      limit = std::min(limit, largest);
    }
  }
  return limit;
}

//===----------------------------------------------------------------------===//
// Does it hold at other lengths
//===----------------------------------------------------------------------===//

/// What runs at the first lengths runs at others.
static LogicalResult checkRun(GraphOp graph, const Probe &probe) {
  if (probe.getProblems().empty())
    return success();
  const ProbeProblem &problem = probe.getProblems().front();
  InFlightDiagnostic diagnostic = graph.emitError("cannot run the graph at ")
                                  << probe.getSizes().total() << " positions: ";
  if (problem.node)
    diagnostic << "node '" << NodeOp(problem.node).getName() << "': ";
  return diagnostic << problem.reason;
}

/// Whether conditions and numbers that were taken as fixed are the same in another run.
static LogicalResult checkFixed(const LengthChecks &checks, const Probe &probe, ProbeSizes raised) {
  auto spell = [](ProbeSizes sizes) {
    return (Twine(sizes.rows) + " rows after " + Twine(sizes.past)).str();
  };
  std::string here = spell(probe.getSizes());
  for (const LengthChecks::Condition &check : checks.conditions) {
    const HostTensor *tensor = probe.get(check.value);
    if (!tensor || !tensor->isKnown() ||
        llvm::any_of(*tensor->data, [&](double value) { return (value != 0) != check.taken; }))
      return emitError(check.location)
             << "expected a condition that is the same at every length, found it changed at "
             << here;
  }
  for (const LengthChecks::Number &check : checks.numbers) {
    const HostTensor *tensor = probe.get(check.value);
    double found =
        tensor && tensor->isKnown() && tensor->getNumElements() == 1 ? (*tensor)[0] : NAN;
    if (!(found == check.number ||
          std::fabs(found - check.number) <= 1e-6 * std::fabs(check.number)))
      return emitError(check.location)
             << "expected a number that is the same at every length, found " << check.number
             << " at " << spell(raised) << " and " << found << " at " << here;
  }
  return success();
}

/// Runs the graph as for one token and for a long prompt: a condition may ask for either.
static LogicalResult checkSteps(GraphOp graph, ArrayRef<ModelInput> inputs, const Raiser &raiser,
                                int64_t context, bool hasPast) {
  const LengthChecks &checks = raiser.getChecks();
  llvm::DenseSet<Value> wanted;
  for (const LengthChecks::Condition &check : checks.conditions)
    wanted.insert(check.value);
  for (const LengthChecks::Number &check : checks.numbers)
    wanted.insert(check.value);
  if (wanted.empty())
    return success();
  for (ProbeSizes sizes :
       {ProbeSizes{hasPast ? context - 1 : 0, 1}, ProbeSizes{0, std::min(context, longPrompt)}}) {
    Probe probe(graph, inputs, sizes);
    probe.run(&wanted);
    if (failed(checkRun(graph, probe)) || failed(checkFixed(checks, probe, raiser.getSizes())))
      return failure();
  }
  return success();
}

static bool areClose(ArrayRef<double> a, ArrayRef<double> b) {
  return a.size() == b.size() && llvm::all_of(llvm::zip(a, b), [](auto pair) {
           auto [one, other] = pair;
           return std::fabs(one - other) <= 1e-5 * std::fabs(one);
         });
}

/// Runs the graph again at the full context and looks at its angles and masks there.
static LogicalResult checkLengths(GraphOp graph, ArrayRef<ModelInput> inputs, const Raiser &raiser,
                                  ProbeSizes sizes) {
  const LengthChecks &checks = raiser.getChecks();
  llvm::DenseSet<Value> wanted;
  for (const LengthChecks::MaskCheck &check : checks.masks)
    for (const Scores::Mask &mask : check.masks)
      wanted.insert(mask.value);
  for (const LengthChecks::Condition &check : checks.conditions)
    wanted.insert(check.value);
  for (const LengthChecks::Number &check : checks.numbers)
    wanted.insert(check.value);
  for (const RowFactor &factor : raiser.getFactors())
    if (factor.value)
      wanted.insert(factor.value);
  if (wanted.empty())
    return success();
  Probe probe(graph, inputs, sizes);
  probe.run(&wanted);
  if (failed(checkRun(graph, probe)) || failed(checkFixed(checks, probe, raiser.getSizes())))
    return failure();
  for (const LengthChecks::Angle &angle : checks.angles)
    for (bool isSine : {false, true}) {
      int32_t id = isSine ? angle.sine : angle.cosine;
      if (id < 0 || !raiser.getFactors()[id].value)
        continue;
      const RowFactor &factor = raiser.getFactors()[id];
      const HostTensor *tensor = probe.get(factor.value);
      if (!tensor || !tensor->isKnown() || tensor->shape.empty())
        return graph.emitError("expected angles that do not depend on tokens");
      int64_t width = tensor->shape.back(), count = tensor->getNumElements() / width;
      double tolerance = getFarTolerance(factor.roundoff) * std::fabs(angle.scaling);
      for (int64_t row = 0; row < count; ++row) {
        double position = sizes.total() - count + row, turn = angle.frequency * position;
        double expected = angle.scaling * (isSine ? std::sin(turn) : std::cos(turn));
        double found = (*tensor)[row * width + factor.column];
        if (std::fabs(std::fabs(found) - std::fabs(expected)) > tolerance)
          return graph.emitError("expected angles in proportion to the position; at position ")
                 << position << " expected " << expected << ", found " << found
                 << " (rotations that change with the length are not supported)";
      }
    }

  std::map<std::vector<std::pair<void *, int>>, FailureOr<MaskMeaning>> known;
  for (const LengthChecks::MaskCheck &check : checks.masks) {
    std::vector<std::pair<void *, int>> key;
    for (const Scores::Mask &mask : check.masks)
      key.push_back({mask.value.getAsOpaquePointer(), static_cast<int>(mask.kind)});
    std::string why;
    auto found = known.find(key);
    if (found == known.end())
      found = known.emplace(key, readMasks(check.masks, probe, why)).first;
    if (failed(found->second))
      return emitError(check.location)
             << "at its context of " << sizes.total() << " positions: " << why;
    // A window wider than the first probe shows only here.
    int64_t window = found->second->window;
    if (window != check.meaning.window && !(check.meaning.window == 0 && window > 0))
      return emitError(check.location)
             << "expected a window of " << check.meaning.window
             << " positions at every length, found " << window << " at " << sizes.total();
    if (!areClose(found->second->slopes, check.meaning.slopes))
      return emitError(check.location) << "expected masks that add in the same proportion to the "
                                          "position at every length, found others at "
                                       << sizes.total();
  }
  // Windows found at full length become part of the program.
  size_t next = 0;
  LogicalResult result = success();
  raiser.getStep().walk([&](AttentionOp attention) {
    if (next >= checks.masks.size())
      return;
    std::vector<std::pair<void *, int>> key;
    for (const Scores::Mask &mask : checks.masks[next].masks)
      key.push_back({mask.value.getAsOpaquePointer(), static_cast<int>(mask.kind)});
    int64_t window = known.find(key)->second->window;
    if (attention.getLoc() == checks.masks[next].location) {
      if (window > 0)
        attention.setWindowAttr(Builder(attention).getI64IntegerAttr(window));
      ++next;
    }
  });
  return result;
}

//===----------------------------------------------------------------------===//
// The end of the function
//===----------------------------------------------------------------------===//

/// Whether an operation's rows depend on the same rows of its first operand alone.
static bool isRowwise(Operation *op) {
  return isa_and_nonnull<LinearOp, RMSNormOp, LayerNormOp, ActivationOp, ScaleOp>(op);
}

/// Lets the wanted rows alone pass through what follows the last attention: the norm and the head.
Value Raiser::selectOutputRows(Value logits) {
  // The operations on the way, from the logits back to the last value that others read too.
  llvm::SmallPtrSet<Operation *, 8> way;
  Value at = logits;
  while (isRowwise(at.getDefiningOp()) && (at == logits || at.hasOneUse())) {
    way.insert(at.getDefiningOp());
    at = at.getDefiningOp()->getOperand(0);
  }
  OpBuilder here(builder.getContext());
  here.setInsertionPointAfterValue(at);
  Value wanted = OutputRowsOp::create(here, location, at.getType(), at, rows).getResult();
  at.replaceUsesWithIf(wanted, [&](OpOperand &use) { return way.contains(use.getOwner()); });
  return at == logits ? wanted : logits;
}

/// The output that is the model's logits: of those that hold rows the only one, or the one of that
/// name. The others, such as hidden states, are then named in a remark and left out.
FailureOr<View> Raiser::findLogits() {
  auto yield = cast<YieldOp>(graph.getBody().front().back());
  SmallVector<std::pair<StringRef, Value>> candidates;
  for (auto [value, name] : llvm::zip(yield.getValues(), graph.getOutputNames())) {
    StringRef text = cast<StringAttr>(name).getValue();
    const Abstract &found = get(probe.resolve(value));
    auto *view = std::get_if<View>(&found);
    if (std::holds_alternative<PastValue>(found) || std::holds_alternative<CacheValue>(found) ||
        (view && view->past >= 0))
      continue;
    // Without past inputs, keys and values may still be given out: rank 4, one per attention.
    if (view && view->shape.size() == 4 && !candidates.empty())
      continue;
    if (!view && !std::holds_alternative<Normal>(found) && !std::holds_alternative<Function>(found))
      return graph.emitError("expected outputs to be logits and the cache, found '") << text << "'";
    candidates.push_back({text, value});
  }
  if (candidates.empty())
    return graph.emitError("expected an output of logits, found none");
  auto *chosen = llvm::find_if(candidates, [](const auto &candidate) {
    return candidate.first.contains_insensitive("logits");
  });
  if (chosen == candidates.end() && candidates.size() > 1)
    return graph.emitError("expected outputs to be logits and the cache, found '")
           << candidates[1].first << "'";
  if (chosen == candidates.end())
    chosen = candidates.begin();
  std::string others;
  for (const auto &candidate : candidates)
    if (candidate != *chosen)
      others += (others.empty() ? "'" : ", '") + candidate.first.str() + "'";
  if (!others.empty())
    graph.emitRemark("takes output '")
        << chosen->first << "' as the logits and leaves out " << others;
  location = graph.getLoc();
  reason.clear();
  std::optional<View> logits = toView(get(probe.resolve(chosen->second)));
  if (!logits)
    return graph.emitError("expected outputs to be logits and the cache, found '")
           << chosen->first << "': " << reason;
  return *logits;
}

LogicalResult Raiser::finish() {
  FailureOr<View> logits = findLogits();
  if (failed(logits))
    return failure();
  FailureOr<Value> value = materializeExactly(*logits);
  if (failed(value))
    return graph.emitError("cannot compute the logits: ") << reason;

  value = selectOutputRows(*value);
  func::ReturnOp::create(builder, location, *value);
  step.setFunctionType(
      builder.getFunctionType(step.getBody().front().getArgumentTypes(), value->getType()));
  return success();
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

LogicalResult llmc::raiseONNX(ModuleOp module, const RaiseOptions &options) {
  auto graph = module.lookupSymbol<GraphOp>("main");
  if (!graph)
    return module.emitError("expected onnx.graph @main");
  if (options.context < 0 || options.context > maxContext)
    return module.emitError("expected a context of 1 to ")
           << maxContext << " positions, found " << options.context;
  if (failed(inlineFunctions(module)))
    return failure();
  FailureOr<SmallVector<ModelInput>> inputs = classifyInputs(graph);
  if (failed(inputs))
    return failure();
  bool hasPast =
      llvm::any_of(*inputs, [](const ModelInput &input) { return input.role == InputRole::Past; });
  Probe probe(graph, *inputs, hasPast ? withPast : withoutPast);
  probe.run();
  if (failed(reportProblems(module, probe.getProblems())))
    return failure();

  int64_t limit = findContextLimit(probe);
  if (options.context > limit)
    return graph.emitError("expected a context of at most ")
           << limit << " positions, the rows of the model's tables, found " << options.context;
  int64_t context = options.context > 0 ? options.context : std::min(limit, defaultContext);

  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  MLIRContext *context_ = module.getContext();
  auto tokens = RankedTensorType::get({ShapedType::kDynamic}, builder.getI32Type());
  auto step = func::FuncOp::create(builder, graph.getLoc(), LLMCDialect::stepFunctionName,
                                   builder.getFunctionType({tokens, RowsType::get(context_)}, {}));
  Raiser raiser(graph, *inputs, probe, step, context);
  raiser.run();
  ProbeSizes full{hasPast ? context - 3 : 0, hasPast ? 3 : context};
  if (failed(reportProblems(module, raiser.getProblems())) || failed(raiser.finish()) ||
      (context > 3 && (failed(checkLengths(graph, *inputs, raiser, full)) ||
                       failed(checkSteps(graph, *inputs, raiser, context, hasPast))))) {
    step.erase();
    return failure();
  }
  graph.erase();
  for (auto function : llvm::make_early_inc_range(module.getOps<FunctionOp>()))
    function.erase();
  for (StringRef name : {"onnx.ir_version", "onnx.opsets", "onnx.producer", "onnx.metadata",
                         "onnx.domain", "onnx.model_version", "onnx.doc_string"})
    module->removeAttr(name);
  // What was computed for nothing: parameters of parts that were cut further, unused norms.
  if (failed(applyPatternsGreedily(step, FrozenRewritePatternSet())))
    return failure();
  tieHead(step);
  nameParameters(module, step);
  return success();
}

namespace {

struct RaiseONNXPass : public llmc::impl::RaiseONNXBase<RaiseONNXPass> {
  using RaiseONNXBase::RaiseONNXBase;

  void runOnOperation() override {
    if (failed(raiseONNX(getOperation(), {context})))
      signalPassFailure();
  }
};

} // namespace
