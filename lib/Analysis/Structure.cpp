//===- Structure.cpp - what the parts of a model are for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Finders.h"
#include "llmc/Dialect/LLMC/IR/ColumnOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace llmc;

StringRef llmc::stringifyRole(Role role) {
  switch (role) {
  case Role::Unknown:
    return "unknown";
  case Role::Embedding:
    return "embedding";
  case Role::PositionEmbedding:
    return "position_embedding";
  case Role::EmbeddingNorm:
    return "embedding_norm";
  case Role::AttentionNorm:
    return "attention_norm";
  case Role::Query:
    return "query";
  case Role::Key:
    return "key";
  case Role::Value:
    return "value";
  case Role::QueryNorm:
    return "query_norm";
  case Role::KeyNorm:
    return "key_norm";
  case Role::ValueNorm:
    return "value_norm";
  case Role::AttentionInnerNorm:
    return "attention_inner_norm";
  case Role::Output:
    return "output";
  case Role::AttentionPostNorm:
    return "attention_post_norm";
  case Role::MLPNorm:
    return "mlp_norm";
  case Role::Gate:
    return "gate";
  case Role::Up:
    return "up";
  case Role::MLPInnerNorm:
    return "mlp_inner_norm";
  case Role::Down:
    return "down";
  case Role::MLPPostNorm:
    return "mlp_post_norm";
  case Role::FinalNorm:
    return "final_norm";
  case Role::Head:
    return "head";
  }
  return "unknown";
}

//===----------------------------------------------------------------------===//
// What the finders share
//===----------------------------------------------------------------------===//

bool llmc::isRows(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() == 2 && isa<FloatType>(type.getElementType()) &&
         !value.getDefiningOp<ParameterValueOp>();
}

Value llmc::getFunctionInput(Operation *op) {
  if (auto activation = dyn_cast<ActivationOp>(op))
    return activation.getInput();
  auto generic = dyn_cast<linalg::GenericOp>(op);
  bool isFunction =
      generic && generic.getNumDpsInputs() == 1 && generic.getNumDpsInits() == 1 &&
      generic.getNumParallelLoops() == generic.getNumLoops() &&
      generic.getDpsInits().front().getDefiningOp<tensor::EmptyOp>() &&
      llvm::all_of(generic.getIndexingMapsArray(), [](AffineMap map) { return map.isIdentity(); });
  if (!isFunction || !isRows(generic.getDpsInputs().front()) ||
      !generic.getBody()->getOps<linalg::IndexOp>().empty() ||
      generic.payloadUsesValueFromOperand(generic.getDpsInitOperand(0)))
    return {};
  return generic.getDpsInputs().front();
}

std::optional<std::pair<int64_t, int64_t>> llmc::getSlicedColumns(Operation *op) {
  auto slice = dyn_cast<tensor::ExtractSliceOp>(op);
  if (!slice || !isRows(slice.getSource()) || slice.getResultType().getRank() != 2)
    return std::nullopt;
  ArrayRef<int64_t> offsets = slice.getStaticOffsets(), sizes = slice.getStaticSizes(),
                    strides = slice.getStaticStrides();
  int64_t rows = slice.getSourceType().getDimSize(0);
  // Of rows that can't be counted here, a slice from the first on is of all where it is as many.
  bool allRows = offsets[0] == 0 && strides[0] == 1 && sizes[0] == rows;
  if (allRows && ShapedType::isDynamic(rows)) {
    auto size = slice.getMixedSizes()[0].dyn_cast<Value>();
    auto dim = size ? size.getDefiningOp<tensor::DimOp>() : tensor::DimOp();
    allRows = dim && dim.getConstantIndex() == 0 && isRows(dim.getSource());
  }
  if (!allRows || strides[1] != 1 || ShapedType::isDynamic(offsets[1]) ||
      ShapedType::isDynamic(sizes[1]))
    return std::nullopt;
  return std::pair(offsets[1], sizes[1]);
}

