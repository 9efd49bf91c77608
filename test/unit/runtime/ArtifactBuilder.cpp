//===- ArtifactBuilder.cpp - artifacts made by hand ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArtifactBuilder.h"

#include "FakeProgram.h"
#include "llmc/llmc.h"

#include "gtest/gtest.h"

#include <cstring>
#include <fstream>
#include <iterator>
#include <unistd.h>

using namespace llmc::test;

static Bytes readFile(const char *path) {
  std::ifstream stream(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(stream), {});
}

Bytes llmc::test::makeArtifact(uint8_t weight, const char *image,
                               const std::vector<Bytes> &ofGPUs) {
  const std::string description = "{\"name\": \"fake\"}", text = "hello";
  struct Part {
    uint32_t kind;
    const char *name;
    Bytes bytes;
  };
  std::vector<Part> parts = {
      {LLMC_SECTION_DESCRIPTION, "description.json", Bytes(description.begin(), description.end())},
      {LLMC_SECTION_FILE, "hello.txt", Bytes(text.begin(), text.end())},
      {LLMC_SECTION_IMAGE, llmc_cpu_architecture(), readFile(image)},
      {LLMC_SECTION_WEIGHTS, "weights", Bytes(fakeWeightsBytes, weight)}};
  for (const Bytes &code : ofGPUs)
    parts.push_back({LLMC_SECTION_CUDA, "code", code});
  std::vector<llmc_artifact_section> table;
  Bytes artifact(sizeof(llmc_artifact_header) + parts.size() * sizeof(llmc_artifact_section));
  for (const Part &part : parts) {
    size_t alignment = part.kind == LLMC_SECTION_WEIGHTS ? LLMC_ARTIFACT_WEIGHTS_ALIGNMENT : 64;
    artifact.resize((artifact.size() + alignment - 1) / alignment * alignment);
    llmc_artifact_section section{};
    section.kind = part.kind;
    section.offset = artifact.size();
    section.bytes = part.bytes.size();
    section.checksum = llmc_hash(part.bytes.data(), part.bytes.size());
    std::strcpy(section.name, part.name);
    table.push_back(section);
    artifact.insert(artifact.end(), part.bytes.begin(), part.bytes.end());
  }
  std::memcpy(getSections(artifact), table.data(), table.size() * sizeof table[0]);
  llmc_artifact_header &header = getHeader(artifact);
  std::memcpy(header.magic, LLMC_ARTIFACT_MAGIC, sizeof header.magic);
  header.version = LLMC_ARTIFACT_VERSION;
  header.section_count = table.size();
  header.file_bytes = artifact.size();
  seal(artifact);
  return artifact;
}

llmc_artifact_header &llmc::test::getHeader(Bytes &artifact) {
  return *reinterpret_cast<llmc_artifact_header *>(artifact.data());
}

llmc_artifact_section *llmc::test::getSections(Bytes &artifact) {
  return reinterpret_cast<llmc_artifact_section *>(artifact.data() + sizeof(llmc_artifact_header));
}

void llmc::test::seal(Bytes &artifact) {
  llmc_artifact_header &header = getHeader(artifact);
  header.table_checksum =
      llmc_hash(getSections(artifact), header.section_count * sizeof(llmc_artifact_section));
}

void llmc::test::expectStatus(const llmc_status &status, int32_t code, const std::string &message) {
  EXPECT_EQ(status.code, code) << status.message;
  EXPECT_NE(std::string(status.message).find(message), std::string::npos) << status.message;
}

TemporaryFile::TemporaryFile(const Bytes &contents) {
  name = ::testing::TempDir() + "llmc-test-XXXXXX";
  int file = mkstemp(name.data());
  if (file < 0 || write(file, contents.data(), contents.size()) != ssize_t(contents.size()))
    ADD_FAILURE() << "cannot write " << name;
  close(file);
}

TemporaryFile::~TemporaryFile() { unlink(name.c_str()); }

Model::Model(uint32_t threads, const llmc_driver *driver) : file(makeArtifact()) {
  llmc_model_options options = llmc_model_default_options();
  options.threads = threads;
  options.driver = driver;
  llmc_status status = llmc_model_load(file.path(), &options, &model);
  EXPECT_EQ(status.code, LLMC_OK) << status.message;
}

Model::Model(const Bytes &artifact, const llmc_model_options &options) : file(artifact) {
  llmc_status status = llmc_model_load(file.path(), &options, &model);
  EXPECT_EQ(status.code, LLMC_OK) << status.message;
}
