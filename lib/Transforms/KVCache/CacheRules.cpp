//===- CacheRules.cpp - how the keys or the values of each cache are stored ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/KVCache/CacheRules.h"
#include "llmc/Transforms/KVCache/CacheFormat.h"

using namespace mlir;
using namespace llmc;

/// Whether a name is that of numbers without scales, which positions can't share either.
static bool hasNoScales(StringRef name) {
  return llvm::any_of(getCacheFormats(), [&](const CacheFormat &format) {
    return format.name == name && !format.group;
  });
}

FailureOr<CacheRules> CacheRules::get(Location location, const CacheRequest &request) {
  CacheRules rules;
  auto find = [&](StringRef option, StringRef format, int64_t group, bool alongPositions) {
    return alongPositions ? findPositionEncoding(location, option, format, group)
                          : findCacheEncoding(location, option, format, group);
  };
  FailureOr<CacheEncodingInterface> others =
      find(request.option, request.format, request.group, request.alongPositions);
  if (failed(others))
    return failure();
  rules.others = *others;
  std::string option = request.option.str() + "-formats";
  std::vector<std::string> expressions;
  for (StringRef text : request.layers) {
    auto [expression, spelled] = text.rsplit('=');
    if (expression.size() == text.size() || expression.empty())
      return emitError(location) << option << ": expected REGEX=FORMAT, found '" << text << "'";
    auto [format, groupText] = spelled.split(':');
    int64_t group = 0;
    if (spelled.contains(':') && (groupText.getAsInteger(10, group) || group <= 0))
      return emitError(location) << option << ": expected a positive group in '" << text
                                 << "', found '" << groupText << "'";
    auto encoding = find(option, format, group, request.alongPositions && !hasNoScales(format));
    if (failed(encoding))
      return failure();
    rules.encodings.push_back(*encoding);
    expressions.push_back(expression.str());
  }
  FailureOr<NamePatterns> patterns =
      NamePatterns::get(location, option, expressions, /*whole=*/true);
  if (failed(patterns))
    return failure();
  rules.patterns = std::move(*patterns);
  return rules;
}

CacheEncodingInterface CacheRules::getEncoding(int64_t cache) {
  std::optional<size_t> matched = patterns.match(std::to_string(cache));
  return matched ? encodings[*matched] : others;
}