/// Whether `branch` makes up for what a linear that reads `input` lacks: two linears, the first of
/// which reads the same, or one of the columns that are cleared in it.
static bool isBranchOf(Value branch, Value input) {
  auto b = branch.getDefiningOp<LinearOp>();
  if (!b)
    return false;
  if (auto a = b.getInput().getDefiningOp<LinearOp>())
    return a.getInput() == input;
  auto taken = b.getInput().getDefiningOp<TakeColumnsOp>();
  auto cleared = input.getDefiningOp<ClearColumnsOp>();
  return taken && cleared && taken.getInput() == cleared.getInput();
}

LinearOp llmc::getRepaired(Operation *op) {
  if (!isa_and_nonnull<arith::AddFOp>(op))
    return {};
  Value left = op->getOperand(0), right = op->getOperand(1);
  for (auto [branch, main] : {std::pair(left, right), std::pair(right, left)}) {
    if (!branch.getDefiningOp<LinearOp>())
      continue;
    auto linear = main.getDefiningOp<LinearOp>();
    if (!linear)
      linear = getRepaired(main.getDefiningOp());
    if (linear && isBranchOf(branch, linear.getInput()))
      return linear;
  }
  return {};
}

SmallVector<std::pair<Value, int64_t>> llmc::getOutputs(LinearOp linear) {
  SmallVector<std::pair<Value, int64_t>> outputs;
  Value result = linear.getResult();
  while (result.hasOneUse() && getRepaired(*result.user_begin()))
    result = result.user_begin()->getResult(0);
  for (Operation *user : result.getUsers()) {
    if (isa<tensor::DimOp>(user))
      continue;
    std::optional<std::pair<int64_t, int64_t>> columns = getSlicedColumns(user);
    if (!columns)
      return {{result, 0}};
    outputs.push_back({user->getResult(0), columns->first});
  }
  if (outputs.empty())
    return {{result, 0}};
  llvm::sort(outputs, [](const auto &a, const auto &b) {
    return a.second != b.second ? a.second < b.second
                                : a.first.getDefiningOp()->isBeforeInBlock(b.first.getDefiningOp());
  });
  return outputs;
}

Value llmc::traceBack(Value value, SmallVectorImpl<Operation *> *through) {
  while (Operation *op = value.getDefiningOp()) {
    if (LinearOp linear = getRepaired(op))
      return linear.getResult();
    if (!isNorm(op) && !isa<ScaleOp, HadamardOp, ClearColumnsOp, OutputRowsOp>(op))
      break;
    if (through && !isa<OutputRowsOp>(op))
      through->push_back(op);
    value = op->getOperand(0);
  }
  return value;
}

//===----------------------------------------------------------------------===//
// Structure
//===----------------------------------------------------------------------===//

Structure::Structure(func::FuncOp function) : function(function) {
  if (function.isExternal() || !function.getBody().hasOneBlock()) {
    unknowns.push_back({function, "a function of one block was expected"});
    return;
  }
  if (auto module = function->getParentOfType<ModuleOp>())
    for (auto parameter : module.getOps<ParameterOp>())
      parameters[parameter.getSymNameAttr()] = parameter;
  findRoles(*this);
  findStreams(*this);
  findChannels(*this);
  findScales(*this);
}

ParameterOp Structure::getParameter(Value value) const {
  auto read = value ? value.getDefiningOp<ParameterValueOp>() : ParameterValueOp();
  return read ? parameters.lookup(read.getParameterAttr().getAttr()) : ParameterOp();
}

ArrayRef<LinearPart> Structure::getParts(LinearOp linear) const {
  auto found = parts.find(linear);
  return found == parts.end() ? ArrayRef<LinearPart>() : found->second;
}

std::optional<int64_t> Structure::getBlock(Operation *op) const {
  auto found = blocks.find(op);
  return found == blocks.end() ? std::nullopt : std::optional(found->second);
}

const ChannelGroup *Structure::getGroup(ParameterOp parameter, unsigned axis, int64_t index) const {
  for (const ChannelGroup &group : groups)
    for (const ChannelMember &member : group.members)
      if (member.parameter == parameter && member.axis == axis && index >= member.begin &&
          index < member.begin + group.count * member.perUnit)
        return &group;
  return nullptr;
}

const InputScale *Structure::getScale(LinearOp linear) const {
  auto found = scaleOfInput.find(linear.getInput());
  return found == scaleOfInput.end() ? nullptr : &scales[found->second];
}
