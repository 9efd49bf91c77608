//===- StructureReport.cpp - what became of a model's parts and size ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Pruning/StructureReport.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"
#include "llmc/Support/AtomicFile.h"
#include "llmc/Transforms/CompressionReport.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

#include <cstring>

using namespace mlir;
using namespace llmc;

//===----------------------------------------------------------------------===//
// Size
//===----------------------------------------------------------------------===//

FailureOr<ModelSize> ModelSize::get(ModuleOp module) {
  ModelSize size;
  for (auto parameter : module.getOps<ParameterOp>()) {
    FailureOr<int64_t> bytes =
        getParameterByteSize(parameter.getTensorType(), [&] { return parameter.emitOpError(); });
    if (failed(bytes))
      return failure();
    size.parameters += parameter.getTensorType().getNumElements();
    size.bytes += *bytes;
  }
  module.walk([&](LinearOp linear) {
    size.operations += 2 * cast<RankedTensorType>(linear.getWeight().getType()).getNumElements();
  });
  return size;
}

static llvm::json::Object toJSON(const ModelSize &size) {
  return llvm::json::Object{
      {"parameters", size.parameters}, {"bytes", size.bytes}, {"operations", size.operations}};
}

//===----------------------------------------------------------------------===//
// Report
//===----------------------------------------------------------------------===//

FailureOr<StructureReport> StructureReport::start(ModuleOp module, StringRef pass, StringRef path,
                                                  ArrayRef<NamedPath> others) {
  if (failed(CompressionReport::checkPath(module, path, others)))
    return failure();
  FailureOr<ModelSize> before = ModelSize::get(module);
  if (failed(before))
    return failure();
  return StructureReport(module, pass, path, *before);
}

static std::string spell(const llvm::json::Value &value) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (std::optional<StringRef> string = value.getAsString())
    stream << *string;
  else if (std::optional<bool> truth = value.getAsBoolean())
    stream << (*truth ? "yes" : "no");
  else if (std::optional<int64_t> integer = value.getAsInteger())
    stream << *integer;
  else
    stream << llvm::format("%.6f", value.getAsNumber().value_or(0));
  return text;
}

void StructureReport::emitRemarks() const {
  for (const StructureChange &change : changes) {
    auto options = remark::RemarkOpts::name(pass).category("compression");
    auto remark = remark::passed(ModuleOp(module).getLoc(), options);
    remark << remark::metric("name", change.name);
    for (const auto &[key, value] : change.figures)
      remark << remark::metric(key, spell(value));
  }
}

void StructureReport::printLines(const ModelSize &after) const {
  llvm::raw_ostream &stream = llvm::errs();
  for (const StructureChange &change : changes) {
    stream << pass << ": " << change.name;
    for (const auto &[key, value] : change.figures)
      stream << ", " << key << " " << spell(value);
    stream << "\n";
  }
  auto line = [&](StringRef what, int64_t was, int64_t is, StringRef unit) {
    stream << pass << ": " << what << " " << llvm::format("%.3f", static_cast<double>(was) / 1e6)
           << " → " << llvm::format("%.3f", static_cast<double>(is) / 1e6) << " " << unit;
    if (was > 0)
      stream << " ("
             << llvm::format("%.1f", 100 * static_cast<double>(is) / static_cast<double>(was))
             << " %)";
    stream << "\n";
  };
  line("parameters", before.parameters, after.parameters, "million");
  line("bytes", before.bytes, after.bytes, "MB");
  line("operations for a token", before.operations, after.operations, "million");
}

std::string StructureReport::spellJSON(const ModelSize &after) const {
  llvm::json::Array list;
  for (const StructureChange &change : changes) {
    llvm::json::Object object{{"name", change.name}};
    for (const auto &[key, value] : change.figures)
      object[key] = value;
    list.push_back(std::move(object));
  }
  llvm::json::Object object{{"pass", pass},
                            {"changes", std::move(list)},
                            {"before", toJSON(before)},
                            {"after", toJSON(after)}};
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << llvm::formatv("{0:2}", llvm::json::Value(std::move(object))) << "\n";
  return text;
}

LogicalResult StructureReport::finish(bool print) const {
  FailureOr<ModelSize> after = ModelSize::get(module);
  if (failed(after))
    return failure();
  emitRemarks();
  if (print)
    printLines(*after);
  if (path.empty())
    return success();
  if (llvm::Error error = writeFileAtomically(path, spellJSON(*after)))
    return ModuleOp(module).emitError("report: ") << llvm::toString(std::move(error));
  return success();
}

//===----------------------------------------------------------------------===//
// Records
//===----------------------------------------------------------------------===//

std::string llmc::spellNumbers(ArrayRef<double> numbers) {
  return llvm::toHex(
      StringRef(reinterpret_cast<const char *>(numbers.data()), numbers.size() * sizeof(double)));
}

std::optional<std::vector<double>> llmc::readNumbers(StringRef text, size_t count) {
  std::string bytes;
  if (text.size() != 2 * count * sizeof(double) || !llvm::tryGetFromHex(text, bytes))
    return std::nullopt;
  std::vector<double> numbers(count);
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}
