//===- ElfSection.h - finds a section of native code ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_ELFSECTION_H
#define LLMC_TOOLS_ELFSECTION_H

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace llmc::driver {

inline constexpr std::string_view elfMagic = "\177ELF";

/// The bytes of the first section with that name in an ELF file of 64 bits, little-endian, for any
/// architecture; nothing where there is none, or where the file is damaged. Reads nothing outside
/// of `file`.
std::optional<std::string_view> findElfSection(std::span<const uint8_t> file,
                                               std::string_view name);

} // namespace llmc::driver

#endif // LLMC_TOOLS_ELFSECTION_H
