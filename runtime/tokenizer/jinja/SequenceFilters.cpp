//===- SequenceFilters.cpp - filters of several values --------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines the filters of lists and dicts.
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Methods.h"
#include "Parameters.h"
#include "Sorting.h"
#include "Strings.h"

#include <algorithm>

namespace llmc::tokenizer::jinja {

using Kind = Value::Kind;

namespace {

/// Follows a path of attributes such as "function.name" or "0.id".
class AttributePath {
public:
  AttributePath(Interpreter &interpreter, Value attribute) : interpreter(interpreter) {
    Heap &heap = interpreter.heap;
    if (attribute.isNone())
      return;
    if (!attribute.isString()) {
      parts.push_back(attribute);
      return;
    }
    for (Value part : split(attribute.getText(), ".", -1, heap)) {
      const std::string &name = part.getText().str();
      bool isIndex = !name.empty() && name.size() < 18 &&
                     name.find_first_not_of("0123456789") == std::string::npos;
      parts.push_back(isIndex ? Value(static_cast<int64_t>(std::stoll(name))) : part);
    }
  }

  /// `otherwise` stands for what is undefined, unless it is None.
  Value get(Value value, Value otherwise = {}) const {
    for (Value part : parts) {
      value = interpreter.getItem(value, part);
      if (value.isUndefined() && !otherwise.isNone())
        value = otherwise;
    }
    return value;
  }

private:
  Interpreter &interpreter;
  std::vector<Value> parts;
};

Value ignoreCase(Value value, Heap &heap) {
  return value.isString() ? heap.string(changeCase(value.getText(), Case::Lower, heap)) : value;
}

/// A value and what it is sorted by.
struct Ranked {
  Value key;
  Value value;
};

std::vector<Value> sortRanked(std::vector<Ranked> ranked, bool isReverse, Heap &heap) {
  sortStably(ranked, [&](const Ranked &left, const Ranked &right) {
    return isReverse ? applyComparison(Operator::Less, right.key, left.key, heap)
                     : applyComparison(Operator::Less, left.key, right.key, heap);
  });
  std::vector<Value> result;
  for (const Ranked &element : ranked)
    heap.append(result, element.value);
  return result;
}

Value sortFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("sort", arguments, {"reverse", "case_sensitive", "attribute"});
  Heap &heap = interpreter.heap;
  std::vector<AttributePath> paths;
  if (given.get(2).isString())
    for (Value attribute : split(given.get(2).getText(), ",", -1, heap))
      paths.emplace_back(interpreter, attribute);
  else
    paths.emplace_back(interpreter, given.get(2));
  std::vector<Ranked> ranked;
  for (Value element : iterate(value, heap)) {
    std::vector<Value> keys;
    for (const AttributePath &path : paths) {
      Value key = path.get(element);
      keys.push_back(given.getTruth(1, false) ? key : ignoreCase(key, heap));
    }
    ranked.push_back({heap.list(std::move(keys)), element});
  }
  return heap.list(sortRanked(std::move(ranked), given.getTruth(0, false), heap));
}

Value dictsortFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("dictsort", arguments, {"case_sensitive", "by", "reverse"});
  Heap &heap = interpreter.heap;
  std::string by = given.getText(1, "key").str();
  if (by != "key" && by != "value")
    throw wrongValue("You can only sort by either \"key\" or \"value\"");
  if (value.isUndefined())
    throw wrongValue(value.getUndefined().message);
  if (!value.is(Kind::Dict))
    throw wrongValue(std::string("dictsort: expected a dict, found ") + typeName(value));
  std::vector<Ranked> ranked;
  for (Value item : listItems(value.getDict(), heap)) {
    Value key = item.getElements()[by == "key" ? 0 : 1];
    ranked.push_back({given.getTruth(0, false) ? key : ignoreCase(key, heap), item});
  }
  return heap.list(sortRanked(std::move(ranked), given.getTruth(2, false), heap));
}

Value uniqueFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("unique", arguments, {"case_sensitive", "attribute"});
  Heap &heap = interpreter.heap;
  AttributePath path(interpreter, given.get(1));
  DictObject seen;
  std::vector<Value> result;
  for (Value element : iterate(value, heap)) {
    Value key = path.get(element);
    if (!given.getTruth(0, false))
      key = ignoreCase(key, heap);
    if (findKey(seen, key, heap))
      continue;
    setKey(seen, key, {}, heap);
    heap.append(result, element);
  }
  return heap.iterator(std::move(result));
}

template <bool takesLargest>
Value extremeFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given(takesLargest ? "max" : "min", arguments, {"case_sensitive", "attribute"});
  Heap &heap = interpreter.heap;
  AttributePath path(interpreter, given.get(1));
  std::vector<Value> elements = iterate(value, heap);
  if (elements.empty())
    return heap.undefined("No aggregated item, sequence was empty.");
  Value best, bestKey;
  for (size_t i = 0; i < elements.size(); ++i) {
    Value key = path.get(elements[i]);
    if (!given.getTruth(0, false))
      key = ignoreCase(key, heap);
    Operator better = takesLargest ? Operator::Greater : Operator::Less;
    if (i > 0 && !applyComparison(better, key, bestKey, heap))
      continue;
    best = elements[i];
    bestKey = key;
  }
  return best;
}

Value sumFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("sum", arguments, {"attribute", "start"});
  AttributePath path(interpreter, given.get(0));
  Value result = given.has(1) ? given.get(1) : Value(int64_t(0));
  for (Value element : iterate(value, interpreter.heap))
    result = applyOperator(Operator::Add, result, path.get(element), interpreter.heap);
  return result;
}

