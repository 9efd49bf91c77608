//===- RowKernels.cpp - kernels that treat every row on its own ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Norms, rounding of activations, elementwise functions, choices of columns and of rows, embedding.
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"
#include "WeightDecoder.h"
#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Dialect/LLMC/IR/Nonlinearities.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

/// The function of that name, if an equal kernel was emitted before.
static func::FuncOp find(ModuleOp module, StringRef name) {
  return module.lookupSymbol<func::FuncOp>(name);
}

/// Sum over [0, width) of f(x, carried sum), 16 floats at a time; the rest one by one into lane
/// sums of their own, so that the order never depends on the machine.
static Value sumOver(KernelBuilder &k, Value base, int64_t width,
                     function_ref<Value(Value x, Value sum)> accumulate) {
  int64_t whole = width / lanes * lanes;
  Value vectorSum =
      k.loop(k.integer(0), k.integer(whole), lanes, Values{k.real(k.vector(k.f32()), 0.0)},
             [&](Value i, ValueRange carried) -> Values {
               Value x = k.loadVector(k.offset(base, k.mul(i, 4)));
               return {accumulate(x, carried[0])};
             })[0];
  Value sum = k.sumLanes(vectorSum);
  if (whole == width)
    return sum;
  return k.loop(k.integer(whole), k.integer(width), 1, Values{sum},
                [&](Value i, ValueRange carried) -> Values {
                  return {accumulate(k.load(k.f32(), k.offset(base, k.mul(i, 4))), carried[0])};
                })[0];
}

/// Calls `body(byte offset, scalar)` for the elements of a row: by 16, then one by one.
static void forElements(KernelBuilder &k, int64_t width,
                        function_ref<void(Value bytes, bool scalar)> body) {
  int64_t whole = width / lanes * lanes;
  k.loop(k.integer(0), k.integer(whole), lanes, [&](Value i) { body(k.mul(i, 4), false); });
  if (whole != width)
    k.loop(k.integer(whole), k.integer(width), 1, [&](Value i) { body(k.mul(i, 4), true); });
}

static Value loadElements(KernelBuilder &k, Value base, Value bytes, bool scalar) {
  Value address = k.offset(base, bytes);
  return scalar ? k.load(k.f32(), address) : k.loadVector(address);
}

/// `scalar` in all lanes, or itself.
static Value spread(KernelBuilder &k, Value scalar, bool asScalar) {
  return asScalar ? scalar : k.broadcast(scalar);
}

/// Zeros a row from `width` to its stride.
static void zeroPadding(KernelBuilder &k, Value row, int64_t width) {
  for (int64_t i = width; i < getRowStride(width); ++i)
    k.store(k.real(k.f32(), 0.0), k.offset(row, i * 4));
}

static Value getRow(KernelBuilder &k, Value base, Value row, int64_t width) {
  return k.offset(base, k.mul(row, getRowStride(width) * 4));
}

//===----------------------------------------------------------------------===//
// Norms
//===----------------------------------------------------------------------===//

func::FuncOp llmc::emitRMSNorm(ModuleOp module, int64_t width, int64_t groups, float epsilon,
                               const KernelTarget &target) {
  std::string name = ("rms_norm_" + Twine(width) + "g" + Twine(groups) + "e" + spellBits(epsilon) +
                      "_" + target.name)
                         .str();
  if (func::FuncOp existing = find(module, name))
    return existing;
  KernelBuilder k(module, name, "iippp", target);
  int64_t part = width / groups;
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value input = getRow(k, k.argument(2), row, width),
          output = getRow(k, k.argument(4), row, width);
    k.loop(k.integer(0), k.integer(groups), 1, [&](Value group) {
      Value from = k.offset(input, k.mul(group, part * 4)),
            to = k.offset(output, k.mul(group, part * 4));
      Value squares = sumOver(k, from, part, [&](Value x, Value sum) { return k.fma(x, x, sum); });
      Value mean = k.fdiv(squares, k.real(k.f32(), static_cast<double>(part)));
      Value factor = k.fdiv(k.real(k.f32(), 1.0), k.sqrt(k.fadd(mean, k.real(k.f32(), epsilon))));
      forElements(k, part, [&](Value bytes, bool scalar) {
        Value x = k.fmul(loadElements(k, from, bytes, scalar), spread(k, factor, scalar));
        x = k.fmul(x, loadElements(k, k.argument(3), bytes, scalar));
        k.store(x, k.offset(to, bytes), 4);
      });
    });
    zeroPadding(k, output, width);
  });
  return k.finish();
}

