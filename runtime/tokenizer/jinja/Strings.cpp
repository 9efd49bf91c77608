//===- Strings.cpp - operations on text -----------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines the operations on text that filters and methods share.
//
//===----------------------------------------------------------------------===//

#include "Strings.h"

#include "Error.h"

#include <algorithm>

namespace llmc::tokenizer::jinja {

namespace {

/// The place of the character that ends before `end`.
size_t previousPlace(const std::string &text, size_t end) {
  do
    --end;
  while ((static_cast<unsigned char>(text[end]) & 0xc0) == 0x80);
  return end;
}

/// Appends one character of `text` in another case; `begin` and `end` are its place.
void appendCharacterCase(Text &result, const Text &text, size_t begin, size_t end, Case to) {
  size_t position = begin;
  const std::string &bytes = text.str();
  char32_t character = nextCharacter(bytes, position);
  std::string changed;
  if (to == Case::Lower && character == 0x3a3)
    appendLowerSigma(changed, std::string_view(bytes).substr(0, begin),
                     std::string_view(bytes).substr(end));
  else
    appendCase(changed, character, to);
  result.append(changed, text.isMarked(begin));
}

void checkSeparator(const Text &separator) {
  if (separator.empty())
    throw wrongValue("empty separator");
}

} // namespace

Text strip(const Text &text, const Text *set, Side side, Heap &heap) {
  heap.scan(text.size() * (set ? 1 + set->size() / 8 : 1));
  const std::string &bytes = text.str();
  auto isStripped = [&](size_t begin, size_t end) {
    size_t position = begin;
    if (!set)
      return isSpace(nextCharacter(bytes, position));
    // Whole characters: a part of one is none.
    std::string_view character(bytes.data() + begin, end - begin);
    for (size_t place = 0; place < set->size(); place += characterSize(set->str(), place))
      if (set->str().compare(place, characterSize(set->str(), place), character) == 0)
        return true;
    return false;
  };
  size_t begin = 0, end = bytes.size();
  while (side != Side::Right && begin < end) {
    size_t next = begin + characterSize(bytes, begin);
    if (!isStripped(begin, next))
      break;
    begin = next;
  }
  while (side != Side::Left && end > begin) {
    size_t previous = previousPlace(bytes, end);
    if (!isStripped(previous, end))
      break;
    end = previous;
  }
  heap.allocate(end - begin);
  return text.slice(begin, end);
}

Text changeCase(const Text &text, Case to, Heap &heap) {
  heap.allocate(text.size());
  heap.step(text.size());
  Text result;
  result.reserve(text.size());
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin + characterSize(text.str(), begin);
    appendCharacterCase(result, text, begin, end, to);
    begin = end;
  }
  heap.allocate(result.size());
  return result;
}

Text changeWords(const Text &text, Case first, bool (*beginsAfter)(char32_t), Heap &heap) {
  heap.allocate(text.size());
  heap.step(text.size());
  Text result;
  char32_t before = 0;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    char32_t character = nextCharacter(text.str(), end);
    appendCharacterCase(result, text, begin, end, beginsAfter(before) ? first : Case::Lower);
    before = character;
    begin = end;
  }
  heap.allocate(result.size());
  return result;
}

Text capitalize(const Text &text, Heap &heap) {
  heap.allocate(text.size());
  heap.step(text.size());
  Text result;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin + characterSize(text.str(), begin);
    appendCharacterCase(result, text, begin, end, begin == 0 ? Case::Title : Case::Lower);
    begin = end;
  }
  return result;
}

Text replace(const Text &text, const Text &from, const Text &to, int64_t count, Heap &heap) {
  heap.scan(text.size());
  Text result;
  auto append = [&](const Text &part, size_t begin, size_t end) {
    heap.allocate(end - begin);
    result.append(part, begin, end);
  };
  size_t done = 0;
  if (from.empty()) {
    // Before each character, and at the end.
    for (; count != 0; --count) {
      append(to, 0, to.size());
      if (done == text.size())
        break;
      size_t next = done + characterSize(text.str(), done);
      append(text, done, next);
      done = next;
    }
  } else {
    for (; count != 0; --count) {
      size_t found = text.str().find(from.str(), done);
      if (found == std::string::npos)
        break;
      append(text, done, found);
      append(to, 0, to.size());
      done = found + from.size();
    }
  }
  append(text, done, text.size());
  return result;
}

