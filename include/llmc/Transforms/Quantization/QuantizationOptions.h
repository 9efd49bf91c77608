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

#include <optional>
#include <string>

namespace llmc {

enum class ScaleType { Auto, F32, F16, BF16 };
enum class ActivationRounding { Auto, None, I8 };
enum class ClipSearch { Auto, On, Off };

/// The options of a quantization pass (QuantizationOptions.td) as they are given.
struct QuantizationRequest {
  std::string format = "int";
  unsigned bits = 0; ///< 0: the format's own
  /// Of the head and the token embedding, as integers; 0: they are left alone; none: they are like
  /// all other weights.
  std::optional<unsigned> headBits = 0;
  std::string groupSize; ///< a number, `channel` or `tensor`; empty: the format's own
  bool symmetric = true;
  ZeroPoint zero = ZeroPoint::Integer;
  ScaleType scale = ScaleType::Auto;
  ClipSearch search = ClipSearch::Auto;
  ActivationRounding activation = ActivationRounding::Auto;
  int64_t activationGroup = 32;
};

/// What the options of a quantization pass ask for.
struct QuantizationPlan {
  EncodingInterface encoding;
  EncodingInterface
      headEncoding; ///< of the head and the token embedding; null: they are left alone
  ClipSearch search = ClipSearch::Auto;
  DynamicAttr activation; ///< null: inputs are not rounded

  /// Whether grids are searched where nothing is known of the inputs. The least squared error of
  /// the weights is not the least error of the outputs: large weights are clipped that few but
  /// large inputs meet.
  bool searchesNearest() const { return search == ClipSearch::On; }
  /// The same where calibration says what an error in each column costs.
  bool searchesCalibrated() const { return search != ClipSearch::Off; }

  EncodingInterface getEncoding(bool isHead) const { return isHead ? headEncoding : encoding; }

  /// Reports at `location` what can't be done.
  static mlir::FailureOr<QuantizationPlan> get(mlir::Location location,
                                               const QuantizationRequest &request);
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
