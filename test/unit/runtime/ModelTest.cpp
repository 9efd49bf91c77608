//===- ModelTest.cpp - loading models ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArtifactBuilder.h"
#include "FakeProgram.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

using namespace llmc::test;

namespace {

llmc_status load(const Bytes &artifact, const llmc_model_options *options = nullptr) {
  TemporaryFile file(artifact);
  llmc_model *model = nullptr;
  llmc_status status = llmc_model_load(file.path(), options, &model);
  EXPECT_EQ(status.code == LLMC_OK, model != nullptr);
  llmc_model_release(model);
  return status;
}

/// The file of weights of a program, whose hash is set to theirs.
Bytes makeWeights(llmc_program &program) {
  Bytes file(LLMC_ARTIFACT_WEIGHTS_ALIGNMENT + program.weights_bytes);
  auto *header = reinterpret_cast<llmc_weights_header *>(file.data());
  std::memcpy(header->magic, LLMC_WEIGHTS_MAGIC, sizeof header->magic);
  header->version = LLMC_ARTIFACT_VERSION;
  header->bytes = program.weights_bytes;
  header->hash = program.weights_hash =
      llmc_hash(file.data() + LLMC_ARTIFACT_WEIGHTS_ALIGNMENT, program.weights_bytes);
  return file;
}

/// A program in this process that differs from the fake one, with a good file of weights.
llmc_status loadProgram(llmc_program program) {
  TemporaryFile weights(makeWeights(program));
  llmc_model *model = nullptr;
  llmc_status status = llmc_model_load_program(&program, weights.path(), nullptr, &model);
  if (status.code == LLMC_OK) {
    llmc_session *session = nullptr;
    status = llmc_session_create(model, &session);
    llmc_session_release(session);
  }
  llmc_model_release(model);
  return status;
}

} // namespace

TEST(Model, SaysWhatItIs) {
  Model model;
  llmc_model_info info;
  llmc_model_get_info(model, &info);
  EXPECT_EQ(info.vocabulary, unsigned(fakeVocabulary));
  EXPECT_EQ(info.context, unsigned(fakeContext));
  EXPECT_STREQ(info.driver, "cpu");
  EXPECT_STREQ(info.variant, "plain");
  EXPECT_STREQ(info.description, "{\"name\": \"fake\"}");
  const char *data = nullptr;
  size_t size = 0;
  llmc_status status = llmc_model_get_file(model, "hello.txt", &data, &size);
  ASSERT_EQ(status.code, LLMC_OK);
  EXPECT_EQ(std::string(data, size), "hello");
  status = llmc_model_get_file(model, "other.txt", &data, &size);
  EXPECT_EQ(status.code, LLMC_NOT_FOUND);
}

TEST(Model, EachHasCodeOfItsOwn) {
  Model first, second;
  llmc_model_info one, other;
  llmc_model_get_info(first, &one);
  llmc_model_get_info(second, &other);
  // Both point into the program that was loaded.
  EXPECT_NE(one.description, other.description);
}

TEST(Model, ChoosesVariantsByName) {
  llmc_model_options options = llmc_model_default_options();
  options.variant = "plain";
  EXPECT_EQ(load(makeArtifact(), &options).code, LLMC_OK);
  options.variant = "future";
  expectStatus(load(makeArtifact(), &options), LLMC_UNAVAILABLE,
               "variant 'future' needs what this CPU lacks");
  options.variant = "past";
  expectStatus(load(makeArtifact(), &options), LLMC_NOT_FOUND,
               "expected a variant among future, plain, found 'past'");
}

TEST(Model, RefusesDamagedFiles) {
  Bytes artifact = makeArtifact();
  for (size_t size = 1; size < artifact.size(); size += 4099)
    EXPECT_EQ(load(Bytes(artifact.begin(), artifact.begin() + size)).code, LLMC_CORRUPT) << size;
  expectStatus(load({}), LLMC_CORRUPT, "expected a file that is not empty, found an empty one");
  llmc_model *model = nullptr;
  EXPECT_EQ(llmc_model_load("/nonexistent/model", nullptr, &model).code, LLMC_NOT_FOUND);
  EXPECT_EQ(llmc_model_load("/", nullptr, &model).code, LLMC_CORRUPT);
  EXPECT_EQ(model, nullptr);
}