func::FuncOp llmc::emitLayerNorm(ModuleOp module, int64_t width, float epsilon, bool bias,
                                 const KernelTarget &target) {
  std::string name = ("layer_norm_" + Twine(width) + (bias ? "b" : "") + "e" + spellBits(epsilon) +
                      "_" + target.name)
                         .str();
  if (func::FuncOp existing = find(module, name))
    return existing;
  KernelBuilder k(module, name, bias ? "iipppp" : "iippp", target);
  Value outputs = k.argument(bias ? 5 : 4);
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value input = getRow(k, k.argument(2), row, width), output = getRow(k, outputs, row, width);
    Value count = k.real(k.f32(), static_cast<double>(width));
    Value mean =
        k.fdiv(sumOver(k, input, width, [&](Value x, Value sum) { return k.fadd(sum, x); }), count);
    Value variance = k.fdiv(sumOver(k, input, width,
                                    [&](Value x, Value sum) {
                                      bool scalar = !isa<VectorType>(x.getType());
                                      Value d = k.fsub(x, spread(k, mean, scalar));
                                      return k.fma(d, d, sum);
                                    }),
                            count);
    Value factor = k.fdiv(k.real(k.f32(), 1.0), k.sqrt(k.fadd(variance, k.real(k.f32(), epsilon))));
    forElements(k, width, [&](Value bytes, bool scalar) {
      Value x = k.fsub(loadElements(k, input, bytes, scalar), spread(k, mean, scalar));
      x = k.fmul(x, spread(k, factor, scalar));
      Value gain = loadElements(k, k.argument(3), bytes, scalar);
      x = bias ? k.fma(x, gain, loadElements(k, k.argument(4), bytes, scalar)) : k.fmul(x, gain);
      k.store(x, k.offset(output, bytes), 4);
    });
    zeroPadding(k, output, width);
  });
  return k.finish();
}

//===----------------------------------------------------------------------===//
// Rounding
//===----------------------------------------------------------------------===//

/// How rows of a width are rounded, in a function's name.
static std::string spell(int64_t width, DynamicAttr rounding) {
  std::string text =
      (Twine(width) + "g" + Twine(rounding.getGroupSize(width)) + "b" + Twine(rounding.getBits()))
          .str();
  if (FloatAttr range = rounding.getRange())
    text += "r" + spellBits(range.getValue().convertToFloat());
  return text;
}

namespace {

/// The scale of a group of a row, and what makes its elements multiples of it.
struct GroupScale {
  Value scale, inverse;
};

} // namespace

/// Those of elements [begin, end).
static GroupScale getGroupScale(KernelBuilder &k, DynamicAttr rounding, Value input, Value begin,
                                Value end) {
  auto steps = static_cast<double>(rounding.getLargest());
  Value largest;
  if (FloatAttr range = rounding.getRange())
    largest = k.real(k.f32(), range.getValueAsDouble());
  else
    largest = k.maxLanes(k.loop(begin, end, lanes, Values{k.real(k.vector(k.f32()), 0.0)},
                                [&](Value i, ValueRange carried) -> Values {
                                  Value x = k.loadVector(k.offset(input, k.mul(i, 4)));
                                  return {k.fmax(carried[0], k.fabs(x))};
                                })[0]);
  Value scale = k.fdiv(largest, k.real(k.f32(), steps));
  // Below this 1 / scale is infinite, and so would be what is converted to integers.
  Value least = k.real(k.f32(), 0x1p-128);
  Value inverse =
      k.select(k.less(least, scale), k.fdiv(k.real(k.f32(), 1.0), scale), k.real(k.f32(), 0.0));
  return {scale, inverse};
}

