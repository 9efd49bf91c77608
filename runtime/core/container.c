/*===- container.c - an artifact or a file of weights, mapped and checked ---===*/
/* Part of llmc, under the Apache License v2.0 with LLVM Exceptions.          */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    */
/*===----------------------------------------------------------------------===*/

#define _GNU_SOURCE
#include "container.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t llmc_hash(const void *data, size_t size) { return XXH3_64bits(data, size); }

llmc_status llmc_map_file(const char *path, llmc_mapping *mapping) {
  struct stat info = {0};
  void *data;
  int error, file = open(path, O_RDONLY | O_CLOEXEC);
  mapping->data = NULL;
  mapping->size = 0;
  if (file < 0)
    return llmc_make_status(errno == ENOENT ? LLMC_NOT_FOUND : LLMC_IO_ERROR,
                            "cannot open '%s': %s", path, strerror(errno));
  if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size <= 0) {
    close(file);
    return llmc_make_status(LLMC_CORRUPT, "'%s': expected a file that is not empty, found %s", path,
                            S_ISREG(info.st_mode)   ? "an empty one"
                            : S_ISDIR(info.st_mode) ? "a folder"
                                                    : "what is no regular file");
  }
  data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, file, 0);
  error = errno;
  close(file);
  if (data == MAP_FAILED)
    return llmc_make_status(LLMC_IO_ERROR, "cannot map '%s': %s", path, strerror(error));
  mapping->data = data;
  mapping->size = (size_t)info.st_size;
  return llmc_ok_status();
}

void llmc_unmap_file(llmc_mapping *mapping) {
  if (mapping->data)
    munmap((void *)mapping->data, mapping->size);
  mapping->data = NULL;
}

const llmc_artifact_section *llmc_container_sections(const uint8_t *data, uint32_t *count) {
  *count = ((const llmc_artifact_header *)data)->section_count;
  return (const llmc_artifact_section *)(data + sizeof(llmc_artifact_header));
}

const llmc_artifact_section *llmc_container_find(const uint8_t *data, uint32_t kind,
                                                 const char *name) {
  uint32_t count;
  const llmc_artifact_section *sections = llmc_container_sections(data, &count);
  for (uint32_t i = 0; i < count; ++i)
    if (sections[i].kind == kind && (!name || strcmp(sections[i].name, name) == 0))
      return &sections[i];
  return NULL;
}

static int is_zero(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; ++i)
    if (bytes[i])
      return 0;
  return 1;
}

static llmc_status check_section(const uint8_t *data, const llmc_artifact_section *section,
                                 uint32_t index, uint64_t first, size_t size) {
  if (section->kind < LLMC_SECTION_DESCRIPTION || section->kind > LLMC_SECTION_CUDA)
    return llmc_make_status(LLMC_UNSUPPORTED, "section %u: unknown kind %u", index, section->kind);
  if (section->reserved)
    return llmc_make_status(LLMC_CORRUPT, "section %u: expected zeros in what is reserved", index);
  if (!memchr(section->name, 0, sizeof section->name))
    return llmc_make_status(LLMC_CORRUPT, "section %u: the name has no end", index);
  if (section->offset < first || section->offset > size || section->bytes > size - section->offset)
    return llmc_make_status(
        LLMC_CORRUPT, "section %u: expected bytes within %llu to %zu, found %llu at offset %llu",
        index, (unsigned long long)first, size, (unsigned long long)section->bytes,
        (unsigned long long)section->offset);
  if (section->kind == LLMC_SECTION_WEIGHTS) {
    if (section->offset % LLMC_ARTIFACT_WEIGHTS_ALIGNMENT)
      return llmc_make_status(
          LLMC_CORRUPT, "section %u: expected weights at a multiple of %u, found offset %llu",
          index, LLMC_ARTIFACT_WEIGHTS_ALIGNMENT, (unsigned long long)section->offset);
    return llmc_ok_status();
  }
  if (llmc_hash(data + section->offset, section->bytes) != section->checksum)
    return llmc_make_status(LLMC_CORRUPT, "section %u: the checksum is wrong: the file is damaged",
                            index);
  return llmc_ok_status();
}

