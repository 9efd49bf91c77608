//===- RaiseEmission.cpp - from views, norms and functions to operations ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/Angles.h"
#include "Raise/Raiser.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

/// rows × width in fp32.
static RankedTensorType getRowsType(MLIRContext *context, int64_t width) {
  return RankedTensorType::get({ShapedType::kDynamic, width}, Float32Type::get(context));
}

/// The distance of neighbouring numbers, where it is the same for all; else nothing.
static std::optional<int64_t> getDistance(ArrayRef<int64_t> numbers) {
  int64_t step = numbers.size() > 1 ? numbers[1] - numbers[0] : 1;
  for (size_t i = 1; i < numbers.size(); ++i)
    if (numbers[i] - numbers[i - 1] != step)
      return std::nullopt;
  return step;
}

/// Those columns of a matrix: a part of its weights where it is a linear that is held back.
FailureOr<Value> Raiser::emitColumns(Base &base, std::vector<int64_t> columns) {
  std::optional<int64_t> step = getDistance(columns);
  int64_t begin = columns[0], count = columns.size();
  if (base.value) {
    if (begin == 0 && step == 1 && count == base.width)
      return base.value;
    return fail(count == base.width ? Twine("expected the columns of a matrix in their order")
                                    : "expected all of a matrix, found " + Twine(count) +
                                          " of its " + Twine(base.width) + " columns");
  }
  Value &slice = base.slices[columns];
  if (slice)
    return slice;
  // Rows at equal distances stay where they are; others are copied side by side.
  auto take = [&](const Weight &weight) {
    return step && *step > 0 ? weight.takeRows(begin, count, *step) : weight.gatherRows(columns);
  };
  std::optional<Weight> weight = take(base.weight);
  std::optional<Weight> bias = base.bias ? take(*base.bias) : std::nullopt;
  if (!weight || (base.bias && !bias))
    return fail("expected a contiguous part of quantized weights");
  Value weightValue = parameters.get(builder, base.location, *weight);
  Value biasValue = bias ? parameters.get(builder, base.location, *bias) : Value();
  if (!weightValue || (bias && !biasValue))
    return fail("cannot read its weights");
  slice = LinearOp::create(builder, base.location, getRowsType(builder.getContext(), count),
                           base.input, weightValue, biasValue, base.activation);
  return slice;
}

/// The rows × columns matrix of a view: a number times what one operation gives.
FailureOr<Raiser::Matrix> Raiser::materialize(const View &view) {
  if (view.columns.empty())
    return fail("expected at least one column");
  if (view.past >= 0)
    return fail("expected rows of the step alone, found them joined with the cache");
  bool plain = llvm::all_of(view.columns, [](const Column &column) { return column.isPlain(); });
  if (!plain)
    return emitRotation(view);
  double coefficient = view.columns[0].first.coefficient;
  std::vector<int64_t> columns;
  for (const Column &column : view.columns) {
    if (column.first.coefficient != coefficient)
      return fail("expected one factor for all columns");
    columns.push_back(column.first.column);
  }
  FailureOr<Value> value = emitColumns(*view.base, std::move(columns));
  if (failed(value))
    return failure();
  return Matrix{*value, coefficient};
}

/// a + b. What came first stands first, whatever the exporter's order.
Value Raiser::emitSum(Value a, Value b) {
  Operation *first = a.getDefiningOp(), *second = b.getDefiningOp();
  if (first && (!second || second->isBeforeInBlock(first)))
    std::swap(a, b);
  return arith::AddFOp::create(builder, location, a, b);
}

FailureOr<Value> Raiser::materializeExactly(const View &view) {
  FailureOr<Matrix> matrix = materialize(view);
  if (failed(matrix))
    return failure();
  auto factor = static_cast<float>(matrix->coefficient);
  if (factor == 1)
    return matrix->value;
  if (!std::isfinite(factor))
    return fail("expected rows times a number of fp32, found " +
                std::to_string(matrix->coefficient));
  Value &known = scaled[{matrix->value, llvm::bit_cast<uint32_t>(factor)}];
  if (!known)
    known = ScaleOp::create(builder, location, matrix->value.getType(), matrix->value,
                            builder.getF32FloatAttr(factor));
  return known;
}

//===----------------------------------------------------------------------===//
// Rotations
//===----------------------------------------------------------------------===//

int32_t Raiser::addFactor(RowFactor factor) {
  auto [entry, added] = factorIds.try_emplace(factor.values, factors.size());
  if (added)
    factors.push_back(std::move(factor));
  return entry->second;
}

