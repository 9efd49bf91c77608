//===- Value.cpp - what expressions of templates give ---------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Defines the heap, and what all values have: truth, equality, order, elements.
//
//===----------------------------------------------------------------------===//

#include "Value.h"

#include "Characters.h"
#include "Error.h"
#include "Interpreter.h"

#include <cmath>

namespace llmc::tokenizer::jinja {

using Kind = Value::Kind;

/// How deep values may stand in each other where they are gone through.
static constexpr int deepestValue = 100;

static void checkDepth(int depth, Heap &heap) {
  heap.step();
  if (depth > deepestValue)
    throw unsupported("values in each other, more than " + std::to_string(deepestValue) + " deep");
}

const Text &Value::getText() const { return static_cast<StringObject *>(object)->text; }
bool Value::isMarkup() const { return isString() && static_cast<StringObject *>(object)->isMarkup; }
std::vector<Value> &Value::getElements() const {
  return static_cast<SequenceObject *>(object)->elements;
}
DictObject &Value::getDict() const { return *static_cast<DictObject *>(object); }
RangeObject &Value::getRange() const { return *static_cast<RangeObject *>(object); }
UndefinedObject &Value::getUndefined() const { return *static_cast<UndefinedObject *>(object); }
FunctionObject &Value::getFunction() const { return *static_cast<FunctionObject *>(object); }
MacroObject &Value::getMacro() const { return *static_cast<MacroObject *>(object); }
LoopObject &Value::getLoop() const { return *static_cast<LoopObject *>(object); }

const Value *DictObject::find(const std::string &key) const {
  for (const Entry &entry : entries)
    if (entry.key.isString() && entry.key.getText().str() == key)
      return &entry.value;
  return nullptr;
}

void Heap::step(uint64_t count) {
  if (count > stepsLeft)
    throw tooMuch("the template takes too many steps");
  stepsLeft -= count;
}

void Heap::allocate(uint64_t bytes) {
  if (bytes > bytesLeft)
    throw tooMuch("the template takes too much memory");
  step(1 + bytes / 64);
  bytesLeft -= bytes;
}

Value Heap::string(Text text) {
  allocate(text.size() + text.getMarks().size() * sizeof(Run));
  return {Kind::String, make<StringObject>(std::move(text))};
}

Value Heap::markup(Text text) {
  Value result = string(std::move(text));
  static_cast<StringObject *>(result.getObject())->isMarkup = true;
  return result;
}

Value Heap::sequence(Kind kind, std::vector<Value> &elements) {
  allocate(elements.size() * sizeof(Value));
  auto *object = make<SequenceObject>();
  object->elements = std::move(elements);
  return {kind, object};
}

Value Heap::view(const char *name, std::vector<Value> elements) {
  Value result = sequence(Kind::View, elements);
  static_cast<SequenceObject *>(result.getObject())->viewName = name;
  return result;
}

Value Heap::undefined(std::string message) {
  allocate(message.size());
  auto *object = make<UndefinedObject>();
  object->message = std::move(message);
  return {Kind::Undefined, object};
}

const char *typeName(Value value) {
  switch (value.getKind()) {
  case Kind::Undefined:
    return "Undefined";
  case Kind::None:
    return "NoneType";
  case Kind::Boolean:
    return "bool";
  case Kind::Integer:
    return "int";
  case Kind::Float:
    return "float";
  case Kind::String:
    return value.isMarkup() ? "Markup" : "str";
  case Kind::List:
    return "list";
  case Kind::Tuple:
    return "tuple";
  case Kind::Iterator:
    return "generator";
  case Kind::View:
    return static_cast<SequenceObject *>(value.getObject())->viewName;
  case Kind::Range:
    return "range";
  case Kind::Dict:
    return "dict";
  case Kind::Namespace:
    return "Namespace";
  case Kind::Function:
    return "function";
  case Kind::Macro:
    return "Macro";
  case Kind::Loop:
    return "LoopContext";
  }
  return "";
}

bool isTrue(Value value) {
  switch (value.getKind()) {
  case Kind::Undefined:
  case Kind::None:
    return false;
  case Kind::Boolean:
  case Kind::Integer:
    return value.getInteger() != 0;
  case Kind::Float:
    return value.getNumber() != 0;
  case Kind::String:
    return !value.getText().empty();
  case Kind::List:
  case Kind::Tuple:
  case Kind::View:
    return !value.getElements().empty();
  case Kind::Range:
    return value.getRange().size > 0;
  case Kind::Dict:
    return !value.getDict().entries.empty();
  case Kind::Loop:
    return !value.getLoop().elements.empty();
  default:
    return true;
  }
}

/// Compares an integer with a float exactly.
static int compareNumbers(Value left, Value right, bool &isOrdered) {
  isOrdered = true;
  if (left.isInteger() && right.isInteger())
    return left.getInteger() < right.getInteger() ? -1 : left.getInteger() > right.getInteger();
  if (left.is(Kind::Float) && right.isInteger())
    return -compareNumbers(right, left, isOrdered);
  double other = right.getNumber();
  if (std::isnan(other) || std::isnan(left.getNumber())) {
    isOrdered = false;
    return 1;
  }
  if (left.isInteger()) {
    // Where the float lies beyond every integer, or between two.
    if (other >= 9223372036854775808.0)
      return -1;
    if (other < -9223372036854775808.0)
      return 1;
    auto whole = static_cast<int64_t>(std::floor(other));
    if (left.getInteger() != whole)
      return left.getInteger() < whole ? -1 : 1;
    return other > std::floor(other) ? -1 : 0;
  }
  return left.getNumber() < other ? -1 : left.getNumber() > other;
}

bool areEqual(Value left, Value right, Heap &heap, int depth) {
  checkDepth(depth, heap);
  bool isOrdered;
  if (left.isNumber() && right.isNumber())
    return compareNumbers(left, right, isOrdered) == 0 && isOrdered;
  if (left.getKind() != right.getKind())
    return false;
  switch (left.getKind()) {
  case Kind::Undefined:
  case Kind::None:
    return true;
  case Kind::String:
    heap.scan(std::min(left.getText().size(), right.getText().size()));
    return left.getText() == right.getText();
  case Kind::List:
  case Kind::Tuple: {
    const std::vector<Value> &ours = left.getElements(), &theirs = right.getElements();
    if (ours.size() != theirs.size())
      return false;
    for (size_t i = 0; i < ours.size(); ++i)
      if (!areEqual(ours[i], theirs[i], heap, depth + 1))
        return false;
    return true;
  }
  case Kind::Range: {
    const RangeObject &ours = left.getRange(), &theirs = right.getRange();
    return ours.size == theirs.size && (ours.size == 0 || ours.start == theirs.start) &&
           (ours.size < 2 || ours.step == theirs.step);
  }
  case Kind::Dict: {
    const DictObject &ours = left.getDict(), &theirs = right.getDict();
    if (ours.entries.size() != theirs.entries.size())
      return false;
    for (const DictObject::Entry &entry : ours.entries) {
      const Value *other = findKey(theirs, entry.key, heap);
      if (!other || !areEqual(entry.value, *other, heap, depth + 1))
        return false;
    }
    return true;
  }
  default:
    return left.getObject() == right.getObject();
  }
}

int compare(Value left, Value right, const char *operation, Heap &heap, bool &isOrdered,
            int depth) {
  checkDepth(depth, heap);
  isOrdered = true;
  for (Value value : {left, right})
    if (value.isUndefined())
      throw wrongValue(value.getUndefined().message);
  if (left.isNumber() && right.isNumber())
    return compareNumbers(left, right, isOrdered);
  if (left.isString() && right.isString()) {
    heap.scan(std::min(left.getText().size(), right.getText().size()));
    return left.getText().str().compare(right.getText().str());
  }
  if (left.getKind() == right.getKind() && (left.is(Kind::List) || left.is(Kind::Tuple))) {
    const std::vector<Value> &ours = left.getElements(), &theirs = right.getElements();
    for (size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i)
      if (!areEqual(ours[i], theirs[i], heap, depth + 1))
        return compare(ours[i], theirs[i], operation, heap, isOrdered, depth + 1);
    return ours.size() < theirs.size() ? -1 : ours.size() > theirs.size();
  }
  throw wrongValue(std::string("'") + operation + "' is not supported between " + typeName(left) +
                   " and " + typeName(right));
}

static void checkHashable(Value key) {
  switch (key.getKind()) {
  case Kind::List:
  case Kind::Dict:
    throw wrongValue(std::string("unhashable type: '") + typeName(key) + "'");
  case Kind::Tuple:
    for (Value element : key.getElements())
      checkHashable(element);
    return;
  default:
    return;
  }
}

const Value *findKey(const DictObject &dict, Value key, Heap &heap) {
  checkHashable(key);
  for (const DictObject::Entry &entry : dict.entries)
    if (areEqual(entry.key, key, heap))
      return &entry.value;
  return nullptr;
}

void setKey(DictObject &dict, Value key, Value value, Heap &heap) {
  if (const Value *place = findKey(dict, key, heap)) {
    *const_cast<Value *>(place) = value;
    return;
  }
  heap.allocate(sizeof(DictObject::Entry));
  dict.entries.push_back({key, value});
}

std::vector<Value> iterate(Value value, Heap &heap) {
  std::vector<Value> result;
  switch (value.getKind()) {
  case Kind::Undefined:
    return result;
  case Kind::String: {
    const Text &text = value.getText();
    for (size_t position = 0; position < text.size();) {
      size_t next = position + characterSize(text.str(), position);
      heap.append(result, heap.string(text.slice(position, next)));
      position = next;
    }
    return result;
  }
  case Kind::List:
  case Kind::Tuple:
  case Kind::View:
    heap.allocate(value.getElements().size() * sizeof(Value));
    return value.getElements();
  case Kind::Iterator:
    result.swap(value.getElements());
    return result;
  case Kind::Range:
    for (int64_t i = 0; i < value.getRange().size; ++i)
      heap.append(result, Value(value.getRange().at(i)));
    return result;
  case Kind::Dict:
    for (const DictObject::Entry &entry : value.getDict().entries)
      heap.append(result, entry.key);
    return result;
  default:
    throw wrongValue(std::string("'") + typeName(value) + "' object is not iterable");
  }
}

int64_t length(Value value, Heap &heap) {
  switch (value.getKind()) {
  case Kind::Undefined:
    return 0;
  case Kind::String:
    heap.scan(value.getText().size());
    return static_cast<int64_t>(countCharacters(value.getText().str()));
  case Kind::List:
  case Kind::Tuple:
  case Kind::View:
    return static_cast<int64_t>(value.getElements().size());
  case Kind::Range:
    return value.getRange().size;
  case Kind::Dict:
    return static_cast<int64_t>(value.getDict().entries.size());
  case Kind::Loop:
    return static_cast<int64_t>(value.getLoop().elements.size());
  default:
    throw wrongValue(std::string("object of type '") + typeName(value) + "' has no len()");
  }
}

} // namespace llmc::tokenizer::jinja
