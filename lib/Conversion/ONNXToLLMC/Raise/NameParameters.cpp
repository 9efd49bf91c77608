//===- NameParameters.cpp - parameters named by what they do ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Raise/NameParameters.h"
#include "llmc/Analysis/Structure.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace llmc;

/// The place of a role in a model, inside a block or not.
static StringRef getPlace(Role role) {
  switch (role) {
  case Role::AttentionNorm:
    return "attention.norm";
  case Role::Query:
    return "attention.query";
  case Role::Key:
    return "attention.key";
  case Role::Value:
    return "attention.value";
  case Role::QueryNorm:
    return "attention.query_norm";
  case Role::KeyNorm:
    return "attention.key_norm";
  case Role::ValueNorm:
    return "attention.value_norm";
  case Role::AttentionInnerNorm:
    return "attention.inner_norm";
  case Role::Output:
    return "attention.output";
  case Role::AttentionPostNorm:
    return "attention.post_norm";
  case Role::MLPNorm:
    return "mlp.norm";
  case Role::Gate:
    return "mlp.gate";
  case Role::Up:
    return "mlp.up";
  case Role::MLPInnerNorm:
    return "mlp.inner_norm";
  case Role::Down:
    return "mlp.down";
  case Role::MLPPostNorm:
    return "mlp.post_norm";
  default:
    return stringifyRole(role);
  }
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
  Structure structure(step);
  // What has no role is of the block that was last in hand.
  int64_t block = 0;
  for (Operation &op : step.getBody().front()) {
    if (!isa<EmbeddingOp, LinearOp, RMSNormOp, LayerNormOp>(op))
      continue;
    Role role = structure.getRole(&op);
    std::optional<int64_t> own = structure.getBlock(&op);
    block = own.value_or(block);
    StringRef place = getPlace(role);
    if (role == Role::Unknown)
      place = isa<LinearOp>(op) ? "linear" : (isa<EmbeddingOp>(op) ? "table" : "norm");
    bool isOfBlock = own || (role == Role::Unknown && isa<LinearOp>(op));
    std::string name = isOfBlock ? ("layers." + Twine(block) + "." + place).str() : place.str();
    namer.add(op.getOperand(1), name);
    if (op.getNumOperands() > 2)
      namer.add(op.getOperand(2), name + "_bias");
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
