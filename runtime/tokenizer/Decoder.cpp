//===- Decoder.cpp - how tokens become text -------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines the stages of decoding and reads decoders from JSON.
//
//===----------------------------------------------------------------------===//

#include "Decoder.h"

#include "Normalizer.h"
#include "Unicode.h"
#include "WordStages.h"

#include <algorithm>

namespace llmc::tokenizer {

namespace {

constexpr const char *replacementCharacter = "\xef\xbf\xbd";

/// The end of a chain.
class OutputStage : public DecodeStage {
public:
  explicit OutputStage(std::string &output) : output(output) {}
  llmc_status text(std::string_view part) override {
    output += part;
    return llmc_ok_status();
  }
  llmc_status endToken() override { return llmc_ok_status(); }
  llmc_status finish() override { return llmc_ok_status(); }

private:
  std::string &output;
};

/// Puts a space between tokens: what happens where the file has no decoder.
class JoinStage : public WholeTokenStage {
public:
  using WholeTokenStage::WholeTokenStage;

private:
  llmc_status token(const std::string &token) override {
    if (!isFirst)
      LLMC_RETURN_IF_ERROR(emit(" "));
    isFirst = false;
    return emit(token);
  }
  bool isFirst = true;
};

/// Turns the characters that stand for bytes into the bytes, as one token.
class ByteLevelStage : public WholeTokenStage {
public:
  using WholeTokenStage::WholeTokenStage;

  llmc_status finish() override {
    if (!bytes.empty())
      LLMC_RETURN_IF_ERROR(next.text(replacementCharacter));
    bytes.clear();
    LLMC_RETURN_IF_ERROR(next.endToken());
    return next.finish();
  }

private:
  llmc_status token(const std::string &token) override {
    size_t before = bytes.size();
    for (size_t position = 0; position < token.size();) {
      int byte = byteOfCharacter(nextCharacter(token, position));
      if (byte < 0) {
        // Not all of it stands for bytes, so none of it does.
        bytes.resize(before);
        bytes += token;
        break;
      }
      bytes.push_back(static_cast<char>(byte));
    }
    std::string valid;
    size_t position = 0;
    while (position < bytes.size()) {
      Utf8Prefix prefix = classifyUtf8(std::string_view(bytes).substr(position));
      if (prefix.kind == Utf8Prefix::Incomplete)
        break;
      if (prefix.kind == Utf8Prefix::Complete)
        valid.append(bytes, position, prefix.size);
      else
        valid += replacementCharacter;
      position += prefix.size;
    }
    bytes.erase(0, position);
    return next.text(valid);
  }

  /// The begin of a character whose rest has not come.
  std::string bytes;
};

/// Turns the mark that stands for a space into one.
class MetaspaceStage : public DecodeStage {
public:
  MetaspaceStage(DecodeStage &next, const MetaspaceOptions &options)
      : next(next), options(options) {}

  llmc_status text(std::string_view part) override {
    bool drops = isFirst && options.scheme != PrependScheme::Never;
    std::string result;
    for (size_t position = 0; position < part.size();) {
      size_t size = characterSize(part, position);
      std::string_view character = part.substr(position, size);
      if (character != options.replacement)
        result += character;
      else if (!drops)
        result += ' ';
      position += size;
    }
    return next.text(result);
  }
  llmc_status endToken() override {
    isFirst = false;
    return next.endToken();
  }
  llmc_status finish() override { return next.finish(); }

private:
  DecodeStage &next;
  const MetaspaceOptions &options;
  bool isFirst = true;
};

/// Turns runs of tokens like <0x0A> into the characters that their bytes are.
class ByteFallbackStage : public WholeTokenStage {
public:
  ByteFallbackStage(DecodeStage &next, bool isStream) : WholeTokenStage(next), isStream(isStream) {}

  llmc_status finish() override {
    LLMC_RETURN_IF_ERROR(endRun());
    return next.finish();
  }

private:
  static int hexDigit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  }

