//===- Flags.h - the options of phases, on command lines and of pipelines ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An option is declared here once. The options of a pipeline (mlir::PassPipelineOptions) are flags
// of a tool as well where they are given the tool's category; the pipelines are registered from
// them.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_PIPELINES_FLAGS_H
#define LLMC_PIPELINES_FLAGS_H

#include "llmc/Conversion/Kernels/Meaning.h"
#include "llmc/Conversion/Kernels/Target.h"
#include "llmc/Conversion/SPMDToGPU/SPMDToGPU.h"
#include "llmc/Pipelines/Emit.h"
#include "llmc/Pipelines/Lower.h"
#include "llmc/Pipelines/Raise.h"

#include "mlir/Pass/PassOptions.h"

#include <optional>

namespace llmc {

/// Makes flags of a tool, in its category, of the options of a pipeline.
class FlagPlace {
public:
  FlagPlace() = default;
  explicit FlagPlace(llvm::cl::OptionCategory &category) : category(&category) {}

  template <typename Option>
  void apply(Option &option) const {
    if (!category)
      return;
    option.addSubCommand(llvm::cl::SubCommand::getTopLevel());
    option.addCategory(*category);
  }

private:
  llvm::cl::OptionCategory *category = nullptr;
};

/// Of the phase raise.
class RaiseFlags : public mlir::PassPipelineOptions<RaiseFlags> {
  FlagPlace place;
  ImportCheck byDefault = ImportCheck::Off;

public:
  RaiseFlags() = default;
  RaiseFlags(llvm::cl::OptionCategory &tool, ImportCheck check) : place(tool), byDefault(check) {}

  RaiseOptions get() const { return {context, checkImport}; }

  Option<int64_t> context{
      *this, "context",
      llvm::cl::desc("Positions that caches hold; default: as many as the model's tables allow, at "
                     "most 2048"),
      llvm::cl::init(0), place};
  Option<ImportCheck> checkImport{
      *this,
      "check-import",
      llvm::cl::desc("Compare the raised model with the ONNX graph run operator by operator "
                     "(default of llmc compile: quick, else off)"),
      getImportCheckValues(),
      llvm::cl::init(byDefault),
      place};
};

/// Of the phase lower. A tool's may name several targets.
class LowerFlags : public mlir::PassPipelineOptions<LowerFlags> {
  FlagPlace place;
  static constexpr char targetName[] = "target",
                        targetText[] =
                            "TRIPLE[:VARIANT|CPU,…] or cuda[:ARCHITECTURE,…], e.g. "
                            "x86_64-linux-gnu:avx2, or several: cuda:sm_80,sm_90a,host; default: "
                            "host";

public:
  LowerFlags() = default;
  explicit LowerFlags(llvm::cl::OptionCategory &tool) : place(tool) {
    targets.emplace(targetName, llvm::cl::desc(targetText), llvm::cl::value_desc("target"),
                    llvm::cl::cat(tool));
  }

  /// The options for each target that is named, or for this machine.
  std::vector<LowerOptions> get() const;
  struct Targets {
    llvm::SmallVector<Target> ofCPUs;
    llvm::SmallVector<GPUTarget> ofGPUs;
  };
  /// The targets that they name, or what is wrong with one.
  llvm::Expected<Targets> getTargets() const;

  Option<std::string> target{*this, targetName, llvm::cl::desc(targetText), llvm::cl::init("host")};
  std::optional<llvm::cl::list<std::string>> targets; ///< of a tool, in place of `target`
  Option<int64_t> maxRows{*this, "max-rows", llvm::cl::desc("Tokens of a step"),
                          llvm::cl::init(128), place};
  Option<std::string> kernels{
      *this, "kernels",
      llvm::cl::desc(
          "all, meaning or meaning:OP[,OP…]: operations that run by their meaning, slower, "
          "although there are kernels for them"),
      llvm::cl::init("all"), place};
};

/// Of the phase emit.
struct EmitFlags {
  explicit EmitFlags(llvm::cl::OptionCategory &tool)
      : symbol("symbol",
               llvm::cl::desc("C name of the llmc_program in an object; default: the output file's "
                              "name"),
               llvm::cl::value_desc("name"), llvm::cl::cat(tool)),
        force("force",
              llvm::cl::desc("Beside an object, replace NAME.h and NAME.weights that llmc did not "
                             "write"),
              llvm::cl::cat(tool)),
        ptxas(
            "ptxas",
            llvm::cl::desc("NVIDIA's assembler, which adds machine code for the architectures of "
                           "--target=cuda, or none; default: the one in PATH, where there is one"),
            llvm::cl::value_desc("program"), llvm::cl::cat(tool)) {}

  llvm::cl::opt<std::string> symbol;
  llvm::cl::opt<bool> force;
  llvm::cl::opt<std::string> ptxas;
};

/// Registers the pipelines `raise`, `recipe` and `lower`.
void registerPipelines();

} // namespace llmc

#endif // LLMC_PIPELINES_FLAGS_H
