//===- BlockRunner.cpp - runs a block with candidates for its weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BlockRunner.h"
#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/IR/BuiltinDialect.h"
#include "llvm/ADT/ScopeExit.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

static int64_t getWidth(Value value) {
  return cast<RankedTensorType>(value.getType()).getDimSize(1);
}

void BlockRunner::enterBlock(FlatModel &newModel, Value newStart, Value newEnd) {
  model = &newModel;
  start = newStart;
  end = newEnd;
}

void BlockRunner::leaveBlock() {
  if (reference)
    for (int64_t batch = 0; batch < runner.getBatches(); ++batch)
      rows.release(reference->results.front(), batch);
  reference.reset();
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

LogicalResult BlockRunner::check(const Candidate &candidate) const {
  ParameterOp parameter = candidate.parameter;
  RankedTensorType type = parameter.getTensorType();
  if (candidate.type.getShape() != type.getShape())
    return parameter.emitOpError("expected a candidate of the shape of ")
           << type << ", found " << candidate.type;
  FailureOr<int64_t> size =
      getParameterByteSize(candidate.type, [&] { return parameter.emitOpError(); });
  if (failed(size))
    return failure();
  int64_t found = candidate.bytes.size();
  if (*size != found)
    return parameter.emitOpError("expected a candidate of ") << *size << " bytes, found " << found;
  return success();
}

PartChanges BlockRunner::lend(ArrayRef<Candidate> candidates) {
  MLIRContext *context = ModuleOp(module).getContext();
  PartChanges changes;
  for (auto [index, candidate] : llvm::enumerate(candidates)) {
    // A context keeps its resources: what one candidate has lain in, the next one does.
    if (index == resources.size())
      resources.push_back(Resource::getManagerInterface(context).insert("llmc_candidate"));
    ArrayRef<char> bytes(reinterpret_cast<const char *>(candidate.bytes.data()),
                         candidate.bytes.size());
    resources[index].getResource()->setBlob(
        UnmanagedAsmResourceBlob::allocateWithAlign(bytes, /*align=*/1));
    auto type =
        RankedTensorType::get({static_cast<int64_t>(bytes.size())}, IntegerType::get(context, 8));
    changes.parameters[candidate.parameter] = {
        candidate.type, DenseResourceElementsAttr::get(type, resources[index])};
    if (candidate.activation)
      changes.activations[candidate.parameter] = *candidate.activation;
  }
  return changes;
}

void BlockRunner::takeBack() {
  for (Resource &resource : resources)
    resource.getResource()->setBlob(AsmResourceBlob());
}

FailureOr<Part> BlockRunner::build(ArrayRef<Candidate> candidates, const BlockOutput &output) {
  for (const Candidate &candidate : candidates)
    if (failed(check(candidate)))
      return failure();
  Value value = output.value ? model->lookup(output.value) : end;
  auto type = value ? dyn_cast<RankedTensorType>(value.getType()) : nullptr;
  std::optional<Part> part;
  // A value of the block is no older than what enters it, and no younger than what leaves it.
  if (type && type.getRank() == 2 && type.isDynamicDim(0) &&
      model->getLevel(value) <= model->getLevel(end))
    part = model->buildSlice(start, value, lend(candidates));
  if (!part)
    return emitError(output.value ? output.value.getLoc() : ModuleOp(module).getLoc(),
                     "calibration: expected a value that the block in hand computes");
  for (const Candidate &candidate : candidates)
    if (!llvm::is_contained(part->parameters, candidate.parameter))
      return ParameterOp(candidate.parameter)
          .emitOpError("expected a candidate for a parameter that is read on the way from the "
                       "block's start to its output");
  return std::move(*part);
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

LogicalResult BlockRunner::run(
    Part &part, int64_t samples,
    llvm::function_ref<llvm::Error(int64_t batch, const float *rows, int64_t count)> take) {
  Value value = part.results.front();
  Pages spare;
  auto finish = [&](int64_t batch, int64_t count) -> LogicalResult {
    llvm::Expected<const float *> found = rows.load(value, batch, spare);
    llvm::Error error = found ? take(batch, *found, count) : found.takeError();
    if (!error)
      return success();
    return emitError(part.function.getLoc()) << llvm::toString(std::move(error));
  };
  return runner.run(part, samples, finish);
}

LogicalResult BlockRunner::evaluateBlock(ArrayRef<Candidate> candidates, const BlockOutput &output,
                                         function_ref<void(ArrayRef<float> rows)> take) {
  llvm::scope_exit giveBack([&] { takeBack(); });
  FailureOr<Part> part = build(candidates, output);
  if (failed(part))
    return failure();
  Value value = part->results.front();
  const int64_t width = getWidth(value), stride = getRowStride(width);
  std::vector<float> packed;
  return run(*part, output.samples,
             [&](int64_t batch, const float *found, int64_t count) -> llvm::Error {
               packed.resize(count * width);
               for (int64_t row = 0; row < count; ++row)
                 std::copy_n(found + row * stride, width, packed.data() + row * width);
               rows.release(value, batch);
               take(packed);
               return llvm::Error::success();
             });
}

LogicalResult BlockRunner::keepReference(const BlockOutput &output) {
  leaveBlock();
  FailureOr<Part> part = build({}, output);
  if (failed(part))
    return failure();
  reference = std::move(*part);
  referenceOutput = output;
  return run(*reference, output.samples,
             [](int64_t, const float *, int64_t) { return llvm::Error::success(); });
}

FailureOr<double> BlockRunner::getError(ArrayRef<Candidate> candidates) {
  if (!reference)
    return emitError(ModuleOp(module).getLoc(), "calibration: expected a reference that was kept "
                                                "of the block in hand, found none");
  llvm::scope_exit giveBack([&] { takeBack(); });
  FailureOr<Part> part = build(candidates, referenceOutput);
  if (failed(part))
    return failure();
  Value value = part->results.front();
  const int64_t width = getWidth(value), stride = getRowStride(width);
  double errors = 0, squares = 0;
  Pages spare;
  LogicalResult done = run(*part, referenceOutput.samples,
                           [&](int64_t batch, const float *found, int64_t count) -> llvm::Error {
                             llvm::Expected<const float *> expected =
                                 rows.load(reference->results.front(), batch, spare);
                             if (!expected)
                               return expected.takeError();
                             for (int64_t row = 0; row < count; ++row)
                               for (int64_t column = 0; column < width; ++column) {
                                 double y = (*expected)[row * stride + column];
                                 double difference = found[row * stride + column] - y;
                                 errors += difference * difference;
                                 squares += y * y;
                               }
                             rows.release(value, batch);
                             return llvm::Error::success();
                           });
  if (failed(done))
    return failure();
  return squares == 0 ? errors : errors / squares;
}

/// 1 − cos of two rows; 0 for rows of zeros, which have no direction.
static double getTurn(ArrayRef<float> x, ArrayRef<float> y) {
  double product = 0, ofX = 0, ofY = 0;
  for (auto [a, b] : llvm::zip_equal(x, y)) {
    product += static_cast<double>(a) * b;
    ofX += static_cast<double>(a) * a;
    ofY += static_cast<double>(b) * b;
  }
  return ofX > 0 && ofY > 0 ? 1 - product / std::sqrt(ofX * ofY) : 0;
}

FailureOr<double> BlockRunner::getInfluence() {
  const int64_t width = getWidth(end), stride = getRowStride(width);
  if (!start || getWidth(start) != width)
    return emitError(ModuleOp(module).getLoc(),
                     "calibration: expected a block that rows enter as wide as they leave it");
  FailureOr<Part> part = build({}, {});
  if (failed(part))
    return failure();
  Value value = part->results.front();
  double turns = 0;
  int64_t seen = 0;
  Pages spare;
  LogicalResult done = run(*part, /*samples=*/0,
                           [&](int64_t batch, const float *left, int64_t count) -> llvm::Error {
                             llvm::Expected<const float *> entered = rows.load(start, batch, spare);
                             if (!entered)
                               return entered.takeError();
                             for (int64_t row = 0; row < count; ++row)
                               turns += getTurn(ArrayRef(*entered + row * stride, width),
                                                ArrayRef(left + row * stride, width));
                             seen += count;
                             rows.release(value, batch);
                             return llvm::Error::success();
                           });
  if (failed(done))
    return failure();
  return turns / static_cast<double>(seen);
}
