//===- PostProcessor.cpp - the special tokens around a text ---------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads post-processors, all of which come down to a template of tokens around the text.
//
//===----------------------------------------------------------------------===//

#include "PostProcessor.h"

namespace llmc::tokenizer {

namespace {

/// How many pieces a text may be put together from.
constexpr size_t maximumPieces = 1 << 10;

llmc_status readTokenId(const JsonView &json, const std::function<bool(int32_t)> &isToken,
                        int32_t &id) {
  uint32_t number;
  LLMC_RETURN_IF_ERROR(json.readUnsigned(number, maximumTokenId));
  id = static_cast<int32_t>(number);
  if (!isToken(id))
    return json.corrupt("the vocabulary has no token " + std::to_string(id));
  return llmc_ok_status();
}

} // namespace

PostProcessor::PostProcessor()
    : withSpecial(1, Sequence{{true, {}}}), withoutSpecial(withSpecial) {}

llmc_status PostProcessor::readTemplate(const JsonView &list, const JsonView &tokens, bool isPair,
                                        const std::function<bool(int32_t)> &isToken,
                                        std::vector<TemplatePiece> &result) const {
  LLMC_RETURN_IF_ERROR(list.expectArray());
  for (size_t i = 0; i < list.size(); ++i) {
    JsonView piece = list.element(i);
    LLMC_RETURN_IF_ERROR(piece.expectMembers({"Sequence", "SpecialToken"}));
    bool isText = piece.has("Sequence");
    if (isText == piece.has("SpecialToken"))
      return piece.corrupt("expected one of 'Sequence' and 'SpecialToken'");
    JsonView content = piece.member(isText ? "Sequence" : "SpecialToken");
    LLMC_RETURN_IF_ERROR(content.expectMembers({"id", "type_id"}));
    uint32_t typeId;
    LLMC_RETURN_IF_ERROR(content.member("type_id").readUnsigned(typeId, 0xffffffff));
    std::string name;
    LLMC_RETURN_IF_ERROR(content.member("id").readString(name));
    if (isText) {
      if (name != "A" && !(isPair && name == "B"))
        return content.member("id").corrupt(isPair ? "expected 'A' or 'B'" : "expected 'A'");
      result.push_back({name == "B", {}});
      continue;
    }
    if (!tokens.has(name.c_str()))
      return content.member("id").corrupt("'special_tokens' has no such member");
    JsonView ids = tokens.member(name.c_str()).member("ids");
    LLMC_RETURN_IF_ERROR(tokens.member(name.c_str()).expectMembers({"id", "ids", "tokens"}));
    LLMC_RETURN_IF_ERROR(ids.expectArray());
    TemplatePiece special{-1, std::vector<int32_t>(ids.size())};
    for (size_t k = 0; k < ids.size(); ++k)
      LLMC_RETURN_IF_ERROR(readTokenId(ids.element(k), isToken, special.ids[k]));
    result.push_back(std::move(special));
  }
  return llmc_ok_status();
}

llmc_status PostProcessor::addTemplate(const JsonView &json,
                                       const std::function<bool(int32_t)> &isToken) {
  LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "single", "pair", "special_tokens"}));
  JsonView tokens = json.member("special_tokens");
  LLMC_RETURN_IF_ERROR(tokens.expectObject());
  std::vector<TemplatePiece> single, pair;
  LLMC_RETURN_IF_ERROR(readTemplate(json.member("single"), tokens, false, isToken, single));
  LLMC_RETURN_IF_ERROR(readTemplate(json.member("pair"), tokens, true, isToken, pair));
  for (bool addSpecial : {false, true}) {
    std::vector<Sequence> &sequences = addSpecial ? withSpecial : withoutSpecial;
    if (sequences.empty() || sequences.size() > 2)
      return json.unsupported(
          "expected one or two sequences from the post-processors before, found " +
          std::to_string(sequences.size()));
    std::vector<Sequence> made;
    size_t pieces = 0;
    for (const TemplatePiece &piece : sequences.size() == 2 ? pair : single) {
      if (piece.sequence >= 0)
        made.push_back(sequences[static_cast<size_t>(piece.sequence)]);
      else if (addSpecial)
        made.push_back({{false, piece.ids}});
      else
        continue;
      // A template that repeats a long sequence often would else take all memory.
      pieces += made.back().size();
      if (pieces > maximumPieces)
        return json.unsupported("the post-processors put more than " +
                                std::to_string(maximumPieces) + " pieces together");
    }
    sequences = std::move(made);
  }
  return llmc_ok_status();
}

llmc_status PostProcessor::addClassifier(const JsonView &json, bool isRoberta,
                                         const std::function<bool(int32_t)> &isToken) {
  auto readToken = [&](const JsonView &token, int32_t &id) {
    LLMC_RETURN_IF_ERROR(token.expectArray());
    if (token.size() != 2)
      return token.corrupt("expected a token and its id");
    std::string name;
    LLMC_RETURN_IF_ERROR(token.element(0).readString(name));
    return readTokenId(token.element(1), isToken, id);
  };
  int32_t begin, end;
  LLMC_RETURN_IF_ERROR(readToken(json.member("cls"), begin));
  LLMC_RETURN_IF_ERROR(readToken(json.member("sep"), end));
  bool isFirst = true;
  for (Sequence &sequence : withSpecial) {
    if (isFirst || isRoberta)
      sequence.insert(sequence.begin(), {false, {isFirst ? begin : end}});
    sequence.push_back({false, {end}});
    isFirst = false;
  }
  return llmc_ok_status();
}

llmc_status PostProcessor::parse(const JsonView &json,
                                 const std::function<bool(int32_t)> &isToken) {
  if (json.isNull())
    return llmc_ok_status();
  std::string type;
  LLMC_RETURN_IF_ERROR(json.readType(type));
  // Of these two members only offsets depend, which are not made here.
  if (type == "ByteLevel")
    return json.expectMembers({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  if (type == "Sequence") {
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "processors"}));
    JsonView list = json.member("processors");
    LLMC_RETURN_IF_ERROR(list.expectArray());
    for (size_t i = 0; i < list.size(); ++i) {
      LLMC_RETURN_IF_ERROR(list.element(i).expectObject());
      LLMC_RETURN_IF_ERROR(parse(list.element(i), isToken));
    }
    return llmc_ok_status();
  }
  if (type == "BertProcessing") {
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "sep", "cls"}));
    return addClassifier(json, /*isRoberta=*/false, isToken);
  }
  if (type == "RobertaProcessing") {
    LLMC_RETURN_IF_ERROR(
        json.expectMembers({"type", "sep", "cls", "trim_offsets", "add_prefix_space"}));
    return addClassifier(json, /*isRoberta=*/true, isToken);
  }
  if (type == "TemplateProcessing")
    return addTemplate(json, isToken);
  return json.member("type").unsupportedKind("post-processor", type);
}

void PostProcessor::apply(const std::vector<int32_t> &text, bool addSpecial,
                          std::vector<int32_t> &result) const {
  for (const Sequence &sequence : addSpecial ? withSpecial : withoutSpecial)
    for (const Piece &piece : sequence) {
      const std::vector<int32_t> &ids = piece.isText ? text : piece.ids;
      result.insert(result.end(), ids.begin(), ids.end());
    }
}

void PostProcessor::forEachToken(const std::function<void(int32_t)> &take) const {
  for (const Sequence &sequence : withSpecial)
    for (const Piece &piece : sequence)
      for (int32_t id : piece.ids)
        take(id);
}

} // namespace llmc::tokenizer