/// Multiples of a scale, moved to the ends of a range where they are beyond.
static Value clampToRange(KernelBuilder &k, DynamicAttr rounding, Value position) {
  if (!rounding.getRange())
    return position;
  Value low = k.real(position.getType(), -static_cast<double>(rounding.getLargest()));
  return k.fneg(k.fmax(k.fneg(k.fmax(position, low)), low));
}

/// Calls `body` for each group of a row, with its first element and the end.
static void forGroups(KernelBuilder &k, int64_t width, DynamicAttr rounding,
                      function_ref<void(Value begin, Value end)> body) {
  int64_t stride = getRowStride(width), group = rounding.getGroupSize(width);
  k.loop(k.integer(0), k.integer(stride), group,
         [&](Value begin) { body(begin, k.min(k.add(begin, group), k.integer(stride))); });
}

func::FuncOp llmc::emitRound(ModuleOp module, int64_t width, DynamicAttr rounding,
                             const KernelTarget &target) {
  std::string name = "round_" + spell(width, rounding) + "_" + target.name.str();
  if (func::FuncOp existing = find(module, name))
    return existing;
  KernelBuilder k(module, name, "iipppp", target);
  int64_t stride = getRowStride(width), blocks = stride / 32;
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value input = getRow(k, k.argument(2), row, width);
    Value codes = k.offset(k.argument(3), k.mul(row, stride));
    Value scales = k.offset(k.argument(4), k.mul(row, blocks * 4));
    Value sums = k.offset(k.argument(5), k.mul(row, blocks * 4));
    forGroups(k, width, rounding, [&](Value begin, Value end) {
      auto [scale, inverse] = getGroupScale(k, rounding, input, begin, end);
      // 1.5 · 2^23: adding it rounds to an integer, half to even.
      Value magic = k.real(k.vector(k.f32()), 0x1.8p23);
      k.loop(begin, end, 32, [&, scale = scale, inverse = inverse](Value i) {
        Value sum = k.integer(k.vector(k.i32()), 0);
        for (int64_t half = 0; half < 2; ++half) {
          Value at = k.add(i, half * lanes);
          Value x = k.loadVector(k.offset(input, k.mul(at, 4)));
          Value position = clampToRange(k, rounding, k.fmul(x, k.broadcast(inverse)));
          Value code = k.toInteger(k.fsub(k.fadd(position, magic), magic));
          sum = k.add(sum, code);
          k.store(k.truncate(code, k.vector(k.i8())), k.offset(codes, at), 1);
        }
        Value at = k.mul(k.div(i, 32), 4);
        k.store(scale, k.offset(scales, at));
        k.store(k.toFloat(k.sumLanes(sum)), k.offset(sums, at));
      });
    });
  });
  return k.finish();
}

/// Numbers of at most 448 in magnitude, rounded to fp8 (e4m3).
static Value roundToFP8(KernelBuilder &k, Value x) {
  // Added to 1.5 · 2^20 times the power of two at or below it, a number keeps 4 significant bits;
  // below 2^-6 numbers are 2^-9 apart.
  constexpr int64_t exponentBits = 0x7f800000;
  Value bits = k.bitcast(x, k.vector(k.i32()));
  Value power = k.bitcast(k.bitAnd(bits, k.integer(bits.getType(), exponentBits)), x.getType());
  Value rounder = k.fmul(k.fmax(power, k.real(x.getType(), 0x1p-6)), k.real(x.getType(), 0x1.8p20));
  return k.fsub(k.fadd(x, rounder), rounder);
}