TEST(Model, NamesItsInputsAndOutputs) {
  Model model;
  llmc_model_info info;
  llmc_model_get_info(model, &info);
  ASSERT_EQ(info.input_count, 4u);
  ASSERT_EQ(info.output_count, 1u);
  const char *const names[] = {"tokens", "positions", "sequences", "output_rows"};
  const llmc_value *value = nullptr;
  for (uint32_t i = 0; i < 4; ++i) {
    ASSERT_EQ(llmc_model_get_input(model, i, &value).code, LLMC_OK);
    EXPECT_STREQ(value->name, names[i]);
    EXPECT_EQ(value->kind, LLMC_VALUE_TOKENS + i);
    EXPECT_EQ(value->type, unsigned(LLMC_ELEMENT_I32));
  }
  ASSERT_EQ(llmc_model_get_output(model, 0, &value).code, LLMC_OK);
  EXPECT_STREQ(value->name, "logits");
  ASSERT_EQ(value->rank, 2u);
  EXPECT_EQ(value->shape[0], LLMC_DIM_OUTPUT_ROWS);
  EXPECT_EQ(value->shape[1], fakeVocabulary);
  expectStatus(llmc_model_get_input(model, 4, &value), LLMC_OUT_OF_RANGE,
               "expected an input below 4, found 4");
  expectStatus(llmc_model_get_output(model, 1, &value), LLMC_OUT_OF_RANGE,
               "expected an output below 1, found 1");
}

TEST(Model, RefusesProgramsThatAreNoLanguageModels) {
  auto refused = [](auto change, const char *message, int32_t code = LLMC_UNSUPPORTED) {
    llmc_program program = llmc_program_image;
    llmc_value inputs[5], output = program.outputs[0];
    std::copy_n(program.inputs, 4, inputs);
    int64_t shape[] = {LLMC_DIM_OUTPUT_ROWS, fakeVocabulary};
    output.shape = shape;
    inputs[4] = inputs[0];
    program.inputs = inputs;
    program.outputs = &output;
    change(program, inputs, output, shape);
    expectStatus(loadProgram(program), code, message);
  };
  using Program = llmc_program;
  using Value = llmc_value;
  const char *const logits = "expected an output of logits, f32 [output_rows, vocabulary], found 0";
  refused([](Program &p, Value *, Value &, int64_t *) { p.inputs = nullptr; },
          "the program describes itself wrongly", LLMC_CORRUPT);
  refused([](Program &, Value *, Value &output, int64_t *) { output.name = nullptr; },
          "output 0 of the program: expected a name and a shape of at most 8 dimensions",
          LLMC_CORRUPT);
  refused([](Program &, Value *inputs, Value &, int64_t *) { inputs[2].rank = 9; },
          "input 2 of the program: expected a name", LLMC_CORRUPT);
  refused([](Program &, Value *inputs, Value &, int64_t *) { inputs[1].kind = 77; },
          "input 'positions' of the program: unknown kind 77");
  refused([](Program &, Value *inputs, Value &, int64_t *) { inputs[1].type = 9; },
          "input 'positions' of the program: unknown element type 9");
  refused([](Program &p, Value *, Value &, int64_t *) { p.input_count = 3; },
          "the program is no language model: expected an input of output rows, i32 [output_rows], "
          "found 0");
  refused([](Program &p, Value *, Value &, int64_t *) { p.input_count = 5; },
          "expected an input of tokens, i32 [rows], found 2");
  refused(
      [](Program &p, Value *inputs, Value &output, int64_t *) {
        inputs[4] = output;
        p.input_count = 5;
      },
      "the program is no language model: expected 5 inputs and outputs, found 6");
  refused([](Program &, Value *, Value &output, int64_t *) { output.type = LLMC_ELEMENT_I32; },
          logits);
  refused([](Program &, Value *, Value &output, int64_t *) { output.rank = 1; }, logits);
  refused([](Program &, Value *, Value &, int64_t *shape) { shape[0] = LLMC_DIM_ROWS; }, logits);
  refused([](Program &, Value *, Value &, int64_t *shape) { shape[1] = 36; }, logits);
}

