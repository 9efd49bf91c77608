//===- Lengths.cpp - what a graph has to keep to at other lengths ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Lengths.h"
#include "Raise/Angles.h"
#include "Raise/Movement.h"
#include "Raise/Regimes.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

/// Rows of a prompt whose masks, as large as their square, are looked at.
static constexpr int64_t maxMaskRows = 2048;
/// Movements of more elements are not looked at again: what they depend on shows in short texts.
static constexpr int64_t maxMoved = int64_t(1) << 16;

void LengthRecord::addFixed(Value value, const HostTensor &tensor, Location location) {
  if (!tensor.constant && tensor.isKnown())
    fixed.push_back({value, tensor.data, location});
}

void LengthRecord::addFixedColumn(Value value, const HostTensor &tensor, int64_t column,
                                  double number, Location location) {
  if (tensor.constant)
    return;
  auto entry = columns.insert({value, FixedColumns{{}, location}}).first;
  entry->second.numbers.try_emplace(column, number);
}

/// Whether a condition is a single one, and not one of each row and key.
static bool isFar(const LengthCheck &check, const LengthRecord::Condition &condition) {
  const HostTensor *tensor = check.raised.get(condition.value);
  return tensor && tensor->getNumElements() == 1;
}

static bool isClose(double a, double b) {
  return a == b || std::fabs(a - b) <= 1e-6 * std::fabs(b);
}

namespace {

/// What a run looks at: the whole graph and where rows and columns go in it, what masks, conditions
/// and numbers need, or of those all that does not grow with the square of the rows.
enum class Scope { Whole, Values, Far };

/// One run of the graph in another regime.
class Run {
public:
  Run(const LengthCheck &check, ProbeSizes sizes, const DenseSet<Value> &wanted, Scope scope)
      : check(check), record(check.record), scope(scope), probe(check.graph, check.inputs, sizes) {
    probe.run(&wanted, scope == Scope::Whole);
  }

  ProbeSizes getSizes() const { return probe.getSizes(); }

  /// Everything but masks, which are compared between runs.
  LogicalResult checkAll() const {
    return success(succeeded(checkProblems()) && succeeded(checkConditions()) &&
                   succeeded(checkFixed()) && succeeded(checkCounts()) &&
                   succeeded(checkAngles()) &&
                   (scope != Scope::Whole || succeeded(checkMovements())));
  }

  FailureOr<MaskMeaning> getMeaning(const LengthRecord::MaskUse &use, std::string &why) const {
    return readMasks(use.masks, use.causal, probe, why);
  }

private:
  std::string spell() const { return spellRegime(probe.getSizes()); }
  /// The values at this run, or nothing.
  ArrayRef<double> getNumbers(Value value) const {
    const HostTensor *tensor = probe.get(value);
    return tensor && tensor->isKnown() ? ArrayRef(*tensor->data) : ArrayRef<double>();
  }

  /// What runs at the first lengths runs at others.
  LogicalResult checkProblems() const {
    if (probe.getProblems().empty())
      return success();
    const ProbeProblem &problem = probe.getProblems().front();
    InFlightDiagnostic diagnostic = check.graph.emitError("cannot run the graph at ")
                                    << probe.getSizes().total() << " positions: ";
    if (problem.node)
      diagnostic << "node '" << NodeOp(problem.node).getName() << "': ";
    return diagnostic << problem.reason;
  }

  LogicalResult checkConditions() const {
    for (const LengthRecord::Condition &condition : record.conditions) {
      if (scope == Scope::Far && !isFar(check, condition))
        continue;
      ArrayRef<double> values = getNumbers(condition.value);
      if (values.empty() ||
          llvm::any_of(values, [&](double value) { return (value != 0) != condition.taken; }))
        return emitError(condition.location)
               << "expected a condition that is the same at every length, found it changed at "
               << spell();
    }
    return success();
  }

