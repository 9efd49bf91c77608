//===- PlanOperations.cpp - the stages of each operation ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionPlanner.h"
#include "llmc/Conversion/Kernels/Kernels.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace llmc;

using spmd::Field;

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

/// Stages compute the rows of a step, however many it has: a fixed number of rows is a weight's.
static LogicalResult checkActivations(Operation *op, ValueRange values) {
  for (Value value : values)
    if (!isActivations(value.getType()))
      return op->emitOpError("expected activations of f32, found ") << value.getType();
  return success();
}

LogicalResult FunctionPlanner::checkAllRows(Operation *op, ValueRange operands) {
  if (failed(checkActivations(op, operands)))
    return failure();
  for (Value operand : operands)
    if (place(operand).partition == Partition::OutputRows)
      return op->emitOpError("expected all rows of the step, found those of llmc.output_rows");
  return success();
}

LogicalResult FunctionPlanner::planEmbedding(EmbeddingOp op) {
  if (failed(checkActivations(op, op.getResult())))
    return failure();
  auto table = cast<RankedTensorType>(op.getTable().getType());
  if (std::string reason = explainUnsupported(table); !reason.empty())
    return op.emitOpError() << reason;
  func::FuncOp kernel = emitEmbedding(context.code, table, context.target);
  Place indices = place(op.getIndices()), weights = place(op.getTable());
  Place output = makeResult(op.getResult());
  emitStage("embedding", rowCount(Partition::Rows), {access(output, true, Partition::Rows)},
            [&](Value begin, Value end) {
              call(kernel, {begin, end, indices.address, weights.address, output.address});
            });
  places[op.getResult()] = output;
  return success();
}

LogicalResult FunctionPlanner::planOutputRows(OutputRowsOp op) {
  if (failed(checkActivations(op, op.getResult())) || failed(checkAllRows(op, op.getInput())))
    return failure();
  func::FuncOp kernel = emitGatherRows(context.code, getWidth(op.getInput()), context.target);
  Place input = place(op.getInput());
  Value outputs = spmd::FieldOp::create(
      builder, location, LLVM::LLVMPointerType::get(op.getContext()), step, Field::Outputs);
  Place output = makeResult(op.getResult());
  output.partition = Partition::OutputRows;
  emitStage("output_rows", rowCount(Partition::OutputRows),
            {access(input, false, Partition::Other), access(output, true, Partition::OutputRows)},
            [&](Value begin, Value end) {
              call(kernel, {begin, end, outputs, input.address, output.address});
            });
  places[op.getResult()] = output;
  return success();
}

FunctionPlanner::Rounded &FunctionPlanner::getRounded(Value value, int64_t group) {
  auto [entry, isNew] = roundedPlaces.try_emplace({value.getAsOpaquePointer(), group}, Rounded());
  Rounded &rounded = entry->second;
  if (!isNew)
    return rounded;
  Place input = place(value);
  int64_t width = getWidth(value), stride = getRowStride(width);
  func::FuncOp kernel = emitRound(context.code, width, group, context.target);
  rounded.codes = makeBuffer(stride, input.partition);
  rounded.scales = makeBuffer(stride / 32 * 4, input.partition);
  rounded.sums = makeBuffer(stride / 32 * 4, input.partition);
  emitStage("round", rowCount(input.partition),
            {access(input, false, input.partition), access(rounded.codes, true, input.partition),
             access(rounded.scales, true, input.partition),
             access(rounded.sums, true, input.partition)},
            [&](Value begin, Value end) {
              call(kernel, {begin, end, input.address, rounded.codes.address,
                            rounded.scales.address, rounded.sums.address});
            });
  return rounded;
}

