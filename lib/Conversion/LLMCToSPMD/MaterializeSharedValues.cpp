//===- MaterializeSharedValues.cpp - values that several layers share, as values ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/LLMCToSPMD/LLMCToSPMD.h"
#include "llmc/Conversion/LLMCToSPMD/Passes.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/SetVector.h"

#include <map>

namespace llmc {
#define GEN_PASS_DEF_MATERIALIZESHAREDVALUES
#include "llmc/Conversion/LLMCToSPMD/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Rounded activations
//===----------------------------------------------------------------------===//

static Value createRounding(OpBuilder &builder, Location location, Value input,
                            DynamicAttr rounding) {
  if (!rounding.isInteger())
    return RoundValuesOp::create(builder, location, input, rounding);
  auto type = cast<RankedTensorType>(input.getType()).cloneWithEncoding(rounding);
  return RoundOp::create(builder, location, type, input);
}

static void materializeRounding(func::FuncOp function) {
  llvm::DenseMap<std::pair<Value, Attribute>, Value> rounded;
  function.walk([&](LinearOp linear) {
    DynamicAttr rounding = linear.getActivationAttr();
    if (!rounding)
      return;
    Value input = linear.getInput();
    Value &result = rounded[{input, rounding}];
    if (!result) {
      OpBuilder builder(linear);
      builder.setInsertionPointAfterValue(input);
      result = createRounding(builder, linear.getLoc(), input, rounding);
    }
    linear.getInputMutable().assign(result);
    linear.removeActivationAttr();
  });
}

//===----------------------------------------------------------------------===//
// Rotation tables
//===----------------------------------------------------------------------===//

namespace {

/// The angles by which some rows are rotated.
struct Rotation {
  Attribute frequencies, scaling;
  BlockArgument rows; ///< of the function that needs them

  bool operator==(const Rotation &other) const {
    return std::tie(frequencies, scaling, rows) ==
           std::tie(other.frequencies, other.scaling, other.rows);
  }
};

/// Gives every function the tables that it and what it calls rotate by.
class RotationTables {
public:
  explicit RotationTables(ModuleOp module) : module(module), symbols(module) {}

  void materialize() {
    collect();
    for (func::FuncOp function : module.getOps<func::FuncOp>())
      if (!function.isExternal())
        makeTables(function);
    for (func::FuncOp function : module.getOps<func::FuncOp>())
      if (!function.isExternal())
        useTables(function);
  }

private:
  /// Entry arguments alone are known to callers.
  static BlockArgument getArgument(func::FuncOp function, Value rows) {
    auto argument = dyn_cast<BlockArgument>(rows);
    return argument && argument.getOwner() == &function.front() ? argument : BlockArgument();
  }

  func::FuncOp getCallee(func::CallOp call) {
    auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
    return callee && !callee.isExternal() ? callee : func::FuncOp();
  }

  /// What functions need, until nothing is added: calls may go round in a circle.
  void collect() {
    bool changed = true;
    auto add = [&](func::FuncOp function, const Rotation &rotation) {
      SmallVector<Rotation> &known = needs[function];
      if (!rotation.rows || llvm::is_contained(known, rotation))
        return;
      known.push_back(rotation);
      changed = true;
    };
    while (changed) {
      changed = false;
      for (func::FuncOp function : module.getOps<func::FuncOp>())
        function.walk([&](Operation *op) {
          if (auto rope = dyn_cast<RopeOp>(op))
            add(function, {rope.getFrequenciesAttr(), rope.getScalingAttr(),
                           getArgument(function, rope.getRows())});
          auto call = dyn_cast<func::CallOp>(op);
          func::FuncOp callee = call ? getCallee(call) : func::FuncOp();
          if (!callee)
            return;
          if (callee != function)
            called.insert(callee);
          for (const Rotation &rotation : llvm::to_vector(needs[callee]))
            add(function, {rotation.frequencies, rotation.scaling,
                           getArgument(function, call.getOperand(rotation.rows.getArgNumber()))});
        });
    }
  }

  static Type getTableType(const Rotation &rotation) {
    // Halves of whole vectors.
    int64_t half = llvm::alignTo(cast<DenseF32ArrayAttr>(rotation.frequencies).size(), 16);
    return RankedTensorType::get({ShapedType::kDynamic, 2 * half},
                                 Float32Type::get(rotation.frequencies.getContext()));
  }

  static Value makeTable(OpBuilder &builder, Location location, const Rotation &rotation,
                         Value rows) {
    return RotationTableOp::create(builder, location, getTableType(rotation), rows,
                                   cast<DenseF32ArrayAttr>(rotation.frequencies),
                                   cast<FloatAttr>(rotation.scaling));
  }

  /// A function that others call is given its tables; others make them.
  void makeTables(func::FuncOp function) {
    OpBuilder builder = OpBuilder::atBlockBegin(&function.front());
    for (const Rotation &rotation : needs[function]) {
      if (!called.contains(function)) {
        tables[function].push_back(makeTable(builder, function.getLoc(), rotation, rotation.rows));
        continue;
      }
      unsigned index = function.getNumArguments();
      (void)function.insertArgument(index, getTableType(rotation), DictionaryAttr(),
                                    function.getLoc());
      tables[function].push_back(function.getArgument(index));
    }
  }

  Value lookup(func::FuncOp function, const Rotation &rotation) {
    SmallVector<Rotation> &known = needs[function];
    auto found = llvm::find(known, rotation);
    return found == known.end() ? Value() : tables[function][found - known.begin()];
  }

  void useTables(func::FuncOp function) {
    SmallVector<Operation *> users;
    function.walk([&](Operation *op) {
      if (isa<RopeOp, func::CallOp>(op))
        users.push_back(op);
    });
    for (Operation *op : users) {
      if (auto rope = dyn_cast<RopeOp>(op)) {
        Value table = lookup(function, {rope.getFrequenciesAttr(), rope.getScalingAttr(),
                                        getArgument(function, rope.getRows())});
        if (!table)
          continue;
        OpBuilder builder(rope);
        rope.replaceAllUsesWith(
            RotateOp::create(builder, rope.getLoc(), rope.getType(), rope.getInput(), table,
                             rope.getHeads(), rope.getFrequencies().size(), rope.getInterleaved())
                .getResult());
        rope.erase();
        continue;
      }
      auto call = cast<func::CallOp>(op);
      func::FuncOp callee = getCallee(call);
      if (!callee || !called.contains(callee))
        continue;
      for (const Rotation &rotation : llvm::to_vector(needs[callee])) {
        Value rows = call.getOperand(rotation.rows.getArgNumber());
        Value table =
            lookup(function, {rotation.frequencies, rotation.scaling, getArgument(function, rows)});
        OpBuilder builder(call);
        if (!table)
          table = makeTable(builder, call.getLoc(), rotation, rows);
        call.getOperandsMutable().append(table);
      }
    }
  }

  ModuleOp module;
  SymbolTable symbols;
  llvm::DenseMap<Operation *, SmallVector<Rotation>> needs;
  llvm::DenseMap<Operation *, SmallVector<Value>> tables;
  llvm::DenseSet<Operation *> called;
};

} // namespace

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

void llmc::materializeSharedValues(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>())
    materializeRounding(function);
  RotationTables(module).materialize();
}

namespace {

struct MaterializeSharedValuesPass
    : llmc::impl::MaterializeSharedValuesBase<MaterializeSharedValuesPass> {
  void runOnOperation() override { materializeSharedValues(getOperation()); }
};

} // namespace
