//===- ArtifactBuilder.h - artifacts made by hand ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_RUNTIME_ARTIFACTBUILDER_H
#define LLMC_TEST_UNIT_RUNTIME_ARTIFACTBUILDER_H

#include "llmc/artifact.h"
#include "llmc/llmc.h"

#include <string>
#include <vector>

extern "C" {
#include "container.h"
}

namespace llmc::test {

using Bytes = std::vector<uint8_t>;

/// An artifact of a description, a file, an image, the fake program's unless another's path is
/// given, and its weights.
/// Beside them, code for GPUs as sections of these contents.
Bytes makeArtifact(uint8_t weight = 7, const char *image = FAKE_IMAGE,
                   const std::vector<Bytes> &ofGPUs = {});

/// The header and the table of an artifact, to be read and changed.
llmc_artifact_header &getHeader(Bytes &artifact);
llmc_artifact_section *getSections(Bytes &artifact);

/// Makes the checksum of the section table right again.
void seal(Bytes &artifact);

/// Expects a status of that code whose message contains `message`.
void expectStatus(const llmc_status &status, int32_t code, const std::string &message);

/// A file of that content that is removed at the end.
class TemporaryFile {
public:
  explicit TemporaryFile(const Bytes &contents);
  ~TemporaryFile();
  const char *path() const { return name.c_str(); }

private:
  std::string name;
};

/// Loads a model; fails the test where that fails. Released at the end.
class Model {
public:
  explicit Model(uint32_t threads = 1, const llmc_driver *driver = nullptr);
  Model(const Bytes &artifact, const llmc_model_options &options);
  ~Model() { llmc_model_release(model); }
  operator llmc_model *() { return model; }

private:
  TemporaryFile file;
  llmc_model *model = nullptr;
};

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_RUNTIME_ARTIFACTBUILDER_H
