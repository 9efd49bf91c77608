//===- Description.h - what a file says of itself ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_DESCRIPTION_H
#define LLMC_TOOLS_DESCRIPTION_H

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace llmc::driver {

/// Describes an artifact, native code with models in it, an MLIR module or an ONNX model. Runs
/// nothing of it, so that architectures don't matter. With `verify`, which artifacts alone take,
/// the weights' checksum is checked. Throws std::runtime_error.
///
/// What is described of code has `programs` (architecture, bytes of code and scratch) and
/// `variants` with whether they run here; an artifact has `files`. Everything but native code with
/// several models in it has `parameters`; that has `models`.
nlohmann::ordered_json describeFile(const std::string &path, bool verify);

/// Reads the description that the file at `path` carries; what is read of it has the types that it
/// should. Throws std::runtime_error.
nlohmann::ordered_json parseDescription(const std::string &path, std::string_view text);

} // namespace llmc::driver

#endif // LLMC_TOOLS_DESCRIPTION_H
