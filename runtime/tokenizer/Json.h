//===- Json.h - reading tokenizer.json with the path of what is wrong -----===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the parser of tokenizer.json, which keeps the large tables out of the tree, and a
// view of a JSON value that knows its path.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JSON_H
#define LLMC_RUNTIME_TOKENIZER_JSON_H

#include "llmc/status.h"

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace llmc::tokenizer {

/// A token of model.vocab, as it stands in the file.
struct VocabularyEntry {
  std::string token;
  uint32_t id;
};

/// A merge of model.merges: two tokens.
struct MergeEntry {
  std::string left;
  std::string right;
};

/// A token of a model.vocab that is a list: its place is its id.
struct ScoredEntry {
  std::string token;
  double score;
};

/// tokenizer.json, taken apart.
struct TokenizerDocument {
  /// All but model.vocab and model.merges.
  nlohmann::json tree;
  std::vector<VocabularyEntry> vocabulary;
  std::vector<MergeEntry> merges;
  std::vector<ScoredEntry> scores;
  /// Whether model.vocab is an object or an array, and model.merges an array.
  bool hasVocabulary = false;
  bool hasScores = false;
  bool hasMerges = false;
};

/// The largest id a token may have: ids are int32_t everywhere else.
inline constexpr uint32_t maximumTokenId = 0x7fffffff;

llmc_status parseTokenizerDocument(std::string_view json, TokenizerDocument &document);
llmc_status parseJson(std::string_view json, nlohmann::json &tree);

/// A value in a JSON tree and its path there, such as "normalizer.normalizers[2]". Each function
/// that reads it says in its error where it stands, what was expected and what was found.
class JsonView {
public:
  JsonView(const nlohmann::json &value, std::string path) : value(&value), path(std::move(path)) {}

  llmc_status corrupt(const std::string &message) const;
  llmc_status unsupported(const std::string &message) const;
  /// Refuses this "type" of a component.
  llmc_status unsupportedKind(const char *component, const std::string &type) const;

  bool isNull() const { return value->is_null(); }
  bool isString() const { return value->is_string(); }
  bool isObject() const { return value->is_object(); }
  bool isArray() const { return value->is_array(); }

  /// Checks that this is an object, and that it has no other members than these.
  llmc_status expectMembers(std::initializer_list<const char *> names) const;
  llmc_status expectObject() const;
  llmc_status expectArray() const;
  bool has(const char *name) const { return value->is_object() && value->contains(name); }
  /// The member of an object; null, with the same path, if it is missing.
  JsonView member(const char *name) const;
  size_t size() const { return value->size(); }
  JsonView element(size_t index) const;
  /// The members of an object, in the order of their names.
  std::vector<std::pair<std::string, JsonView>> members() const;

  llmc_status readString(std::string &result) const;
  llmc_status readBool(bool &result) const;
  llmc_status readUnsigned(uint32_t &result, uint32_t maximum) const;
  llmc_status readNumber(double &result, double minimum, double maximum) const;
  /// Reads a string that is exactly one character.
  llmc_status readCharacter(char32_t &result) const;
  /// Reads a member that may be missing; `result` then keeps its value.
  llmc_status readOptionalBool(const char *name, bool &result) const;
  llmc_status readType(std::string &result) const;

  const std::string &getPath() const { return path; }

private:
  llmc_status wrongType(const char *expected) const;

  const nlohmann::json *value;
  std::string path;
};

} // namespace llmc::tokenizer

#endif // LLMC_RUNTIME_TOKENIZER_JSON_H
