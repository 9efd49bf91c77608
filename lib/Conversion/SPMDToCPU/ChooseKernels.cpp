//===- ChooseKernels.cpp - a kernel for each operation of a stage ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionConverter.h"
#include "llmc/Dialect/LLMC/IR/ColumnOps.h"
#include "llmc/Dialect/LLMC/IR/TiledLayout.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace llmc;

using cpu::Field;
using spmd::Extent;

static int64_t getWidth(Value value) {
  return cast<RankedTensorType>(value.getType()).getDimSize(1);
}

/// Whether a row of the one result depends on the same row of the operands, and on weights.
static bool isRowWise(Operation *op) {
  if (op->getNumResults() != 1)
    return false;
  if (auto stageOp = dyn_cast<StageOpInterface>(op))
    return stageOp.isRowWise() && !stageOp.choosesRows() && !stageOp.getUpdatedOperand();
  return op->hasTrait<OpTrait::Elementwise>();
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

/// Bytes from one token or position to the next.
static constexpr int64_t indexBytes = 4;

void FunctionConverter::addArguments(KernelCall &call, Value value) {
  const Memory &from = memory(value);
  // What is a row of the worker's own is not among the rows of a buffer.
  auto add = [&](Value address, int64_t rowBytes) {
    call.arguments.push_back({address, from.rows == 1 ? 0 : rowBytes});
  };
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (type && type.getRank() == 1 && type.getElementType().isInteger())
    return add(from.address, indexBytes);
  if (isActivations(value.getType()))
    return add(from.address,
               (from.exactRows ? type.getDimSize(1) : getRowStride(type.getDimSize(1))) * 4);
  if (!isRoundedActivations(value.getType()))
    return add(from.address, 0);
  RoundedLayout planes = RoundedLayout::get(type.getDimSize(1), from.rows);
  add(from.address, planes.codeRow);
  add(pointerTo(from.address, planes.scaleOffset), planes.scaleRow);
  add(pointerTo(from.address, planes.sumOffset), planes.sumRow);
}

LogicalResult FunctionConverter::addOutput(KernelCall &call, Operation *op) {
  Value result = op->getResult(0);
  if (memory(result).exactRows && getRowStride(getWidth(result)) != getWidth(result))
    return op->emitOpError("expected logits that a linear computes, or a multiple of 32 of them, "
                           "found ")
           << getWidth(result);
  addArguments(call, result);
  return success();
}

void FunctionConverter::addCache(KernelCall &call, Value cache) {
  call.arguments.append({{field(Field::States)},
                         {field(Field::Positions), indexBytes},
                         {field(Field::Sequences), indexBytes},
                         {memory(cache).address}});
}

//===----------------------------------------------------------------------===//
// Linears
//===----------------------------------------------------------------------===//

LogicalResult FunctionConverter::chooseLinear(LinearOp op, Operation *add, KernelCall &call) {
  Value result = add ? add->getResult(0) : op->getResult(0);
  LinearKernel kernel;
  kernel.weight = cast<RankedTensorType>(op.getWeight().getType());
  auto rounding =
      dyn_cast_or_null<DynamicAttr>(cast<RankedTensorType>(op.getInput().getType()).getEncoding());
  int64_t width = getWidth(op.getInput());
  kernel.rounded = static_cast<bool>(rounding);
  kernel.oneScale = rounding && rounding.getGroupSize(width) >= width;
  kernel.bias = static_cast<bool>(op.getBias());
  kernel.residual = add != nullptr;
  kernel.exactOutput = memory(result).exactRows;
  kernel.outputStride = kernel.exactOutput ? getWidth(result) : getRowStride(getWidth(result));
  kernel.oneRow = oneRow;
  if (std::string reason = explainUnsupported(kernel.weight); !reason.empty())
    return op.emitOpError() << reason;
  int64_t scratchBytes = kernel.usesFragments(target) ? 0 : kernel.getScratchBytes();
  if (kernels.usesMeaning(op) || (add && kernels.usesMeaning(add)) ||
      !explainUnsupported(kernel).empty()) {
    FailureOr<MeaningKernel> meaning = emitLinearMeaning(code, op, add, kernel.exactOutput, target);
    if (failed(meaning))
      return failure();
    call.function = meaning->function;
    scratchBytes = meaning->scratchBytes;
  } else {
    call.function = emitLinear(code, kernel, target);
  }
  call.rows = rowCount(extent);
  addArguments(call, op.getWeight());
  addArguments(call, op.getInput());
  if (op.getBias())
    addArguments(call, op.getBias());
  if (add)
    addArguments(call,
                 add->getOperand(0) == op.getResult() ? add->getOperand(1) : add->getOperand(0));
  addArguments(call, result);
  call.arguments.push_back({scratch(0, scratchBytes)});
  call.pieces = constant(TiledLayout::get(kernel.weight).tiles);
  // A step may want no logits at all: the kernel for one row would compute one.
  if (oneRow && extent == Extent::OutputRows)
    call.pieces = arith::MulIOp::create(builder, location, call.pieces, call.rows);
  return success();
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

LogicalResult FunctionConverter::chooseAttention(AttentionOp op, KernelCall &call) {
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
  kernel.oneRow = oneRow;
  call.function = emitAttention(code, kernel, target);
  call.rows = rowCount(Extent::Rows);
  addArguments(call, op.getQuery());
  addCache(call, op.getCache());
  if (op.getSinks())
    addArguments(call, op.getSinks());
  if (failed(addOutput(call, op)))
    return failure();
  call.arguments.push_back({scratch(0, kernel.getScratchBytes())});
  bool inOrder = kernel.cache.choosesPositions();
  call.pieces = constant(inOrder ? kernel.cache.getHeads() : kernel.heads);
  if (oneRow || inOrder)
    return success();
  int64_t rowsAtOnce = kernel.getRowsAtOnce();
  Value blocks = arith::AddIOp::create(builder, location, call.rows, constant(rowsAtOnce - 1));
  blocks = arith::DivUIOp::create(builder, location, blocks, constant(rowsAtOnce));
  call.pieces = arith::MulIOp::create(builder, location, blocks, constant(kernel.cache.getHeads()));
  return success();
}

LogicalResult FunctionConverter::chooseTable(RotationTableOp op, KernelCall &call) {
  ArrayRef<float> frequencies = op.getFrequencies();
  if (int64_t width = getRotationStride(frequencies.size()); width != getWidth(op.getResult()))
    return op.emitOpError("expected a table of width ")
           << width << ", found " << getWidth(op.getResult());
  call.function = emitRotationTable(code, frequencies, op.getScaling().convertToFloat(), target);
  call.arguments.push_back({field(Field::Positions), indexBytes});
  return addOutput(call, op);
}

LogicalResult FunctionConverter::chooseRotation(RotateOp op, KernelCall &call) {
  int64_t pairs = op.getPairs();
  if (int64_t width = getRotationStride(pairs); width != getWidth(op.getTable()))
    return op.emitOpError("expected a table of width ")
           << width << ", found " << getWidth(op.getTable());
  RotationKernel kernel{getWidth(op.getInput()), static_cast<int64_t>(op.getHeads()), pairs,
                        op.getInterleaved()};
  call.function = emitRotation(code, kernel, target);
  addArguments(call, op.getInput());
  addArguments(call, op.getTable());
  return addOutput(call, op);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

LogicalResult FunctionConverter::chooseElementwise(Operation *op, KernelCall &call) {
  int64_t width = getWidth(op->getResult(0));
  if (auto activation = dyn_cast<ActivationOp>(op))
    call.function = emitActivation(code, width, activation.getFunction(), target);
  else if (auto scale = dyn_cast<ScaleOp>(op))
    call.function = emitScale(code, width, scale.getFactor().convertToFloat(), target);
  else if (auto gate = dyn_cast<GateOp>(op))
    call.function = emitGate(code, width, gate.getFunction(), target);
  else
    call.function = emitAdd(code, width, target);
  for (Value operand : op->getOperands())
    addArguments(call, operand);
  return addOutput(call, op);
}

FailureOr<MeaningKernel> FunctionConverter::emitMeaning(Operation *op) {
  if (auto append = dyn_cast<CacheAppendOp>(op))
    return emitCacheAppendMeaning(code, append, target);
  if (auto round = dyn_cast<CacheRoundOp>(op))
    return emitCacheRoundMeaning(code, round, target);
  bool exact = memory(op->getResult(0)).exactRows;
  if (auto embedding = dyn_cast<EmbeddingOp>(op)) {
    auto table = cast<RankedTensorType>(embedding.getTable().getType());
    if (std::string reason = explainUnsupported(table); !reason.empty())
      return op->emitOpError() << reason;
    return emitEmbeddingMeaning(code, embedding, exact, target);
  }
  if (auto rows = dyn_cast<OutputRowsOp>(op))
    return emitOutputRowsMeaning(code, rows, exact, target);
  if (auto attention = dyn_cast<AttentionOp>(op))
    return emitAttentionMeaning(code, attention, exact, target);
  if (!isRowWise(op))
    return op->emitOpError("has no meaning on CPUs yet, which work row by row");
  return emitRowMeaning(code, op, exact, target);
}

LogicalResult FunctionConverter::chooseMeaning(Operation *op, KernelCall &call) {
  FailureOr<MeaningKernel> kernel = emitMeaning(op);
  if (failed(kernel))
    return failure();
  call.function = kernel->function;
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](OutputRowsOp chosen) {
        call.arguments.push_back({field(Field::Outputs), indexBytes});
        // Any of them.
        call.arguments.push_back({memory(chosen.getInput()).address});
      })
      .Case([&](CacheAppendOp append) {
        addArguments(call, append.getKeys());
        addArguments(call, append.getValues());
        addCache(call, append.getCache());
      })
      .Case([&](CacheRoundOp round) { addCache(call, round.getCache()); })
      .Case([&](AttentionOp attention) {
        call.rows = rowCount(Extent::Rows);
        if (attention.getUpdated())
          call.pieces = constant(1);
        addArguments(call, attention.getQuery());
        addCache(call, attention.getCache());
        if (attention.getSinks())
          addArguments(call, attention.getSinks());
      })
      .Default([&](Operation *) {
        for (Value operand : op->getOperands())
          if (isa<RowsType>(operand.getType()))
            call.arguments.push_back({field(Field::Positions), indexBytes});
          else
            addArguments(call, operand);
      });
  if (!isa<KVCacheType>(op->getResult(0).getType()))
    addArguments(call, op->getResult(0));
  call.arguments.push_back({scratch(stageBytes, kernel->scratchBytes)});
  return success();
}

LogicalResult FunctionConverter::chooseKernel(Operation *op, KernelCall &call) {
  if (kernels.usesMeaning(op) && !isa<LinearOp>(op))
    return chooseMeaning(op, call);
  auto addAll = [&](ValueRange operands) {
    for (Value operand : operands)
      addArguments(call, operand);
    return addOutput(call, op);
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](EmbeddingOp embedding) -> LogicalResult {
        auto table = cast<RankedTensorType>(embedding.getTable().getType());
        if (std::string reason = explainUnsupported(table); !reason.empty())
          return embedding.emitOpError() << reason;
        call.function = emitEmbedding(code, table, target);
        return addAll(embedding.getOperands());
      })
      .Case([&](OutputRowsOp rows) {
        call.function = emitGatherRows(code, getWidth(rows.getInput()), target);
        call.arguments.push_back({field(Field::Outputs), indexBytes});
        // Any of them.
        call.arguments.push_back({memory(rows.getInput()).address});
        return addOutput(call, op);
      })
      .Case([&](RMSNormOp norm) {
        call.function = emitRMSNorm(code, getWidth(norm.getInput()), norm.getGroups(),
                                    norm.getEpsilon().convertToFloat(), target);
        return addAll(norm.getOperands());
      })
      .Case([&](LayerNormOp norm) {
        call.function =
            emitLayerNorm(code, getWidth(norm.getInput()), norm.getEpsilon().convertToFloat(),
                          static_cast<bool>(norm.getBias()), target);
        return addAll(norm.getOperands());
      })
      .Case([&](HadamardOp hadamard) {
        auto order = static_cast<int64_t>(hadamard.getOrder());
        if (!hasHadamardKernel(order))
          return chooseMeaning(op, call);
        call.function = emitHadamard(code, getWidth(hadamard.getInput()), order,
                                     hadamard.getTransposed(), target);
        return addAll(hadamard.getInput());
      })
      .Case([&](TakeColumnsOp take) {
        call.function = emitTakeColumns(code, getWidth(take.getInput()), take.getColumns(), target);
        return addAll(take.getInput());
      })
      .Case([&](ClearColumnsOp clear) {
        call.function =
            emitClearColumns(code, getWidth(clear.getInput()), clear.getColumns(), target);
        return addAll(clear.getInput());
      })
      .Case([&](RoundOp round) {
        int64_t width = getWidth(round.getInput());
        call.function = emitRound(code, width, round.getRounding(), target);
        return addAll(round.getInput());
      })
      .Case([&](RoundValuesOp round) {
        call.function =
            emitRoundValues(code, getWidth(round.getInput()), round.getRounding(), target);
        return addAll(round.getInput());
      })
      .Case([&](CacheAppendOp append) {
        call.function = emitCacheAppend(code, append.getCache().getType(), target);
        addArguments(call, append.getKeys());
        addArguments(call, append.getValues());
        addCache(call, append.getCache());
        return success();
      })
      .Case([&](CacheRoundOp round) {
        call.function = emitCacheRound(code, round.getCache().getType(), target);
        addCache(call, round.getCache());
        return success();
      })
      .Case([&](AttentionOp attention) { return chooseAttention(attention, call); })
      .Case([&](RotationTableOp table) { return chooseTable(table, call); })
      .Case([&](RotateOp rotate) { return chooseRotation(rotate, call); })
      .Case([&](LinearOp linear) { return chooseLinear(linear, /*add=*/nullptr, call); })
      .Case<ActivationOp, ScaleOp, GateOp, arith::AddFOp>(
          [&](Operation *elementwise) { return chooseElementwise(elementwise, call); })
      .Default([&](Operation *other) { return chooseMeaning(other, call); });
}

LogicalResult FunctionConverter::chooseKernels(spmd::StageOp stage,
                                               SmallVector<KernelCall> &calls) {
  Operation *absorbed = nullptr;
  for (Operation &op : stage.getBody().front().without_terminator()) {
    if (&op == absorbed)
      continue;
    KernelCall call;
    auto linear = dyn_cast<LinearOp>(op);
    auto add = linear && linear->hasOneUse() ? dyn_cast<arith::AddFOp>(*linear->user_begin())
                                             : arith::AddFOp();
    if (failed(add ? chooseLinear(linear, add, call) : chooseKernel(&op, call)))
      return failure();
    absorbed = add ? add.getOperation() : absorbed;
    calls.push_back(std::move(call));
  }
  // Pieces of one must be pieces of the others.
  if (calls.size() > 1 && llvm::any_of(calls, [](const KernelCall &call) { return call.pieces; }))
    return stage.emitOpError("expected operations that work row by row, or one alone");
  return success();
}
