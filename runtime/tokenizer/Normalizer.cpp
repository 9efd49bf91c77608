//===- Normalizer.cpp - what happens to text before it is split -----------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines the kinds of normalizers and reads them from JSON.
//
//===----------------------------------------------------------------------===//

#include "Normalizer.h"

#include "BertNormalizer.h"
#include "PrecompiledNormalizer.h"
#include "TextBuilder.h"
#include "Unicode.h"

#include <algorithm>
#include <array>

namespace llmc::tokenizer {

namespace {

/// The characters for all bytes: printable ones stand for themselves, the others for those from
/// U+0100 on in their order.
struct ByteAlphabet {
  std::array<char32_t, 256> characters;
  std::array<std::string, 256> texts;
  std::array<int, 0x200> bytes;

  ByteAlphabet() {
    bytes.fill(-1);
    char32_t next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
      bool isPrintable =
          (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
      characters[byte] = isPrintable ? byte : next++;
      appendCharacter(texts[byte], characters[byte]);
      bytes[characters[byte]] = static_cast<int>(byte);
    }
  }
};

const ByteAlphabet &byteAlphabet() {
  static const ByteAlphabet alphabet;
  return alphabet;
}

class FormNormalizer : public Normalizer {
public:
  explicit FormNormalizer(NormalForm form) : form(form) {}
  llmc_status apply(TrackedText &text, RegexScratch &) const override {
    text.text = normalize(text.text, form, text.tracked);
    return llmc_ok_status();
  }

private:
  NormalForm form;
};

/// Writes every character anew.
template <typename Writer>
class CharacterNormalizer : public Normalizer {
public:
  explicit CharacterNormalizer(Writer writer) : writer(writer) {}
  llmc_status apply(TrackedText &text, RegexScratch &) const override {
    rewriteCharacters(text, writer);
    return llmc_ok_status();
  }

private:
  Writer writer;
};

template <typename Writer>
std::unique_ptr<Normalizer> writeCharacters(Writer writer) {
  return std::make_unique<CharacterNormalizer<Writer>>(writer);
}

void lowercase(char32_t character, TextBuilder &builder) {
  appendLowercase(builder.result, character);
}

void stripAccent(char32_t character, TextBuilder &builder) {
  if (!isMark(character))
    appendCharacter(builder.result, character);
}

/// Leaves out control characters, and turns what stands for a space into one, as the tools of
/// neural machine translation do.
void cleanForTranslation(char32_t c, TextBuilder &builder) {
  if ((c >= 0x01 && c <= 0x08) || c == 0x0b || (c >= 0x0e && c <= 0x1f) || c == 0x7f || c == 0x8f ||
      c == 0x9f)
    return;
  bool isSpace = c == 0x09 || c == 0x0a || c == 0x0c || c == 0x0d || c == 0x1680 ||
                 (c >= 0x200b && c <= 0x200f) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
                 c == 0xfeff || c == 0xfffd;
  appendCharacter(builder.result, isSpace ? U' ' : c);
}

class StripNormalizer : public Normalizer {
public:
  StripNormalizer(bool left, bool right) : left(left), right(right) {}
  llmc_status apply(TrackedText &text, RegexScratch &) const override {
    size_t begin = 0;
    size_t end = text.text.size();
    while (left && begin < end) {
      size_t next = begin;
      if (!isWhitespace(nextCharacter(text.text, next)))
        break;
      begin = next;
    }
    while (right && end > begin) {
      char32_t last = previousCharacter(text.text, end);
      if (!isWhitespace(last))
        break;
      std::string bytes;
      appendCharacter(bytes, last);
      end -= bytes.size();
    }
    text.text = text.text.substr(begin, end - begin);
    text.tracked = std::min(text.tracked > begin ? text.tracked - begin : 0, text.text.size());
    return llmc_ok_status();
  }

private:
  bool left;
  bool right;
};

class PrependNormalizer : public Normalizer {
public:
  explicit PrependNormalizer(std::string prefix) : prefix(std::move(prefix)) {}
  llmc_status apply(TrackedText &text, RegexScratch &) const override {
    if (text.text.empty())
      return llmc_ok_status();
    text.text.insert(0, prefix);
    if (text.tracked > 0)
      text.tracked += prefix.size();
    return llmc_ok_status();
  }

private:
  std::string prefix;
};

class ReplaceNormalizer : public Normalizer {
public:
  ReplaceNormalizer(Pattern pattern, std::string content)
      : pattern(std::move(pattern)), content(std::move(content)) {}
  llmc_status apply(TrackedText &text, RegexScratch &scratch) const override {
    TextBuilder builder(text);
    LLMC_RETURN_IF_ERROR(pattern.forEachMatch(text.text, scratch, [&](const Match &match) {
      if (match.isMatch) {
        builder.result += content;
        builder.from(match.span.end > 0 ? match.span.end - 1 : 0);
        return text.checkSize(builder.result.size());
      }
      // The tracked bytes may end within this part.
      size_t begin = builder.result.size();
      builder.result.append(text.text, match.span.begin, match.span.size());
      if (match.span.begin < text.tracked)
        builder.trackTo(begin + std::min(match.span.size(), text.tracked - match.span.begin));
      return llmc_ok_status();
    }));
    builder.finish();
    return llmc_ok_status();
  }

private:
  Pattern pattern;
  std::string content;
};

class ByteLevelNormalizer : public Normalizer {
public:
  llmc_status apply(TrackedText &text, RegexScratch &) const override {
    TextBuilder builder(text);
    for (size_t i = 0; i < text.text.size(); ++i) {
      appendByteCharacter(builder.result, static_cast<unsigned char>(text.text[i]));
      builder.from(i);
    }
    builder.finish();
    return llmc_ok_status();
  }
};

class SequenceNormalizer : public Normalizer {
public:
  llmc_status apply(TrackedText &text, RegexScratch &scratch) const override {
    for (const auto &normalizer : normalizers) {
      LLMC_RETURN_IF_ERROR(normalizer->apply(text, scratch));
      LLMC_RETURN_IF_ERROR(text.checkSize(text.text.size()));
    }
    return llmc_ok_status();
  }

