//===- StringMethods.cpp - the methods of strings -------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines the methods of Python's strings that templates use.
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Methods.h"
#include "Parameters.h"
#include "Strings.h"

#include <algorithm>

namespace llmc::tokenizer::jinja {

using Kind = Value::Kind;

namespace {

template <Side side>
Value stripMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  Parameters given("strip", arguments, {"chars"});
  Text set = given.get(0).isNone() ? Text() : given.getText(0, {});
  const Text *chosen = given.get(0).isNone() ? nullptr : &set;
  return interpreter.heap.string(strip(self.getText(), chosen, side, interpreter.heap));
}

template <Case to>
Value caseMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  expectNoArguments(to == Case::Upper ? "upper" : "lower", arguments);
  return interpreter.heap.string(changeCase(self.getText(), to, interpreter.heap));
}

Value titleMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  expectNoArguments("title", arguments);
  auto isOutside = [](char32_t before) {
    return !isUpper(before) && !isLower(before) && !isTitle(before);
  };
  return interpreter.heap.string(
      changeWords(self.getText(), Case::Title, isOutside, interpreter.heap));
}

Value capitalizeMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  expectNoArguments("capitalize", arguments);
  return interpreter.heap.string(capitalize(self.getText(), interpreter.heap));
}

template <bool fromRight>
Value splitMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  Parameters given(fromRight ? "rsplit" : "split", arguments, {"sep", "maxsplit"});
  Heap &heap = interpreter.heap;
  const Text &text = self.getText();
  int64_t limit = given.getInteger(1, -1);
  if (given.get(0).isNone())
    return heap.list(fromRight ? splitAtSpacesFromRight(text, limit, heap)
                               : splitAtSpaces(text, limit, heap));
  Text separator = given.getText(0, {});
  return heap.list(fromRight ? splitFromRight(text, separator, limit, heap)
                             : split(text, separator, limit, heap));
}

template <bool fromRight>
Value partitionMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  Parameters given(fromRight ? "rpartition" : "partition", arguments, {"sep"}, 1);
  Heap &heap = interpreter.heap;
  Text separator = given.getText(0, {});
  std::vector<Value> parts = fromRight ? splitFromRight(self.getText(), separator, 1, heap)
                                       : split(self.getText(), separator, 1, heap);
  if (parts.size() == 2)
    return heap.tuple({parts[0], heap.string(separator), parts[1]});
  Value empty = heap.string({});
  return fromRight ? heap.tuple({empty, empty, self}) : heap.tuple({self, empty, empty});
}

Value splitlinesMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  Parameters given("splitlines", arguments, {"keepends"});
  return interpreter.heap.list(
      splitLines(self.getText(), given.getTruth(0, false), interpreter.heap));
}

/// The bytes from character `start` to `stop`, which may be negative or missing. Returns false
/// where `start` lies behind the end.
bool findRange(const Text &text, const Parameters &given, size_t first, Heap &heap, size_t &begin,
               size_t &end) {
  begin = 0;
  end = text.size();
  if (given.get(first).isNone() && given.get(first + 1).isNone())
    return true;
  heap.scan(text.size());
  auto size = static_cast<int64_t>(countCharacters(text.str()));
  auto resolve = [&](size_t i, int64_t missing) {
    int64_t value = given.get(i).isNone() ? missing : given.getInteger(i, missing);
    return value < 0 ? std::max<int64_t>(value + size, 0) : value;
  };
  int64_t start = resolve(first, 0), stop = std::min(resolve(first + 1, size), size);
  if (start > stop)
    return false;
  begin = findCharacter(text.str(), static_cast<size_t>(start));
  end = findCharacter(text.str(), static_cast<size_t>(stop));
  return true;
}

template <bool atEnd>
Value beginsMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  const char *name = atEnd ? "endswith" : "startswith";
  Parameters given(name, arguments, {atEnd ? "suffix" : "prefix", "start", "end"}, 1);
  size_t begin, end;
  if (!findRange(self.getText(), given, 1, interpreter.heap, begin, end))
    return false;
  std::string_view part = std::string_view(self.getText().str()).substr(begin, end - begin);
  auto matches = [&](const Text &affix) {
    return affix.size() <= part.size() &&
           part.substr(atEnd ? part.size() - affix.size() : 0, affix.size()) == affix.str();
  };
  if (!given.get(0).is(Kind::Tuple))
    return matches(given.getText(0, {}));
  for (Value affix : given.get(0).getElements()) {
    interpreter.heap.step();
    if (!affix.isString())
      throw wrongValue(std::string(name) + ": expected strings in the tuple");
    if (matches(affix.getText()))
      return true;
  }
  return false;
}

