//===- CUDAImageTest.cpp - which code a GPU runs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CUDASupport.h"

using namespace llmc::test;

namespace {

using CUDAImage = FakeGPU;

TEST_F(CUDAImage, TheBestIsTaken) {
  const std::vector<Bytes> images = {
      makeCUDAImage("sm_80"),   makeCUDAImage("sm_80", LLMC_CUDA_CUBIN),
      makeCUDAImage("sm_86"),   makeCUDAImage("sm_86", LLMC_CUDA_CUBIN),
      makeCUDAImage("sm_90a"),  makeCUDAImage("sm_90a", LLMC_CUDA_CUBIN),
      makeCUDAImage("sm_120a"), makeCUDAImage("sm_100", LLMC_CUDA_CUBIN)};
  struct {
    int major, minor;
    const char *code;
  } const expected[] = {{8, 0, "code for sm_80 itself"},
                        {8, 6, "code for sm_86 itself"},
                        {8, 9, "code for sm_86 itself"},
                        {9, 0, "code for sm_90a itself"},
                        {10, 0, "code for sm_100 itself"},
                        {10, 3, "code for sm_100 itself"},
                        // Machine code of one alone, or for others, does not run: PTX does.
                        {11, 0, "code for sm_86"},
                        {12, 0, "code for sm_120a"},
                        {12, 1, "code for sm_86"}};
  for (auto [major, minor, code] : expected) {
    cuda.major = major;
    cuda.minor = minor;
    llmc_status status = load(getOptions(), images);
    EXPECT_EQ(status.code, LLMC_OK) << status.message;
    EXPECT_EQ(cuda.code, code) << major << "." << minor;
  }
}

TEST_F(CUDAImage, OneCanBeNamed) {
  const std::vector<Bytes> images = {makeCUDAImage("sm_80"),
                                     makeCUDAImage("sm_90", LLMC_CUDA_CUBIN)};
  llmc_model_options options = getOptions();
  options.variant = "sm_80 ptx";
  EXPECT_EQ(load(options, images).code, LLMC_OK);
  EXPECT_EQ(cuda.code, "code for sm_80");
  options.variant = "avx2";
  expectStatus(load(options, images), LLMC_NOT_FOUND,
               "cuda: expected a variant among sm_80 ptx, sm_90 cubin, found 'avx2'");
  options.variant = "sm_90 cubin";
  cuda.major = 8;
  expectStatus(load(options, images), LLMC_UNAVAILABLE,
               "variant 'sm_90 cubin' does not run on a GPU of compute capability 8.0");
}

TEST_F(CUDAImage, ModelsWithoutOneAreRefused) {
  expectStatus(load(getOptions(), {}), LLMC_UNAVAILABLE,
               "cuda: the model was not compiled for GPUs: compile it with --target=cuda");
  cuda.major = 7;
  cuda.minor = 5;
  expectStatus(load(getOptions()), LLMC_UNAVAILABLE,
               "a GPU of compute capability 7.5 can run none of the variants sm_80 ptx");
}

TEST_F(CUDAImage, DamageIsRefused) {
  auto expectRefused = [](auto damage, int32_t code, const char *message) {
    Bytes image = makeCUDAImage();
    damage(*reinterpret_cast<llmc_cuda_image *>(image.data()));
    expectStatus(load(getOptions(), {image}), code, message);
  };
  expectStatus(load(getOptions(), {Bytes(16, 1)}), LLMC_CORRUPT, "expected code for a GPU");
  expectRefused([](llmc_cuda_image &image) { image.magic[0] = 'x'; }, LLMC_CORRUPT,
                "expected code for a GPU, found something else");
  expectRefused([](llmc_cuda_image &image) { image.version = 2; }, LLMC_VERSION_MISMATCH,
                "expected code for GPUs of version 1, found 2");
  expectRefused([](llmc_cuda_image &image) { image.code = 3; }, LLMC_UNSUPPORTED,
                "code for GPUs of an unknown kind 3");
  expectRefused([](llmc_cuda_image &image) { image.weights_bytes += 64; }, LLMC_CORRUPT,
                "bytes of weights");
  expectRefused([](llmc_cuda_image &image) { image.code_bytes -= 1; }, LLMC_CORRUPT,
                "the code for GPUs is no text with an end");
  const char *wrong = "the code for GPUs describes itself wrongly";
  expectRefused([](llmc_cuda_image &image) { image.bytes += 1; }, LLMC_CORRUPT, wrong);
  expectRefused([](llmc_cuda_image &image) { image.region_count = UINT32_MAX; }, LLMC_CORRUPT,
                wrong);
  expectRefused([](llmc_cuda_image &image) { image.regions_offset += 1; }, LLMC_CORRUPT, wrong);
  expectRefused([](llmc_cuda_image &image) { image.regions_offset = 0; }, LLMC_CORRUPT, wrong);
  expectRefused([](llmc_cuda_image &image) { image.description_offset = UINT64_MAX; }, LLMC_CORRUPT,
                wrong);
  expectRefused([](llmc_cuda_image &image) { image.description_bytes -= 1; }, LLMC_CORRUPT, wrong);
  expectRefused([](llmc_cuda_image &image) { image.code_offset += 1; }, LLMC_CORRUPT, wrong);
  expectRefused([](llmc_cuda_image &image) { image.code_bytes = UINT64_MAX; }, LLMC_CORRUPT, wrong);
  expectRefused([](llmc_cuda_image &image) { image.threads = 0; }, LLMC_CORRUPT, wrong);
  expectRefused([](llmc_cuda_image &image) { std::memset(image.architecture, 'x', 16); },
                LLMC_CORRUPT, wrong);
  expectRefused([](llmc_cuda_image &image) { image.vocabulary = 0; }, LLMC_CORRUPT,
                "the program describes itself wrongly");
}

// A linked program has its images among its variants.
TEST_F(CUDAImage, LinkedProgramsHaveThem) {
  Bytes bytes = makeCUDAImage();
  alignas(LLMC_ALIGNMENT) static uint8_t image[1024], weights[2 * 4096 + 64];
  ASSERT_LE(bytes.size(), sizeof image);
  std::memcpy(image, bytes.data(), bytes.size());
  const auto *address = image;
  llmc_variant variants[2] = {{"cuda sm_80 ptx", LLMC_VARIANT_CUDA, nullptr},
                              llmc_program_image.variants[1]};
  std::memcpy(&variants[0].step, &address, sizeof address);
  llmc_program program = llmc_program_image;
  program.variants = variants;
  llmc_weights_header header{};
  std::memcpy(header.magic, LLMC_WEIGHTS_MAGIC, sizeof header.magic);
  header.version = LLMC_ARTIFACT_VERSION;
  header.bytes = fakeWeightsBytes;
  std::memcpy(weights, &header, sizeof header);
  for (const char *device : {"cuda", "cpu"}) {
    llmc_model_options options = getOptions(device);
    llmc_model *model = nullptr;
    llmc_status status = llmc_model_load_embedded(
        &program, weights, LLMC_ARTIFACT_WEIGHTS_ALIGNMENT + fakeWeightsBytes, &options, &model);
    ASSERT_EQ(status.code, LLMC_OK) << status.message;
    llmc_model_info info;
    llmc_model_get_info(model, &info);
    EXPECT_STREQ(info.driver, device);
    EXPECT_STREQ(info.variant, device == std::string("cuda") ? "sm_80 ptx" : "plain");
    llmc_model_release(model);
  }
}

} // namespace
