//===- QuantizationOptions.td - what all quantization passes let one choose -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_QUANTIZATION_QUANTIZATIONOPTIONS_TD
#define LLMC_TRANSFORMS_QUANTIZATION_QUANTIZATIONOPTIONS_TD

include "llmc/Transforms/CompressionOptions.td"

/// The numbers that weights are rounded to.
defvar numberOptions = [
  Option<"bits", "bits", "::llmc::WeightBits", /*default=*/"::llmc::WeightBits()",
         "Bits of a weight, with format=int 1 to 8, with format=trellis 2, 2.5, 3 ... 5, with format=codebook 2 "
         "to 8, with format=bilevel 1 to 5; 0: the format's own, 3 for bilevel and 4 for the others">,
  Option<"scale", "scale", "::llmc::ScaleType", /*default=*/"::llmc::ScaleType::Auto",
         "Type of scales and floating-point minima",
         [{::llvm::cl::values(clEnumValN(::llmc::ScaleType::Auto, "auto",
                                         "the format's own, f16 where it has none"),
                              clEnumValN(::llmc::ScaleType::F32, "f32", "32 bits"),
                              clEnumValN(::llmc::ScaleType::F16, "f16", "16 bits, IEEE half"),
                              clEnumValN(::llmc::ScaleType::BF16, "bf16", "16 bits, bfloat16"))}]>
];

/// What all quantization passes let one choose: how many bits, which weights, what of activations.
defvar roundingOptions = !listconcat(numberOptions, [
  Option<"headFormat", "head-format", "std::string", /*default=*/"\"int:8\"",
         "How the head and the token embedding are stored: FORMAT[:BITS[:GROUP]] as with formats; none: "
         "they are left alone; same: like all other weights">,
  ListOption<"formats", "formats", "std::string",
             "Pairs REGEX=FORMAT[:BITS[:GROUP]]: how parameters are stored whose name an expression "
             "matches, the first that does. Where nothing is said, group-size, symmetric, zero and scale "
             "hold for int and for the pass's own format, whose bits are those of the pass; else the "
             "format's own">,
  Option<"activation", "activation", "::llmc::ActivationRounding",
         /*default=*/"::llmc::ActivationRounding::Auto", "How inputs are rounded when computing",
         [{::llvm::cl::values(
             clEnumValN(::llmc::ActivationRounding::Auto, "auto",
                        "i8 where products with the weights are integers then, else none"),
             clEnumValN(::llmc::ActivationRounding::None, "none", "not at all: fp32 arithmetic"),
             clEnumValN(::llmc::ActivationRounding::I8, "i8",
                        "to 8 bits, with a scale per group found while running"),
             clEnumValN(::llmc::ActivationRounding::I8Static, "i8-static",
                        "to 8 bits, with a scale per matrix, from the largest input in calibration"),
             clEnumValN(::llmc::ActivationRounding::I4, "i4",
                        "to 4 bits, as i8: for inputs that are rotated"),
             clEnumValN(::llmc::ActivationRounding::FP8, "fp8",
                        "to fp8 (e4m3) times a scale per group, in fp32 arithmetic"))}]>,
  Option<"activationGroup", "activation-group", "int64_t", /*default=*/"-1",
         "Inputs that share a scale found while running, a multiple of 32; 0: all of a token's; -1: 32 "
         "with i8, all of a token's with i4 and fp8">,
  Option<"activationOutliers", "activation-outliers", "double", /*default=*/"0",
         "Where inputs are rounded, by passes that calibrate: inputs of a magnitude above this in "
         "calibration, and what they are multiplied with, stay as they are; 0: none do">,
  Option<"requantize", "requantize", "bool", /*default=*/"false",
         "Take in weights too that are rounded already, by their decoded values">
]);

/// How the numbers of groups are fitted.
defvar fittingOptions = [
  Option<"groupSize", "group-size", "std::string", /*default=*/"\"\"",
         "Inputs that share a scale: a number, 'channel' (a whole row) or 'tensor'; default: the "
         "format's own, 128 for int, 64 for nf4 and fp4, 16 for bilevel, 'channel' for fp8, ternary, codebook and trellis">,
  Option<"sharing", "sharing", "std::string", /*default=*/"\"row\"",
         "With format=codebook: rows that share a table: 'row' (each has its own), a multiple of 16, or "
         "'matrix'">,
  Option<"symmetric", "symmetric", "bool", /*default=*/"true",
         "Numbers on both sides of zero alike, with no zero point stored">,
  Option<"zero", "zero", "::llmc::ZeroPoint", /*default=*/"::llmc::ZeroPoint::Integer",
         "With symmetric=false: what is stored to say where zero is",
         [{::llvm::cl::values(
             clEnumValN(::llmc::ZeroPoint::Integer, "integer", "the code that stands for zero"),
             clEnumValN(::llmc::ZeroPoint::Float, "float", "the value of code 0"))}]>,
  Option<"mse", "mse", "::llmc::ClipSearch", /*default=*/"::llmc::ClipSearch::Auto",
         "Search the grid of each group that loses least, instead of one that covers all of it",
         [{::llvm::cl::values(
             clEnumValN(::llmc::ClipSearch::Auto, "auto", "where calibration says what errors cost"),
             clEnumValN(::llmc::ClipSearch::On, "true", "always"),
             clEnumValN(::llmc::ClipSearch::Inputs, "inputs",
                        "with quantize-rtn: clip each group so that outputs for calibration's inputs "
                        "change least"),
             clEnumValN(::llmc::ClipSearch::Off, "false", "never"))}]>
];
defvar gridOptions = !listconcat(fittingOptions, roundingOptions);

/// How weights are stored.
defvar formatOptions = [
  Option<"format", "format", "std::string", /*default=*/"\"int\"",
         "How weights are stored: int (integers of `bits` bits with a scale per group), nf4 (4-bit "
         "numbers that lie as normally distributed weights do), fp4, fp8, fp8-e5m2 (floats with a "
         "scale per group), mxfp4, mxfp6, mxfp6-e3m2, mxfp8, mxfp8-e5m2, mxint8 (groups of 32 with a "
         "power of two), nvfp4 (fp4, groups of 16, scales of fp8 and one of the matrix), ternary (-1, 0 "
         "and 1 times a scale per group), bilevel (integers of `bits` bits with scales and zero points of 3 bits "
         "per group, which are those of 16 groups), codebook (2^bits numbers that are learned from the weights of a "
         "row, or of several) or trellis (paths of `bits` bits a weight through 256 numbers, with a scale "
         "per row)">
];

/// How weights are stored, in any format, and fitted.
defvar quantizationOptions = !listconcat(formatOptions, gridOptions, [
  Option<"trellisTable", "trellis-table", "::llmc::TrellisNumbers",
         /*default=*/"::llmc::TrellisNumbers::Normal", "With format=trellis: the numbers of paths",
         [{::llvm::cl::values(
             clEnumValN(::llmc::TrellisNumbers::Normal, "normal",
                        "those for normally distributed weights"),
             clEnumValN(::llmc::TrellisNumbers::Learned, "learned",
                        "each matrix's own, learned from its weights"),
             clEnumValN(::llmc::TrellisNumbers::Model, "model",
                        "those of all matrices that are rounded, learned from some rows of each"))}]>
]);
/// The same, without what becomes of the head, of activations, and of weights that are rounded.
defvar weightFormatOptions = !listconcat(formatOptions, fittingOptions, numberOptions);

#endif // LLMC_TRANSFORMS_QUANTIZATION_QUANTIZATIONOPTIONS_TD
