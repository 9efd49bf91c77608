//===- NameParameters.cpp - parameters named by what they do ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NameParameters.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace llmc;

/// What the linear's or norm's result is for, through additions and rotations.
static StringRef getRole(Value result) {
  for (OpOperand &use : result.getUses()) {
    Operation *user = use.getOwner();
    if (isa<RopeOp, RMSNormOp>(user) && use.getOperandNumber() == 0) {
      StringRef role = getRole(user->getResult(0));
      if (role.starts_with("attention.") && !role.ends_with("output"))
        return role;
    }
    if (auto append = dyn_cast<CacheAppendOp>(user))
      return use.get() == append.getKeys() ? "attention.key" : "attention.value";
    if (isa<AttentionOp>(user) && use.getOperandNumber() == 0)
      return "attention.query";
    if (isa<GateOp>(user))
      return use.getOperandNumber() == 0 ? "mlp.gate" : "mlp.up";
    if (isa<ActivationOp>(user))
      return "mlp.up";
  }
  return "";
}

static std::string nameLinear(LinearOp linear) {
  if (StringRef role = getRole(linear.getResult()); !role.empty())
    return role.str();
  Operation *producer = linear.getInput().getDefiningOp();
  if (isa_and_nonnull<AttentionOp>(producer))
    return "attention.output";
  if (isa_and_nonnull<GateOp, ActivationOp>(producer))
    return "mlp.down";
  return "linear";
}

/// A norm is named after what reads it, or, inside attention, after what it normalizes.
static std::string nameNorm(Operation *norm) {
  if (StringRef role = getRole(norm->getResult(0)); !role.empty())
    return (role + "_norm").str();
  for (Operation *user : norm->getUsers())
    if (auto linear = dyn_cast<LinearOp>(user)) {
      StringRef role = getRole(linear.getResult());
      if (!role.empty())
        return role.starts_with("attention") ? "attention.norm" : "mlp.norm";
    }
  return "norm";
}

void llmc::nameParameters(ModuleOp module, func::FuncOp step) {
  llvm::MapVector<Operation *, std::string> names;
  llvm::StringSet<> taken;
  SymbolTable symbols(module);
  int64_t layer = 0;
  Value logits = step.getBody().front().getTerminator()->getOperand(0);
  // Whatever precedes a layer's output projection belongs to it, and so do the linears behind it
  // up to the next layer's norm.
  int64_t begun = 0;
  auto add = [&](Value value, const std::string &name, bool inLayer) {
    auto read = value ? value.getDefiningOp<ParameterValueOp>() : ParameterValueOp();
    Operation *parameter = read ? symbols.lookup(read.getParameter()) : nullptr;
    if (!parameter || names.contains(parameter))
      return;
    std::string full = inLayer ? "layers." + std::to_string(layer) + "." + name : name;
    std::string unique = full;
    for (int64_t i = 1; !taken.insert(unique).second; ++i)
      unique = full + "." + std::to_string(i);
    names[parameter] = unique;
  };
  for (Operation &op : step.getBody().front()) {
    if (auto embedding = dyn_cast<EmbeddingOp>(op)) {
      bool isToken = isa<BlockArgument>(embedding.getIndices());
      add(embedding.getTable(), isToken ? "embedding" : "position_embedding", false);
    } else if (auto linear = dyn_cast<LinearOp>(op)) {
      bool head = linear.getResult() == logits;
      std::string name = head ? "head" : nameLinear(linear);
      bool opens =
          name == "attention.query" || name == "attention.key" || name == "attention.value";
      if (!head && opens && begun > layer)
        layer = begun;
      add(linear.getWeight(), name, !head);
      add(linear.getBias(), name + "_bias", !head);
    } else if (isa<RMSNormOp, LayerNormOp>(op)) {
      std::string name = nameNorm(&op);
      if (name == "attention.norm" && begun > layer)
        layer = begun;
      bool inLayer = name != "norm";
      add(op.getOperand(1), inLayer ? name : "final_norm", inLayer);
      if (op.getNumOperands() > 2)
        add(op.getOperand(2), inLayer ? name + "_bias" : "final_norm_bias", inLayer);
    } else if (isa<AttentionOp>(op)) {
      begun = layer + 1;
    }
  }
  // A name that is still in the way is moved aside first.
  SmallVector<ParameterOp> all(module.getOps<ParameterOp>());
  for (auto [i, parameter] : llvm::enumerate(all)) {
    if (symbols.lookup(parameter.getSymName()) != parameter)
      continue;
    if (SymbolTable::symbolKnownUseEmpty(parameter, step)) {
      parameter.erase();
      continue;
    }
    std::string aside = "unnamed." + std::to_string(i);
    (void)SymbolTable::replaceAllSymbolUses(parameter, StringAttr::get(module.getContext(), aside),
                                            module);
    parameter.setSymName(aside);
  }
  Operation *last = nullptr;
  for (auto &[parameter, name] : names) {
    (void)SymbolTable::replaceAllSymbolUses(parameter, StringAttr::get(module.getContext(), name),
                                            module);
    SymbolTable::setSymbolName(parameter, name);
    if (last)
      parameter->moveAfter(last);
    else
      parameter->moveBefore(&module.getBody()->front());
    last = parameter;
  }
}
