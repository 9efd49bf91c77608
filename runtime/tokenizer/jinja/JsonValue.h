//===- JsonValue.h - values of templates from JSON ------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_JSONVALUE_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_JSONVALUE_H

#include "Value.h"

#include <nlohmann/json.hpp>

namespace llmc::tokenizer::jinja {

/// Gives the value of JSON that is valid UTF-8 and nested as deep as the stack allows; its strings
/// are marked as a message's if `marks`. Throws Error where it is too large.
inline Value makeValue(const nlohmann::ordered_json &json, bool marks, Heap &heap) {
  auto makeString = [&](const std::string &bytes) {
    return heap.string(marks ? Text::fromMessage(bytes) : Text(bytes));
  };
  if (json.is_boolean())
    return json.get<bool>();
  if (json.is_number_float() ||
      (json.is_number_unsigned() && json.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)))
    return json.get<double>();
  if (json.is_number())
    return json.get<int64_t>();
  if (json.is_string())
    return makeString(json.get_ref<const std::string &>());
  if (json.is_array()) {
    std::vector<Value> elements;
    for (const auto &element : json)
      elements.push_back(makeValue(element, marks, heap));
    return heap.list(std::move(elements));
  }
  if (!json.is_object())
    return {};
  Value result = heap.dict();
  for (const auto &item : json.items()) {
    Value value = makeValue(item.value(), marks, heap);
    setKey(result.getDict(), makeString(item.key()), value, heap);
  }
  return result;
}

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_JSONVALUE_H