LogicalResult FunctionPlanner::planLinear(LinearOp op, Value residual, Value result) {
  if (failed(checkActivations(op, {op.getInput(), result})))
    return failure();
  LinearKernel kernel;
  kernel.weight = cast<RankedTensorType>(op.getWeight().getType());
  kernel.rounded = op.getActivation().has_value();
  kernel.bias = static_cast<bool>(op.getBias());
  kernel.residual = static_cast<bool>(residual);
  kernel.exactOutput = isStep && resultPlaces.contains(result);
  kernel.outputStride = kernel.exactOutput ? getWidth(result) : getRowStride(getWidth(result));
  kernel.oneRow = context.oneRow;
  if (std::string reason = explainUnsupported(kernel); !reason.empty())
    return op.emitOpError() << reason;

  SmallVector<Access> accesses;
  SmallVector<Value> operands;
  Place input = place(op.getInput());
  if (kernel.rounded) {
    Rounded &rounded = getRounded(op.getInput(), op.getActivation()->getGroup());
    for (const Place &part : {rounded.codes, rounded.scales, rounded.sums}) {
      accesses.push_back(access(part, false, Partition::Other));
      operands.push_back(part.address);
    }
  } else {
    accesses.push_back(access(input, false, Partition::Other));
    operands.push_back(input.address);
  }
  if (kernel.bias)
    operands.push_back(place(op.getBias()).address);
  if (residual) {
    Place added = place(residual);
    if (added.partition != input.partition)
      return op.emitOpError("expected a residual of the same rows");
    accesses.push_back(access(added, false, Partition::Other));
    operands.push_back(added.address);
  }
  Place output = makeResult(result);
  output.partition = input.partition;
  accesses.push_back(access(output, true, Partition::Other));
  operands.push_back(output.address);
  operands.push_back(scratch(kernel.getScratchBytes()));

  func::FuncOp function = emitLinear(context.code, kernel, context.target);
  Value weights = place(op.getWeight()).address;
  Value rows = rowCount(input.partition);
  TiledLayout layout = TiledLayout::get(kernel.weight);
  Value tiles = constant(layout.tiles);
  // A step may want no logits at all: the kernel for one row would compute one.
  if (context.oneRow && input.partition == Partition::OutputRows)
    tiles = arith::MulIOp::create(builder, location, tiles, rows);
  emitStage(nameOf(op), tiles, accesses, [&](Value begin, Value end) {
    SmallVector<Value> arguments{rows, begin, end, weights};
    llvm::append_range(arguments, operands);
    call(function, arguments);
  });
  places[result] = output;
  return success();
}

LogicalResult FunctionPlanner::planNorm(Operation *op, Value input, Value gain, Value bias) {
  if (failed(checkActivations(op, input)))
    return failure();
  Place from = place(input), to = makeResult(op->getResult(0));
  to.partition = from.partition;
  func::FuncOp kernel;
  if (auto norm = dyn_cast<RMSNormOp>(op))
    kernel = emitRMSNorm(context.code, getWidth(input), norm.getGroups(),
                         norm.getEpsilon().convertToFloat(), context.target);
  else
    kernel = emitLayerNorm(context.code, getWidth(input),
                           cast<LayerNormOp>(op).getEpsilon().convertToFloat(),
                           static_cast<bool>(bias), context.target);
  SmallVector<Value> operands{from.address, place(gain).address};
  if (bias)
    operands.push_back(place(bias).address);
  operands.push_back(to.address);
  emitStage(nameOf(op), rowCount(from.partition),
            {access(from, false, from.partition), access(to, true, from.partition)},
            [&](Value begin, Value end) {
              SmallVector<Value> arguments{begin, end};
              llvm::append_range(arguments, operands);
              call(kernel, arguments);
            });
  places[op->getResult(0)] = to;
  return success();
}

FunctionPlanner::Place FunctionPlanner::getRotation(RotationKey key) {
  auto [entry, isNew] = rotationTables.try_emplace(key, Place());
  if (!isNew)
    return entry->second;
  ArrayRef<float> frequencies = cast<DenseF32ArrayAttr>(key.first).asArrayRef();
  float scaling = cast<FloatAttr>(key.second).getValue().convertToFloat();
  func::FuncOp kernel = emitRotationTable(context.code, frequencies, scaling, context.target);
  Value positions = spmd::FieldOp::create(
      builder, location, LLVM::LLVMPointerType::get(builder.getContext()), step, Field::Positions);
  Place table = makeBuffer(getRotationStride(frequencies.size()) * 4, Partition::Rows);
  emitStage("rotation_table", rowCount(Partition::Rows), {access(table, true, Partition::Rows)},
            [&](Value begin, Value end) { call(kernel, {begin, end, positions, table.address}); });
  return entry->second = table;
}

LogicalResult FunctionPlanner::planRope(RopeOp op) {
  if (failed(checkAllRows(op, op.getInput())))
    return failure();
  Place input = place(op.getInput());
  Place table = getRotation(getRotationKey(op));
  Place output = makeResult(op.getResult());
  RotationKernel kernel{getWidth(op.getInput()), static_cast<int64_t>(op.getHeads()),
                        static_cast<int64_t>(op.getFrequencies().size()), op.getInterleaved()};
  func::FuncOp function = emitRotation(context.code, kernel, context.target);
  emitStage("rope", rowCount(Partition::Rows),
            {access(input, false, Partition::Rows), access(table, false, Partition::Rows),
             access(output, true, Partition::Rows)},
            [&](Value begin, Value end) {
              call(function, {begin, end, input.address, table.address, output.address});
            });
  places[op.getResult()] = output;
  return success();
}

