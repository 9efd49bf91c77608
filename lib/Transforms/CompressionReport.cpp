//===- CompressionReport.cpp - what a pass did to each parameter ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/CompressionReport.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/AtomicFile.h"
#include "llmc/Support/PassOutputs.h"

#include "mlir/IR/Remarks.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace llmc;

static std::string spellShape(RankedTensorType type) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::interleave(type.getShape(), stream, "x");
  return text;
}

/// How inputs are rounded, for a column of a table.
static std::string spellRounding(DynamicAttr activation) {
  if (!activation)
    return "exact";
  std::string group = activation.getRange() ? "static"
                      : activation.getGroup() == DynamicAttr::rowGroup
                          ? "row"
                          : std::to_string(activation.getGroup());
  return (activation.isInteger() ? "" : "fp8, ") + std::to_string(activation.getBits()) +
         " bits / " + group;
}

/// How it is stored, for people.
static std::string spellStorage(const CompressedParameter &parameter) {
  std::string rank = parameter.rank ? ", rank " + std::to_string(*parameter.rank) : "";
  return spellEncoding(parameter.type) + rank;
}

static llvm::json::Object toJSON(const CompressedParameter &parameter) {
  llvm::json::Object object{{"name", parameter.name},
                            {"shape", llvm::json::Array(parameter.type.getShape())},
                            {"encoding", spellStorage(parameter)},
                            {"bytes", static_cast<int64_t>(parameter.bytes)},
                            {"bits_per_weight", parameter.bitsPerWeight},
                            {"weight_error", parameter.weightError},
                            {"seconds", parameter.seconds}};
  if (parameter.rank)
    object["rank"] = *parameter.rank;
  if (parameter.outputError)
    object["output_error"] = *parameter.outputError;
  if (parameter.activation)
    object["activation"] = spellForPeople(parameter.activation);
  return object;
}

std::string CompressionReport::spell(const CompressedParameter &parameter) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(toJSON(parameter));
  return text;
}

std::optional<CompressedParameter> CompressionReport::read(StringRef line, ParameterOp parameter) {
  return read(line, parameter.getSymName(), parameter.getTensorType(), std::nullopt);
}

std::optional<CompressedParameter> CompressionReport::read(StringRef line, StringRef name,
                                                           RankedTensorType type,
                                                           std::optional<int64_t> rank) {
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(line);
  if (!value) {
    llvm::consumeError(value.takeError());
    return std::nullopt;
  }
  const llvm::json::Object *object = value->getAsObject();
  CompressedParameter result;
  result.name = name.str();
  result.type = type;
  result.rank = rank;
  if (!object || object->getString("name") != result.name ||
      object->getString("encoding") != spellStorage(result))
    return std::nullopt;
  result.bytes = object->getNumber("bytes").value_or(0);
  result.bitsPerWeight = object->getNumber("bits_per_weight").value_or(0);
  result.weightError = object->getNumber("weight_error").value_or(0);
  result.outputError = object->getNumber("output_error");
  result.seconds = object->getNumber("seconds").value_or(0);
  return result;
}

std::string CompressionReport::readName(StringRef line) {
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(line);
  if (!value) {
    llvm::consumeError(value.takeError());
    return "";
  }
  const llvm::json::Object *object = value->getAsObject();
  return object ? object->getString("name").value_or("").str() : "";
}

LogicalResult CompressionReport::checkPath(ModuleOp module, StringRef path,
                                           ArrayRef<NamedPath> others) {
  if (path.empty())
    return success();
  if (failed(checkPassOutputs(module, {{path.str(), "report"}}, others)))
    return failure();
  if (llvm::Error error = AtomicFile::create(path).takeError())
    return module.emitError("report: ") << llvm::toString(std::move(error));
  return success();
}

LogicalResult CompressionReport::finish(ModuleOp module, bool table, StringRef path) const {
  emitRemarks(module.getLoc());
  if (table)
    printTable(llvm::errs());
  if (path.empty())
    return success();
  if (llvm::Error error = writeJSON(path))
    return module.emitError("report: ") << llvm::toString(std::move(error));
  return success();
}

void CompressionReport::emitRemarks(Location location) const {
  for (const CompressedParameter &parameter : parameters) {
    auto options = remark::RemarkOpts::name(pass).category("compression");
    auto remark = remark::passed(location, options);
    remark << remark::metric("parameter", parameter.name)
           << remark::metric("encoding", spellStorage(parameter))
           << remark::metric("bytes", static_cast<int64_t>(parameter.bytes))
           << remark::metric("bits_per_weight", parameter.bitsPerWeight)
           << remark::metric("weight_error", parameter.weightError);
    if (parameter.outputError)
      remark << remark::metric("output_error", *parameter.outputError);
    if (parameter.activation)
      remark << remark::metric("activation", spellForPeople(parameter.activation));
  }
}

void CompressionReport::printTable(llvm::raw_ostream &stream) const {
  if (parameters.empty())
    return;
  bool measured = llvm::any_of(parameters, [](const auto &p) { return p.outputError.has_value(); });
  std::vector<std::vector<std::string>> rows{
      {"parameter", "shape", "encoding", "inputs", "bits/weight", "weight error"}};
  if (measured)
    rows.front().push_back("output error");
  rows.front().push_back("seconds");
  auto number = [](const char *format, double value) {
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format(format, value);
    return text;
  };
  double bytes = 0, weights = 0, seconds = 0;
  for (const CompressedParameter &parameter : parameters) {
    rows.push_back({parameter.name, spellShape(parameter.type), spellStorage(parameter),
                    spellRounding(parameter.activation), number("%.3f", parameter.bitsPerWeight),
                    number("%.5f", parameter.weightError)});
    if (measured)
      rows.back().push_back(parameter.outputError ? number("%.5f", *parameter.outputError) : "");
    rows.back().push_back(number("%.2f", parameter.seconds));
    bytes += parameter.bytes;
    weights += static_cast<double>(parameter.type.getNumElements());
    seconds += parameter.seconds;
  }
  std::vector<size_t> widths(rows.front().size());
  for (const auto &row : rows)
    for (auto [width, cell] : llvm::zip(widths, row))
      width = std::max(width, cell.size());
  for (const auto &row : rows) {
    // Words stand to the left, numbers to the right.
    for (auto [column, cell] : llvm::enumerate(row)) {
      std::string space(widths[column] - cell.size(), ' ');
      stream << (column ? "  " : "") << (column < 4 ? cell + space : space + cell);
    }
    stream << "\n";
  }
  stream << pass << ": " << parameters.size() << " parameters, " << number("%.1f", bytes / 1e6)
         << " MB, " << number("%.3f", bytes * 8 / weights) << " bits per weight, "
         << number("%.1f", seconds) << " s\n";
  if (times.empty())
    return;
  stream << pass << ": ";
  llvm::interleaveComma(times, stream, [&](const auto &time) {
    stream << time.first << " " << number("%.1f", time.second) << " s";
  });
  stream << "\n";
}

llvm::Error CompressionReport::writeJSON(StringRef path) const {
  llvm::json::Array list;
  for (const CompressedParameter &parameter : parameters)
    list.push_back(toJSON(parameter));
  llvm::json::Object object{{"pass", pass}, {"parameters", std::move(list)}};
  if (!times.empty()) {
    llvm::json::Object spent;
    for (const auto &[what, seconds] : times)
      spent[what] = seconds;
    object["seconds"] = std::move(spent);
  }
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << llvm::formatv("{0:2}", llvm::json::Value(std::move(object))) << "\n";
  return writeFileAtomically(path, text);
}