/// A view of heads whose columns are pairs, turned by angles that grow with the position.
FailureOr<Raiser::Matrix> Raiser::emitRotation(const View &view) {
  int64_t size = view.shape.empty() ? 0 : view.shape.back();
  int64_t width = view.columns.size();
  if (size < 2 || view.rowsAxis == static_cast<int>(view.shape.size()) - 1 || width % size != 0)
    return fail("expected rotated heads with the head size as last axis");
  int64_t heads = width / size, count = probe.getSizes().rows;
  for (const Column &column : view.columns)
    if (column.first.factor >= 0)
      count = factors[column.first.factor].values.size();
  // Keys are rotated before they enter the cache, or all of them after.
  int64_t first = probe.getSizes().total() - count;
  int64_t rotated = 0;
  while (rotated < size && view.columns[rotated].second.column >= 0)
    ++rotated;
  if (rotated < 2 || rotated % 2 != 0)
    return fail("expected an even number of rotated columns, found " + Twine(rotated));
  int64_t pairs = rotated / 2;

  View plain = view;
  std::vector<float> frequencies(pairs, 0.0f);
  std::vector<double> fitted, uncertainties;
  double scaling = 0, rest = 0, roundoff = 0;
  for (const Column &column : view.columns)
    for (const Column::Term &term : {column.first, column.second})
      if (term.factor >= 0)
        roundoff = std::max(roundoff, factors[term.factor].roundoff);
  bool interleaved = false;
  for (int64_t head = 0; head < heads; ++head) {
    ArrayRef<Column> columns = ArrayRef(view.columns).slice(head * size, size);
    int64_t start = INT64_MAX;
    for (const Column &column : columns) {
      start = std::min<int64_t>(start, column.first.column);
      if (column.second.column >= 0)
        start = std::min<int64_t>(start, column.second.column);
    }
    // The term of column i is its own, the other its partner's.
    auto getTerms = [&](int64_t i) -> std::optional<std::pair<Column::Term, Column::Term>> {
      Column::Term own = columns[i].first, other = columns[i].second;
      if (own.column != start + i)
        std::swap(own, other);
      if (own.column != start + i || (own.factor < 0 && other.factor < 0))
        return std::nullopt;
      return std::pair(own, other);
    };
    auto scaled = [&](const Column::Term &term) {
      // A factor that does not change over the probe's rows became part of the number.
      std::vector<double> values =
          term.factor < 0 ? std::vector<double>(count, 1.0) : factors[term.factor].values;
      for (double &value : values)
        value *= term.coefficient;
      return values;
    };
    for (int64_t pair = 0; pair < pairs; ++pair) {
      auto probeTerms = getTerms(0);
      if (!probeTerms)
        return fail("expected columns that are rotated in pairs");
      interleaved = pairs > 1 && probeTerms->second.column == start + 1;
      int64_t i = interleaved ? 2 * pair : pair, j = interleaved ? i + 1 : i + pairs;
      auto low = getTerms(i), high = getTerms(j);
      if (!low || !high || low->second.column != start + j || high->second.column != start + i)
        return fail("expected columns that are rotated in pairs");
      std::vector<double> cosine = scaled(low->first), sine = scaled(high->second);
      std::vector<double> cosine2 = scaled(high->first), sine2 = scaled(low->second);
      bool turns = cosine.size() == sine.size() && cosine.size() == cosine2.size() &&
                   cosine.size() == sine2.size();
      for (size_t row = 0; turns && row < cosine.size(); ++row)
        turns = std::fabs(cosine[row] - cosine2[row]) <= 1e-6 &&
                std::fabs(sine[row] + sine2[row]) <= 1e-6;
      if (!turns)
        return fail("expected a rotation of each pair of columns");
      std::optional<Angle> angle = fitAngle(cosine, sine, first, roundoff);
      if (!angle || (scaling != 0 && std::fabs(angle->scaling - scaling) > 1e-5 + roundoff))
        return fail("expected angles that are a frequency times the position");
      if (head == 0) {
        frequencies[pair] = static_cast<float>(angle->frequency);
        fitted.push_back(angle->frequency);
        uncertainties.push_back(angle->uncertainty);
        checks.angles.push_back({low->first.factor, high->second.factor, angle->frequency,
                                 angle->scaling / low->first.coefficient});
      } else if (std::fabs(angle->frequency - frequencies[pair]) > 1e-6 * frequencies[pair]) {
        return fail("expected the same frequencies in every head");
      }
      scaling = scaling == 0 ? angle->scaling : scaling;
      plain.columns[head * size + i] = {{static_cast<int32_t>(start + i), -1, 1}, {}};
      plain.columns[head * size + j] = {{static_cast<int32_t>(start + j), -1, 1}, {}};
    }
    for (int64_t i = rotated; i < size; ++i) {
      if (!columns[i].isPlain())
        return fail("expected the columns that are not rotated to stand last");
      rest = columns[i].first.coefficient;
      plain.columns[head * size + i].first.coefficient = 1;
    }
  }
  FailureOr<Value> input = materializeExactly(plain);
  if (failed(input))
    return failure();
  // A factor of all columns is the caller's, for the scores.
  double coefficient = rotated == size ? scaling : rest;
  double own = rotated == size ? 1 : scaling / rest;
  if (std::fabs(coefficient - 1) < 1e-7)
    coefficient = 1;
  if (std::fabs(own - 1) < 1e-6)
    own = 1;
  if (roundoff > 0) {
    snapToSeries(fitted, uncertainties);
    llvm::transform(fitted, frequencies.begin(), [](double f) { return static_cast<float>(f); });
    for (auto [angle, frequency] :
         llvm::zip(MutableArrayRef(checks.angles).take_back(pairs), fitted))
      angle.frequency = frequency;
  }
  snapToPowers(frequencies);
  auto rope = RopeOp::create(
      builder, location, input->getType(), *input, rows, builder.getI64IntegerAttr(heads),
      builder.getDenseF32ArrayAttr(frequencies), builder.getF32FloatAttr(static_cast<float>(own)),
      interleaved ? builder.getUnitAttr() : UnitAttr());
  return Matrix{rope.getResult(), coefficient};
}

