//===- LinearKernel.cpp - what all linear kernels have in common ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LinearEmitter.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

using Values = KernelBuilder::Values;

static std::string getArguments(const LinearKernel &spec) {
  std::string arguments = spec.rounded ? "iiipppp" : "iiipp";
  if (spec.bias)
    arguments += 'p';
  if (spec.residual)
    arguments += 'p';
  return arguments + "pp";
}

LinearEmitter::LinearEmitter(ModuleOp module, StringRef name, const LinearKernel &spec,
                             const KernelTarget &target)
    : spec(spec), layout(TiledLayout::get(spec.weight)),
      k(module, name, getArguments(spec), target), decoder(k, layout) {
  unsigned next = 0;
  rows = k.argument(next++);
  begin = k.argument(next++);
  end = k.argument(next++);
  weights = k.argument(next++);
  input = k.argument(next++);
  if (spec.rounded) {
    scales = k.argument(next++);
    sums = k.argument(next++);
  }
  if (spec.bias)
    bias = k.argument(next++);
  if (spec.residual)
    residual = k.argument(next++);
  output = k.argument(next++);
  scratch = k.argument(next++);
}

func::FuncOp LinearEmitter::emit() {
  if (spec.oneRow)
    emitOneRow();
  else
    emitManyRows();
  return k.finish();
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

Value LinearEmitter::getOutputAddress(Value base, Value row, Value tile) {
  return k.offset(base, k.add(k.mul(row, spec.outputStride * 4), k.mul(tile, tileRows * 4)));
}

Value LinearEmitter::finishSums(Value sum, Value row, Value tile) {
  if (spec.bias)
    sum = k.fadd(sum, k.loadVector(k.offset(bias, k.mul(tile, tileRows * 4))));
  if (spec.residual)
    sum = k.fadd(sum, k.loadVector(getOutputAddress(residual, row, tile)));
  return sum;
}

void LinearEmitter::storeSums(Value sum, Value row, Value tile) {
  Value address = getOutputAddress(output, row, tile);
  int64_t rest = layout.rows % tileRows;
  if (!spec.exactOutput || rest == 0)
    return k.storeVector(sum, address);
  Value whole = k.lessInteger(tile, k.integer(layout.tiles - 1));
  k.ifThen(whole, [&] { k.storeVector(sum, address); });
  k.ifThen(k.equal(tile, k.integer(layout.tiles - 1)), [&] {
    for (int64_t lane = 0; lane < rest; ++lane)
      k.store(k.extract(sum, lane), k.offset(address, lane * 4));
  });
}

void LinearEmitter::storePadding(Value row, Value tile) {
  if (spec.exactOutput || getRowStride(layout.rows) == layout.tiles * tileRows)
    return;
  k.ifThen(k.equal(tile, k.integer(layout.tiles - 1)),
           [&] { k.storeVector(zero(), getOutputAddress(output, row, k.integer(layout.tiles))); });
}

//===----------------------------------------------------------------------===//
// Rounded activations
//===----------------------------------------------------------------------===//

Values LinearEmitter::loadActivations(Value codes, int64_t row) {
  Values activations;
  for (int64_t step = 0; step < blockInputs / 4; ++step) {
    Value four = k.load(k.i32(), k.offset(codes, row * inputStride() + step * 4), 4);
    activations.push_back(k.bitcast(k.broadcast(four), k.vector(k.i8(), 64)));
  }
  return activations;
}

Value LinearEmitter::dot(ArrayRef<Value> codes, ArrayRef<Value> activations) {
  return GroupDotOp::create(k.builder, k.location, k.vector(k.i32()), codes, activations,
                            (1 << layout.encoding.getBits()) - 1);
}

Value LinearEmitter::addDot(Value dot, const BlockScales &weightScales, Value scale, Value codeSum,
                            Value sum) {
  // Codes are unsigned; what zero stands for is taken off. All numbers are integers below 2^24
  // (32 · 255 · 127), so floats hold them exactly.
  Value exact = k.toFloat(dot);
  ZeroPoint zeroPoint = layout.encoding.getZero();
  if (zeroPoint == ZeroPoint::None)
    exact = k.fma(k.real(k.vector(k.f32()), -std::ldexp(1.0, layout.encoding.getBits() - 1)),
                  codeSum, exact);
  else if (zeroPoint == ZeroPoint::Integer)
    exact = k.fma(k.fneg(weightScales.zeros), codeSum, exact);
  sum = k.fma(exact, k.fmul(weightScales.scales, scale), sum);
  if (zeroPoint == ZeroPoint::Float)
    sum = k.fma(weightScales.zeros, k.fmul(scale, codeSum), sum);
  return sum;
}

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

Panel Panel::get(const LinearKernel &spec, const TiledLayout &layout) {
  Panel panel{false, 0, 0, 0};
  if (!spec.rounded) {
    panel.inPlace = !layout.encoding && layout.element.isF32();
    panel.bytes = panel.inPlace ? 0 : layout.columns * tileRows * 4;
    return panel;
  }
  int64_t scaleBytes = layout.scaleGroups * tileRows * 4;
  panel.inPlace = layout.encoding.getBits() == 8;
  panel.scaleOffset = panel.inPlace ? 0 : layout.getBlocks() * blockInputs * tileRows;
  panel.zeroOffset = panel.scaleOffset + scaleBytes;
  panel.bytes = panel.zeroOffset + (layout.encoding.getZero() == ZeroPoint::None ? 0 : scaleBytes);
  return panel;
}

int64_t LinearKernel::getScratchBytes() const {
  if (oneRow)
    return 0;
  return maxTilesAtOnce * Panel::get(*this, TiledLayout::get(weight)).bytes;
}

std::string llmc::explainUnsupported(const LinearKernel &kernel) {
  if (!kernel.rounded)
    return "";
  TiledLayout layout = TiledLayout::get(kernel.weight);
  if (!layout.encoding)
    return "rounded activations need integer weights";
  if (layout.scaleGroup % blockInputs != 0)
    return "rounded activations need groups of a multiple of 32 weights, found " +
           std::to_string(layout.encoding.getGroup());
  return "";
}

FailureOr<func::FuncOp> llmc::emitLinear(ModuleOp module, const LinearKernel &kernel,
                                         const KernelTarget &target) {
  if (!explainUnsupported(kernel).empty())
    return failure();
  std::string name;
  llvm::raw_string_ostream stream(name);
  stream << "linear_" << getWeightName(kernel.weight) << (kernel.rounded ? "_a8" : "")
         << (kernel.bias ? "_bias" : "") << (kernel.residual ? "_residual" : "")
         << (kernel.oneRow ? "_row" : "_rows") << "_o" << kernel.outputStride
         << (kernel.exactOutput ? "x" : "") << "_" << target.name;
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  func::FuncOp function = LinearEmitter(module, name, kernel, target).emit();
  lowerGroupDots(function, target.dot);
  return function;
}