func::FuncOp llmc::emitRoundValues(ModuleOp module, int64_t width, DynamicAttr rounding,
                                   const KernelTarget &target) {
  std::string name = "round_values_" + spell(width, rounding) + "_" + target.name.str();
  if (func::FuncOp existing = find(module, name))
    return existing;
  KernelBuilder k(module, name, "iipp", target);
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value input = getRow(k, k.argument(2), row, width),
          output = getRow(k, k.argument(3), row, width);
    forGroups(k, width, rounding, [&](Value begin, Value end) {
      auto [scale, inverse] = getGroupScale(k, rounding, input, begin, end);
      k.loop(begin, end, lanes, [&, scale = scale, inverse = inverse](Value i) {
        Value x = k.loadVector(k.offset(input, k.mul(i, 4)));
        Value number = roundToFP8(k, k.fmul(x, k.broadcast(inverse)));
        k.storeVector(k.fmul(number, k.broadcast(scale)), k.offset(output, k.mul(i, 4)));
      });
    });
  });
  return k.finish();
}

//===----------------------------------------------------------------------===//
// Elementwise functions
//===----------------------------------------------------------------------===//

namespace {

/// A value of a kernel, for formulas.
struct KernelNumber {
  KernelBuilder &k;
  Value value;

  KernelNumber make(Value of) const { return {k, of}; }
  KernelNumber constant(double number) const { return make(k.real(value.getType(), number)); }

  friend KernelNumber operator+(KernelNumber a, KernelNumber b) {
    return a.make(a.k.fadd(a.value, b.value));
  }
  friend KernelNumber operator*(KernelNumber a, KernelNumber b) {
    return a.make(a.k.fmul(a.value, b.value));
  }
  friend KernelNumber operator/(KernelNumber a, KernelNumber b) {
    return a.make(a.k.fdiv(a.value, b.value));
  }
  friend KernelNumber operator+(KernelNumber a, double b) { return a + a.constant(b); }
  friend KernelNumber operator*(KernelNumber a, double b) { return a * a.constant(b); }
  friend KernelNumber operator/(KernelNumber a, double b) { return a / a.constant(b); }
  friend KernelNumber operator/(double a, KernelNumber b) { return b.constant(a) / b; }
  KernelNumber operator-() const { return make(k.fneg(value)); }

  friend KernelNumber max(KernelNumber a, double b) {
    return a.make(a.k.fmax(a.value, a.constant(b).value));
  }
  friend KernelNumber exp(KernelNumber x) { return x.make(x.k.exp(x.value)); }
  friend KernelNumber tanh(KernelNumber x) { return x.make(x.k.tanh(x.value)); }
  friend KernelNumber erf(KernelNumber x) { return x.make(x.k.erf(x.value)); }
};

} // namespace

static Value apply(KernelBuilder &k, Nonlinearity function, Value x) {
  Type type = x.getType();
  switch (function) {
  // By fewer operations, or more exactly, than as they are defined.
  case Nonlinearity::Silu:
    return k.fmul(x, k.sigmoid(x));
  case Nonlinearity::Gelu: {
    Value half = k.fmul(x, k.real(type, 0.5));
    return k.fma(half, k.erf(k.fmul(x, k.real(type, 0.70710678118654752))), half);
  }
  case Nonlinearity::GeluTanh: {
    Value cube = k.fmul(k.fmul(x, x), x);
    Value inner = k.fmul(k.fma(cube, k.real(type, 0.044715), x), k.real(type, 0.79788456080286536));
    Value half = k.fmul(x, k.real(type, 0.5));
    return k.fma(half, k.tanh(inner), half);
  }
  case Nonlinearity::GeluQuick:
    return k.fmul(x, k.sigmoid(k.fmul(x, k.real(type, 1.702))));
  case Nonlinearity::Sigmoid:
    return k.sigmoid(x);
  default:
    return applyNonlinearity(function, KernelNumber{k, x}).value;
  }
}

