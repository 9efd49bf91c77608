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
#include "llmc/Transforms/Quantization/WeightFormat.h"

#include "mlir/IR/BuiltinOps.h"

#include <optional>
#include <string>
#include <vector>

namespace llmc {

enum class ScaleType { Auto, F32, F16, BF16 };
enum class ActivationRounding { Auto, None, I8, I8Static, I4, FP8 };
enum class ClipSearch { Auto, On, Off, Inputs };
enum class TrellisNumbers { Normal, Learned, Model };

/// The options of a quantization pass (QuantizationOptions.td) as they are given.
struct QuantizationRequest {
  std::string format = "int";
  WeightBits bits; ///< 0: the format's own
  /// Of the head and the token embedding: FORMAT[:BITS[:GROUP]]; `none`: they are left alone;
  /// `same`: they are like all other weights.
  std::string headFormat = "none";
  /// REGEX=FORMAT[:BITS[:GROUP]]: of parameters whose name an expression matches, the first that
  /// does.
  std::vector<std::string> formats;
  std::string groupSize;       ///< a number, `channel` or `tensor`; empty: the format's own
  std::string sharing = "row"; ///< a number of rows, `row` or `matrix`
  unsigned scaleBits = 0;      ///< 0: the format's own
  int64_t scaleGroup = 0;      ///< 0: the format's own
  bool symmetric = true;
  ZeroPoint zero = ZeroPoint::Integer;
  ScaleType scale = ScaleType::Auto;
  ClipSearch search = ClipSearch::Auto;
  ActivationRounding activation = ActivationRounding::Auto;
  int64_t activationGroup = -1;  ///< 32 with i8, all of a token's with i4 and fp8
  double activationOutliers = 0; ///< the magnitude above which inputs stay as they are; 0: none do
  TrellisNumbers trellisTable = TrellisNumbers::Normal;
};

/// How weights are stored, and the inputs that they are multiplied with.
struct WeightStorage {
  EncodingInterface encoding; ///< null: they are left alone
  DynamicAttr activation;     ///< null: inputs are not rounded
  /// Whether `activation` gets the range that calibration finds at each linear.
  bool hasRange = false;
};

/// How weights are stored of parameters whose names a regular expression matches.
struct StorageRule {
  std::string pattern;
  WeightStorage storage;
};

/// What the options of a quantization pass ask for.
struct QuantizationPlan {
  WeightStorage others; ///< of weights that nothing else is said of
  WeightStorage head;   ///< of the head and the token embedding
  /// Whether these are treated like all other weights.
  bool headIsLikeOthers = false;
  std::vector<StorageRule> rules;
  ClipSearch search = ClipSearch::Auto;
  TrellisNumbers trellisTable = TrellisNumbers::Normal;
  /// Where these are the model's, once they are learned (learnSharedTables()).
  std::shared_ptr<const SharedTables> tables;
  double activationOutliers = 0; ///< as QuantizationRequest has it

  /// Whether grids are searched where nothing is known of the inputs. The least squared error of
  /// the weights is not the least error of the outputs: large weights are clipped that few but
  /// large inputs meet.
  bool searchesNearest() const { return search == ClipSearch::On; }
  /// The same where calibration says what an error in each column costs.
  bool searchesCalibrated() const { return search != ClipSearch::Off; }

  /// How numbers are found where calibration says nothing, and where it does.
  FitOptions getNearestFit() const {
    return {searchesNearest(), trellisTable == TrellisNumbers::Learned, tables};
  }
  FitOptions getCalibratedFit() const {
    return {searchesCalibrated(), trellisTable == TrellisNumbers::Learned, tables};
  }

  /// How a parameter's weights are stored; `isHead` says whether it is the head or the token
  /// embedding.
  const WeightStorage &getStorage(llvm::StringRef parameter, bool isHead) const;
  /// All encodings but one of the head alone.
  llvm::SmallVector<EncodingInterface> getEncodings() const;
  /// How all are stored that calibration sees the inputs of.
  llvm::SmallVector<WeightStorage> getCalibrated() const;
  /// Whether any of these has a range.
  bool hasRanges() const;
  /// Warns at the module of expressions that match no name of these parameters.
  void warnOfUnused(mlir::ModuleOp module, llvm::ArrayRef<llvm::StringRef> parameters) const;

  /// Reports at `location` what can't be done.
  static mlir::FailureOr<QuantizationPlan> get(mlir::Location location,
                                               const QuantizationRequest &request);
};

/// "#llmc.grouped<…> activation=#llmc.dynamic<…> head … 'down' … mse=0,1"
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
class llvm::cl::parser<llmc::TrellisNumbers> : public llmc::ChoiceParser<llmc::TrellisNumbers> {
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
