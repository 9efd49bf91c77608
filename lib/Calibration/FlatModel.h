//===- FlatModel.h - a model without calls, cut into parts ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The model is cut at every site and at the start of every block. Part k is what must be computed
// to have the value of cut k, once the values of the cuts before it and the weights read there are
// final. Every operation is in one part, but those that cost nothing or only fill a cache, which
// are repeated where they are needed.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CALIBRATION_FLATMODEL_H
#define LLMC_LIB_CALIBRATION_FLATMODEL_H

#include "llmc/Calibration/Calibration.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace llmc {

/// A value at which the model is cut.
struct Cut {
  mlir::Value value;
  int64_t position;                    ///< of the first operation that may come after
  bool startsBlock = false;            ///< no site: all that is later depends on `value` alone
  llvm::SmallVector<LinearOp> readers; ///< of a site, in the flat model
  llvm::SmallVector<LinearOp> linears; ///< those selected, in the module
  llvm::SmallVector<ParameterOp> parameters; ///< their weights
};

/// What a part has instead of what the module has.
struct PartChanges {
  /// Types and data of parameters.
  llvm::DenseMap<mlir::Operation *, std::pair<mlir::RankedTensorType, mlir::Attribute>> parameters;
  /// How inputs of the linears that read these parameters are rounded; null: not at all.
  llvm::DenseMap<mlir::Operation *, DynamicAttr> activations;
};

/// A part as a module of its own: a function @part of activations (`inputs`), then tokens, rows and
/// caches, that gives `results`.
struct Part {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::func::FuncOp function;
  llvm::SmallVector<mlir::Value> inputs, results; ///< in the flat model

  /// The parameters of the module that it reads.
  llvm::SmallVector<ParameterOp> parameters;

  /// What parts that can share code have in common.
  std::string getStructure() const;
};

class FlatModel {
public:
  /// Flattens @step of `module` and cuts it at the sites of selected linears.
  static mlir::FailureOr<FlatModel> create(mlir::ModuleOp module,
                                           llvm::function_ref<bool(LinearOp, ParameterOp)> select);

  llvm::ArrayRef<Cut> getCuts() const { return cuts; }
  /// All operations, in the order of the program.
  llvm::ArrayRef<mlir::Operation *> getOperations() const { return operations; }
  /// The parameter that a value of the flat model is, or null.
  ParameterOp lookupParameter(mlir::Value value) const;
  /// Builds part `index` from the parameters as the module has them now.
  Part buildPart(int64_t index);
  /// The last part that reads `value`, or -1.
  int64_t getLastUse(mlir::Value value) const;
  /// The part that computes `value`.
  int64_t getLevel(mlir::Value value) const;

  /// Whether @step calls no functions, so that its values are those of the flat model.
  bool isFlat() const { return !hasCalls; }
  /// The value here of a value of @step, or null.
  mlir::Value lookup(mlir::Value ofStep) const { return flatValues.lookup(ofStep); }
  /// The module's linear that one here was made of.
  LinearOp getOriginal(LinearOp linear) const { return originals.lookup(linear); }
  /// The value of @step of a value here, or null.
  mlir::Value getOriginal(mlir::Value value) const { return originalValues.lookup(value); }
  /// What is read of the last block: the value before the head.
  mlir::Value getLastOutput() const { return lastOutput; }
  /// Builds what computes `output` of `start` (null: of tokens), or gives nothing where `output`
  /// depends on something else that parts up to that of `start` compute.
  std::optional<Part> buildSlice(mlir::Value start, mlir::Value output, const PartChanges &changes);

private:
  mlir::LogicalResult inlineBody(mlir::func::FuncOp function, mlir::IRMapping &mapping,
                                 mlir::OpBuilder &builder);
  void findSites(llvm::function_ref<bool(LinearOp, ParameterOp)> select);
  void findBlocks();
  void assignLevels();
  void findNeeded();
  Part beginPart();
  void noteValues(mlir::func::FuncOp step, const mlir::IRMapping &mapping);
  int64_t getLevelOfUse(mlir::Value value, int64_t position) const;

  mlir::ModuleOp module;
  mlir::SymbolTable symbols;
  mlir::OwningOpRef<mlir::ModuleOp> flat;
  mlir::func::FuncOp function;
  std::vector<mlir::Operation *> operations; ///< in the order of the program
  llvm::DenseMap<mlir::Operation *, int64_t> positions, levels;
  llvm::DenseMap<mlir::Operation *, LinearOp> originals;
  llvm::DenseSet<mlir::Operation *> needed;
  llvm::DenseMap<mlir::Value, int64_t> lastUses;
  std::vector<Cut> cuts;
  llvm::DenseMap<mlir::Value, mlir::Value> flatValues, originalValues; ///< of @step's
  bool hasCalls = false;
  mlir::Value lastOutput;
  llvm::SmallVector<mlir::func::FuncOp> active; ///< functions being inlined

  FlatModel(mlir::ModuleOp module) : module(module), symbols(module) {}
};

} // namespace llmc

#endif // LLMC_LIB_CALIBRATION_FLATMODEL_H
