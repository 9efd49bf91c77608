//===- EmitObject.h - native code for a model ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_EMITOBJECT_EMITOBJECT_H
#define LLMC_CONVERSION_EMITOBJECT_EMITOBJECT_H

#include "llmc/Conversion/Kernels/Target.h"
#include "llmc/Conversion/LLMCToSPMD/LLMCToSPMD.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include "llvm/TargetParser/Triple.h"

#include <memory>

namespace llvm {
class LLVMContext;
class Module;
class TargetMachine;
} // namespace llvm

namespace llmc {

struct CodeOptions {
  int64_t maxRows = 128;
  std::string programSymbol;      ///< the name of the llmc_program
  llvm::json::Object description; ///< what the program says of itself; its own sizes are added
  uint64_t weightsHash = 0;
};

/// Whether a program can be made with `options`: the symbol is a C identifier, the rows are in the
/// range that the runtime counts in.
llvm::Error checkCodeOptions(const CodeOptions &options);

/// The program for `target` as LLVM IR, optimized.
llvm::Expected<std::unique_ptr<llvm::Module>>
emitLLVMIR(mlir::ModuleOp module, const WeightTable &weights, const Target &target,
           const CodeOptions &options, llvm::LLVMContext &context);

/// The program for `target` as an object file, position independent, or as assembly.
llvm::Expected<llvm::SmallVector<char, 0>>
emitObject(mlir::ModuleOp module, const WeightTable &weights, const Target &target,
           const CodeOptions &options, bool assembly = false);

/// Writes an object at `path` and, beside it with other endings, a header (.h) that declares its
/// llmc_program and the file of weights (.weights).
llvm::Error emitObjectFiles(mlir::ModuleOp module, const Target &target, CodeOptions options,
                            llvm::StringRef path);

/// The steps of emitObject, for code that is not a whole program: the code generator, LLVM's
/// passes, and an object file or assembly of an optimized module. `advance` is called
/// `optimizationSteps` times, and once, for each function.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> makeTargetMachine(const llvm::Triple &triple);
inline constexpr int64_t optimizationSteps = 2;
void optimize(llvm::Module &module, llvm::TargetMachine &machine,
              llvm::function_ref<void()> advance = {});
llvm::Expected<llvm::SmallVector<char, 0>> emitMachineCode(llvm::Module &module,
                                                           llvm::TargetMachine &machine,
                                                           bool assembly = false,
                                                           llvm::function_ref<void()> advance = {});

} // namespace llmc

#endif // LLMC_CONVERSION_EMITOBJECT_EMITOBJECT_H
