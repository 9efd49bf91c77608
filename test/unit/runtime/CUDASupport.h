//===- CUDASupport.h - the fake program on a fake GPU ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_RUNTIME_CUDASUPPORT_H
#define LLMC_TEST_UNIT_RUNTIME_CUDASUPPORT_H

#include "ArtifactBuilder.h"
#include "FakeCUDA.h"
#include "FakeProgram.h"
#include "llmc/cuda_image.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <cstring>

namespace llmc::test {

/// Code of the fake program for a GPU.
inline Bytes makeCUDAImage(const std::string &architecture = "sm_80",
                           llmc_cuda_code kind = LLMC_CUDA_PTX) {
  const std::string description = "{\"name\": \"fake\"}",
                    code = "code for " + architecture + (kind == LLMC_CUDA_PTX ? "" : " itself");
  const llmc_program &program = llmc_program_image;
  llmc_cuda_image image{};
  std::memcpy(image.magic, LLMC_CUDA_IMAGE_MAGIC, sizeof image.magic);
  image.version = LLMC_CUDA_IMAGE_VERSION;
  image.code = kind;
  std::strcpy(image.architecture, architecture.c_str());
  image.threads = 64;
  image.vocabulary = program.vocabulary;
  image.context = program.context;
  image.max_rows = program.max_rows;
  image.weights_bytes = program.weights_bytes;
  image.arena_bytes = program.arena_bytes;
  image.block_arena_bytes = program.worker_arena_bytes;
  image.state_bytes = program.state_bytes;
  image.region_count = program.region_count;
  image.regions_offset = sizeof image;
  image.description_offset = sizeof image + program.region_count * sizeof(llmc_state_region);
  image.description_bytes = description.size() + 1;
  image.code_offset = (image.description_offset + image.description_bytes + 63) / 64 * 64;
  image.code_bytes = code.size() + 1;
  image.bytes = image.code_offset + image.code_bytes;
  Bytes bytes(image.bytes);
  std::memcpy(bytes.data(), &image, sizeof image);
  std::memcpy(bytes.data() + image.regions_offset, program.regions,
              program.region_count * sizeof(llmc_state_region));
  std::memcpy(bytes.data() + image.description_offset, description.data(), description.size());
  std::memcpy(bytes.data() + image.code_offset, code.data(), code.size());
  return bytes;
}

/// A machine with a fake GPU that runs the fake program.
class FakeGPU : public ::testing::Test {
protected:
  FakeGPU() : cuda(resetFakeCUDA(FAKE_CUDA)) {
    setenv("LLMC_CUDA_LIBRARY", FAKE_CUDA, 1);
    cuda.kernel = [](const FakeLaunch &launch) {
      EXPECT_EQ(*launch.arrived, 0);
      *launch.arrived = launch.blocks;
      llmc_step step = launch.step;
      step.barrier = [](void *, int32_t) { /* of one worker */ };
      llmc_program_image.variants[1].step(&step, 0, 1);
    };
  }
  ~FakeGPU() override {
    unsetenv("LLMC_CUDA_LIBRARY");
    EXPECT_TRUE(cuda.hasNothingLeft())
        << cuda.bytes << " bytes, " << cuda.hostAllocations << " allocations of the host, "
        << cuda.streams << " streams, " << cuda.pushed << " contexts pushed";
  }

  static llmc_model_options getOptions(const char *device = "cuda") {
    llmc_model_options options = llmc_model_default_options();
    options.device = device;
    return options;
  }

  /// Loads and releases a model.
  static llmc_status load(const llmc_model_options &options,
                          const std::vector<Bytes> &images = {makeCUDAImage()}) {
    TemporaryFile file(makeArtifact(7, FAKE_IMAGE, images));
    llmc_model *model = nullptr;
    llmc_status status = llmc_model_load(file.path(), &options, &model);
    llmc_model_release(model);
    return status;
  }

  FakeCUDA &cuda;
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_RUNTIME_CUDASUPPORT_H
