//===- QuantizationOptions.h - what all quantization passes let one choose ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_QUANTIZATIONOPTIONS_H
#define LLMC_TRANSFORMS_QUANTIZATION_QUANTIZATIONOPTIONS_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Support/ChoiceParser.h"

namespace llmc {

enum class ScaleType { F32, F16, BF16 };
enum class ActivationRounding { None, I8 };
enum class ClipSearch { Auto, On, Off };

/// What the options of a quantization pass (QuantizationOptions.td) ask for.
struct QuantizationPlan {
  GroupedAttr encoding;
  GroupedAttr headEncoding; ///< of the head and the token embedding; null: they are left alone
  ClipSearch search = ClipSearch::Auto;
  DynamicAttr activation; ///< null: inputs are not rounded

  /// Whether grids are searched where nothing is known of the inputs. The least squared error of
  /// the weights is not the least error of the outputs: large weights are clipped that few but
  /// large inputs meet.
  bool searchesNearest() const { return search == ClipSearch::On; }
  /// The same where calibration says what an error in each column costs.
  bool searchesCalibrated() const { return search != ClipSearch::Off; }

  GroupedAttr getEncoding(bool isHead) const { return isHead ? headEncoding : encoding; }

  /// Reports at `location` what can't be done. `headBits` is 0 where the head is left alone;
  /// `groupSize` is a number, `channel` or `tensor`.
  static mlir::FailureOr<QuantizationPlan> get(mlir::Location location, unsigned bits,
                                               unsigned headBits, llvm::StringRef groupSize,
                                               bool symmetric, ZeroPoint zero, ScaleType scale,
                                               ClipSearch search, ActivationRounding activation,
                                               int64_t activationGroup);
};

/// "#llmc.grouped<…> head #llmc.grouped<…> mse=0,1 activation=#llmc.dynamic<…>"
llvm::raw_ostream &operator<<(llvm::raw_ostream &stream, const QuantizationPlan &plan);

} // namespace llmc

template <>
class llvm::cl::parser<llmc::ZeroPoint> : public llmc::ChoiceParser<llmc::ZeroPoint> {
public:
  using ChoiceParser::ChoiceParser;
};

template <>
class llvm::cl::parser<llmc::ScaleType> : public llmc::ChoiceParser<llmc::ScaleType> {
public:
  using ChoiceParser::ChoiceParser;
};

template <>
class llvm::cl::parser<llmc::ActivationRounding>
    : public llmc::ChoiceParser<llmc::ActivationRounding> {
public:
  using ChoiceParser::ChoiceParser;
};

template <>
class llvm::cl::parser<llmc::ClipSearch> : public llmc::ChoiceParser<llmc::ClipSearch> {
public:
  using ChoiceParser::ChoiceParser;
  // llvm::cl finds both by name, not as virtual methods.
  // NOLINTBEGIN(bugprone-derived-method-shadowing-base-method)
  /// The name of the option alone asks for it.
  ValueExpected getValueExpectedFlagDefault() const { return ValueOptional; }
  bool parse(Option &option, StringRef name, StringRef text, llmc::ClipSearch &value) {
    return ChoiceParser::parse(option, name, text.empty() ? "true" : text, value);
  }
  // NOLINTEND(bugprone-derived-method-shadowing-base-method)
};

#endif // LLMC_TRANSFORMS_QUANTIZATION_QUANTIZATIONOPTIONS_H
