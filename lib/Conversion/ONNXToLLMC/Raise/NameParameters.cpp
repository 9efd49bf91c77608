//===- NameParameters.cpp - parameters named by what they do ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/NameParameters.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace llmc;

/// What the linear's or norm's result is for, through norms and rotations of heads: two at most.
static StringRef getRole(Value result, int through = 2) {
  for (OpOperand &use : result.getUses()) {
    Operation *user = use.getOwner();
    if (through > 0 && isa<RopeOp, RMSNormOp>(user) && use.getOperandNumber() == 0) {
      StringRef role = getRole(user->getResult(0), through - 1);
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

namespace {

/// Gives parameters the names of their places, each its own.
class Namer {
public:
  explicit Namer(ModuleOp module) : symbols(module) {}

  /// Names the parameter that `value` reads, unless it has a name already.
  void add(Value value, const std::string &name) {
    auto read = value ? value.getDefiningOp<ParameterValueOp>() : ParameterValueOp();
    auto parameter = read ? symbols.lookup<ParameterOp>(read.getParameter()) : ParameterOp();
    if (!parameter || names.contains(parameter))
      return;
    std::string unique = name;
    int64_t &count = taken[name];
    if (count++ > 0)
      unique += "." + std::to_string(count - 1);
    names[parameter] = StringAttr::get(parameter.getContext(), unique);
  }
  const llvm::MapVector<Operation *, StringAttr> &getNames() const { return names; }

private:
  SymbolTable symbols;
  llvm::MapVector<Operation *, StringAttr> names;
  llvm::StringMap<int64_t> taken;
};

} // namespace

/// Names all parameters of the function, in the order of their use.
static void nameByPlace(func::FuncOp step, Namer &namer) {
  int64_t layer = 0;
  Value logits = step.getBody().front().getTerminator()->getOperand(0);
  // Whatever precedes a layer's output projection belongs to it, and so do the linears behind it
  // up to the next layer's norm.
  int64_t begun = 0;
  auto inLayer = [&](const std::string &name) {
    return "layers." + std::to_string(layer) + "." + name;
  };
  for (Operation &op : step.getBody().front()) {
    if (auto embedding = dyn_cast<EmbeddingOp>(op)) {
      bool isToken = isa<BlockArgument>(embedding.getIndices());
      namer.add(embedding.getTable(), isToken ? "embedding" : "position_embedding");
    } else if (auto linear = dyn_cast<LinearOp>(op)) {
      bool head = linear.getResult() == logits;
      std::string name = head ? "head" : nameLinear(linear);
      bool opens =
          name == "attention.query" || name == "attention.key" || name == "attention.value";
      if (!head && opens && begun > layer)
        layer = begun;
      namer.add(linear.getWeight(), head ? name : inLayer(name));
      namer.add(linear.getBias(), (head ? name : inLayer(name)) + "_bias");
    } else if (isa<RMSNormOp, LayerNormOp>(op)) {
      std::string name = nameNorm(&op);
      if (name == "attention.norm" && begun > layer)
        layer = begun;
      name = name == "norm" ? "final_norm" : inLayer(name);
      namer.add(op.getOperand(1), name);
      if (op.getNumOperands() > 2)
        namer.add(op.getOperand(2), name + "_bias");
    } else if (isa<AttentionOp>(op)) {
      begun = layer + 1;
    }
  }
  step.walk([&](ParameterValueOp read) { namer.add(read, "parameter"); });
}

void llmc::nameParameters(ModuleOp module, func::FuncOp step) {
  Namer namer(module);
  nameByPlace(step, namer);
  llvm::DenseMap<StringAttr, StringAttr> renamed;
  Operation *last = nullptr;
  for (auto [op, name] : namer.getNames()) {
    auto parameter = cast<ParameterOp>(op);
    renamed[parameter.getSymNameAttr()] = name;
    parameter.setSymNameAttr(name);
    if (last)
      parameter->moveAfter(last);
    else
      parameter->moveBefore(&module.getBody()->front());
    last = parameter;
  }
  for (auto parameter : llvm::make_early_inc_range(module.getOps<ParameterOp>()))
    if (!namer.getNames().contains(parameter))
      parameter.erase();
  step.walk([&](ParameterValueOp read) {
    read.setParameterAttr(
        FlatSymbolRefAttr::get(renamed.lookup(read.getParameterAttr().getAttr())));
  });
}
