//===- ElfSection.cpp - finds a section of native code ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElfSection.h"

#include <cstring>
#include <elf.h>

namespace llmc::driver {

namespace {

/// A structure at `offset`, wherever it is aligned.
template <typename T>
std::optional<T> readStructure(std::span<const uint8_t> file, uint64_t offset) {
  if (offset > file.size() || sizeof(T) > file.size() - offset)
    return std::nullopt;
  T value;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

std::optional<std::string_view> getContents(std::span<const uint8_t> file,
                                            const Elf64_Shdr &section) {
  if (section.sh_type == SHT_NOBITS || section.sh_offset > file.size() ||
      section.sh_size > file.size() - section.sh_offset)
    return std::nullopt;
  return std::string_view(reinterpret_cast<const char *>(file.data() + section.sh_offset),
                          section.sh_size);
}

} // namespace

std::optional<std::string_view> findElfSection(std::span<const uint8_t> file,
                                               std::string_view name) {
  std::optional<Elf64_Ehdr> header = readStructure<Elf64_Ehdr>(file, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
      header->e_shentsize != sizeof(Elf64_Shdr) || header->e_shoff > file.size())
    return std::nullopt;
  auto getSection = [&](uint64_t index) {
    return readStructure<Elf64_Shdr>(file, header->e_shoff + index * sizeof(Elf64_Shdr));
  };
  std::optional<Elf64_Shdr> nameSection = getSection(header->e_shstrndx);
  std::optional<std::string_view> names =
      nameSection ? getContents(file, *nameSection) : std::nullopt;
  // A file that is cut short lacks the end of its table.
  if (!names || header->e_shnum == 0 || !getSection(header->e_shnum - 1))
    return std::nullopt;
  for (uint64_t index = 0; index < header->e_shnum; ++index) {
    std::optional<Elf64_Shdr> section = getSection(index);
    if (!section || section->sh_name >= names->size())
      return std::nullopt;
    std::string_view found = names->substr(section->sh_name);
    if (found.substr(0, found.find('\0')) == name)
      return getContents(file, *section);
  }
  return std::nullopt;
}

} // namespace llmc::driver