/// A kernel of `inputs` equal rows to one: (begin i, end i, inputs p…, output p).
static func::FuncOp emitElementwise(ModuleOp module, Twine prefix, int64_t width, unsigned inputs,
                                    const KernelTarget &target,
                                    function_ref<Value(KernelBuilder &, ArrayRef<Value>)> compute) {
  std::string name = (prefix + "_" + Twine(width) + "_" + target.name).str();
  if (func::FuncOp existing = find(module, name))
    return existing;
  KernelBuilder k(module, name, "ii" + std::string(inputs + 1, 'p'), target);
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value output = getRow(k, k.argument(2 + inputs), row, width);
    forElements(k, width, [&](Value bytes, bool scalar) {
      Values values;
      for (unsigned i = 0; i < inputs; ++i)
        values.push_back(loadElements(k, getRow(k, k.argument(2 + i), row, width), bytes, scalar));
      k.store(compute(k, values), k.offset(output, bytes), 4);
    });
    zeroPadding(k, output, width);
  });
  return k.finish();
}

func::FuncOp llmc::emitActivation(ModuleOp module, int64_t width, Nonlinearity function,
                                  const KernelTarget &target) {
  return emitElementwise(
      module, stringifyNonlinearity(function), width, 1, target,
      [&](KernelBuilder &k, ArrayRef<Value> x) { return apply(k, function, x[0]); });
}

func::FuncOp llmc::emitGate(ModuleOp module, int64_t width, Nonlinearity function,
                            const KernelTarget &target) {
  return emitElementwise(
      module, "gate_" + stringifyNonlinearity(function), width, 2, target,
      [&](KernelBuilder &k, ArrayRef<Value> x) { return k.fmul(apply(k, function, x[0]), x[1]); });
}

func::FuncOp llmc::emitScale(ModuleOp module, int64_t width, float factor,
                             const KernelTarget &target) {
  return emitElementwise(module, "scale_" + spellBits(factor), width, 1, target,
                         [&](KernelBuilder &k, ArrayRef<Value> x) {
                           return k.fmul(x[0], k.real(x[0].getType(), factor));
                         });
}

func::FuncOp llmc::emitAdd(ModuleOp module, int64_t width, const KernelTarget &target) {
  return emitElementwise(module, "add", width, 2, target,
                         [&](KernelBuilder &k, ArrayRef<Value> x) { return k.fadd(x[0], x[1]); });
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

/// Copies a row and its padding.
static void copyRow(KernelBuilder &k, Value from, Value to, int64_t width) {
  k.loop(k.integer(0), k.integer(getRowStride(width)), lanes, [&](Value i) {
    k.storeVector(k.loadVector(k.offset(from, k.mul(i, 4))), k.offset(to, k.mul(i, 4)));
  });
}

/// Places of columns as numbers, which hold them exactly.
static SmallVector<float> getPlaces(ArrayRef<int32_t> columns) {
  return SmallVector<float>(columns.begin(), columns.end());
}

static std::string getColumnsName(StringRef prefix, int64_t width, ArrayRef<float> places,
                                  const KernelTarget &target) {
  return (prefix + "_columns_" + Twine(width) + "c" + llvm::utohexstr(hashNumbers(places)) + "_" +
          target.name)
      .str();
}

/// Calls `visit(number, byte offset in a row)` for each of some columns.
static void forColumns(KernelBuilder &k, ArrayRef<float> places,
                       function_ref<void(Value number, Value bytes)> visit) {
  Value table = k.table(places);
  k.loop(k.integer(0), k.integer(static_cast<int64_t>(places.size())), 1, [&](Value number) {
    Value place = k.toInteger(k.load(k.f32(), k.offset(table, k.mul(number, 4))));
    visit(number, k.mul(k.extendSigned(place, k.i64()), 4));
  });
}

func::FuncOp llmc::emitTakeColumns(ModuleOp module, int64_t width, ArrayRef<int32_t> columns,
                                   const KernelTarget &target) {
  SmallVector<float> places = getPlaces(columns);
  std::string name = getColumnsName("take", width, places, target);
  if (func::FuncOp existing = find(module, name))
    return existing;
  const auto taken = static_cast<int64_t>(places.size());
  KernelBuilder k(module, name, "iipp", target);
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value input = getRow(k, k.argument(2), row, width),
          output = getRow(k, k.argument(3), row, taken);
    forColumns(k, places, [&](Value number, Value bytes) {
      k.store(k.load(k.f32(), k.offset(input, bytes)), k.offset(output, k.mul(number, 4)));
    });
    zeroPadding(k, output, taken);
  });
  return k.finish();
}