/// Gives the index of the character where a text is found; -1 where it isn't.
template <bool fromRight>
int64_t findText(Interpreter &interpreter, Value self, const Arguments &arguments,
                 const char *name) {
  Parameters given(name, arguments, {"sub", "start", "end"}, 1);
  const Text &text = self.getText();
  size_t begin, end;
  if (!findRange(text, given, 1, interpreter.heap, begin, end))
    return -1;
  interpreter.heap.scan(text.size());
  std::string_view part = std::string_view(text.str()).substr(begin, end - begin);
  Text wanted = given.getText(0, {});
  size_t found = fromRight ? part.rfind(wanted.str()) : part.find(wanted.str());
  if (found == std::string_view::npos)
    return -1;
  return static_cast<int64_t>(
      countCharacters(std::string_view(text.str()).substr(0, begin + found)));
}

template <bool fromRight>
Value findMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  return findText<fromRight>(interpreter, self, arguments, fromRight ? "rfind" : "find");
}

template <bool fromRight>
Value indexMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  int64_t found = findText<fromRight>(interpreter, self, arguments, fromRight ? "rindex" : "index");
  if (found < 0)
    throw wrongValue("substring not found");
  return found;
}

Value countMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  Parameters given("count", arguments, {"sub", "start", "end"}, 1);
  size_t begin, end;
  if (!findRange(self.getText(), given, 1, interpreter.heap, begin, end))
    return int64_t(0);
  Text wanted = given.getText(0, {});
  interpreter.heap.scan(self.getText().size());
  std::string_view part = std::string_view(self.getText().str()).substr(begin, end - begin);
  if (wanted.empty())
    return static_cast<int64_t>(countCharacters(part)) + 1;
  int64_t count = 0;
  for (size_t at = 0; (at = part.find(wanted.str(), at)) != std::string_view::npos;
       at += wanted.size())
    ++count;
  return count;
}

Value replaceMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  Parameters given("replace", arguments, {"old", "new", "count"}, 2);
  return interpreter.heap.string(replace(self.getText(), given.getText(0, {}), given.getText(1, {}),
                                         given.getInteger(2, -1), interpreter.heap));
}

Value joinMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  Parameters given("join", arguments, {"iterable"}, 1);
  return interpreter.heap.string(join(self.getText(), iterate(given.get(0), interpreter.heap),
                                      /*converts=*/false, interpreter.heap));
}

template <bool atEnd>
Value removeMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  Parameters given(atEnd ? "removesuffix" : "removeprefix", arguments, {"affix"}, 1);
  const Text &text = self.getText();
  Text affix = given.getText(0, {});
  size_t place = atEnd ? text.size() - std::min(text.size(), affix.size()) : 0;
  if (affix.empty() || text.str().compare(place, affix.size(), affix.str()) != 0)
    return self;
  return interpreter.heap.string(atEnd ? text.slice(0, place)
                                       : text.slice(affix.size(), text.size()));
}

enum class Alignment { Left, Right, Center, Zeros };

template <Alignment alignment>
Value alignMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  Parameters given("ljust, rjust, center or zfill", arguments, {"width", "fillchar"}, 1);
  Heap &heap = interpreter.heap;
  const Text &text = self.getText();
  Text fill = alignment == Alignment::Zeros ? Text("0") : given.getText(1, " ");
  if (countCharacters(fill.str()) != 1)
    throw wrongValue("expected a fill character of one character");
  int64_t width = given.getInteger(0, 0);
  int64_t missing = std::max<int64_t>(width - length(self, heap), 0);
  int64_t left = alignment == Alignment::Left     ? 0
                 : alignment == Alignment::Center ? missing / 2 + (missing & width & 1)
                                                  : missing;
  heap.allocate(text.size());
  Text result;
  size_t sign = 0;
  if (alignment == Alignment::Zeros && !text.empty() &&
      (text.str()[0] == '-' || text.str()[0] == '+'))
    sign = 1;
  result.append(text, 0, sign);
  auto pad = [&](int64_t count) {
    for (; count > 0; --count) {
      heap.allocate(fill.size());
      result.append(fill);
    }
  };
  pad(left);
  result.append(text, sign, text.size());
  pad(missing - left);
  return heap.string(std::move(result));
}

Value swapcaseMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  expectNoArguments("swapcase", arguments);
  Heap &heap = interpreter.heap;
  Text result;
  for (Value character : iterate(self, heap)) {
    size_t position = 0;
    bool lowers = isUpper(nextCharacter(character.getText().str(), position));
    result.append(changeCase(character.getText(), lowers ? Case::Lower : Case::Upper, heap));
  }
  return heap.string(std::move(result));
}

