//===- RowWise.cpp - which tensor algebra keeps rows apart ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Dialect/SPMD/IR/RowWise.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace llmc;

bool llmc::hasRows(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() > 0 && tensor.isDynamicDim(0);
}

bool llmc::isTensorAlgebra(Operation *op) {
  return isa_and_nonnull<arith::ArithDialect, linalg::LinalgDialect, math::MathDialect,
                         tensor::TensorDialect>(op->getDialect());
}

//===----------------------------------------------------------------------===//
// Index maps
//===----------------------------------------------------------------------===//

/// The loop over rows of an operation of linalg: dimension 0 of every operand that has rows.
static FailureOr<unsigned> findRowLoop(linalg::LinalgOp op) {
  std::optional<unsigned> loop;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!hasRows(operand.get().getType()))
      continue;
    AffineMap map = op.getMatchingIndexingMap(&operand);
    auto first = dyn_cast<AffineDimExpr>(map.getResult(0));
    if (!first || (loop && *loop != first.getPosition()))
      return failure();
    loop = first.getPosition();
  }
  if (!loop || op.getIteratorTypesArray()[*loop] != utils::IteratorType::parallel)
    return failure();
  return *loop;
}

/// Whether the loop stands at dimension 0 of rows and nowhere else.
static bool keepsRows(linalg::LinalgOp op, unsigned loop) {
  for (OpOperand &operand : op->getOpOperands()) {
    bool rows = hasRows(operand.get().getType());
    ArrayRef<AffineExpr> results = op.getMatchingIndexingMap(&operand).getResults();
    if (llvm::any_of(results.drop_front(rows ? 1 : 0),
                     [&](AffineExpr index) { return index.isFunctionOfDim(loop); }))
      return false;
  }
  return true;
}

static std::string explainLinalg(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics())
    return "expected tensors alone";
  bool any = llvm::any_of(op->getOperandTypes(), hasRows);
  if (any) {
    FailureOr<unsigned> loop = findRowLoop(op);
    if (failed(loop) || !keepsRows(op, *loop))
      return "expected rows at dimension 0 of what it reads and writes, and nowhere else";
    for (Value output : op.getDpsInits())
      if (!hasRows(output.getType()))
        return "expected results that have the rows of its operands";
    WalkResult walk = op->walk([&](linalg::IndexOp index) {
      return index.getDim() == *loop ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return "expected a body that does not ask which row it computes";
  }
  // A body that looks elsewhere may look at any row.
  WalkResult walk = op->walk([&](Operation *inner) {
    bool reads = inner != op.getOperation() &&
                 llvm::any_of(inner->getOperandTypes(), llvm::IsaPred<TensorType>);
    return reads ? WalkResult::interrupt() : WalkResult::advance();
  });
  return walk.wasInterrupted() ? "expected a body that reads no tensors" : "";
}

//===----------------------------------------------------------------------===//
// Everything else
//===----------------------------------------------------------------------===//

/// Dimension 0 of a slice is all of it.
template <typename Op>
static std::string explainSlice(Op op, Type sliced, Type whole) {
  bool rows = hasRows(whole);
  if (rows != hasRows(sliced) ||
      cast<RankedTensorType>(sliced).getRank() != cast<RankedTensorType>(whole).getRank())
    return "expected slices that keep all rows and dimensions";
  auto isKnown = [](OpFoldResult size) { return getConstantIntValue(size).has_value(); };
  for (auto [dim, offset, size, stride] :
       llvm::enumerate(op.getMixedOffsets(), op.getMixedSizes(), op.getMixedStrides())) {
    if (rows && dim == 0 ? !isZeroInteger(offset) || !isOneInteger(stride)
                         : !isKnown(offset) || !isKnown(size) || !isKnown(stride))
      return "expected slices that keep all rows, of places that are known";
  }
  return "";
}

template <typename Op>
static std::string explainReshape(Op op) {
  if (!hasRows(op.getSrcType()) && !hasRows(op.getResultType()))
    return "";
  SmallVector<ReassociationIndices> groups = op.getReassociationIndices();
  if (groups.empty() || groups.front().size() != 1 || !hasRows(op.getSrcType()) ||
      !hasRows(op.getResultType()))
    return "expected reshapes that keep rows as dimension 0";
  return "";
}

/// The number of rows says how large tensors are, and nothing else.
static std::string explainDim(tensor::DimOp op) {
  std::optional<int64_t> dim = op.getConstantIndex();
  if (!dim || *dim != 0)
    return "expected the number of rows to be asked for, dimension 0";
  bool sizes =
      llvm::all_of(op->getUsers(), llvm::IsaPred<tensor::EmptyOp, tensor::ExpandShapeOp,
                                                 tensor::ExtractSliceOp, tensor::InsertSliceOp>);
  return sizes ? "" : "expected the number of rows to be a size alone";
}

/// Tensors are rows, or known in all sizes.
static bool isKnownBeyondRows(Type type) {
  if (!isa<ShapedType>(type))
    return type.isIntOrIndexOrFloat();
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && !tensor.getEncoding() &&
         !llvm::is_contained(tensor.getShape().drop_front(hasRows(type) ? 1 : 0),
                             ShapedType::kDynamic);
}

std::string llmc::explainNotRowWise(Operation *op) {
  if (!isTensorAlgebra(op))
    return "expected operations of linalg, tensor, arith and math";
  for (TypeRange types : {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
    for (Type type : types)
      if (!isKnownBeyondRows(type)) {
        std::string text = "expected sizes that are known but for the number of rows, found ";
        llvm::raw_string_ostream(text) << type;
        return text;
      }
  if (auto structured = dyn_cast<linalg::LinalgOp>(op))
    return explainLinalg(structured);
  return llvm::TypeSwitch<Operation *, std::string>(op)
      .Case([](linalg::SoftmaxOp softmax) {
        return softmax.getDimension() == 0 ? "expected a softmax inside of rows" : "";
      })
      .Case([](tensor::ExtractSliceOp slice) {
        return explainSlice(slice, slice.getType(), slice.getSourceType());
      })
      .Case([](tensor::InsertSliceOp slice) {
        return explainSlice(slice, slice.getSourceType(), slice.getDestType());
      })
      .Case<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(
          [](auto reshape) { return explainReshape(reshape); })
      .Case([](tensor::DimOp dim) { return explainDim(dim); })
      .Case<tensor::EmptyOp, arith::ConstantOp>([](Operation *) { return ""; })
      .Default([](Operation *other) {
        return other->hasTrait<OpTrait::Elementwise>() ? ""
                                                       : "does not say that it keeps rows apart";
      });
}
