//===- EmitObject.h - native code for a model ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_EMITOBJECT_EMITOBJECT_H
#define LLMC_CONVERSION_EMITOBJECT_EMITOBJECT_H

#include "llmc/Conversion/Kernels/Target.h"
#include "llmc/Conversion/SPMDToCPU/SPMDToCPU.h"

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

/// The program's code for GPUs of one architecture.
struct CUDAImage {
  std::string name;                 ///< "sm_90a ptx"
  llvm::SmallVector<char, 0> bytes; ///< as llmc/cuda_image.h lays them out
  llvm::json::Object facts;         ///< for people
};

struct CodeOptions {
  std::string programSymbol; ///< the name of the llmc_program
  uint64_t weightsHash = 0;
  llvm::ArrayRef<CUDAImage> images = {}; ///< that an object carries beside its code for CPUs
};

/// Whether the program's symbol is a C identifier.
llvm::Error checkCodeOptions(const CodeOptions &options);

// `planned` is what convertSPMDToCPU gives or a file of it: it stays as it is.

/// The program as LLVM IR, optimized.
llvm::Expected<std::unique_ptr<llvm::Module>>
emitLLVMIR(mlir::ModuleOp planned, const CodeOptions &options, llvm::LLVMContext &context);

/// The program as an object file, position independent, or as assembly.
llvm::Expected<llvm::SmallVector<char, 0>>
emitObject(mlir::ModuleOp planned, const CodeOptions &options, bool assembly = false);

/// Whether a step of these sizes, with a state of `regions` regions, can be run.
llvm::Error checkSizes(spmd::SizesAttr sizes, size_t regions);
/// Adds the program's inputs and outputs to its description, for people.
void describeValues(spmd::SizesAttr sizes, llvm::json::Object &description);

/// The files that lie beside an object, with other endings: a header (.h) that declares its
/// llmc_program, and its weights (.weights).
struct ObjectFiles {
  std::string header, weights;

  explicit ObjectFiles(llvm::StringRef object);
  /// Refuses an object that has one of these names.
  llvm::Error check(llvm::StringRef object) const;
  /// Refuses to replace files that llmc did not write.
  llvm::Error checkReplaceable() const;
};

/// Writes an object at `path` and its files beside it. Those that are there already must be llmc's,
/// unless `force` is set.
llvm::Error emitObjectFiles(mlir::ModuleOp planned, CodeOptions options, llvm::StringRef path,
                            bool force);

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