llmc_status llmc_container_check(const uint8_t *data, size_t size) {
  const llmc_artifact_header *header = (const llmc_artifact_header *)data;
  const llmc_artifact_section *sections;
  uint64_t table_bytes;
  uint32_t weights = 0;
  if (size < sizeof *header ||
      memcmp(header->magic, LLMC_ARTIFACT_MAGIC, sizeof header->magic) != 0)
    return llmc_make_status(LLMC_CORRUPT, "expected a model compiled by llmc, found another file");
  if (header->version != LLMC_ARTIFACT_VERSION)
    return llmc_make_status(LLMC_VERSION_MISMATCH, "expected container version %u, found %u",
                            LLMC_ARTIFACT_VERSION, header->version);
  if (header->file_bytes != size)
    return llmc_make_status(LLMC_CORRUPT,
                            "expected a file of %llu bytes, found %zu: it is cut short",
                            (unsigned long long)header->file_bytes, size);
  if (!is_zero(header->reserved, sizeof header->reserved))
    return llmc_make_status(LLMC_CORRUPT, "expected zeros in what is reserved of the header");
  if (header->section_count == 0 || header->section_count > LLMC_ARTIFACT_MAX_SECTIONS)
    return llmc_make_status(LLMC_CORRUPT, "expected 1 to %u sections, found %u",
                            LLMC_ARTIFACT_MAX_SECTIONS, header->section_count);
  table_bytes = (uint64_t)header->section_count * sizeof *sections;
  if (table_bytes > size - sizeof *header)
    return llmc_make_status(LLMC_CORRUPT, "the table of %u sections is cut short",
                            header->section_count);
  sections = (const llmc_artifact_section *)(data + sizeof *header);
  if (llmc_hash(sections, table_bytes) != header->table_checksum)
    return llmc_make_status(LLMC_CORRUPT, "the checksum of the section table is wrong");
  for (uint32_t i = 0; i < header->section_count; ++i) {
    llmc_status status = check_section(data, &sections[i], i, sizeof *header + table_bytes, size);
    if (!llmc_status_ok(&status))
      return status;
    weights += sections[i].kind == LLMC_SECTION_WEIGHTS;
  }
  if (weights != 1)
    return llmc_make_status(LLMC_CORRUPT, "expected 1 section of weights, found %u", weights);
  return llmc_ok_status();
}

llmc_status llmc_weights_file_check(const uint8_t *data, size_t size, uint64_t bytes,
                                    uint64_t hash) {
  const llmc_weights_header *header = (const llmc_weights_header *)data;
  if (size < LLMC_ARTIFACT_WEIGHTS_ALIGNMENT ||
      memcmp(header->magic, LLMC_WEIGHTS_MAGIC, sizeof header->magic) != 0)
    return llmc_make_status(LLMC_CORRUPT, "expected a file of weights, found another file");
  if (header->version != LLMC_ARTIFACT_VERSION)
    return llmc_make_status(LLMC_VERSION_MISMATCH, "expected version %u, found %u",
                            LLMC_ARTIFACT_VERSION, header->version);
  if (header->reserved || !is_zero(header->padding, sizeof header->padding))
    return llmc_make_status(LLMC_CORRUPT, "expected zeros in what is reserved of the header");
  if (header->bytes != bytes || size - LLMC_ARTIFACT_WEIGHTS_ALIGNMENT != bytes)
    return llmc_make_status(LLMC_CORRUPT, "expected %llu bytes of weights, found %llu",
                            (unsigned long long)bytes,
                            (unsigned long long)(size - LLMC_ARTIFACT_WEIGHTS_ALIGNMENT));
  if (header->hash != hash)
    return llmc_make_status(LLMC_CORRUPT, "the weights belong to another program");
  return llmc_ok_status();
}