TEST(Model, VerifiesWeightsBesideAnObject) {
  llmc_program program = llmc_program_image;
  Bytes good = makeWeights(program), damaged = good;
  damaged[LLMC_ARTIFACT_WEIGHTS_ALIGNMENT + 1000] ^= 1;
  auto loadFrom = [&](const Bytes &contents, uint32_t verify, bool embedded) {
    TemporaryFile file(contents);
    std::unique_ptr<void, void (*)(void *)> memory(
        std::aligned_alloc(LLMC_ARTIFACT_WEIGHTS_ALIGNMENT,
                           (contents.size() / LLMC_ARTIFACT_WEIGHTS_ALIGNMENT + 1) *
                               LLMC_ARTIFACT_WEIGHTS_ALIGNMENT),
        std::free);
    std::memcpy(memory.get(), contents.data(), contents.size());
    llmc_model_options options = llmc_model_default_options();
    options.verify_weights = verify;
    llmc_model *model = nullptr;
    llmc_status status =
        embedded
            ? llmc_model_load_embedded(&program, memory.get(), contents.size(), &options, &model)
            : llmc_model_load_program(&program, file.path(), &options, &model);
    llmc_model_release(model);
    return status;
  };
  const char *const wrong = "the checksum of the weights is wrong";
  for (bool embedded : {false, true})
    for (uint32_t verify : {LLMC_VERIFY_DEFAULT, LLMC_VERIFY_ALWAYS, LLMC_VERIFY_NEVER}) {
      EXPECT_EQ(loadFrom(good, verify, embedded).code, LLMC_OK);
      bool reads = verify == LLMC_VERIFY_ALWAYS || (verify == LLMC_VERIFY_DEFAULT && !embedded);
      expectStatus(loadFrom(damaged, verify, embedded), reads ? LLMC_CORRUPT : LLMC_OK,
                   reads ? wrong : "");
    }
  program.weights_hash ^= 1;
  expectStatus(loadFrom(good, LLMC_VERIFY_NEVER, false), LLMC_CORRUPT,
               "the weights belong to another program");
}

TEST(Model, VerifiesWeightsInAnArtifactOnDemand) {
  Bytes artifact = makeArtifact();
  artifact[getSections(artifact)[3].offset + 1000] ^= 1;
  EXPECT_EQ(load(artifact).code, LLMC_OK);
  llmc_model_options options = llmc_model_default_options();
  options.verify_weights = LLMC_VERIFY_ALWAYS;
  expectStatus(load(artifact, &options), LLMC_CORRUPT, "the checksum of the weights is wrong");
  EXPECT_EQ(load(makeArtifact(), &options).code, LLMC_OK);
}

TEST(Model, RefusesImagesThatAreNone) {
  Bytes artifact = makeArtifact();
  llmc_artifact_section &image = getSections(artifact)[2];
  // Not an ELF file, but with a good checksum.
  std::memset(artifact.data() + image.offset, 'x', 64);
  image.checksum = llmc_hash(artifact.data() + image.offset, image.bytes);
  seal(artifact);
  expectStatus(load(artifact), LLMC_CORRUPT, "cannot load the program's code");

  artifact = makeArtifact();
  std::strcpy(getSections(artifact)[2].name, "riscv64");
  seal(artifact);
  expectStatus(load(artifact), LLMC_UNAVAILABLE, "the model was not compiled for ");

  expectStatus(load(makeArtifact(7, OTHER_IMAGE)), LLMC_CORRUPT,
               "the program's code lacks the symbol " LLMC_ARTIFACT_PROGRAM_SYMBOL);

  artifact = makeArtifact();
  getSections(artifact)[3].bytes -= 64;
  seal(artifact);
  expectStatus(load(artifact), LLMC_CORRUPT, "expected 4160 bytes of weights, found 4096");
}