  LogicalResult checkFixed() const {
    for (const LengthRecord::Fixed &fixed : record.fixed) {
      ArrayRef<double> values = getNumbers(fixed.value);
      const std::vector<double> &expected = *fixed.numbers;
      bool same = values.size() == expected.size();
      size_t at = 0;
      while (same && at < values.size() && isClose(values[at], expected[at]))
        ++at;
      if (same && at == values.size())
        continue;
      InFlightDiagnostic diagnostic =
          emitError(fixed.location) << "expected a number that is the same at every length, found ";
      if (same)
        diagnostic << expected[at] << " at " << spellRegime(check.raised.getSizes()) << " and "
                   << values[at] << " at " << spell();
      else
        diagnostic << expected.size() << " of them at " << spellRegime(check.raised.getSizes())
                   << " and " << values.size() << " at " << spell();
      return diagnostic;
    }
    for (const auto &[value, columns] : record.columns) {
      const HostTensor *tensor = probe.get(value);
      ArrayRef<double> values = getNumbers(value);
      int64_t width = tensor && !tensor->shape.empty() ? tensor->shape.back() : 1;
      for (auto [column, number] : columns.numbers) {
        if (column >= width || values.empty())
          return emitError(columns.location)
                 << "expected factors of as many columns at every length, found " << width << " at "
                 << spell();
        for (size_t i = column; i < values.size(); i += width)
          if (!isClose(values[i], number))
            return emitError(columns.location)
                   << "expected a factor that is the same at every position and length, found "
                   << number << " at " << spellRegime(check.raised.getSizes()) << " and "
                   << values[i] << " at " << spell();
      }
    }
    return success();
  }

  LogicalResult checkCounts() const {
    using Kind = LengthRecord::Count::Kind;
    ProbeSizes sizes = probe.getSizes();
    for (const LengthRecord::Count &count : record.counts) {
      ArrayRef<double> values = getNumbers(count.value);
      int64_t first = count.offset;
      switch (count.kind) {
      case Kind::Positions:
      case Kind::Past:
        first += sizes.past;
        break;
      case Kind::Last:
        first += sizes.total() - 1;
        break;
      case Kind::Total:
        first += sizes.total();
        break;
      }
      int64_t wanted = count.kind == Kind::Positions ? sizes.rows : 1;
      auto found = static_cast<int64_t>(values.size());
      if (found != wanted)
        return emitError(count.location) << "expected " << wanted << " positions or lengths at "
                                         << spell() << ", found " << found;
      for (auto [i, value] : llvm::enumerate(values))
        if (auto expected = static_cast<double>(first + static_cast<int64_t>(i)); value != expected)
          return emitError(count.location)
                 << "expected positions that count up from the past, found " << value << " where "
                 << expected << " comes, at " << spell();
    }
    return success();
  }

  LogicalResult checkAngles() const {
    for (const LengthRecord::Angle &angle : record.angles) {
      const RowFactor &factor = check.factors[angle.factor];
      double tolerance = getFarTolerance(factor.roundoff) * std::fabs(angle.amplitude);
      for (RowFactor::Source source : factor.sources) {
        const HostTensor *tensor = probe.get(source.value);
        if (!tensor || !tensor->isKnown() || tensor->shape.empty())
          return check.graph.emitError("expected angles that do not depend on tokens");
        int64_t width = tensor->shape.back(), count = tensor->getNumElements() / width;
        for (int64_t row = 0; row < count; ++row) {
          auto position = static_cast<double>(probe.getSizes().total() - count + row);
          double turn = angle.frequency * position;
          double expected = angle.amplitude * (angle.isSine ? std::sin(turn) : std::cos(turn));
          double found = (*tensor)[row * width + source.column];
          if (!(std::fabs(found - expected) <= tolerance))
            return check.graph.emitError(
                       "expected angles in proportion to the position; at position ")
                   << position << " of " << spell() << " expected " << expected << ", found "
                   << found << " (rotations that change with the length are not supported)";
        }
      }
    }
    return success();
  }

  /// Whether indices say that rows and columns went where they did in the first run.
  static bool matches(const HostTensor &moved, const View &expected, int64_t rowCount,
                      int64_t width) {
    int axis = expected.rowsAxis;
    auto rank = static_cast<int64_t>(moved.shape.size());
    if (!moved.isKnown() || axis >= rank || (axis >= 0 && moved.shape[axis] != rowCount))
      return false;
    int64_t count = moved.getNumElements();
    int64_t inner = axis < 0 ? count : getProduct(ArrayRef(moved.shape).drop_front(axis + 1));
    int64_t size = axis < 0 ? 1 : rowCount;
    if (count != size * static_cast<int64_t>(expected.columns.size()))
      return false;
    for (int64_t i = 0; i < count; ++i) {
      int64_t row = axis < 0 ? rowCount - 1 : i / inner % size;
      int64_t column = i / (inner * size) * inner + i % inner;
      if (moved[i] != static_cast<double>(row * width + expected.columns[column].first.column))
        return false;
    }
    return true;
  }

