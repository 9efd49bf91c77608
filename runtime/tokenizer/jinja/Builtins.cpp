//===- Builtins.cpp - tests, and what every template has ------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Applies filters and tests by name, and defines the functions that transformers and Jinja give
// every chat template.
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Methods.h"
#include "Parameters.h"
#include "Strings.h"

#include <algorithm>
#include <cerrno>

namespace llmc::tokenizer::jinja {

using Kind = Value::Kind;

namespace {

/// What Jinja has besides.
constexpr const char *otherFilters[] = {
    "batch",     "filesizeformat", "forceescape", "groupby", "pprint",    "random",   "slice",
    "striptags", "truncate",       "urlencode",   "urlize",  "wordcount", "wordwrap", "xmlattr",
};

bool isFilter(const std::string &name) {
  return findScalarFilter(name) || findSequenceFilter(name) ||
         std::find(std::begin(otherFilters), std::end(otherFilters), name) !=
             std::end(otherFilters);
}

/// Applies a filter to text that is marked safe, where the result is known to be so, or not.
Value applyToMarkup(Interpreter &interpreter, const std::string &name, Filter filter, Value value,
                    const Arguments &arguments) {
  for (const char *plain :
       {"length", "count", "tojson", "safe", "escape", "e", "list", "default", "d"})
    if (name == plain)
      return filter(interpreter, value, arguments);
  for (const char *marked : {"string", "trim", "upper", "lower", "capitalize", "indent"})
    if (name == marked)
      return interpreter.heap.markup(filter(interpreter, value, arguments).getText());
  throw unsupported("the filter '" + name + "' of text that is marked safe is not supported");
}

/// A test: whether something holds of a value, and of another if it takes one.
using TestFunction = bool (*)(Value value, Value other, Heap &heap);

template <Operator op>
bool testOperator(Value value, Value other, Heap &heap) {
  return applyComparison(op, value, other, heap);
}

bool testRemainder(Value value, int64_t divisor, int64_t remainder, Heap &heap) {
  Value rest = applyOperator(Operator::Modulo, value, Value(divisor), heap);
  return areEqual(rest, Value(remainder), heap);
}

template <bool upper>
bool testCase(Value value, Value, Heap &heap) {
  Text text = toText(value, heap);
  bool found = false;
  for (size_t position = 0; position < text.size();) {
    char32_t character = nextCharacter(text.str(), position);
    if (isTitle(character) || (upper ? isLower(character) : isUpper(character)))
      return false;
    found |= upper ? isUpper(character) : isLower(character);
  }
  return found;
}

bool testSame(Value value, Value other, Heap &) {
  if (value.getKind() != other.getKind())
    return false;
  switch (value.getKind()) {
  case Kind::None:
    return true;
  case Kind::Boolean:
    return value.getInteger() == other.getInteger();
  case Kind::Integer:
    // Python keeps one object for each small integer only.
    return value.getInteger() == other.getInteger() && value.getInteger() >= -5 &&
           value.getInteger() <= 256;
  case Kind::Float:
    return false;
  default:
    return value.getObject() == other.getObject();
  }
}

bool testIterable(Value value, Value, Heap &) {
  return value.isUndefined() || value.isString() || value.isSequence() || value.is(Kind::Range) ||
         value.is(Kind::Dict) || value.is(Kind::Loop);
}

bool testSequence(Value value, Value, Heap &) {
  return value.isUndefined() || value.isString() || value.is(Kind::List) || value.is(Kind::Tuple) ||
         value.is(Kind::Range) || value.is(Kind::Dict);
}

bool testCallable(Value value, Value, Heap &) {
  return value.isUndefined() || value.is(Kind::Function) || value.is(Kind::Macro) ||
         value.is(Kind::Loop);
}

constexpr struct Test {
  const char *name;
  bool takesOther;
  TestFunction function;
} tests[] = {
    {"defined", false, [](Value value, Value, Heap &) { return !value.isUndefined(); }},
    {"undefined", false, [](Value value, Value, Heap &) { return value.isUndefined(); }},
    {"none", false, [](Value value, Value, Heap &) { return value.isNone(); }},
    {"boolean", false, [](Value value, Value, Heap &) { return value.is(Kind::Boolean); }},
    {"true", false,
     [](Value value, Value, Heap &) { return value.is(Kind::Boolean) && value.getInteger() != 0; }},
    {"false", false,
     [](Value value, Value, Heap &) { return value.is(Kind::Boolean) && value.getInteger() == 0; }},
    {"integer", false, [](Value value, Value, Heap &) { return value.is(Kind::Integer); }},
    {"float", false, [](Value value, Value, Heap &) { return value.is(Kind::Float); }},
    {"number", false, [](Value value, Value, Heap &) { return value.isNumber(); }},
    {"string", false, [](Value value, Value, Heap &) { return value.isString(); }},
    {"mapping", false, [](Value value, Value, Heap &) { return value.is(Kind::Dict); }},
    {"sequence", false, testSequence},
    {"iterable", false, testIterable},
    {"callable", false, testCallable},
    {"lower", false, testCase<false>},
    {"upper", false, testCase<true>},
    {"odd", false, [](Value value, Value, Heap &heap) { return testRemainder(value, 2, 1, heap); }},
    {"even", false,
     [](Value value, Value, Heap &heap) { return testRemainder(value, 2, 0, heap); }},
    {"divisibleby", true,
     [](Value value, Value other, Heap &heap) {
       return areEqual(applyOperator(Operator::Modulo, value, other, heap), Value(int64_t(0)),
                       heap);
     }},
    {"sameas", true, testSame},
    {"in", true, testOperator<Operator::In>},
    {"eq", true, testOperator<Operator::Equal>},
    {"==", true, testOperator<Operator::Equal>},
    {"equalto", true, testOperator<Operator::Equal>},
    {"ne", true, testOperator<Operator::NotEqual>},
    {"!=", true, testOperator<Operator::NotEqual>},
    {"gt", true, testOperator<Operator::Greater>},
    {">", true, testOperator<Operator::Greater>},
    {"greaterthan", true, testOperator<Operator::Greater>},
    {"ge", true, testOperator<Operator::GreaterEqual>},
    {">=", true, testOperator<Operator::GreaterEqual>},
    {"lt", true, testOperator<Operator::Less>},
    {"<", true, testOperator<Operator::Less>},
    {"lessthan", true, testOperator<Operator::Less>},
    {"le", true, testOperator<Operator::LessEqual>},
    {"<=", true, testOperator<Operator::LessEqual>},
    {"escaped", false, [](Value value, Value, Heap &) { return value.isMarkup(); }},
    {"filter", false,
     [](Value value, Value, Heap &) {
       return value.isString() && isFilter(value.getText().str());
     }},
};

const Test *findTest(const std::string &name) {
  auto found = std::find_if(std::begin(tests), std::end(tests),
                            [&](const Test &test) { return name == test.name; });
  return found == std::end(tests) ? nullptr : found;
}

Value raiseException(Interpreter &interpreter, Value, const Arguments &arguments) {
  Parameters given("raise_exception", arguments, {"message"}, 1);
  throw wrongValue(toText(given.get(0), interpreter.heap).str());
}

Value strftimeNow(Interpreter &interpreter, Value, const Arguments &arguments) {
  Parameters given("strftime_now", arguments, {"format"}, 1);
  std::string format = given.getText(0, {}).str();
  if (format.size() > 1000)
    throw tooMuch("a format of a date of more than 1000 bytes");
  std::tm parts{};
  if (!localtime_r(&interpreter.now, &parts))
    throw wrongValue("the time of day is not known");
  interpreter.heap.allocate(16384);
  std::string result(16384, '\0');
  // One byte more tells an empty result from too little room.
  size_t size = std::strftime(result.data(), result.size(), (format + "x").c_str(), &parts);
  if (size == 0)
    throw wrongValue("a date that is too long");
  result.resize(size - 1);
  if (findInvalidUtf8(result) != result.size())
    throw wrongValue("a date that is not in UTF-8");
  return interpreter.heap.string(result);
}

Value makeRange(Interpreter &interpreter, Value, const Arguments &arguments) {
  if (arguments.positional.empty())
    throw wrongValue("range expected at least 1 argument, got 0");
  Parameters given("range", arguments, {"start", "stop", "step"}, 1);
  auto *range = interpreter.heap.make<RangeObject>();
  range->stop = given.getInteger(given.has(1) ? 1 : 0, 0);
  range->start = given.has(1) ? given.getInteger(0, 0) : 0;
  range->step = given.getInteger(2, 1);
  if (range->step == 0)
    throw wrongValue("range() arg 3 must not be zero");
  // In floating point, where nothing overflows: more than the limit is refused anyway.
  double distance = static_cast<double>(range->stop) - static_cast<double>(range->start);
  double size = distance / static_cast<double>(range->step);
  if (size > 100000)
    throw wrongValue("Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
  if (size > 0) {
    __int128 span = static_cast<__int128>(range->stop) - range->start;
    range->size = static_cast<int64_t>(span / range->step + (span % range->step != 0));
  }
  return {Kind::Range, range};
}

Value makeDict(Interpreter &interpreter, Value, const Arguments &arguments) {
  Heap &heap = interpreter.heap;
  if (arguments.positional.size() > 1)
    throw wrongValue("dict expected at most 1 argument");
  Value result = heap.dict();
  if (!arguments.positional.empty()) {
    Value given = arguments.positional[0];
    std::vector<Value> items =
        given.is(Kind::Dict) ? listItems(given.getDict(), heap) : iterate(given, heap);
    for (Value item : items) {
      std::vector<Value> pair = iterate(item, heap);
      if (pair.size() != 2)
        throw wrongValue("dict: expected pairs of a key and a value");
      setKey(result.getDict(), pair[0], pair[1], heap);
    }
  }
  for (const auto &argument : arguments.named)
    setKey(result.getDict(), heap.string(argument.first), argument.second, heap);
  return result;
}

Value makeNamespace(Interpreter &interpreter, Value self, const Arguments &arguments) {
  return {Kind::Namespace, makeDict(interpreter, self, arguments).getObject()};
}

Value refuse(Interpreter &, Value, const Arguments &) {
  throw unsupported("lipsum, cycler and joiner are not supported");
}

constexpr Method globals[] = {
    {"raise_exception", raiseException},
    {"strftime_now", strftimeNow},
    {"range", makeRange},
    {"dict", makeDict},
    {"namespace", makeNamespace},
    {"lipsum", refuse},
    {"cycler", refuse},
    {"joiner", refuse},
};

} // namespace

const Value *findGlobal(Interpreter &interpreter, const std::string &name, Value &place) {
  for (const Method &global : globals)
    if (name == global.name)
      return &(place = makeFunction(interpreter, global, {}));
  return nullptr;
}

Value Interpreter::applyFilter(const std::string &name, Value value, const Arguments &arguments) {
  Level level(*this);
  Filter filter = findScalarFilter(name);
  if (!filter)
    filter = findSequenceFilter(name);
  if (filter && value.isMarkup())
    return applyToMarkup(*this, name, filter, value, arguments);
  if (filter)
    return filter(*this, value, arguments);
  if (isFilter(name))
    throw unsupported("the filter '" + name + "' is not supported");
  throw wrongValue("No filter named '" + name + "'.");
}

bool Interpreter::applyTest(const std::string &name, Value value, const Arguments &arguments) {
  Level level(*this);
  if (name == "test") {
    expectNoArguments("test", arguments);
    return value.isString() && (findTest(value.getText().str()) || value.getText() == "test");
  }
  const Test *test = findTest(name);
  if (!test)
    throw wrongValue("No test named '" + name + "'.");
  if (!test->takesOther) {
    expectNoArguments(name, arguments);
    return test->function(value, {}, heap);
  }
  Parameters given(name, arguments, {"other"}, 1);
  return test->function(value, given.get(0), heap);
}

} // namespace llmc::tokenizer::jinja