/// Whether there are characters and all of them are of a class.
template <bool (*isOfClass)(char32_t)>
Value isMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  expectNoArguments("a test of characters", arguments);
  const std::string &text = self.getText().str();
  interpreter.heap.step(text.size());
  for (size_t position = 0; position < text.size();)
    if (!isOfClass(nextCharacter(text, position)))
      return false;
  return !text.empty();
}

bool isAlphanumeric(char32_t character) {
  // Numbers in words, as some scripts have, are letters already.
  return isAlphabetic(character) || isNumeric(character);
}

Value isasciiMethod(Interpreter &, Value self, const Arguments &arguments) {
  expectNoArguments("isascii", arguments);
  const std::string &text = self.getText().str();
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Whether all letters that have a case have this one, and there are some.
template <bool upper>
Value isCaseMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  expectNoArguments(upper ? "isupper" : "islower", arguments);
  const std::string &text = self.getText().str();
  interpreter.heap.step(text.size());
  bool found = false;
  for (size_t position = 0; position < text.size();) {
    char32_t character = nextCharacter(text, position);
    if (isTitle(character) || (upper ? isLower(character) : isUpper(character)))
      return false;
    found |= upper ? isUpper(character) : isLower(character);
  }
  return found;
}

Value formatMethod(Interpreter &interpreter, Value self, const Arguments &arguments) {
  return interpreter.heap.string(formatBraces(interpreter, self.getText(), arguments));
}

constexpr Method methods[] = {
    {"strip", stripMethod<Side::Both>},
    {"lstrip", stripMethod<Side::Left>},
    {"rstrip", stripMethod<Side::Right>},
    {"upper", caseMethod<Case::Upper>},
    {"lower", caseMethod<Case::Lower>},
    {"title", titleMethod},
    {"capitalize", capitalizeMethod},
    {"swapcase", swapcaseMethod},
    {"split", splitMethod<false>},
    {"rsplit", splitMethod<true>},
    {"splitlines", splitlinesMethod},
    {"partition", partitionMethod<false>},
    {"rpartition", partitionMethod<true>},
    {"startswith", beginsMethod<false>},
    {"endswith", beginsMethod<true>},
    {"find", findMethod<false>},
    {"rfind", findMethod<true>},
    {"index", indexMethod<false>},
    {"rindex", indexMethod<true>},
    {"count", countMethod},
    {"replace", replaceMethod},
    {"join", joinMethod},
    {"format", formatMethod},
    {"removeprefix", removeMethod<false>},
    {"removesuffix", removeMethod<true>},
    {"ljust", alignMethod<Alignment::Left>},
    {"rjust", alignMethod<Alignment::Right>},
    {"center", alignMethod<Alignment::Center>},
    {"zfill", alignMethod<Alignment::Zeros>},
    {"isalpha", isMethod<isAlphabetic>},
    {"isdecimal", isMethod<isDecimal>},
    {"isdigit", isMethod<isDigitCharacter>},
    {"isalnum", isMethod<isAlphanumeric>},
    {"isspace", isMethod<isSpace>},
    {"isprintable", isMethod<isPrintable>},
    {"isascii", isasciiMethod},
    {"isupper", isCaseMethod<true>},
    {"islower", isCaseMethod<false>},
};

/// What strings have in Python besides.
constexpr const char *otherMethods[] = {
    "casefold",     "encode",  "expandtabs", "format_map", "isnumeric",
    "isidentifier", "istitle", "maketrans",  "translate",
};

template <size_t Index>
Value refuse(Interpreter &, Value, const Arguments &) {
  throw unsupported(std::string("the method '") + otherMethods[Index] +
                    "' of strings is not supported");
}

template <size_t... Indices>
const Function *refusals(std::index_sequence<Indices...>) {
  static constexpr Function functions[] = {refuse<Indices>...};
  return functions;
}

} // namespace

const Value *findStringMethod(Interpreter &interpreter, Value self, const std::string &name,
                              Value &place) {
  if (self.isMarkup())
    throw unsupported("methods of text that is marked safe are not supported");
  for (const Method &method : methods)
    if (name == method.name)
      return &(place = makeFunction(interpreter, method, self));
  constexpr size_t others = std::size(otherMethods);
  for (size_t i = 0; i < others; ++i)
    if (name == otherMethods[i]) {
      Function function = refusals(std::make_index_sequence<others>())[i];
      return &(place = makeFunction(interpreter, {otherMethods[i], function}, self));
    }
  return nullptr;
}

} // namespace llmc::tokenizer::jinja
