//===- Json.cpp - reading tokenizer.json with the path of what is wrong ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builds the tree of a JSON text event by event, so that the vocabulary and the merges go straight
// into tables, and so that depth and doubled names are checked.
//
//===----------------------------------------------------------------------===//

#include "Json.h"

#include "Unicode.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace llmc::tokenizer {

namespace {

using nlohmann::json;

constexpr size_t deepestJson = 64;
/// What an exponent is taken for that is larger: with any digits that fit a file it is out of
/// range.
constexpr int64_t maximumExponent = int64_t(1) << 40;
constexpr size_t maximumSize = std::numeric_limits<int32_t>::max();

/// Gives text from the file for a message: printable and short.
std::string quoteForMessage(std::string_view text) {
  std::string result = "'";
  for (size_t position = 0; position < text.size();) {
    size_t begin = position;
    char32_t character = nextCharacter(text, position);
    if (position > 40) {
      result += "…";
      break;
    }
    if (character < 0x20 || character == 0x7f)
      result += '?';
    else
      result += text.substr(begin, position - begin);
  }
  return result + "'";
}

/// Gives the number nearest to a power of ten; std::pow may be beside it.
double powerOfTen(int64_t exponent) {
  std::string literal = "1e" + std::to_string(exponent);
  double result = 0;
  std::from_chars(literal.data(), literal.data() + literal.size(), result);
  return result;
}

/// Gives a score as the `tokenizers` package reads it: the digits as an integer of 64 bits, and
/// that times a power of ten. The result can be beside the nearest number, and which of two ways
/// through a text with almost the same score is the better one depends on it.
double readScore(std::string_view literal) {
  uint64_t digits = 0;
  int64_t exponent = 0;
  bool inFraction = false;
  bool isFull = false;
  size_t position = literal.front() == '-';
  for (; position < literal.size(); ++position) {
    char c = literal[position];
    if (c == 'e' || c == 'E')
      break;
    // The decimal point, which may be the locale's.
    if (c < '0' || c > '9') {
      inFraction = true;
      continue;
    }
    auto digit = static_cast<uint64_t>(c - '0');
    isFull |= digits > (std::numeric_limits<uint64_t>::max() - digit) / 10;
    if (!isFull)
      digits = digits * 10 + digit;
    exponent += (isFull ? 1 : 0) - (inFraction ? 1 : 0);
  }
  if (position < literal.size()) {
    bool isNegative = literal[++position] == '-';
    position += literal[position] == '-' || literal[position] == '+';
    int64_t written = 0;
    for (; position < literal.size(); ++position)
      written = std::min(written * 10 + (literal[position] - '0'), maximumExponent);
    exponent += isNegative ? -written : written;
  }
  auto score = static_cast<double>(digits);
  constexpr int largestPower = std::numeric_limits<double>::max_exponent10;
  for (; exponent < -largestPower && score != 0; exponent += largestPower)
    score /= powerOfTen(largestPower);
  if (score != 0 && exponent < 0)
    score /= powerOfTen(-exponent);
  else if (score != 0 && exponent > 0)
    score *=
        exponent > largestPower ? std::numeric_limits<double>::infinity() : powerOfTen(exponent);
  return literal.front() == '-' ? -score : score;
}

/// Receives the parser's events. Where `document` is null everything goes into the tree.
class TreeBuilder : public nlohmann::json_sax<json> {
public:
  TreeBuilder(json &root, TokenizerDocument *document) : root(root), document(document) {}

  llmc_status status = llmc_ok_status();