  std::vector<std::unique_ptr<Normalizer>> normalizers;
};

} // namespace

TrackedText TrackedText::begin(std::string_view piece, bool beginsInput) {
  TrackedText text;
  text.text = piece;
  text.tracked = beginsInput && !piece.empty() ? characterSize(piece, 0) : 0;
  text.limit = 32 * piece.size() + (size_t(1) << 20);
  return text;
}

llmc_status TrackedText::checkSize(size_t size) const {
  if (size <= limit)
    return llmc_ok_status();
  return llmc_make_status(LLMC_OUT_OF_MEMORY,
                          "the tokenizer's rules make a text of more than %zu bytes", limit);
}

void appendByteCharacter(std::string &text, unsigned char byte) {
  text += byteAlphabet().texts[byte];
}

int byteOfCharacter(char32_t character) {
  const auto &bytes = byteAlphabet().bytes;
  return character < bytes.size() ? bytes[character] : -1;
}

llmc_status parsePattern(const JsonView &json, Pattern &pattern) {
  LLMC_RETURN_IF_ERROR(json.expectMembers({"String", "Regex"}));
  if (json.has("String") == json.has("Regex"))
    return json.corrupt("expected one of 'String' and 'Regex'");
  std::string text;
  if (json.has("String")) {
    LLMC_RETURN_IF_ERROR(json.member("String").readString(text));
    pattern = Pattern::literal(std::move(text));
    return llmc_ok_status();
  }
  JsonView regex = json.member("Regex");
  LLMC_RETURN_IF_ERROR(regex.readString(text));
  return llmc_annotate_status(Pattern::compile(text, pattern), regex.getPath().c_str());
}

llmc_status Normalizer::parse(const JsonView &json, std::unique_ptr<Normalizer> &normalizer) {
  if (json.isNull())
    return llmc_ok_status();
  std::string type;
  LLMC_RETURN_IF_ERROR(json.readType(type));

  struct Form {
    const char *name;
    NormalForm form;
  };
  for (Form form : {Form{"NFC", NormalForm::C}, Form{"NFD", NormalForm::D},
                    Form{"NFKC", NormalForm::KC}, Form{"NFKD", NormalForm::KD}}) {
    if (type != form.name)
      continue;
    normalizer = std::make_unique<FormNormalizer>(form.form);
    return json.expectMembers({"type"});
  }
  if (type == "Lowercase") {
    normalizer = writeCharacters(lowercase);
    return json.expectMembers({"type"});
  }
  if (type == "StripAccents") {
    normalizer = writeCharacters(stripAccent);
    return json.expectMembers({"type"});
  }
  if (type == "Nmt") {
    normalizer = writeCharacters(cleanForTranslation);
    return json.expectMembers({"type"});
  }
  if (type == "BertNormalizer")
    return BertNormalizer::parse(json, normalizer);
  if (type == "Precompiled")
    return PrecompiledNormalizer::parse(json, normalizer);
  if (type == "ByteLevel") {
    normalizer = std::make_unique<ByteLevelNormalizer>();
    return json.expectMembers({"type"});
  }
  if (type == "Strip") {
    bool left = false;
    bool right = false;
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "strip_left", "strip_right"}));
    LLMC_RETURN_IF_ERROR(json.member("strip_left").readBool(left));
    LLMC_RETURN_IF_ERROR(json.member("strip_right").readBool(right));
    normalizer = std::make_unique<StripNormalizer>(left, right);
    return llmc_ok_status();
  }
  if (type == "Prepend") {
    std::string prefix;
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "prepend"}));
    LLMC_RETURN_IF_ERROR(json.member("prepend").readString(prefix));
    normalizer = std::make_unique<PrependNormalizer>(std::move(prefix));
    return llmc_ok_status();
  }
  if (type == "Replace") {
    Pattern pattern;
    std::string content;
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "pattern", "content"}));
    LLMC_RETURN_IF_ERROR(parsePattern(json.member("pattern"), pattern));
    LLMC_RETURN_IF_ERROR(json.member("content").readString(content));
    normalizer = std::make_unique<ReplaceNormalizer>(std::move(pattern), std::move(content));
    return llmc_ok_status();
  }
  if (type == "Sequence") {
    auto sequence = std::make_unique<SequenceNormalizer>();
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "normalizers"}));
    JsonView list = json.member("normalizers");
    LLMC_RETURN_IF_ERROR(list.expectArray());
    for (size_t i = 0; i < list.size(); ++i) {
      std::unique_ptr<Normalizer> element;
      LLMC_RETURN_IF_ERROR(list.element(i).expectObject());
      LLMC_RETURN_IF_ERROR(parse(list.element(i), element));
      sequence->normalizers.push_back(std::move(element));
    }
    normalizer = std::move(sequence);
    return llmc_ok_status();
  }
  return json.member("type").unsupportedKind("normalizer", type);
}

} // namespace llmc::tokenizer
