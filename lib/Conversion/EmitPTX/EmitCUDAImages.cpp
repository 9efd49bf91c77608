//===- EmitCUDAImages.cpp - code for GPUs, as artifacts and objects carry it ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/EmitPTX/EmitCUDAImages.h"
#include "llmc/Conversion/EmitObject/ProgramValues.h"
#include "llmc/Conversion/EmitPTX/EmitPTX.h"
#include "llmc/Conversion/LLMCToSPMD/Description.h"
#include "llmc/Conversion/SPMDToGPU/SPMDToGPU.h"
#include "llmc/cuda_image.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;
using namespace llmc;

/// What is the same in all images of a program.
namespace {
struct Program {
  spmd::ProgramOp op;
  llvm::json::Object description;
  std::string architecture;
  uint32_t threads;
};
} // namespace

static llvm::Expected<Program> readProgram(ModuleOp module) {
  Operation *kernel = getKernel(module);
  spmd::ProgramOp op = getProgram(module);
  auto target = kernel ? kernel->getAttrOfType<NVVM::NVVMTargetAttr>(gpuTargetAttrName)
                       : NVVM::NVVMTargetAttr();
  auto threads =
      kernel ? kernel->getAttrOfType<DenseI32ArrayAttr>(NVVM::NVVMDialect::getMaxntidAttrName())
             : DenseI32ArrayAttr();
  if (!op || !target || !threads || threads.size() != 1 || threads[0] < 1 ||
      SymbolTable::getSymbolName(kernel) != LLMC_CUDA_KERNEL)
    return llvm::createStringError(
        "expected a program for a GPU, which convert-spmd-to-gpu makes of a plan");
  if (llvm::Error error = checkSizes(op.getSizes(), op.getState().size()))
    return std::move(error);
  FailureOr<llvm::json::Object> description =
      describeProgram(op, {llvm::Triple(target.getTriple()), {}});
  if (failed(description))
    return llvm::createStringError("cannot describe the program");
  (*description)["architecture"] = "cuda";
  describeValues(op.getSizes(), *description);
  return Program{op, std::move(*description), target.getChip().str(),
                 static_cast<uint32_t>(threads[0])};
}

static llvm::SmallVector<char, 0> layOut(Program &program, llmc_cuda_code kind, StringRef code,
                                         const llvm::json::Object &facts) {
  llvm::json::Object description = program.description;
  description["images"] = llvm::json::Array{llvm::json::Object(facts)};
  std::string text = spellDescription(std::move(description));
  SmallVector<llmc_state_region> regions;
  for (auto region : program.op.getState().getAsRange<spmd::RegionAttr>())
    regions.push_back(
        {static_cast<uint64_t>(region.getOffset()), static_cast<uint64_t>(region.getStride()),
         static_cast<uint64_t>(region.getBlock()), static_cast<uint64_t>(region.getKept()),
         static_cast<uint64_t>(region.getRecent())});
  spmd::SizesAttr sizes = program.op.getSizes();
  llmc_cuda_image image{};
  std::memcpy(image.magic, LLMC_CUDA_IMAGE_MAGIC, sizeof image.magic);
  image.version = LLMC_CUDA_IMAGE_VERSION;
  image.code = kind;
  llvm::copy(program.architecture.substr(0, sizeof image.architecture - 1), image.architecture);
  image.threads = program.threads;
  image.vocabulary = static_cast<uint32_t>(sizes.getVocabulary());
  image.context = static_cast<uint32_t>(sizes.getPositions());
  image.max_rows = static_cast<uint32_t>(sizes.getMaxRows());
  image.weights_bytes = static_cast<uint64_t>(sizes.getWeightBytes());
  image.arena_bytes = static_cast<uint64_t>(sizes.getArenaBytes());
  image.block_arena_bytes = static_cast<uint64_t>(sizes.getWorkerArenaBytes());
  image.state_bytes = static_cast<uint64_t>(sizes.getStateBytes());
  image.region_count = static_cast<uint32_t>(regions.size());
  image.regions_offset = llvm::alignTo(sizeof image, alignof(llmc_state_region));
  image.description_offset = image.regions_offset + regions.size() * sizeof(llmc_state_region);
  image.description_bytes = text.size() + 1;
  image.code_offset =
      llvm::alignTo(image.description_offset + image.description_bytes, LLMC_ALIGNMENT);
  image.code_bytes = code.size() + (kind == LLMC_CUDA_PTX ? 1 : 0);
  image.bytes = image.code_offset + image.code_bytes;
  llvm::SmallVector<char, 0> bytes(image.bytes);
  std::memcpy(bytes.data(), &image, sizeof image);
  std::memcpy(bytes.data() + image.regions_offset, regions.data(),
              regions.size() * sizeof(llmc_state_region));
  llvm::copy(text, bytes.begin() + image.description_offset);
  llvm::copy(code, bytes.begin() + image.code_offset);
  return bytes;
}

static CUDAImage makeImage(Program &program, llmc_cuda_code kind,
                           const llvm::SmallVector<char, 0> &code, llvm::json::Object facts) {
  const char *name = kind == LLMC_CUDA_PTX ? "ptx" : "cubin";
  facts["name"] = program.architecture;
  facts["code"] = name;
  facts["code_bytes"] = static_cast<int64_t>(code.size());
  facts["threads"] = static_cast<int64_t>(program.threads);
  facts["worker_arena_bytes"] = program.op.getSizes().getWorkerArenaBytes();
  return {program.architecture + " " + name,
          layOut(program, kind, StringRef(code.data(), code.size()), facts), std::move(facts)};
}

llvm::Expected<llvm::SmallVector<CUDAImage>> llmc::emitCUDAImages(ModuleOp module,
                                                                  const Assembler &assembler) {
  llvm::Expected<Program> program = readProgram(module);
  if (!program)
    return program.takeError();
  llvm::Expected<llvm::SmallVector<char, 0>> ptx = emitPTX(module);
  if (!ptx)
    return ptx.takeError();
  llvm::SmallVector<CUDAImage> images;
  images.push_back(makeImage(*program, LLMC_CUDA_PTX, *ptx, {}));
  if (!assembler.exists())
    return images;
  llvm::Expected<Assembler::Code> code = assembler.assemble(*ptx, program->architecture);
  if (!code)
    return code.takeError();
  images.push_back(makeImage(*program, LLMC_CUDA_CUBIN, code->cubin, std::move(code->facts)));
  return images;
}