  /// Whether a movement of `places` does what it did in the first run.
  static bool movesAlike(const LengthRecord::Movement &movement, const View *from,
                         const HostTensor &places, Evaluation &evaluation) {
    EvaluateFunction evaluate = findMovement(evaluation.node.getType());
    if (!evaluate || !evaluate(evaluation) || evaluation.outputs.empty())
      return false;
    ArrayRef<HostTensor> outputs = evaluation.outputs;
    if (!from)
      return outputs[0].isKnown() && *outputs[0].data == *places.data;
    auto width = static_cast<int64_t>(from->columns.size());
    int64_t rowCount = from->rowsAxis < 0 ? 1 : from->shape[from->rowsAxis];
    if (places.getNumElements() != rowCount * width || outputs.size() < movement.results.size())
      return false;
    for (auto [result, output] : llvm::zip(movement.results, outputs))
      if (result ? !matches(output, *result, rowCount, width) : output.getNumElements() != 0)
        return false;
    return true;
  }

  LogicalResult checkMovements() const {
    for (const LengthRecord::Movement &movement : record.movements) {
      NodeOp op = movement.node;
      const HostTensor *input = probe.get(op.getInputs()[0]);
      std::optional<View> from = movement.from;
      if (!input || (from && input->shape.size() != from->shape.size()))
        return op.emitError("expected as many axes at every length, found others at ") << spell();
      int64_t count = getProduct(input->shape);
      if (count > maxMoved)
        continue;
      HostTensor places;
      if (from) {
        from->shape = input->shape;
        places = getIndices(*from);
      } else {
        std::vector<double> order(count);
        std::iota(order.begin(), order.end(), 0.0);
        places = HostTensor::known(input->shape, std::move(order), true);
      }
      Evaluation evaluation{Node(op), {&places}, {}, {}};
      for (Value operand : op.getInputs().drop_front())
        evaluation.inputs.push_back(isa<AbsentType>(operand.getType()) ? nullptr
                                                                       : probe.get(operand));
      if (!movesAlike(movement, from ? &*from : nullptr, places, evaluation))
        return op.emitError("expected rows and columns to go to the same places at every length, "
                            "found others at ")
               << spell();
    }
    return success();
  }

  const LengthCheck &check;
  const LengthRecord &record;
  Scope scope;
  Probe probe;
};

/// What is known of an attention's masks from the regimes so far.
struct KnownMask {
  MaskMeaning meaning;
  ProbeSizes seen;         ///< where the window showed, or the first run's lengths
  ProbeSizes widest{0, 0}; ///< where most keys were open without a window
};

} // namespace

static bool areClose(ArrayRef<double> a, ArrayRef<double> b) {
  return a.size() == b.size() && llvm::all_of(llvm::zip(a, b), [](auto pair) {
           auto [one, other] = pair;
           return std::fabs(one - other) <= 1e-5 * std::fabs(one);
         });
}

/// Whether a mask means the same as in the regimes before. A window shows where a text is longer.
static LogicalResult mergeMask(const LengthRecord::MaskUse &use, const MaskMeaning &found,
                               ProbeSizes sizes, KnownMask &known) {
  AttentionOp attention = use.attention;
  auto differs = [&](int64_t one, ProbeSizes at, int64_t other, ProbeSizes there) {
    auto spell = [](int64_t window) {
      return window == 0 ? std::string("all positions") : "the last " + std::to_string(window);
    };
    return attention.emitError("expected attention to see as far at every length, found ")
           << spell(one) << " at " << spellRegime(at) << " and " << spell(other) << " at "
           << spellRegime(there) << " (masks that differ so are not supported)";
  };
  // A single position shows no slope.
  if (sizes.total() > 1 && !areClose(found.slopes, known.meaning.slopes))
    return attention.emitError("expected masks that add in the same proportion to the position at "
                               "every length, found others at ")
           << spellRegime(sizes);
  int64_t &window = known.meaning.window;
  if (found.window == 0) {
    if (window != 0 && sizes.total() > window)
      return differs(window, known.seen, 0, sizes);
    if (sizes.total() > known.widest.total())
      known.widest = sizes;
    return success();
  }
  if (window != 0 && window != found.window)
    return differs(window, known.seen, found.window, sizes);
  if (known.widest.total() > found.window)
    return differs(0, known.widest, found.window, sizes);
  if (window == 0)
    known.seen = sizes;
  window = found.window;
  return success();
}

