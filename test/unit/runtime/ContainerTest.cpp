//===- ContainerTest.cpp - damaged artifacts ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArtifactBuilder.h"

#include "gtest/gtest.h"

#include <cstring>
#include <functional>

using namespace llmc::test;

namespace {

/// Checks a container in memory of exactly its size, so that a sanitizer sees what reads beyond.
llmc_status check(const Bytes &bytes) {
  Bytes copy = bytes;
  return llmc_container_check(copy.data(), copy.size());
}

/// What is said of an artifact after `damage`, the table's checksum made right again.
void expectRefused(const std::function<void(Bytes &)> &damage, int32_t code,
                   const std::string &message) {
  Bytes artifact = makeArtifact();
  damage(artifact);
  seal(artifact);
  expectStatus(check(artifact), code, message);
}

} // namespace

TEST(Container, AcceptsAGoodOne) {
  llmc_status status = check(makeArtifact());
  EXPECT_EQ(status.code, LLMC_OK) << status.message;
}

TEST(Container, IsCheckedForCodeOfAnyArchitecture) {
  struct alignas(LLMC_ALIGNMENT) Line {
    uint8_t bytes[LLMC_ALIGNMENT];
  };
  Bytes artifact = makeArtifact();
  llmc_artifact_section *sections = getSections(artifact);
  for (unsigned i = 0; i < getHeader(artifact).section_count; ++i)
    if (sections[i].kind == LLMC_SECTION_IMAGE)
      std::strcpy(sections[i].name, "riscv64");
  seal(artifact);
  std::vector<Line> aligned(artifact.size() / sizeof(Line) + 2);
  auto checkAt = [&](size_t offset, int verify) {
    uint8_t *data = aligned.front().bytes + offset;
    std::memcpy(data, artifact.data(), artifact.size());
    return llmc_artifact_check(data, artifact.size(), verify);
  };
  EXPECT_EQ(checkAt(0, /*verify=*/1).code, LLMC_OK);
  EXPECT_EQ(checkAt(8, /*verify=*/1).code, LLMC_INVALID_ARGUMENT);
  EXPECT_EQ(llmc_artifact_check(nullptr, 0, 0).code, LLMC_INVALID_ARGUMENT);
  for (unsigned i = 0; i < getHeader(artifact).section_count; ++i)
    if (sections[i].kind == LLMC_SECTION_WEIGHTS)
      artifact[sections[i].offset] ^= 1;
  EXPECT_EQ(checkAt(0, /*verify=*/0).code, LLMC_OK);
  llmc_status status = checkAt(0, /*verify=*/1);
  EXPECT_EQ(status.code, LLMC_CORRUPT);
  EXPECT_NE(std::string(status.message).find("checksum of the weights"), std::string::npos);
}

TEST(Container, RefusesEveryTruncation) {
  Bytes artifact = makeArtifact();
  expectStatus(check({}), LLMC_CORRUPT, "expected a model compiled by llmc, found another file");
  for (size_t size = 0; size < artifact.size(); size += size < 1024 ? 1 : 997)
    EXPECT_NE(check(Bytes(artifact.begin(), artifact.begin() + size)).code, LLMC_OK) << size;
  // The header's own count of bytes may agree.
  for (size_t size = sizeof(llmc_artifact_header); size < artifact.size();
       size += size < 1024 ? 1 : 997) {
    Bytes cut(artifact.begin(), artifact.begin() + size);
    getHeader(cut).file_bytes = size;
    EXPECT_NE(check(cut).code, LLMC_OK) << size;
  }
}

TEST(Container, RefusesEveryFlippedBitThatIsCovered) {
  Bytes artifact = makeArtifact();
  const llmc_artifact_section *sections = getSections(artifact);
  // Header and table, then each section but the weights, whose checksum is verified on demand.
  size_t end = sizeof(llmc_artifact_header) + 4 * sizeof(llmc_artifact_section);
  for (size_t at = 0; at < end; ++at)
    for (int bit = 0; bit < 8; ++bit) {
      artifact[at] ^= 1 << bit;
      EXPECT_NE(check(artifact).code, LLMC_OK) << "byte " << at << ", bit " << bit;
      artifact[at] ^= 1 << bit;
    }
  for (int i = 0; i < 3; ++i)
    for (size_t at = 0; at < sections[i].bytes; at += i == 2 ? 101 : 1) {
      artifact[sections[i].offset + at] ^= 0x10;
      EXPECT_EQ(check(artifact).code, LLMC_CORRUPT) << "section " << i << ", byte " << at;
      artifact[sections[i].offset + at] ^= 0x10;
    }
}

TEST(Container, RefusesWrongChecksums) {
  Bytes artifact = makeArtifact();
  ++getSections(artifact)[0].checksum;
  expectStatus(check(artifact), LLMC_CORRUPT, "the checksum of the section table is wrong");
  seal(artifact);
  expectStatus(check(artifact), LLMC_CORRUPT, "section 0: the checksum is wrong");
}