Value firstFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  expectNoArguments("first", arguments);
  if (value.is(Kind::Iterator) && !value.getElements().empty()) {
    Value first = value.getElements().front();
    interpreter.heap.step(value.getElements().size());
    value.getElements().erase(value.getElements().begin());
    return first;
  }
  if (value.isString() && !value.getText().empty())
    return interpreter.getItem(value, Value(int64_t(0)));
  std::vector<Value> elements = iterate(value, interpreter.heap);
  return elements.empty() ? interpreter.heap.undefined("No first item, sequence was empty.")
                          : elements.front();
}

Value lastFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  expectNoArguments("last", arguments);
  if (value.is(Kind::Iterator))
    throw wrongValue("'generator' object is not reversible");
  std::vector<Value> elements = iterate(value, interpreter.heap);
  return elements.empty() ? interpreter.heap.undefined("No last item, sequence was empty.")
                          : elements.back();
}

Value listFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  expectNoArguments("list", arguments);
  return interpreter.heap.list(iterate(value, interpreter.heap));
}

Value reverseFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  expectNoArguments("reverse", arguments);
  Heap &heap = interpreter.heap;
  if (value.isString())
    return slice(value, {}, {}, Value(int64_t(-1)), heap);
  std::vector<Value> elements = iterate(value, heap);
  std::reverse(elements.begin(), elements.end());
  return value.is(Kind::Iterator) ? heap.list(std::move(elements))
                                  : heap.iterator(std::move(elements));
}

Value joinFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Parameters given("join", arguments, {"d", "attribute"});
  Heap &heap = interpreter.heap;
  AttributePath path(interpreter, given.get(1));
  std::vector<Value> parts;
  for (Value element : iterate(value, heap))
    heap.append(parts, path.get(element));
  Text separator = given.has(0) ? toText(given.get(0), heap) : Text();
  return heap.string(join(separator, parts, /*converts=*/true, heap));
}

Value itemsFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  expectNoArguments("items", arguments);
  if (value.isUndefined())
    return interpreter.heap.iterator({});
  if (!value.is(Kind::Dict))
    throw wrongValue("Can only get item pairs from a mapping.");
  return interpreter.heap.iterator(listItems(value.getDict(), interpreter.heap));
}

/// Takes the first argument, a name, out of the others.
Text takeName(Arguments &arguments, const char *missing) {
  if (arguments.positional.empty())
    throw wrongValue(missing);
  Value name = arguments.positional.front();
  if (!name.isString())
    throw wrongValue("expected the name of a filter or test, found " + std::string(typeName(name)));
  arguments.positional.erase(arguments.positional.begin());
  return name.getText();
}

Value mapFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Heap &heap = interpreter.heap;
  std::vector<Value> result;
  if (!isTrue(value))
    return heap.iterator({});
  bool hasAttribute =
      std::any_of(arguments.named.begin(), arguments.named.end(),
                  [](const auto &argument) { return argument.first == "attribute"; });
  if (arguments.positional.empty() && hasAttribute) {
    Parameters given("map", arguments, {"attribute", "default"});
    AttributePath path(interpreter, given.get(0));
    for (Value element : iterate(value, heap))
      heap.append(result, path.get(element, given.get(1)));
    return heap.iterator(std::move(result));
  }
  Arguments rest = arguments;
  std::string name = takeName(rest, "map requires a filter argument").str();
  for (Value element : iterate(value, heap))
    heap.append(result, interpreter.applyFilter(name, element, rest));
  return heap.iterator(std::move(result));
}

template <bool selects, bool ofAttribute>
Value selectFilter(Interpreter &interpreter, Value value, const Arguments &arguments) {
  Heap &heap = interpreter.heap;
  if (!isTrue(value))
    return heap.iterator({});
  Arguments rest = arguments;
  Value attribute;
  if (ofAttribute) {
    if (rest.positional.empty())
      throw wrongValue("Missing parameter for attribute name");
    attribute = rest.positional.front();
    rest.positional.erase(rest.positional.begin());
  }
  AttributePath path(interpreter, attribute);
  bool hasTest = !rest.positional.empty();
  std::string test = hasTest ? takeName(rest, "").str() : "";
  std::vector<Value> result;
  for (Value element : iterate(value, heap)) {
    Value tested = path.get(element);
    if ((hasTest ? interpreter.applyTest(test, tested, rest) : isTrue(tested)) == selects)
      heap.append(result, element);
  }
  return heap.iterator(std::move(result));
}

constexpr Method sequenceFilters[] = {
    {"sort", sortFilter},
    {"dictsort", dictsortFilter},
    {"unique", uniqueFilter},
    {"min", extremeFilter<false>},
    {"max", extremeFilter<true>},
    {"sum", sumFilter},
    {"first", firstFilter},
    {"last", lastFilter},
    {"list", listFilter},
    {"reverse", reverseFilter},
    {"join", joinFilter},
    {"items", itemsFilter},
    {"map", mapFilter},
    {"select", selectFilter<true, false>},
    {"reject", selectFilter<false, false>},
    {"selectattr", selectFilter<true, true>},
    {"rejectattr", selectFilter<false, true>},
};

} // namespace

Filter findSequenceFilter(const std::string &name) {
  auto found = std::find_if(std::begin(sequenceFilters), std::end(sequenceFilters),
                            [&](const Method &filter) { return name == filter.name; });
  return found == std::end(sequenceFilters) ? nullptr : found->function;
}

} // namespace llmc::tokenizer::jinja