std::vector<Value> split(const Text &text, const Text &separator, int64_t limit, Heap &heap) {
  checkSeparator(separator);
  heap.scan(text.size());
  std::vector<Value> result;
  size_t begin = 0;
  for (; limit != 0; --limit) {
    size_t found = text.str().find(separator.str(), begin);
    if (found == std::string::npos)
      break;
    heap.append(result, heap.string(text.slice(begin, found)));
    begin = found + separator.size();
  }
  heap.append(result, heap.string(text.slice(begin, text.size())));
  return result;
}

std::vector<Value> splitFromRight(const Text &text, const Text &separator, int64_t limit,
                                  Heap &heap) {
  checkSeparator(separator);
  heap.scan(text.size());
  std::vector<Value> result;
  size_t end = text.size();
  for (; limit != 0 && end >= separator.size(); --limit) {
    size_t found = text.str().rfind(separator.str(), end - separator.size());
    if (found == std::string::npos)
      break;
    heap.append(result, heap.string(text.slice(found + separator.size(), end)));
    end = found;
  }
  heap.append(result, heap.string(text.slice(0, end)));
  std::reverse(result.begin(), result.end());
  return result;
}

std::vector<Value> splitAtSpaces(const Text &text, int64_t limit, Heap &heap) {
  heap.scan(text.size());
  const std::string &bytes = text.str();
  std::vector<Value> result;
  size_t position = 0;
  auto skip = [&](bool spaces) {
    while (position < bytes.size()) {
      size_t next = position;
      if (isSpace(nextCharacter(bytes, next)) != spaces)
        return;
      position = next;
    }
  };
  while (true) {
    skip(/*spaces=*/true);
    if (position == bytes.size())
      return result;
    if (limit-- == 0)
      break;
    size_t begin = position;
    skip(/*spaces=*/false);
    heap.append(result, heap.string(text.slice(begin, position)));
  }
  heap.append(result, heap.string(text.slice(position, bytes.size())));
  return result;
}

std::vector<Value> splitAtSpacesFromRight(const Text &text, int64_t limit, Heap &heap) {
  heap.scan(text.size());
  const std::string &bytes = text.str();
  std::vector<Value> result;
  size_t end = bytes.size();
  auto skip = [&](bool spaces) {
    while (end > 0 && isSpace(previousCharacter(bytes, end)) == spaces)
      end = previousPlace(bytes, end);
  };
  while (true) {
    skip(/*spaces=*/true);
    if (end == 0)
      break;
    size_t wordEnd = end;
    if (limit-- == 0) {
      heap.append(result, heap.string(text.slice(0, end)));
      break;
    }
    skip(/*spaces=*/false);
    heap.append(result, heap.string(text.slice(end, wordEnd)));
  }
  std::reverse(result.begin(), result.end());
  return result;
}

std::vector<Value> splitLines(const Text &text, bool keepsEnds, Heap &heap) {
  heap.scan(text.size());
  const std::string &bytes = text.str();
  std::vector<Value> result;
  size_t begin = 0;
  for (size_t position = 0; position < bytes.size();) {
    size_t end = position;
    char32_t character = nextCharacter(bytes, position);
    if (!isLineBreak(character))
      continue;
    if (character == '\r' && position < bytes.size() && bytes[position] == '\n')
      ++position;
    heap.append(result, heap.string(text.slice(begin, keepsEnds ? position : end)));
    begin = position;
  }
  if (begin < bytes.size())
    heap.append(result, heap.string(text.slice(begin, bytes.size())));
  return result;
}

Text join(const Text &separator, const std::vector<Value> &parts, bool converts, Heap &heap) {
  Text result;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (!converts && !parts[i].isString())
      throw wrongValue("sequence item " + std::to_string(i) + ": expected str instance, " +
                       typeName(parts[i]) + " found");
    if (i > 0) {
      heap.allocate(separator.size());
      result.append(separator);
    }
    appendString(result, parts[i], heap);
  }
  return result;
}

} // namespace llmc::tokenizer::jinja