/// The fields of a step that say where a row's cache is.
static SmallVector<Value> getStateFields(OpBuilder &builder, Location location, Value step) {
  SmallVector<Value> fields;
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  for (Field field : {Field::States, Field::Positions, Field::Sequences})
    fields.push_back(spmd::FieldOp::create(builder, location, pointer, step, field));
  return fields;
}

LogicalResult FunctionPlanner::planAppend(CacheAppendOp op) {
  if (failed(checkAllRows(op, {op.getKeys(), op.getValues()})))
    return failure();
  Place keys = place(op.getKeys()), values = place(op.getValues()), cache = place(op.getCache());
  func::FuncOp kernel = emitCacheAppend(context.code, op.getCache().getType(), context.target);
  SmallVector<Value> fields = getStateFields(builder, location, step);
  emitStage("cache_append", rowCount(Partition::Rows),
            {access(keys, false, Partition::Rows), access(values, false, Partition::Rows),
             access(cache, true, Partition::Other)},
            [&](Value begin, Value end) {
              call(kernel, {begin, end, keys.address, values.address, fields[0], fields[1],
                            fields[2], cache.address});
            });
  places[op.getResult()] = cache;
  return success();
}

LogicalResult FunctionPlanner::planAttention(AttentionOp op) {
  if (failed(checkAllRows(op, op.getQuery())))
    return failure();
  Place query = place(op.getQuery()), cache = place(op.getCache());
  Place output = makeResult(op.getResult());
  AttentionKernel kernel;
  kernel.cache = op.getCache().getType();
  kernel.heads = op.getHeads();
  kernel.scale = op.getScale().convertToFloat();
  kernel.window = op.getWindow();
  if (op.getSoftcap())
    kernel.softcap = op.getSoftcap()->convertToFloat();
  if (op.getSlopes())
    llvm::append_range(kernel.slopes, *op.getSlopes());
  kernel.sinks = static_cast<bool>(op.getSinks());
  kernel.oneRow = context.oneRow;
  func::FuncOp function = emitAttention(context.code, kernel, context.target);
  SmallVector<Value> fields = getStateFields(builder, location, step);
  SmallVector<Value> operands{query.address, fields[0], fields[1], fields[2], cache.address};
  if (op.getSinks())
    operands.push_back(place(op.getSinks()).address);
  operands.append({output.address, scratch(kernel.getScratchBytes())});
  Value rows = rowCount(Partition::Rows), count = constant(kernel.heads);
  if (!context.oneRow) {
    int64_t rowsAtOnce = kernel.getRowsAtOnce();
    Value blocks = arith::AddIOp::create(builder, location, rows, constant(rowsAtOnce - 1));
    blocks = arith::DivUIOp::create(builder, location, blocks, constant(rowsAtOnce));
    count = arith::MulIOp::create(builder, location, blocks, constant(kernel.cache.getHeads()));
  }
  emitStage("attention", count,
            {access(query, false, Partition::Other), access(cache, false, Partition::Other),
             access(output, true, Partition::Other)},
            [&](Value begin, Value end) {
              SmallVector<Value> arguments{rows, begin, end};
              llvm::append_range(arguments, operands);
              call(function, arguments);
            });
  places[op.getResult()] = output;
  return success();
}

LogicalResult FunctionPlanner::planElementwise(Operation *op) {
  Value result = op->getResult(0);
  if (failed(checkActivations(op, result)))
    return failure();
  int64_t width = getWidth(result);
  func::FuncOp kernel;
  if (auto activation = dyn_cast<ActivationOp>(op))
    kernel = emitActivation(context.code, width, activation.getFunction(), context.target);
  else if (auto scale = dyn_cast<ScaleOp>(op))
    kernel = emitScale(context.code, width, scale.getFactor().convertToFloat(), context.target);
  else if (auto gate = dyn_cast<GateOp>(op))
    kernel = emitGate(context.code, width, gate.getFunction(), context.target);
  else
    kernel = emitAdd(context.code, width, context.target);
  Place output = makeResult(result);
  output.partition = place(op->getOperand(0)).partition;
  SmallVector<Access> accesses;
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    Place input = place(operand);
    if (input.partition != output.partition)
      return op->emitOpError("expected operands of the same rows");
    accesses.push_back(access(input, false, input.partition));
    operands.push_back(input.address);
  }
  accesses.push_back(access(output, true, output.partition));
  operands.push_back(output.address);
  emitStage(nameOf(op), rowCount(output.partition), accesses, [&](Value begin, Value end) {
    SmallVector<Value> arguments{begin, end};
    llvm::append_range(arguments, operands);
    call(kernel, arguments);
  });
  places[result] = output;
  return success();
}
