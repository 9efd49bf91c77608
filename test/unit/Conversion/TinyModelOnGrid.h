//===- TinyModelOnGrid.h - the embedded model by its plan, on a grid of threads ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_CONVERSION_TINYMODELONGRID_H
#define LLMC_TEST_UNIT_CONVERSION_TINYMODELONGRID_H

#include "GridExecutor.h"
#include "HostCode.h"
#include "llmc/Calibration/Calibration.h"
#include "llmc/Conversion/ImportONNX/ImportONNX.h"
#include "llmc/Conversion/LLMCToSPMD/LLMCToSPMD.h"
#include "llmc/Conversion/SPMDToGPU/SPMDToGPU.h"
#include "llmc/Pipelines/Dialects.h"
#include "llmc/Pipelines/Raise.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/Support/MemoryBuffer.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstring>
#include <optional>

namespace llmc::test {

inline constexpr int64_t maxRows = 16, vocabulary = 2048;
using Logits = std::vector<float>;

/// The rows of a step, of one sequence or more.
struct Rows {
  std::vector<int32_t> tokens, positions, sequences;
};

/// "Abraham took another wife, and her name was", and " K" of the same sequence.
inline const Rows prompt = {{33, 66, 1388, 719, 976, 1012, 12, 270, 474, 669, 375},
                            {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
                            std::vector<int32_t>(11, 0)};
inline const Rows next = {{694}, {11}, {0}};

/// The memory of a program, and steps that are run in it.
class Memory {
public:
  Memory(spmd::ProgramOp program, const Pages &weights, int64_t workers)
      : weights(weights), arena(program.getSizes().getArenaBytes()),
        workerArena(program.getSizes().getWorkerArenaBytes() * workers),
        state(program.getSizes().getStateBytes()), width(program.getSizes().getVocabulary()) {}

  /// All rows' logits.
  Logits run(const Rows &rows, llvm::function_ref<void(llmc_step &)> launch) {
    auto count = static_cast<int64_t>(rows.tokens.size());
    std::vector<int32_t> outputs;
    for (int32_t i = 0; i < count; ++i)
      outputs.push_back(i);
    Logits logits(count * width, NAN);
    uint8_t *states[] = {state.data()};
    llmc_step step{};
    step.weights = weights.data();
    step.arena = arena.data();
    step.worker_arena = workerArena.data();
    step.states = states;
    step.tokens = rows.tokens.data();
    step.positions = rows.positions.data();
    step.sequences = rows.sequences.data();
    step.outputs = outputs.data();
    step.logits = logits.data();
    step.rows = step.output_rows = count;
    step.barrier = [](void *, int32_t) { /* of one worker */ };
    launch(step);
    return logits;
  }

private:
  const Pages &weights;
  Pages arena, workerArena, state;
  int64_t width; ///< of a row of logits
};

class TinyModelOnGrid : public ::testing::Test {
protected:
  /// What all tests begin with: the model, raised once.
  static void SetUpTestSuite() {
    mlir::DialectRegistry registry;
    insertAllDialects(registry);
    insertCalibrationDialects(registry);
    context.emplace(registry, mlir::MLIRContext::Threading::DISABLED);
    context->loadAllAvailableDialects();
    registerTransformsPasses();
    auto file = llvm::MemoryBuffer::getFile(TINY_MODEL, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
    ASSERT_TRUE(static_cast<bool>(file)) << file.getError().message();
    raised = importONNX((*file)->getMemBufferRef(), &*context);
    ASSERT_TRUE(static_cast<bool>(raised));
    RaiseOptions options;
    options.context = 32;
    ASSERT_TRUE(succeeded(raiseModel(*raised, options)));
  }
  static void TearDownTestSuite() {
    raised = {};
    context.reset();
  }
  void SetUp() override {
    ASSERT_TRUE(static_cast<bool>(raised));
    module = raised->clone();
  }

  /// Runs passes by their text.
  void transform(llvm::StringRef pipeline) {
    mlir::PassManager manager(&*context);
    ASSERT_TRUE(succeeded(mlir::parsePassPipeline(pipeline, manager)));
    ASSERT_TRUE(succeeded(manager.run(*module)));
  }

  void plan() {
    mlir::FailureOr<WeightTable> table = WeightTable::plan(*module);
    ASSERT_TRUE(succeeded(table));
    weights = Pages(table->getByteSize());
    ASSERT_TRUE(succeeded(table->pack({weights.data(), weights.size()})));
    mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> planned =
        planStep(*module, *table, rowsAtOnce);
    ASSERT_TRUE(succeeded(planned));
    program = std::move(*planned);
  }

  /// Logits of the steps, by this machine's own code.
  std::vector<Logits> runOnCPU() {
    mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> lowered =
        convertSPMDToCPU(*program, *getHostTarget());
    EXPECT_TRUE(succeeded(lowered));
    Memory memory(getProgram(**lowered), weights, 1);
    HostCode code =
        llvm::cantFail(HostCode::compile(std::move(*lowered), llvm::CodeGenOptLevel::None));
    std::vector<Logits> logits;
    for (const Rows &rows : steps)
      logits.push_back(memory.run(rows, [&](llmc_step &step) { code.step(&step, 0, 1); }));
    return logits;
  }

  /// Makes the kernel that runOnGrid() runs.
  void compile(llvm::StringRef kernels = "all",
               llvm::CodeGenOptLevel level = llvm::CodeGenOptLevel::None) {
    GPUTarget target;
    target.architecture = architecture;
    target.threads = 64;
    mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> lowered =
        convertSPMDToGPU(*program, target, llvm::cantFail(KernelChoice::parse(kernels)));
    ASSERT_TRUE(succeeded(lowered));
    kernel = std::move(*lowered);
    executor.emplace(llvm::cantFail(GridExecutor::compile(*kernel, level)));
  }

  std::vector<Logits> runOnGrid(unsigned blocks, uint64_t seed) {
    Memory memory(getProgram(*kernel), weights, blocks);
    std::vector<Logits> logits;
    for (const Rows &rows : steps)
      logits.push_back(memory.run(rows, [&](llmc_step &step) {
        llvm::Error error = executor->run(step, blocks, seed++);
        EXPECT_FALSE(static_cast<bool>(error)) << llvm::toString(std::move(error));
      }));
    return logits;
  }

  static bool haveSameBits(const std::vector<Logits> &a, const std::vector<Logits> &b) {
    for (size_t i = 0; i < a.size(); ++i)
      if (std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(float)) != 0)
        return false;
    return true;
  }

  /// Of the largest logit.
  static double getDifference(const std::vector<Logits> &a, const std::vector<Logits> &b) {
    double largest = 0, difference = 0;
    for (size_t i = 0; i < a.size(); ++i)
      for (size_t n = 0; n < a[i].size(); ++n) {
        largest = std::max<double>(largest, std::fabs(a[i][n]));
        double apart = std::fabs(double(a[i][n]) - b[i][n]);
        difference = std::isnan(apart) ? INFINITY : std::max(difference, apart);
      }
    return difference / largest;
  }

  /// Expects the logits of CPUs for grids of these sizes.
  void compare(std::initializer_list<unsigned> grids,
               llvm::CodeGenOptLevel level = llvm::CodeGenOptLevel::None) {
    plan();
    std::vector<Logits> expected = runOnCPU();
    compile("all", level);
    for (unsigned blocks : grids) {
      std::vector<Logits> found = runOnGrid(blocks, /*seed=*/blocks);
      EXPECT_TRUE(haveSameBits(expected, found))
          << blocks << " blocks: " << getDifference(expected, found) << " of the largest logit";
    }
  }

  std::vector<Rows> steps = {prompt, next};
  int64_t rowsAtOnce = maxRows;
  std::string architecture = GPUTarget().architecture;
  inline static std::optional<mlir::MLIRContext> context;
  inline static mlir::OwningOpRef<mlir::ModuleOp> raised;
  mlir::OwningOpRef<mlir::ModuleOp> module, program, kernel;
  Pages weights;
  std::optional<GridExecutor> executor;
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_CONVERSION_TINYMODELONGRID_H