  static int byteOfToken(const std::string &token) {
    if (token.size() != 6 || token.compare(0, 3, "<0x") != 0 || token[5] != '>')
      return -1;
    // A sign is taken for a leading zero.
    int high = token[3] == '+' ? 0 : hexDigit(token[3]);
    int low = hexDigit(token[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
  }

  llmc_status token(const std::string &token) override {
    int byte = byteOfToken(token);
    if (byte < 0) {
      LLMC_RETURN_IF_ERROR(endRun());
      return emit(token);
    }
    bytes.push_back(static_cast<char>(byte));
    if (!isStream || findInvalidUtf8(bytes) != bytes.size())
      return llmc_ok_status();
    isOpen = true;
    llmc_status status = next.text(bytes);
    bytes.clear();
    return status;
  }

  llmc_status endRun() {
    if (isOpen)
      LLMC_RETURN_IF_ERROR(next.endToken());
    isOpen = false;
    if (bytes.empty())
      return llmc_ok_status();
    if (findInvalidUtf8(bytes) == bytes.size())
      LLMC_RETURN_IF_ERROR(emit(bytes));
    else
      for (size_t i = 0; i < bytes.size(); ++i)
        LLMC_RETURN_IF_ERROR(emit(replacementCharacter));
    bytes.clear();
    return llmc_ok_status();
  }

  bool isStream;
  std::string bytes;
  /// Whether characters of the run have been given out, and their token has no end yet.
  bool isOpen = false;
};

/// Makes one token of all.
class FuseStage : public DecodeStage {
public:
  explicit FuseStage(DecodeStage &next) : next(next) {}
  llmc_status text(std::string_view part) override { return next.text(part); }
  llmc_status endToken() override { return llmc_ok_status(); }
  llmc_status finish() override {
    LLMC_RETURN_IF_ERROR(next.endToken());
    return next.finish();
  }

private:
  DecodeStage &next;
};

/// Takes a few of one character away from both ends of each token.
class StripStage : public DecodeStage {
public:
  StripStage(DecodeStage &next, char32_t character, uint32_t start, uint32_t stop)
      : next(next), start(start), stop(stop), left(start) {
    appendCharacter(stripped, character);
  }

  llmc_status text(std::string_view part) override {
    std::string result;
    for (size_t position = 0; position < part.size();) {
      size_t size = characterSize(part, position);
      std::string_view character = part.substr(position, size);
      position += size;
      bool matches = character == stripped;
      if (matches && left > 0) {
        --left;
        continue;
      }
      left = 0;
      if (matches && held < stop) {
        ++held;
        continue;
      }
      // What was held is followed by something: of all that could end the token, only the last
      // `stop` can still be taken away.
      if (!matches) {
        for (; held > 0; --held)
          result += stripped;
      }
      result += character;
    }
    return next.text(result);
  }
  llmc_status endToken() override {
    left = start;
    held = 0;
    return next.endToken();
  }
  llmc_status finish() override { return next.finish(); }

private:
  DecodeStage &next;
  std::string stripped;
  uint32_t start;
  uint32_t stop;
  /// How many may still be taken from the begin of the token.
  uint32_t left;
  /// How many stand at the end of what has come.
  uint32_t held = 0;
};

/// Replaces a pattern within each token.
class ReplaceStage : public WholeTokenStage {
public:
  ReplaceStage(DecodeStage &next, RegexScratch &scratch, const Pattern &pattern,
               const std::string &content)
      : WholeTokenStage(next), scratch(scratch), pattern(pattern), content(content) {}

private:
  llmc_status token(const std::string &token) override {
    std::string result;
    LLMC_RETURN_IF_ERROR(pattern.forEachMatch(token, scratch, [&](const Match &match) {
      result += match.isMatch ? std::string_view(content)
                              : std::string_view(token).substr(match.span.begin, match.span.size());
      return checkTokenSize(result.size());
    }));
    return emit(result);
  }

  RegexScratch &scratch;
  const Pattern &pattern;
  const std::string &content;
};

/// Replaces a literal text within each token, which may be long: Fuse makes one of all.
class ReplaceLiteralStage : public DecodeStage {
public:
  ReplaceLiteralStage(DecodeStage &next, const std::string &literal, const std::string &content)
      : next(next), literal(literal), content(content) {}

  llmc_status text(std::string_view part) override {
    pending += part;
    std::string result;
    size_t position = 0;
    for (size_t found; (found = pending.find(literal, position)) != std::string::npos;) {
      result.append(pending, position, found - position);
      result += content;
      position = found + literal.size();
      if (result.size() > maximumTextSize)
        return llmc_make_status(LLMC_OUT_OF_MEMORY, "replacing makes a text of more than %zu bytes",
                                maximumTextSize);
    }
    // The end may be the begin of a match.
    size_t hold = std::min(literal.size() - 1, pending.size() - position);
    while (hold > 0 && pending.compare(pending.size() - hold, hold, literal, 0, hold) != 0)
      --hold;
    result.append(pending, position, pending.size() - hold - position);
    pending.erase(0, pending.size() - hold);
    return next.text(result);
  }
  llmc_status endToken() override {
    LLMC_RETURN_IF_ERROR(next.text(pending));
    pending.clear();
    return next.endToken();
  }
  llmc_status finish() override { return next.finish(); }

private:
  DecodeStage &next;
  const std::string &literal;
  const std::string &content;
  std::string pending;
};

} // namespace

llmc_status DecodeChain::token(std::string_view token) {
  LLMC_RETURN_IF_ERROR(stages.back()->text(token));
  return stages.back()->endToken();
}

llmc_status DecodeChain::finish() { return stages.back()->finish(); }

std::unique_ptr<DecodeChain> Decoder::makeChain(bool isStream) const {
  auto chain = std::make_unique<DecodeChain>();
  auto &stages = chain->stages;
  stages.push_back(std::make_unique<OutputStage>(chain->output));
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    DecodeStage &next = *stages.back();
    switch (step->kind) {
    case Step::Join:
      stages.push_back(std::make_unique<JoinStage>(next));
      break;
    case Step::ByteLevel:
      stages.push_back(std::make_unique<ByteLevelStage>(next));
      break;
    case Step::Metaspace:
      stages.push_back(std::make_unique<MetaspaceStage>(next, step->metaspace));
      break;
    case Step::ByteFallback:
      stages.push_back(std::make_unique<ByteFallbackStage>(next, isStream));
      break;
    case Step::Fuse:
      stages.push_back(std::make_unique<FuseStage>(next));
      break;
    case Step::Strip:
      stages.push_back(
          std::make_unique<StripStage>(next, step->character, step->start, step->stop));
      break;
    case Step::Replace:
      if (!step->pattern->literalText().empty()) {
        stages.push_back(
            std::make_unique<ReplaceLiteralStage>(next, step->pattern->literalText(), step->text));
        break;
      }
      if (!chain->scratch)
        chain->scratch = std::make_unique<RegexScratch>();
      stages.push_back(
          std::make_unique<ReplaceStage>(next, *chain->scratch, *step->pattern, step->text));
      break;
    case Step::Suffix:
      stages.push_back(makeSuffixStage(next, step->text));
      break;
    case Step::WordPiece:
      stages.push_back(makeWordPieceStage(next, step->text, step->cleansUp));
      break;
    case Step::Ctc:
      stages.push_back(makeCtcStage(next, step->text, step->delimiter, step->cleansUp));
      break;
    }
  }
  return chain;
}

llmc_status Decoder::parse(const JsonView &json) {
  if (!json.isNull())
    return parseStep(json);
  Step join;
  join.kind = Step::Join;
  steps.push_back(std::move(join));
  return llmc_ok_status();
}

llmc_status Decoder::parseWordStep(const JsonView &json, const std::string &type, Step &step,
                                   bool &known) {
  known = true;
  if (type == "BPEDecoder") {
    step.kind = Step::Suffix;
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "suffix"}));
    return json.member("suffix").readString(step.text);
  }
  if (type == "WordPiece") {
    step.kind = Step::WordPiece;
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "prefix", "cleanup"}));
    LLMC_RETURN_IF_ERROR(json.member("prefix").readString(step.text));
    return json.member("cleanup").readBool(step.cleansUp);
  }
  if (type == "CTC") {
    step.kind = Step::Ctc;
    LLMC_RETURN_IF_ERROR(
        json.expectMembers({"type", "pad_token", "word_delimiter_token", "cleanup"}));
    LLMC_RETURN_IF_ERROR(json.member("pad_token").readString(step.text));
    LLMC_RETURN_IF_ERROR(json.member("word_delimiter_token").readString(step.delimiter));
    return json.member("cleanup").readBool(step.cleansUp);
  }
  known = false;
  return llmc_ok_status();
}

