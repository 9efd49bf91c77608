//===- WeightBits.h - bits of a weight, in halves ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_WEIGHTBITS_H
#define LLMC_TRANSFORMS_QUANTIZATION_WEIGHTBITS_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>
#include <string>

namespace llmc {

/// Bits of a weight on the mean: "4" or "2.5".
struct WeightBits {
  WeightBits() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): a number says the same
  WeightBits(unsigned whole) : halves(2 * whole) {}
  static WeightBits ofHalves(unsigned halves) {
    WeightBits bits;
    bits.halves = halves;
    return bits;
  }
  static std::optional<WeightBits> parse(llvm::StringRef text);

  bool isWhole() const { return halves % 2 == 0; }
  unsigned getWhole() const { return halves / 2; }
  std::string str() const { return std::to_string(getWhole()) + (isWhole() ? "" : ".5"); }
  bool operator==(const WeightBits &) const = default;

  unsigned halves = 0; ///< half bits
};

inline llvm::raw_ostream &operator<<(llvm::raw_ostream &stream, const WeightBits &bits) {
  return stream << bits.str();
}

} // namespace llmc

template <>
class llvm::cl::parser<llmc::WeightBits> : public llvm::cl::basic_parser<llmc::WeightBits> {
public:
  using basic_parser::basic_parser;

  /// Gives true where `text` is no such number, which is reported.
  bool parse(Option &option, StringRef, StringRef text, llmc::WeightBits &value) {
    std::optional<llmc::WeightBits> found = llmc::WeightBits::parse(text);
    if (!found)
      return option.error("expected a number of bits, found '" + text + "'");
    value = *found;
    return false;
  }
  StringRef getValueName() const override { return "bits"; }
  // llvm::cl finds it by name, not as a virtual method.
  // NOLINTNEXTLINE(bugprone-derived-method-shadowing-base-method)
  void printOptionDiff(const Option &option, const llmc::WeightBits &value,
                       const OptionValue<llmc::WeightBits> &, size_t width) const {
    printOptionName(option, width);
    outs() << "= " << value << "\n";
  }
};

#endif // LLMC_TRANSFORMS_QUANTIZATION_WEIGHTBITS_H