//===----------------------------------------------------------------------===//
// Norms and functions
//===----------------------------------------------------------------------===//

FailureOr<View> Raiser::emitNormal(const Normal &normal) {
  if (!normal.epsilon)
    return fail("expected the difference to the mean to be divided by a deviation");
  FailureOr<Value> input = materializeExactly(normal.of);
  if (failed(input))
    return failure();
  int64_t width = normal.of.columns.size(), size = normal.of.shape.back();
  auto makeOnes = [&] {
    Weight ones;
    ones.shape = {size};
    ones.values = std::make_shared<const std::vector<double>>(size, 1.0);
    return ones;
  };
  Value gain = parameters.get(builder, location, normal.gain ? *normal.gain : makeOnes());
  Value bias = normal.bias ? parameters.get(builder, location, *normal.bias) : Value();
  if (!gain || (normal.bias && !bias))
    return fail("cannot read its gain or bias");
  Value result;
  FloatAttr epsilon = builder.getF32FloatAttr(static_cast<float>(*normal.epsilon));
  if (normal.centered) {
    if (size != width)
      return fail("expected a layer norm over whole rows");
    result = LayerNormOp::create(builder, location, input->getType(), *input, gain, bias, epsilon);
  } else {
    result = RMSNormOp::create(builder, location, input->getType(), *input, gain, epsilon,
                               builder.getI64IntegerAttr(width / size));
  }
  View view = normal.of;
  view.base = std::make_shared<Base>(location);
  view.base->value = result;
  view.base->width = width;
  for (auto [i, column] : llvm::enumerate(view.columns))
    column = {{static_cast<int32_t>(i), -1, 1}, {}};
  return view;
}

/// The points at which functions are sampled, ascending: dense where they bend, and some far out,
/// where what bends slowly shows what it is.
std::vector<double> llmc::getSamplePoints() {
  std::vector<double> points;
  for (int i = -64; i <= 64; ++i)
    points.push_back(i / 8.0 + 0.01);
  for (int i = 0; i < 10; ++i) {
    double far = 12 * std::pow(1.5, i);
    points.insert(points.begin(), -far);
    points.push_back(far);
  }
  return points;
}