llmc_status Decoder::parseStep(const JsonView &json) {
  std::string type;
  LLMC_RETURN_IF_ERROR(json.readType(type));
  Step step;
  if (type == "Sequence") {
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "decoders"}));
    JsonView list = json.member("decoders");
    LLMC_RETURN_IF_ERROR(list.expectArray());
    for (size_t i = 0; i < list.size(); ++i)
      LLMC_RETURN_IF_ERROR(parseStep(list.element(i)));
    return llmc_ok_status();
  }
  if (type == "ByteLevel") {
    // The options are the pre-tokenizer's; decoding does not depend on them.
    LLMC_RETURN_IF_ERROR(
        json.expectMembers({"type", "add_prefix_space", "trim_offsets", "use_regex"}));
    step.kind = Step::ByteLevel;
  } else if (type == "Metaspace") {
    LLMC_RETURN_IF_ERROR(MetaspaceOptions::parse(json, step.metaspace));
    step.kind = Step::Metaspace;
  } else if (type == "ByteFallback") {
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type"}));
    step.kind = Step::ByteFallback;
  } else if (type == "Fuse") {
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type"}));
    step.kind = Step::Fuse;
  } else if (type == "Strip") {
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "content", "start", "stop"}));
    LLMC_RETURN_IF_ERROR(json.member("content").readCharacter(step.character));
    LLMC_RETURN_IF_ERROR(json.member("start").readUnsigned(step.start, maximumTokenId));
    LLMC_RETURN_IF_ERROR(json.member("stop").readUnsigned(step.stop, maximumTokenId));
    step.kind = Step::Strip;
  } else if (type == "Replace") {
    LLMC_RETURN_IF_ERROR(json.expectMembers({"type", "pattern", "content"}));
    auto pattern = std::make_shared<Pattern>();
    LLMC_RETURN_IF_ERROR(parsePattern(json.member("pattern"), *pattern));
    LLMC_RETURN_IF_ERROR(json.member("content").readString(step.text));
    step.pattern = std::move(pattern);
    step.kind = Step::Replace;
  } else {
    bool known;
    LLMC_RETURN_IF_ERROR(parseWordStep(json, type, step, known));
    if (!known)
      return json.member("type").unsupportedKind("decoder", type);
  }
  steps.push_back(std::move(step));
  return llmc_ok_status();
}

} // namespace llmc::tokenizer