TEST(Model, RefusesOptions) {
  llmc_model_options options = llmc_model_default_options();
  options.api_version = 99;
  expectStatus(load(makeArtifact(), &options), LLMC_VERSION_MISMATCH,
               "expected API version 3, found 99");
  options = llmc_model_default_options();
  options.threads = 100000;
  expectStatus(load(makeArtifact(), &options), LLMC_INVALID_ARGUMENT, "threads, found 100000");
  options = llmc_model_default_options();
  options.verify_weights = 3;
  expectStatus(load(makeArtifact(), &options), LLMC_INVALID_ARGUMENT,
               "expected verify_weights of at most 2, found 3");
  options = llmc_model_default_options();
  options.allocator.release = [](void *, void *, size_t) {};
  expectStatus(load(makeArtifact(), &options), LLMC_INVALID_ARGUMENT,
               "expected an allocator with both functions, found one");
}

TEST(Model, RefusesProgramsThatContradictThemselves) {
  EXPECT_EQ(loadProgram(llmc_program_image).code, LLMC_OK);
  auto refused = [](auto change, const char *message, int32_t code = LLMC_CORRUPT) {
    llmc_program program = llmc_program_image;
    llmc_state_region regions[3] = {program.regions[0], program.regions[1], program.regions[2]};
    program.regions = regions;
    change(program, regions);
    expectStatus(loadProgram(program), code, message);
  };
  const char *const wrongly = "the program describes itself wrongly";
  const char *const outside = "region 1 of the program's state lies outside it";
  const char *const addresses = "the program asks for more memory than there are addresses";
  using Program = llmc_program;
  using Regions = llmc_state_region *;
  refused([](Program &p, Regions) { p.abi_version = 0; }, "expected program ABI ",
          LLMC_VERSION_MISMATCH);
  refused([](Program &p, Regions) { p.vocabulary = 0; }, wrongly);
  refused([](Program &p, Regions) { p.vocabulary = 0x80000000; }, wrongly);
  refused([](Program &p, Regions) { p.context = 0; }, wrongly);
  refused([](Program &p, Regions) { p.context = 0xffffffff; }, wrongly);
  refused([](Program &p, Regions) { p.max_rows = 0; }, wrongly);
  refused([](Program &p, Regions) { p.variant_count = 0; }, wrongly);
  refused([](Program &p, Regions) { p.variants = nullptr; }, wrongly);
  refused([](Program &p, Regions) { p.regions = nullptr; }, wrongly);
  refused([](Program &p, Regions) { p.worker_arena_bytes = 100; }, wrongly);
  refused([](Program &p, Regions) { p.variant_count = 1; },
          "this CPU can run none of the variants future", LLMC_UNAVAILABLE);
  refused([](Program &p, Regions) { p.state_bytes = UINT64_MAX; }, addresses);
  refused([](Program &p, Regions) { p.arena_bytes = UINT64_MAX / 2; }, addresses);
  refused([](Program &p, Regions) { p.worker_arena_bytes = uint64_t(1) << 63; }, addresses);
  // Products that wrap to something small.
  refused(
      [](Program &p, Regions) {
        p.vocabulary = 0x7fffffff;
        p.max_rows = 0x7fffffff;
      },
      addresses);
  for (uint64_t value : {uint64_t(0), uint64_t(1) << 62, UINT64_MAX, UINT64_MAX - 49})
    refused([&](Program &, Regions r) { r[1].block = value; }, outside);
  for (uint64_t value : {uint64_t(100), uint64_t(1) << 62, UINT64_MAX})
    refused([&](Program &, Regions r) { r[1].stride = value; }, outside);
  for (uint64_t value : {uint64_t(4300), uint64_t(1) << 62, UINT64_MAX})
    refused([&](Program &, Regions r) { r[1].offset = value; }, outside);
  const char *const blocks = "region 2 of the program's state keeps no whole blocks";
  for (uint64_t value : {uint64_t(4), uint64_t(1) << 31, UINT64_MAX})
    refused([&](Program &, Regions r) { r[2].kept = value; }, blocks);
  for (uint64_t value : {uint64_t(17), UINT64_MAX})
    refused([&](Program &, Regions r) { r[2].recent = value; }, blocks);
  refused([](Program &, Regions r) { r[2].block = 3; }, blocks);
  refused([](Program &, Regions r) { r[2].kept = 32; },
          "region 2 of the program's state lies outside it");
}