  bool null() override { return scalar(json(nullptr)); }
  bool boolean(bool value) override { return scalar(json(value)); }
  bool number_integer(number_integer_t value) override {
    return mode == Mode::Score ? addScore(static_cast<double>(value)) : scalar(json(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (mode == Mode::Vocabulary)
      return addToken(value);
    return mode == Mode::Score ? addScore(static_cast<double>(value)) : scalar(json(value));
  }
  bool number_float(number_float_t value, const string_t &literal) override {
    return mode == Mode::Score ? addScore(readScore(literal)) : scalar(json(value));
  }
  bool binary(binary_t &) override { return fail(LLMC_CORRUPT, "", "unexpected binary value"); }

  bool string(string_t &value) override {
    if (mode == Mode::Merges)
      return addLegacyMerge(value);
    if (mode == Mode::MergePair) {
      if (pairSize == 2)
        return wrongMerge();
      (pairSize++ == 0 ? pair.left : pair.right) = std::move(value);
      return true;
    }
    if (mode == Mode::Score && pairSize == 0) {
      token = std::move(value);
      pairSize = 1;
      return true;
    }
    return scalar(json(std::move(value)));
  }

  bool start_object(size_t) override {
    if (mode != Mode::Tree)
      return wrongTableValue();
    if (document && stack.size() == 2 && inModel && names.back() == "vocab") {
      mode = Mode::Vocabulary;
      return true;
    }
    return open(json::object());
  }

  bool key(string_t &name) override {
    if (mode == Mode::Vocabulary) {
      token = std::move(name);
      return true;
    }
    if (stack.back()->contains(name))
      return fail(LLMC_CORRUPT, path(), "member " + quoteForMessage(name) + " stands there twice");
    names.back() = std::move(name);
    if (stack.size() == 1)
      inModel = names.back() == "model";
    return true;
  }

  bool end_object() override {
    if (mode == Mode::Vocabulary) {
      mode = Mode::Tree;
      document->hasVocabulary = true;
      add(json(nullptr));
      return true;
    }
    return close();
  }

  bool start_array(size_t) override {
    if (mode == Mode::Merges) {
      mode = Mode::MergePair;
      pair = {};
      pairSize = 0;
      return true;
    }
    if (mode == Mode::Scores) {
      mode = Mode::Score;
      pairSize = 0;
      return true;
    }
    if (mode != Mode::Tree)
      return wrongTableValue();
    if (document && stack.size() == 2 && inModel && names.back() == "vocab") {
      mode = Mode::Scores;
      return true;
    }
    if (document && stack.size() == 2 && inModel && names.back() == "merges") {
      mode = Mode::Merges;
      return true;
    }
    return open(json::array());
  }

  bool end_array() override {
    if (mode == Mode::MergePair) {
      mode = Mode::Merges;
      if (pairSize != 2)
        return wrongMerge();
      document->merges.push_back(std::move(pair));
      return true;
    }
    if (mode == Mode::Score) {
      mode = Mode::Scores;
      return pairSize == 2 || wrongScore();
    }
    if (mode == Mode::Merges || mode == Mode::Scores) {
      (mode == Mode::Merges ? document->hasMerges : document->hasScores) = true;
      mode = Mode::Tree;
      add(json(nullptr));
      return true;
    }
    return close();
  }

  bool parse_error(size_t position, const std::string &,
                   const nlohmann::detail::exception &) override {
    if (status.code == LLMC_OK)
      status = llmc_make_status(LLMC_CORRUPT, "not valid JSON at byte %zu", position);
    return false;
  }

private:
  enum class Mode { Tree, Vocabulary, Scores, Score, Merges, MergePair };

  bool fail(int32_t code, const std::string &where, const std::string &message) {
    status =
        llmc_make_status(code, "%s%s%s", where.c_str(), where.empty() ? "" : ": ", message.c_str());
    return false;
  }

  std::string path() const {
    std::string result;
    for (size_t i = 0; i < stack.size(); ++i) {
      bool isLast = i + 1 == stack.size();
      if (stack[i]->is_array())
        result += "[" + std::to_string(isLast ? stack[i]->size() : stack[i]->size() - 1) + "]";
      else if (!isLast)
        result += (result.empty() ? "" : ".") + names[i];
    }
    return result;
  }

  /// Puts a value where it belongs: a table that was taken out leaves null there, so that its name
  /// is not used twice.
  json *add(json value) {
    if (stack.empty()) {
      root = std::move(value);
      return &root;
    }
    json &parent = *stack.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    json &place = parent[names.back()];
    place = std::move(value);
    return &place;
  }

  bool scalar(json value) {
    if (mode != Mode::Tree)
      return wrongTableValue();
    add(std::move(value));
    return true;
  }

  bool open(json value) {
    if (stack.size() == deepestJson)
      return fail(LLMC_UNSUPPORTED, "",
                  "expected JSON nested at most " + std::to_string(deepestJson) + " deep");
    // A parent gets no further children while one of them is open, so the pointer stays valid.
    stack.push_back(add(std::move(value)));
    names.emplace_back();
    return true;
  }

  bool close() {
    stack.pop_back();
    names.pop_back();
    return true;
  }

  bool wrongTableValue() {
    if (mode == Mode::Vocabulary)
      return fail(LLMC_CORRUPT, "model.vocab",
                  "expected an id for token " + quoteForMessage(token));
    return mode == Mode::Scores || mode == Mode::Score ? wrongScore() : wrongMerge();
  }

  std::string mergePath() const {
    return "model.merges[" + std::to_string(document->merges.size()) + "]";
  }

  bool wrongMerge() { return fail(LLMC_CORRUPT, mergePath(), "expected a pair of tokens"); }

  bool wrongScore() {
    // A pair that is whole already has been counted.
    size_t index = document->scores.size() - (mode == Mode::Score && pairSize == 2);
    return fail(LLMC_CORRUPT, "model.vocab[" + std::to_string(index) + "]",
                "expected a token and its score");
  }

  bool addScore(double score) {
    if (pairSize != 1 || !std::isfinite(score))
      return wrongScore();
    pairSize = 2;
    document->scores.push_back({std::move(token), score});
    return true;
  }

  bool addToken(uint64_t id) {
    if (id > maximumTokenId)
      return fail(LLMC_UNSUPPORTED, "model.vocab",
                  "expected an id of at most " + std::to_string(maximumTokenId) + " for token " +
                      quoteForMessage(token) + ", found " + std::to_string(id));
    document->vocabulary.push_back({std::move(token), static_cast<uint32_t>(id)});
    return true;
  }

  bool addLegacyMerge(std::string &text) {
    // As a line of merges.txt, with the header that such a file begins with.
    if (text.rfind("#version", 0) == 0)
      return true;
    size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos)
      return fail(LLMC_CORRUPT, mergePath(),
                  "expected two tokens with one space between, found " + quoteForMessage(text));
    document->merges.push_back({text.substr(0, space), text.substr(space + 1)});
    return true;
  }

  json &root;
  TokenizerDocument *document;
  Mode mode = Mode::Tree;
  std::vector<json *> stack;
  /// For each open object its current member; unused for arrays.
  std::vector<std::string> names;
  bool inModel = false;
  std::string token;
  MergeEntry pair;
  int pairSize = 0;
};

llmc_status parse(std::string_view text, json &root, TokenizerDocument *document) {
  if (text.size() > maximumSize)
    return llmc_make_status(LLMC_UNSUPPORTED, "expected at most %zu bytes of JSON, found %zu",
                            maximumSize, text.size());
  TreeBuilder builder(root, document);
  if (!json::sax_parse(text.begin(), text.end(), &builder) && builder.status.code == LLMC_OK)
    return llmc_make_status(LLMC_CORRUPT, "not valid JSON");
  return builder.status;
}

} // namespace

llmc_status parseTokenizerDocument(std::string_view text, TokenizerDocument &document) {
  return parse(text, document.tree, &document);
}

llmc_status parseJson(std::string_view text, nlohmann::json &tree) {
  return parse(text, tree, nullptr);
}

llmc_status JsonView::corrupt(const std::string &message) const {
  return llmc_make_status(LLMC_CORRUPT, "%s%s%s", path.c_str(), path.empty() ? "" : ": ",
                          message.c_str());
}

llmc_status JsonView::unsupported(const std::string &message) const {
  return llmc_make_status(LLMC_UNSUPPORTED, "%s%s%s", path.c_str(), path.empty() ? "" : ": ",
                          message.c_str());
}

llmc_status JsonView::unsupportedKind(const char *component, const std::string &type) const {
  return unsupported(std::string("a ") + component + " of type " + quoteForMessage(type) +
                     " is not supported");
}

llmc_status JsonView::wrongType(const char *expected) const {
  const char *found = value->is_boolean()  ? "a boolean"
                      : value->is_number() ? "a number"
                      : value->is_string() ? "a string"
                      : value->is_array()  ? "an array"
                      : value->is_object() ? "an object"
                                           : "nothing";
  return corrupt(std::string("expected ") + expected + ", found " + found);
}

llmc_status JsonView::expectObject() const {
  return value->is_object() ? llmc_ok_status() : wrongType("an object");
}

llmc_status JsonView::expectArray() const {
  return value->is_array() ? llmc_ok_status() : wrongType("an array");
}

llmc_status JsonView::expectMembers(std::initializer_list<const char *> names) const {
  LLMC_RETURN_IF_ERROR(expectObject());
  for (const auto &item : value->items())
    if (std::find(names.begin(), names.end(), item.key()) == names.end())
      return unsupported("member " + quoteForMessage(item.key()) + " is not known");
  return llmc_ok_status();
}

JsonView JsonView::member(const char *name) const {
  static const json missing(nullptr);
  std::string memberPath = path.empty() ? name : path + "." + name;
  if (!value->is_object())
    return {missing, memberPath};
  auto found = value->find(name);
  return {found == value->end() ? missing : *found, memberPath};
}

JsonView JsonView::element(size_t index) const {
  return {(*value)[index], path + "[" + std::to_string(index) + "]"};
}

std::vector<std::pair<std::string, JsonView>> JsonView::members() const {
  std::vector<std::pair<std::string, JsonView>> result;
  for (const auto &item : value->items())
    result.emplace_back(item.key(),
                        JsonView(item.value(), path + "." + quoteForMessage(item.key())));
  return result;
}

llmc_status JsonView::readString(std::string &result) const {
  if (!value->is_string())
    return wrongType("a string");
  result = value->get_ref<const std::string &>();
  return llmc_ok_status();
}

llmc_status JsonView::readBool(bool &result) const {
  if (!value->is_boolean())
    return wrongType("a boolean");
  result = value->get<bool>();
  return llmc_ok_status();
}

llmc_status JsonView::readUnsigned(uint32_t &result, uint32_t maximum) const {
  if (!value->is_number_unsigned())
    return wrongType("a number from 0 on");
  uint64_t number = value->get<uint64_t>();
  if (number > maximum)
    return unsupported("expected at most " + std::to_string(maximum) + ", found " +
                       std::to_string(number));
  result = static_cast<uint32_t>(number);
  return llmc_ok_status();
}

llmc_status JsonView::readNumber(double &result, double minimum, double maximum) const {
  if (!value->is_number())
    return wrongType("a number");
  result = value->get<double>();
  if (result < minimum || result > maximum)
    return corrupt("expected a number from " + json(minimum).dump() + " to " +
                   json(maximum).dump() + ", found " + value->dump());
  return llmc_ok_status();
}

llmc_status JsonView::readCharacter(char32_t &result) const {
  std::string text;
  LLMC_RETURN_IF_ERROR(readString(text));
  size_t position = 0;
  if (!text.empty())
    result = nextCharacter(text, position);
  if (text.empty() || position != text.size())
    return corrupt("expected one character, found " + quoteForMessage(text));
  return llmc_ok_status();
}

llmc_status JsonView::readOptionalBool(const char *name, bool &result) const {
  return has(name) ? member(name).readBool(result) : llmc_ok_status();
}

llmc_status JsonView::readType(std::string &result) const {
  LLMC_RETURN_IF_ERROR(expectObject());
  return member("type").readString(result);
}

} // namespace llmc::tokenizer