TEST(Container, RefusesAbsurdNumbers) {
  expectRefused([](Bytes &b) { getHeader(b).version = 2; }, LLMC_VERSION_MISMATCH,
                "expected container version 1, found 2");
  expectRefused([](Bytes &b) { getHeader(b).file_bytes = UINT64_MAX; }, LLMC_CORRUPT,
                "expected a file of 18446744073709551615 bytes");
  expectRefused([](Bytes &b) { getHeader(b).reserved[31] = 1; }, LLMC_CORRUPT,
                "expected zeros in what is reserved of the header");
  expectRefused([](Bytes &b) { getSections(b)[1].reserved = 1; }, LLMC_CORRUPT,
                "section 1: expected zeros in what is reserved");
  expectRefused([](Bytes &b) { getSections(b)[1].kind = 0; }, LLMC_UNSUPPORTED,
                "section 1: unknown kind 0");
  expectRefused([](Bytes &b) { getSections(b)[1].kind = 6; }, LLMC_UNSUPPORTED,
                "section 1: unknown kind 6");
  expectRefused([](Bytes &b) { std::memset(getSections(b)[1].name, 'x', 96); }, LLMC_CORRUPT,
                "section 1: the name has no end");
  for (uint64_t offset : {uint64_t(0), uint64_t(1) << 63, UINT64_MAX, UINT64_MAX - 4})
    expectRefused([&](Bytes &b) { getSections(b)[1].offset = offset; }, LLMC_CORRUPT,
                  "section 1: expected bytes within");
  for (uint64_t bytes : {uint64_t(1) << 40, uint64_t(1) << 63, UINT64_MAX})
    expectRefused([&](Bytes &b) { getSections(b)[1].bytes = bytes; }, LLMC_CORRUPT,
                  "section 1: expected bytes within");
  // Their sum wraps to a small number.
  expectRefused(
      [](Bytes &b) {
        getSections(b)[1].offset = UINT64_MAX - 15;
        getSections(b)[1].bytes = 32;
      },
      LLMC_CORRUPT, "section 1: expected bytes within");
  expectRefused([](Bytes &b) { getSections(b)[3].offset -= 64; }, LLMC_CORRUPT,
                "section 3: expected weights at a multiple of 4096");
  expectRefused([](Bytes &b) { getSections(b)[3].kind = LLMC_SECTION_FILE; }, LLMC_CORRUPT,
                "expected 1 section of weights, found 0");
  expectRefused([](Bytes &b) { getSections(b)[1] = getSections(b)[3]; }, LLMC_CORRUPT,
                "expected 1 section of weights, found 2");
}

TEST(Container, RefusesCountsOfSections) {
  for (uint32_t count : {0u, 65u, 0x2000000u, UINT32_MAX}) {
    Bytes artifact = makeArtifact();
    getHeader(artifact).section_count = count;
    llmc_status status = check(artifact);
    EXPECT_EQ(status.code, LLMC_CORRUPT);
    EXPECT_NE(std::string(status.message).find("expected 1 to 64 sections"), std::string::npos);
  }
  // A table that reaches beyond the file.
  Bytes artifact = makeArtifact();
  artifact.resize(sizeof(llmc_artifact_header) + sizeof(llmc_artifact_section));
  getHeader(artifact).file_bytes = artifact.size();
  EXPECT_STREQ(check(artifact).message, "the table of 4 sections is cut short");
}

TEST(Container, WeightsFilesMatchTheirProgram) {
  Bytes file(LLMC_ARTIFACT_WEIGHTS_ALIGNMENT + 128);
  auto *header = reinterpret_cast<llmc_weights_header *>(file.data());
  std::memcpy(header->magic, LLMC_WEIGHTS_MAGIC, sizeof header->magic);
  header->version = LLMC_ARTIFACT_VERSION;
  header->bytes = 128;
  header->hash = 99;
  auto check = [&](size_t size, uint64_t bytes, uint64_t hash) {
    return llmc_weights_file_check(file.data(), size, bytes, hash);
  };
  EXPECT_EQ(check(file.size(), 128, 99).code, LLMC_OK);
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_EQ(check(size, 128, 99).code, LLMC_CORRUPT) << size;
  expectStatus(check(file.size(), 127, 99), LLMC_CORRUPT,
               "expected 127 bytes of weights, found 128");
  expectStatus(check(file.size(), 128, 98), LLMC_CORRUPT, "the weights belong to another program");
  header->bytes = UINT64_MAX;
  expectStatus(check(file.size(), UINT64_MAX, 99), LLMC_CORRUPT,
               "expected 18446744073709551615 bytes of weights, found 128");
  header->bytes = 128;
  header->padding[3] = 1;
  expectStatus(check(file.size(), 128, 99), LLMC_CORRUPT,
               "expected zeros in what is reserved of the header");
  header->padding[3] = 0;
  header->version = 2;
  expectStatus(check(file.size(), 128, 99), LLMC_VERSION_MISMATCH, "expected version 1, found 2");
}