/// Compares the masks of a run with those of the runs before.
static LogicalResult checkMasks(const LengthCheck &check, const Run &run,
                                std::vector<KnownMask> &known) {
  std::map<std::vector<std::pair<void *, int>>, FailureOr<MaskMeaning>> read;
  for (auto [use, mask] : llvm::zip(check.record.masks, known)) {
    std::vector<std::pair<void *, int>> key{{nullptr, use.causal}};
    for (const Mask &own : use.masks)
      key.push_back({own.value.getAsOpaquePointer(), static_cast<int>(own.kind)});
    std::string why;
    auto found = read.find(key);
    if (found == read.end())
      found = read.emplace(key, run.getMeaning(use, why)).first;
    AttentionOp attention = use.attention;
    if (failed(found->second))
      return attention.emitError("at ") << spellRegime(run.getSizes()) << ": " << why;
    if (failed(mergeMask(use, *found->second, run.getSizes(), mask)))
      return failure();
  }
  return success();
}

/// The values that runs of a scope look at.
static DenseSet<Value> findWanted(const LengthCheck &check, Scope scope) {
  DenseSet<Value> wanted;
  for (const auto &condition : check.record.conditions)
    if (scope != Scope::Far || isFar(check, condition))
      wanted.insert(condition.value);
  for (const auto &fixed : check.record.fixed)
    wanted.insert(fixed.value);
  for (const auto &columns : check.record.columns)
    wanted.insert(columns.first);
  for (const auto &count : check.record.counts)
    wanted.insert(count.value);
  for (const RowFactor &factor : check.factors)
    for (RowFactor::Source source : factor.sources)
      wanted.insert(source.value);
  if (scope == Scope::Far)
    return wanted;
  for (const LengthRecord::MaskUse &use : check.record.masks)
    for (const Mask &mask : use.masks)
      wanted.insert(mask.value);
  if (scope == Scope::Values)
    return wanted;
  for (const LengthRecord::Movement &movement : check.record.movements) {
    NodeOp op = movement.node;
    for (Value operand : op.getInputs())
      wanted.insert(check.raised.resolve(operand));
  }
  return wanted;
}

/// Looks at what does not grow with the square of the rows beyond where masks can be. Those must
/// not change there.
static LogicalResult checkFar(const LengthCheck &check) {
  for (const LengthRecord::MaskUse &use : check.record.masks) {
    DenseSet<Value> values;
    for (const Mask &mask : use.masks)
      values.insert(mask.value);
    for (int64_t length : findLengths(check.raised, values, check.context))
      if (AttentionOp attention = use.attention; length > maxMaskRows && length < check.context)
        return attention.emitError("expected masks that don't change beyond ")
               << maxMaskRows << " rows, found one that is computed from " << length;
  }
  DenseSet<Value> wanted = findWanted(check, Scope::Far);
  std::vector<ProbeSizes> regimes =
      getRegimesAround(check.raised, wanted, check.context, check.hasPast);
  regimes.push_back({0, check.context});
  for (ProbeSizes sizes : regimes)
    if (sizes.rows > maxMaskRows && failed(Run(check, sizes, wanted, Scope::Far).checkAll()))
      return failure();
  return success();
}

LogicalResult llmc::checkLengths(const LengthCheck &check) {
  ProbeSizes raised = check.raised.getSizes();
  std::vector<KnownMask> masks;
  for (const LengthRecord::MaskUse &use : check.record.masks) {
    KnownMask known{use.meaning, raised};
    if (use.meaning.window == 0)
      known.widest = raised;
    masks.push_back(std::move(known));
  }
  auto look = [&](ArrayRef<ProbeSizes> regimes, Scope scope, const DenseSet<Value> &wanted) {
    for (ProbeSizes sizes : regimes) {
      Run run(check, sizes, wanted, scope);
      if (failed(run.checkAll()) || failed(checkMasks(check, run, masks)))
        return failure();
    }
    return success();
  };
  // Without a past, all rows of a context are one prompt.
  int64_t context = check.hasPast ? check.context : std::min(check.context, maxMaskRows);
  DenseSet<Value> values = findWanted(check, Scope::Values);
  if (failed(look(getRegimes(context, check.hasPast), Scope::Whole,
                  findWanted(check, Scope::Whole))) ||
      failed(look(getRegimesAround(check.raised, values, context, check.hasPast), Scope::Values,
                  values)) ||
      (context < check.context && failed(checkFar(check))))
    return failure();
  for (auto [use, known] : llvm::zip(check.record.masks, masks))
    if (AttentionOp attention = use.attention; known.meaning.window > 0)
      attention.setWindowAttr(Builder(attention).getI64IntegerAttr(known.meaning.window));
  return success();
}
