//===- BertNormalizer.cpp - how BERT cleans text -------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines the steps that BERT's own tokenizer takes before it splits text.
//
//===----------------------------------------------------------------------===//

#include "BertNormalizer.h"

#include "TextBuilder.h"
#include "Unicode.h"

namespace llmc::tokenizer {

/// The blocks of CJK ideographs that BERT knows: those of Japanese and Korean are words, and stay.
static bool isChinese(char32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) ||
         (c >= 0x20000 && c <= 0x2a6df) || (c >= 0x2a700 && c <= 0x2b81f) ||
         (c >= 0x2b920 && c <= 0x2ceaf) || (c >= 0xf900 && c <= 0xfaff) ||
         (c >= 0x2f800 && c <= 0x2fa1f);
}

llmc_status BertNormalizer::parse(const JsonView &json, std::unique_ptr<Normalizer> &result) {
  auto bert = std::make_unique<BertNormalizer>();
  LLMC_RETURN_IF_ERROR(json.expectMembers(
      {"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"}));
  LLMC_RETURN_IF_ERROR(json.member("clean_text").readBool(bert->cleansText));
  LLMC_RETURN_IF_ERROR(json.member("handle_chinese_chars").readBool(bert->separatesChinese));
  LLMC_RETURN_IF_ERROR(json.member("lowercase").readBool(bert->lowercases));
  bert->stripsAccents = bert->lowercases;
  if (!json.member("strip_accents").isNull())
    LLMC_RETURN_IF_ERROR(json.member("strip_accents").readBool(bert->stripsAccents));
  result = std::move(bert);
  return llmc_ok_status();
}

llmc_status BertNormalizer::apply(TrackedText &text, RegexScratch &) const {
  if (cleansText)
    rewriteCharacters(text, [](char32_t c, TextBuilder &builder) {
      bool isSpace = isWhitespace(c);
      bool isBreak = c == '\t' || c == '\n' || c == '\r';
      if (c == 0 || c == 0xfffd || (!isBreak && isControl(c)))
        return;
      appendCharacter(builder.result, isSpace ? U' ' : c);
    });
  if (separatesChinese)
    rewriteCharacters(text, [](char32_t c, TextBuilder &builder) {
      bool separates = isChinese(c);
      builder.result += separates ? " " : "";
      appendCharacter(builder.result, c);
      builder.result += separates ? " " : "";
    });
  if (stripsAccents) {
    text.text = normalize(text.text, NormalForm::D, text.tracked);
    rewriteCharacters(text, [](char32_t c, TextBuilder &builder) {
      if (!isNonspacingMark(c))
        appendCharacter(builder.result, c);
    });
  }
  if (lowercases)
    rewriteCharacters(text,
                      [](char32_t c, TextBuilder &builder) { appendLowercase(builder.result, c); });
  return llmc_ok_status();
}

} // namespace llmc::tokenizer
