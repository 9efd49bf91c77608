//===- CacheFormat.cpp - names of encodings of caches ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/KVCache/CacheFormat.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace llmc;

ArrayRef<CacheFormat> llmc::getCacheFormats() {
  static const CacheFormat formats[] = {
#define LLMC_CACHE_FORMAT(name, shared, ...)                                                       \
  {name, shared,                                                                                   \
   [](function_ref<InFlightDiagnostic()> fail, MLIRContext *context,                               \
      [[maybe_unused]] int64_t group) -> FailureOr<CacheEncodingInterface> {                       \
     Attribute encoding = __VA_ARGS__;                                                             \
     if (!encoding)                                                                                \
       return failure();                                                                           \
     return cast<CacheEncodingInterface>(encoding);                                                \
   }},
#include "CacheFormats.def"
  };
  return formats;
}

/// Parses an attribute; gives null where it is none, and why in `reason`.
static Attribute parse(MLIRContext *context, StringRef text, std::string &reason) {
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    if (reason.empty())
      reason = diagnostic.str();
    return success();
  });
  return parseAttribute(text, context);
}

FailureOr<CacheEncodingInterface> llmc::findCacheEncoding(Location location, StringRef option,
                                                          StringRef text, int64_t group) {
  if (group < 0)
    return emitError(location) << "expected " << option << "-group of at least 0, found " << group;
  std::string names;
  for (const CacheFormat &format : getCacheFormats()) {
    names += format.name.str() + ", ";
    if (format.name != text)
      continue;
    if (group != 0 && !format.group)
      return emitError(location) << "expected " << option
                                 << "-group with formats that have scales, found " << group
                                 << " with " << text;
    auto fail = [&] { return emitError(location) << option << ": "; };
    return format.getEncoding(fail, location.getContext(),
                              group != 0 ? group : format.group.value_or(0));
  }
  std::string reason;
  Attribute attribute;
  if (text.starts_with("#"))
    attribute = parse(location.getContext(), text, reason);
  if (auto encoding = dyn_cast_or_null<CacheEncodingInterface>(attribute)) {
    if (group != 0)
      return emitError(location) << "expected " << option << "-group with a name alone, found "
                                 << group << " with " << text;
    return encoding;
  }
  InFlightDiagnostic error = emitError(location)
                             << "expected " << option << " as " << names
                             << "or an attribute that is an encoding of caches, found '" << text
                             << "'";
  if (!reason.empty())
    error << ": " << reason;
  return error;
}

FailureOr<CacheEncodingInterface> llmc::findPositionEncoding(Location location, StringRef option,
                                                             StringRef text, int64_t group) {
  constexpr int64_t usualGroup = 32;
  unsigned bits = 0;
  if (!text.consume_front("i") || text.getAsInteger(10, bits))
    return emitError(location) << "expected " << option
                               << " as i8, i4, i3 or i2 along positions, found '" << text << "'";
  auto fail = [&]() -> InFlightDiagnostic { return emitError(location) << option << ": "; };
  MLIRContext *context = location.getContext();
  auto encoding = PositionGroupedAttr::getChecked(
      fail, context, bits, group == 0 ? usualGroup : group, Type(Float16Type::get(context)));
  if (!encoding)
    return failure();
  return cast<CacheEncodingInterface>(Attribute(encoding));
}

std::string llmc::spellCacheEncoding(CacheEncodingInterface encoding) {
  auto fail = [&] { return emitError(UnknownLoc::get(encoding.getContext())); };
  for (const CacheFormat &format : getCacheFormats())
    if (*format.getEncoding(fail, encoding.getContext(), format.group.value_or(0)) == encoding)
      return format.name.str();
  return spellForPeople(encoding);
}
