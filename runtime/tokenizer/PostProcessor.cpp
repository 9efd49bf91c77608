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

llmc_status PostProcessor::parsePieces(const JsonView &list, const JsonView &tokens, bool isPair,
                                       const std::function<bool(int32_t)> &isToken,
                                       std::vector<Piece> &result) {
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
      result.push_back({true, {}});
      continue;
    }
    if (!tokens.has(name.c_str()))
      return content.member("id").corrupt("'special_tokens' has no such member");
    JsonView ids = tokens.member(name.c_str()).member("ids");
    LLMC_RETURN_IF_ERROR(tokens.member(name.c_str()).expectMembers({"id", "ids", "tokens"}));
    LLMC_RETURN_IF_ERROR(ids.expectArray());
    Piece special{false, std::vector<int32_t>(ids.size())};
    for (size_t k = 0; k < ids.size(); ++k)
      LLMC_RETURN_IF_ERROR(readTokenId(ids.element(k), isToken, special.ids[k]));
    result.push_back(std::move(special));
  }
  return llmc_ok_status();
}

llmc_status PostProcessor::parseTemplate(const JsonView &json,
                                         const std::function<bool(int32_t)> &isToken) {
  LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "single", "pair", "special_tokens"}));
  JsonView tokens = json.member("special_tokens");
  LLMC_RETURN_IF_ERROR(tokens.expectObject());
  LLMC_RETURN_IF_ERROR(parsePieces(json.member("single"), tokens, false, isToken, pieces));
  std::vector<Piece> unused;
  return parsePieces(json.member("pair"), tokens, true, isToken, unused);
}

llmc_status PostProcessor::parseClassifier(const JsonView &json,
                                           const std::function<bool(int32_t)> &isToken) {
  auto addToken = [&](const JsonView &token) {
    LLMC_RETURN_IF_ERROR(token.expectArray());
    if (token.size() != 2)
      return token.corrupt("expected a token and its id");
    std::string name;
    int32_t id;
    LLMC_RETURN_IF_ERROR(token.element(0).readString(name));
    LLMC_RETURN_IF_ERROR(readTokenId(token.element(1), isToken, id));
    pieces.push_back({false, {id}});
    return llmc_ok_status();
  };
  LLMC_RETURN_IF_ERROR(addToken(json.member("cls")));
  pieces.push_back({true, {}});
  return addToken(json.member("sep"));
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
  bool isBert = type == "BertProcessing";
  bool isRoberta = type == "RobertaProcessing";
  if (!isBert && !isRoberta && type != "TemplateProcessing")
    return json.member("type").unsupportedKind("post-processor", type);
  if (!isIdentity)
    return json.unsupported("a second post-processor that adds tokens is not supported");
  isIdentity = false;
  if (isBert)
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "sep", "cls"}));
  if (isRoberta)
    LLMC_RETURN_IF_ERROR(
        json.expectMembers({"type", "sep", "cls", "trim_offsets", "add_prefix_space"}));
  return isBert || isRoberta ? parseClassifier(json, isToken) : parseTemplate(json, isToken);
}

void PostProcessor::apply(const std::vector<int32_t> &text, bool addSpecial,
                          std::vector<int32_t> &result) const {
  if (isIdentity) {
    result.insert(result.end(), text.begin(), text.end());
    return;
  }
  for (const Piece &piece : pieces) {
    if (piece.isText)
      result.insert(result.end(), text.begin(), text.end());
    else if (addSpecial)
      result.insert(result.end(), piece.ids.begin(), piece.ids.end());
  }
}

} // namespace llmc::tokenizer