std::optional<Nonlinearity> llmc::recognizeFunction(const Function &function) {
  using Candidate = std::pair<Nonlinearity, double (*)(double)>;
  static constexpr Candidate candidates[] = {
      {Nonlinearity::Relu, [](double x) { return x > 0 ? x : 0; }},
      {Nonlinearity::Silu, [](double x) { return x / (1 + std::exp(-x)); }},
      {Nonlinearity::Gelu, [](double x) { return x * (1 + std::erf(x / std::sqrt(2.0))) / 2; }},
      {Nonlinearity::GeluTanh,
       [](double x) {
         return x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))) / 2;
       }},
      {Nonlinearity::GeluQuick, [](double x) { return x / (1 + std::exp(-1.702 * x)); }}};
  if (function.centered)
    return std::nullopt;
  std::vector<double> points = getSamplePoints();
  // The nearest one: constants in fp16 or bf16 leave room for two gelus.
  std::optional<Nonlinearity> nearest;
  double least = 1e-6 + 2 * function.roundoff;
  for (auto [known, evaluate] : candidates) {
    double distance = 0;
    for (auto [x, y] : llvm::zip(points, function.samples)) {
      double error = std::fabs(evaluate(x) - y) / (1 + std::fabs(x));
      // What is no number is far from everything.
      distance = error <= distance ? distance : std::isnan(error) ? INFINITY : error;
    }
    if (distance <= least) {
      nearest = known;
      least = distance;
    }
  }
  return nearest;
}

/// Whether a function is relu(x)², as Nemotron and other models have it.
static bool isSquaredRelu(const Function &function) {
  bool same = !function.centered;
  for (auto [x, y] : llvm::zip(getSamplePoints(), function.samples))
    same &= std::fabs(y - (x > 0 ? x * x : 0)) <= 1e-6 * (1 + x * x);
  return same;
}

/// a and b where a function is a · tanh(b · x), as Gemma 2 bounds its logits.
static std::optional<std::pair<double, double>> recognizeTanh(const Function &function) {
  std::vector<double> points = getSamplePoints();
  // How much larger it is far out than near 0 says b: the ratio falls from that of the points to 1.
  size_t near = llvm::lower_bound(points, 0.0) - points.begin();
  double x = points[near], far = points.back();
  double ratio = function.samples.back() / function.samples[near];
  if (function.centered || !(ratio > 1 && ratio < far / x))
    return std::nullopt;
  // Outside these it bends where there are too few points to tell it from other functions.
  const double least = 0.5 / far, most = 5;
  double low = least, high = most;
  for (int step = 0; step < 100; ++step) {
    double middle = std::sqrt(low * high);
    (std::tanh(middle * far) / std::tanh(middle * x) > ratio ? low : high) = middle;
  }
  double scale = function.samples[near] / std::tanh(low * x);
  if (low < 1.01 * least || low > 0.99 * most)
    return std::nullopt;
  // Constants that were rounded are those of the function, however they were meant.
  for (auto [point, y] : llvm::zip(points, function.samples))
    if (!(std::fabs(scale * std::tanh(low * point) - y) <=
          1e-7 * std::fabs(scale) * std::min(1.0, std::fabs(low * point))))
      return std::nullopt;
  return std::pair(scale, low);
}

/// The operations of a function's value for rows of it.
FailureOr<Value> Raiser::emitFunctionOf(Value input, const Function &function) {
  auto name = [&](Nonlinearity known) {
    return NonlinearityAttr::get(builder.getContext(), known);
  };
  Type type = input.getType();
  if (std::optional<Nonlinearity> known = recognizeFunction(function))
    return ActivationOp::create(builder, location, type, name(*known), input).getResult();
  if (isSquaredRelu(function)) // relu(x)² is relu(x) · x
    return GateOp::create(builder, location, type, name(Nonlinearity::Relu), input, input)
        .getResult();
  auto tanh = recognizeTanh(function);
  if (!tanh)
    return fail("expected relu, its square, silu, a gelu or a tanh, found another function of its "
                "operand");
  auto scale = [&](Value value, double factor) -> Value {
    auto rounded = static_cast<float>(factor);
    return rounded == 1
               ? value
               : ScaleOp::create(builder, location, type, value, builder.getF32FloatAttr(rounded));
  };
  Value inner = scale(input, tanh->second);
  inner = ActivationOp::create(builder, location, type, name(Nonlinearity::Tanh), inner);
  return scale(inner, tanh->first);
}

FailureOr<View> Raiser::emitFunction(const Function &function) {
  FailureOr<Value> input = materializeExactly(function.of);
  FailureOr<Value> value = failed(input) ? input : emitFunctionOf(*input, function);
  if (failed(value))
    return failure();
  View view = function.of;
  view.base = std::make_shared<Base>(location);
  view.base->value = *value;
  view.base->width = function.of.columns.size();
  for (auto [i, column] : llvm::enumerate(view.columns))
    column = {{static_cast<int32_t>(i), -1, 1}, {}};
  return view;
}
