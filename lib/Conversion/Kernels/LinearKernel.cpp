//===- LinearKernel.cpp - what all linear kernels have in common ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FragmentLinear.h"
#include "LinearEmitter.h"

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

LinearFunction::LinearFunction(ModuleOp module, StringRef name, const LinearKernel &spec,
                               const KernelTarget &target)
    : spec(spec), layout(TiledLayout::get(spec.weight)),
      decoder(getDecoderWithoutList(spec.weight)),
      codes(spec.rounded ? decoder->getCodes() : nullptr),
      k(module, name, getArguments(spec), target) {
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
// Listed weights
//===----------------------------------------------------------------------===//

Value LinearEmitter::gatherInputs(Value row, Value columns) {
  if (!spec.rounded)
    return k.gather(k.f32(), k.offset(input, k.mul(row, inputStride() * 4)), columns);
  int64_t blocks = inputStride() / blockInputs;
  Value ofRow = k.offset(scales, k.mul(row, blocks * 4));
  Value scale = k.gather(k.f32(), ofRow, k.shr(columns, llvm::Log2_64(blockInputs)));
  Value code = k.gather(k.i8(), k.offset(input, k.mul(row, inputStride())), columns);
  return k.fmul(k.toFloat(k.extendSigned(code, k.vector(k.i32()))), scale);
}

void LinearEmitter::addListed(MutableArrayRef<Value> sums, Value row, Value tile) {
  const TiledPlane *positions = layout.getPositions();
  if (!positions)
    return;
  Value address = getTile(tile);
  Values added = k.loop(k.integer(0), k.integer(positions->listed), 1, Values(sums),
                        [&](Value element, ValueRange carried) {
                          Value columns = loadElement(k, positions[0], address, element);
                          Value numbers = loadElement(k, positions[1], address, element);
                          Values next;
                          for (auto [i, sum] : llvm::enumerate(carried)) {
                            Value inputs =
                                gatherInputs(k.add(row, static_cast<int64_t>(i)), columns);
                            next.push_back(k.fma(numbers, inputs, sum));
                          }
                          return next;
                        });
  llvm::copy(added, sums.begin());
}

//===----------------------------------------------------------------------===//
// Rounded activations
//===----------------------------------------------------------------------===//

Values LinearEmitter::loadActivations(Value input, int64_t row) {
  Values activations;
  for (int64_t step = 0; step < blockInputs / 4; ++step) {
    Value four = k.load(k.i32(), k.offset(input, row * inputStride() + step * 4), 4);
    activations.push_back(k.bitcast(k.broadcast(four), k.vector(k.i8(), 64)));
  }
  return activations;
}

Value LinearEmitter::dot(ArrayRef<Value> weights, ArrayRef<Value> activations) {
  return GroupDotOp::create(k.builder, k.location, k.vector(k.i32()), weights, activations,
                            codes->getMaxCode());
}

bool LinearFunction::isOneSum() const {
  // 2^16 · 127 · 255 is below 2^31.
  constexpr int64_t widest = int64_t(1) << 16;
  return spec.rounded && spec.oneScale && codes->getScalesPerRow() == 1 && layout.columns <= widest;
}

//===----------------------------------------------------------------------===//
// The interface
//===----------------------------------------------------------------------===//

Panel Panel::get(const TiledLayout &layout, const CodeDecoder *codes) {
  Panel panel{false, 0, 0, 0};
  if (!codes) {
    panel.inPlace = !layout.encoding && layout.element.isF32();
    panel.bytes = panel.inPlace ? 0 : layout.columns * tileRows * 4;
    return panel;
  }
  int64_t scaleBytes = codes->getScalesPerRow() * tileRows * 4;
  panel.inPlace = codes->isInPlace();
  panel.scaleOffset = panel.inPlace ? 0 : layout.getBlocks() * blockInputs * tileRows;
  panel.zeroOffset = panel.scaleOffset + scaleBytes;
  panel.bytes = panel.zeroOffset + (codes->hasZeros() ? scaleBytes : 0);
  return panel;
}

int64_t LinearKernel::getScratchBytes() const {
  TiledLayout layout = TiledLayout::get(weight);
  int64_t ofDecoder = getDecoderScratchBytes(layout);
  if (oneRow)
    return ofDecoder;
  std::unique_ptr<WeightDecoder> decoder = getWeightDecoder(weight);
  const CodeDecoder *codes = rounded && decoder ? decoder->getCodes() : nullptr;
  return maxTilesAtOnce * Panel::get(layout, codes).bytes + ofDecoder;
}

bool LinearKernel::usesFragments(const KernelTarget &target) const {
  std::unique_ptr<WeightDecoder> decoder = getWeightDecoder(weight);
  const CodeDecoder *codes = rounded && decoder ? decoder->getCodes() : nullptr;
  bool hasList = TiledLayout::get(weight).getPositions() != nullptr;
  return target.warps > 0 && codes && codes->isInParts() && !hasList;
}

std::string llmc::explainUnsupported(const LinearKernel &kernel) {
  std::string reason = explainUnsupported(kernel.weight);
  if (!reason.empty() || !kernel.rounded)
    return reason;
  std::unique_ptr<WeightDecoder> decoder = getWeightDecoder(kernel.weight);
  const CodeDecoder *codes = decoder ? decoder->getCodes() : nullptr;
  return codes ? codes->explainUnsupported() : "rounded activations need integer weights";
}

std::optional<TilesAttribute> TilesAttribute::get(func::FuncOp kernel) {
  auto numbers = kernel->getAttrOfType<DenseI64ArrayAttr>(name);
  if (!numbers || numbers.size() != 3)
    return std::nullopt;
  return TilesAttribute{numbers[0], numbers[1], numbers[2]};
}

void TilesAttribute::set(func::FuncOp kernel) const {
  kernel->setAttr(name, DenseI64ArrayAttr::get(kernel.getContext(), {offset, bytes, count}));
}

func::FuncOp llmc::emitLinear(ModuleOp module, const LinearKernel &kernel,
                              const KernelTarget &target) {
  // One function for any number of rows.
  bool fragments = kernel.usesFragments(target);
  std::string name;
  llvm::raw_string_ostream stream(name);
  stream << "linear_" << getWeightName(kernel.weight)
         << (kernel.rounded ? kernel.oneScale ? "_a8row" : "_a8" : "")
         << (kernel.bias ? "_bias" : "") << (kernel.residual ? "_residual" : "")
         << (fragments       ? ""
             : kernel.oneRow ? "_row"
                             : "_rows")
         << "_o" << kernel.outputStride << (kernel.exactOutput ? "x" : "") << "_" << target.name;
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  func::FuncOp function = fragments ? emitFragmentLinear(module, name, kernel, target)
                                    : LinearEmitter(module, name, kernel, target).emit();
  TiledLayout layout = TiledLayout::get(kernel.weight);
  TilesAttribute{layout.tableBytes, layout.tileBytes, layout.tiles}.set(function);
  return function;
}
