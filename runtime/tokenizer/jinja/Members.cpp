//===- Members.cpp - the attributes of values -----------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Finds the attributes of values. Methods that would change a value are there and fail when they
// are called, as in Jinja's immutable sandbox.
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Methods.h"
#include "Parameters.h"

#include <algorithm>

namespace llmc::tokenizer::jinja {

using Kind = Value::Kind;

namespace {

Value dictGet(Interpreter &interpreter, Value self, const Arguments &arguments) {
  Parameters given("get", arguments, {"key", "default"}, 1);
  const Value *found = findKey(self.getDict(), given.get(0), interpreter.heap);
  return found ? *found : given.get(1);
}

Value dictKeys(Interpreter &interpreter, Value self, const Arguments &arguments) {
  expectNoArguments("keys", arguments);
  return interpreter.heap.view("dict_keys", iterate(self, interpreter.heap));
}

Value dictValues(Interpreter &interpreter, Value self, const Arguments &arguments) {
  expectNoArguments("values", arguments);
  std::vector<Value> values;
  for (const DictObject::Entry &entry : self.getDict().entries)
    interpreter.heap.append(values, entry.value);
  return interpreter.heap.view("dict_values", std::move(values));
}

Value dictItems(Interpreter &interpreter, Value self, const Arguments &arguments) {
  expectNoArguments("items", arguments);
  return interpreter.heap.view("dict_items", listItems(self.getDict(), interpreter.heap));
}

Value dictCopy(Interpreter &interpreter, Value self, const Arguments &arguments) {
  expectNoArguments("copy", arguments);
  Value result = interpreter.heap.dict();
  interpreter.heap.allocate(self.getDict().entries.size() * sizeof(DictObject::Entry));
  result.getDict().entries = self.getDict().entries;
  return result;
}

Value listCopy(Interpreter &interpreter, Value self, const Arguments &arguments) {
  expectNoArguments("copy", arguments);
  return interpreter.heap.list(iterate(self, interpreter.heap));
}

Value listIndex(Interpreter &interpreter, Value self, const Arguments &arguments) {
  Parameters given("index", arguments, {"value"}, 1);
  std::vector<Value> elements = iterate(self, interpreter.heap);
  for (size_t i = 0; i < elements.size(); ++i)
    if (areEqual(elements[i], given.get(0), interpreter.heap))
      return static_cast<int64_t>(i);
  throw wrongValue("index: the value is not in the list");
}

Value listCount(Interpreter &interpreter, Value self, const Arguments &arguments) {
  Parameters given("count", arguments, {"value"}, 1);
  int64_t count = 0;
  for (Value element : iterate(self, interpreter.heap))
    count += areEqual(element, given.get(0), interpreter.heap);
  return count;
}

Value loopCycle(Interpreter &, Value self, const Arguments &arguments) {
  if (arguments.positional.empty() || !arguments.named.empty())
    throw wrongValue("no items for cycling given");
  return arguments.positional[self.getLoop().index % arguments.positional.size()];
}

Value loopChanged(Interpreter &interpreter, Value self, const Arguments &arguments) {
  LoopObject &loop = self.getLoop();
  bool isSame = loop.hasLast && loop.last.size() == arguments.positional.size();
  for (size_t i = 0; isSame && i < loop.last.size(); ++i)
    isSame = areEqual(loop.last[i], arguments.positional[i], interpreter.heap);
  loop.last = arguments.positional;
  loop.hasLast = true;
  return !isSame;
}

constexpr Method dictMethods[] = {
    {"get", dictGet},     {"keys", dictKeys}, {"values", dictValues},
    {"items", dictItems}, {"copy", dictCopy},
};
constexpr const char *otherDictMethods[] = {"clear",   "fromkeys",   "pop",
                                            "popitem", "setdefault", "update"};
constexpr Method listMethods[] = {
    {"copy", listCopy},
    {"index", listIndex},
    {"count", listCount},
};
constexpr const char *otherListMethods[] = {"append", "clear",  "extend",  "insert",
                                            "pop",    "remove", "reverse", "sort"};
/// Those of tuples and ranges.
constexpr Method tupleMethods[] = {{"index", listIndex}, {"count", listCount}};

template <size_t Size>
const Value *makeMethod(Interpreter &interpreter, const Method (&methods)[Size], Value self,
                        const std::string &name, Value &place) {
  for (const Method &method : methods)
    if (name == method.name)
      return &(place = makeFunction(interpreter, method, self));
  return nullptr;
}

/// Gives what fails when it is used, for a name that Python has and templates may not call.
template <size_t Size>
const Value *makeRefused(Interpreter &interpreter, const char *const (&names)[Size], Value self,
                         const std::string &name, Value &place) {
  if (std::find(std::begin(names), std::end(names), name) == std::end(names))
    return nullptr;
  place = interpreter.heap.undefined("access to attribute '" + name + "' of '" + typeName(self) +
                                     "' object is unsafe.");
  return &place;
}

const Value *findLoopMember(Interpreter &interpreter, Value self, const std::string &name,
                            Value &place) {
  static constexpr Method methods[] = {{"cycle", loopCycle}, {"changed", loopChanged}};
  const LoopObject &loop = self.getLoop();
  auto index = static_cast<int64_t>(loop.index), size = static_cast<int64_t>(loop.elements.size());
  auto element = [&](bool exists, size_t at, const char *message) {
    return exists ? loop.elements[at] : interpreter.heap.undefined(message);
  };
  if (name == "index")
    place = Value(index + 1);
  else if (name == "index0")
    place = Value(index);
  else if (name == "revindex")
    place = Value(size - index);
  else if (name == "revindex0")
    place = Value(size - index - 1);
  else if (name == "first")
    place = Value(index == 0);
  else if (name == "last")
    place = Value(index + 1 == size);
  else if (name == "length")
    place = Value(size);
  else if (name == "depth")
    place = Value(int64_t(1));
  else if (name == "depth0")
    place = Value(int64_t(0));
  else if (name == "previtem")
    place = element(index > 0, loop.index - 1, "there is no previous item");
  else if (name == "nextitem")
    place = element(index + 1 < size, loop.index + 1, "there is no next item");
  else
    return makeMethod(interpreter, methods, self, name, place);
  return &place;
}

} // namespace

std::vector<Value> listItems(const DictObject &dict, Heap &heap) {
  std::vector<Value> items;
  for (const DictObject::Entry &entry : dict.entries)
    heap.append(items, heap.tuple({entry.key, entry.value}));
  return items;
}

Value makeFunction(Interpreter &interpreter, const Method &method, Value self) {
  auto *function = interpreter.heap.make<FunctionObject>();
  function->name = method.name;
  function->function = method.function;
  function->self = self;
  return {Kind::Function, function};
}

const Value *findMember(Interpreter &interpreter, Value value, const std::string &name,
                        Value &place) {
  // What begins so belongs to Python, and is kept from templates.
  if (name.empty() || name[0] == '_')
    return nullptr;
  const Value *found = nullptr;
  switch (value.getKind()) {
  case Kind::String:
    return findStringMethod(interpreter, value, name, place);
  case Kind::Dict:
    found = makeMethod(interpreter, dictMethods, value, name, place);
    return found ? found : makeRefused(interpreter, otherDictMethods, value, name, place);
  case Kind::List:
    found = makeMethod(interpreter, listMethods, value, name, place);
    return found ? found : makeRefused(interpreter, otherListMethods, value, name, place);
  case Kind::Tuple:
    return makeMethod(interpreter, tupleMethods, value, name, place);
  case Kind::Loop:
    return findLoopMember(interpreter, value, name, place);
  case Kind::Namespace:
    return value.getDict().find(name);
  case Kind::Macro:
    if (name != "name")
      return nullptr;
    place = interpreter.heap.string(value.getMacro().name);
    return &place;
  case Kind::Range: {
    const RangeObject &range = value.getRange();
    if (name != "start" && name != "stop" && name != "step")
      return makeMethod(interpreter, tupleMethods, value, name, place);
    place = name == "start" ? range.start : name == "stop" ? range.stop : range.step;
    return &place;
  }
  default:
    return nullptr;
  }
}

} // namespace llmc::tokenizer::jinja
