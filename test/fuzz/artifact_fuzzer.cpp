//===- artifact_fuzzer.cpp - hostile artifacts ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Checks bytes as an artifact and as a file of weights, and reads all that a checked artifact says
// it has. Checksums would keep almost every input out: by its first byte an input is taken as it
// is, or with checksums made right, or with offsets and sizes brought into the file as well.
//
//===----------------------------------------------------------------------===//

#include "llmc/artifact.h"

extern "C" {
#include "container.h"
}

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

static void require(bool condition) {
  if (!condition)
    std::abort();
}

/// Makes what guards an artifact right, so that what lies behind is reached.
static void repair(uint8_t *data, size_t size, bool moveSections) {
  auto *header = reinterpret_cast<llmc_artifact_header *>(data);
  if (size < sizeof *header)
    return;
  std::memcpy(header->magic, LLMC_ARTIFACT_MAGIC, sizeof header->magic);
  header->version = LLMC_ARTIFACT_VERSION;
  header->file_bytes = size;
  std::memset(header->reserved, 0, sizeof header->reserved);
  auto *sections = reinterpret_cast<llmc_artifact_section *>(data + sizeof *header);
  size_t fit = (size - sizeof *header) / sizeof *sections;
  if (moveSections && fit)
    header->section_count = 1 + header->section_count % std::min<size_t>(fit, 8);
  size_t count = std::min<size_t>(header->section_count, fit);
  for (size_t i = 0; i < count; ++i) {
    llmc_artifact_section &section = sections[i];
    if (moveSections) {
      section.kind = 1 + section.kind % 4;
      section.reserved = 0;
      section.offset %= size + 2;
      section.bytes %= size + 2;
      if (section.kind == LLMC_SECTION_WEIGHTS)
        section.offset -= section.offset % LLMC_ARTIFACT_WEIGHTS_ALIGNMENT;
    }
    if (section.offset <= size && section.bytes <= size - section.offset)
      section.checksum = llmc_hash(data + section.offset, section.bytes);
  }
  header->table_checksum = llmc_hash(sections, count * sizeof *sections);
}

static unsigned readAll(const uint8_t *data, size_t size) {
  unsigned sum = 0;
  for (size_t i = 0; i < size; ++i)
    sum += data[i];
  return sum;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  uint8_t mode = data[0] % 3;
  ++data;
  --size;
  // Artifacts are mapped, so aligned; of exactly this size, so that reading beyond is seen.
  std::unique_ptr<uint8_t, void (*)(void *)> copy(
      static_cast<uint8_t *>(std::malloc(std::max<size_t>(size, 1))), std::free);
  if (size)
    std::memcpy(copy.get(), data, size);
  if (mode != 0)
    repair(copy.get(), size, mode == 2);

  volatile unsigned sum = 0;
  llmc_status status = llmc_container_check(copy.get(), size);
  require((status.code == LLMC_OK) == (status.message[0] == '\0'));
  if (status.code == LLMC_OK) {
    uint32_t count = 0, weights = 0;
    const llmc_artifact_section *sections = llmc_container_sections(copy.get(), &count);
    require(count >= 1 && count <= LLMC_ARTIFACT_MAX_SECTIONS);
    for (uint32_t i = 0; i < count; ++i) {
      sum = sum + readAll(copy.get() + sections[i].offset, sections[i].bytes);
      const llmc_artifact_section *found =
          llmc_container_find(copy.get(), sections[i].kind, sections[i].name);
      require(found && found <= &sections[i]);
      weights += sections[i].kind == LLMC_SECTION_WEIGHTS;
    }
    require(weights == 1);
  }
  // With the size and hash that it claims itself.
  if (size >= sizeof(llmc_weights_header)) {
    auto *header = reinterpret_cast<const llmc_weights_header *>(copy.get());
    status = llmc_weights_file_check(copy.get(), size, header->bytes, header->hash);
    if (status.code == LLMC_OK)
      sum = sum + readAll(copy.get() + LLMC_ARTIFACT_WEIGHTS_ALIGNMENT, header->bytes);
  }
  return 0;
}