func::FuncOp llmc::emitClearColumns(ModuleOp module, int64_t width, ArrayRef<int32_t> columns,
                                    const KernelTarget &target) {
  SmallVector<float> places = getPlaces(columns);
  std::string name = getColumnsName("clear", width, places, target);
  if (func::FuncOp existing = find(module, name))
    return existing;
  KernelBuilder k(module, name, "iipp", target);
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value output = getRow(k, k.argument(3), row, width);
    copyRow(k, getRow(k, k.argument(2), row, width), output, width);
    forColumns(k, places,
               [&](Value, Value bytes) { k.store(k.real(k.f32(), 0.0), k.offset(output, bytes)); });
  });
  return k.finish();
}

//===----------------------------------------------------------------------===//
// Rows of tables
//===----------------------------------------------------------------------===//

func::FuncOp llmc::emitGatherRows(ModuleOp module, int64_t width, const KernelTarget &target) {
  std::string name = ("gather_" + Twine(width) + "_" + target.name).str();
  if (func::FuncOp existing = find(module, name))
    return existing;
  KernelBuilder k(module, name, "iippp", target);
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value index = k.extendSigned(k.load(k.i32(), k.offset(k.argument(2), k.mul(row, 4))), k.i64());
    copyRow(k, getRow(k, k.argument(3), index, width), getRow(k, k.argument(4), row, width), width);
  });
  return k.finish();
}

/// Stores row `lane` of a tile's 16 values, chosen at run time.
static void storeLane(KernelBuilder &k, Value vector, Value lane, Value address) {
  Value scalar = vector::ExtractOp::create(k.builder, k.location, vector, OpFoldResult(lane));
  k.store(scalar, address);
}

func::FuncOp llmc::emitEmbedding(ModuleOp module, RankedTensorType table,
                                 const KernelTarget &target) {
  std::string name = "embedding_" + getWeightName(table) + "_" + target.name.str();
  if (func::FuncOp existing = find(module, name))
    return existing;
  TiledLayout layout = TiledLayout::get(table);
  KernelBuilder k(module, name, "iippp", target);
  std::unique_ptr<WeightDecoder> decoder = getWeightDecoder(table);
  k.loop(k.argument(0), k.argument(1), 1, [&](Value row) {
    Value index = k.extendSigned(k.load(k.i32(), k.offset(k.argument(2), k.mul(row, 4))), k.i64());
    Value tile = getTileAddress(k, layout, k.argument(3), k.div(index, tileRows));
    Value lane = k.rem(index, k.integer(tileRows));
    Value output = getRow(k, k.argument(4), row, layout.columns);
    if (!decoder) {
      int64_t bytes = layout.element.getIntOrFloatBitWidth() / 8;
      k.loop(k.integer(0), k.integer(layout.columns), 1, [&](Value n) {
        Value at = k.mul(k.add(k.mul(n, tileRows), lane), bytes);
        k.store(k.loadAsFloats(layout.element, k.offset(tile, at), 1),
                k.offset(output, k.mul(n, 4)));
      });
      return zeroPadding(k, output, layout.columns);
    }
    // A table's rows are few in a step: decoding all 16 of a tile costs less than a kernel of its
    // own would.
    Value index64 =
        arith::IndexCastOp::create(k.builder, k.location, k.builder.getIndexType(), lane);
    k.loop(k.integer(0), k.integer(layout.getBlocks()), 1, [&](Value block) {
      Value line = k.offset(output, k.mul(block, blockInputs * 4));
      for (auto [n, decoded] :
           llvm::enumerate(decoder->decodeBlock(k, {k.argument(3), tile}, block)))
        storeLane(k, decoded, index64, k.offset(line, static_cast<int64_t>(n) * 4));
    });
    zeroPadding(k, output, layout.columns);
  });
  return k.finish();
}
