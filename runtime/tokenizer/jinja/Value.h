//===- Value.h - what expressions of templates give -----------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the values of templates, which are Python's. Objects belong to a heap that lives as long
// as a template runs and counts what it costs.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_VALUE_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_VALUE_H

#include "Text.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace llmc::tokenizer::jinja {

/// What a Heap owns.
struct Object {
  virtual ~Object() = default;
};

struct StringObject;
struct SequenceObject;
struct DictObject;
struct RangeObject;
struct UndefinedObject;
struct FunctionObject;
struct MacroObject;
struct LoopObject;

/// A value: small, copied freely, valid as long as its heap.
class Value {
public:
  enum class Kind : uint8_t {
    Undefined,
    None,
    Boolean,
    Integer,
    Float,
    String,
    List,
    Tuple,
    Iterator, ///< what many filters give: it is gone through once, and has no length
    View,     ///< the keys, values or items of a dict
    Range,
    Dict,
    Namespace,
    Function,
    Macro,
    Loop,
  };

  /// None.
  Value() : kind(Kind::None), integer(0) {}
  Value(bool boolean) : kind(Kind::Boolean), integer(boolean) {}
  Value(int64_t integer) : kind(Kind::Integer), integer(integer) {}
  Value(double number) : kind(Kind::Float), number(number) {}
  Value(Kind kind, Object *object) : kind(kind), object(object) {}

  Kind getKind() const { return kind; }
  bool is(Kind other) const { return kind == other; }
  bool isUndefined() const { return kind == Kind::Undefined; }
  bool isNone() const { return kind == Kind::None; }
  bool isString() const { return kind == Kind::String; }
  /// Booleans are integers in Python.
  bool isInteger() const { return kind == Kind::Integer || kind == Kind::Boolean; }
  bool isNumber() const { return isInteger() || kind == Kind::Float; }
  /// A list, or another sequence of values that are all there.
  bool isSequence() const { return kind >= Kind::List && kind <= Kind::View; }

  int64_t getInteger() const { return integer; }
  double getNumber() const { return kind == Kind::Float ? number : static_cast<double>(integer); }
  const Text &getText() const;
  bool isMarkup() const;
  std::vector<Value> &getElements() const;
  DictObject &getDict() const;
  RangeObject &getRange() const;
  UndefinedObject &getUndefined() const;
  FunctionObject &getFunction() const;
  MacroObject &getMacro() const;
  LoopObject &getLoop() const;
  Object *getObject() const { return object; }

private:
  Kind kind;
  union {
    int64_t integer;
    double number;
    Object *object;
  };
};

struct StringObject : Object {
  explicit StringObject(Text text) : text(std::move(text)) {}
  Text text;
  /// Whether it was called safe in HTML: what is added to it is escaped.
  bool isMarkup = false;
};

struct SequenceObject : Object {
  std::vector<Value> elements;
  /// What a view is in Python; null for others.
  const char *viewName = nullptr;
};

/// A dict, in the order of insertion, or a namespace.
struct DictObject : Object {
  struct Entry {
    Value key;
    Value value;
  };
  std::vector<Entry> entries;

  /// The value of a key that is a string, or null.
  const Value *find(const std::string &key) const;
};

struct RangeObject : Object {
  int64_t start = 0;
  int64_t stop = 0;
  int64_t step = 1;
  int64_t size = 0;
  int64_t at(int64_t index) const { return start + index * step; }
};

/// What is not there, and the message of its use.
struct UndefinedObject : Object {
  std::string message;
};

struct LoopObject : Object {
  std::vector<Value> elements;
  size_t index = 0;
  int64_t outerLoops = 0;
  /// What `changed` was last called with.
  std::vector<Value> last;
  bool hasLast = false;
};

/// Owns the objects of one run, and ends it where it costs too much.
class Heap {
public:
  /// `steps` bounds the time, in operations on a value or on some bytes; `bytes` the memory.
  Heap(uint64_t steps, uint64_t bytes) : stepsLeft(steps), bytesLeft(bytes) {}

  /// Counts work; throws Error where it is too much.
  void step(uint64_t count = 1);
  /// Counts the work of going through text.
  void scan(size_t bytes) { step(1 + bytes / 64); }
  /// Counts memory; throws Error where it is too much.
  void allocate(uint64_t bytes);

  template <typename Type, typename... Arguments>
  Type *make(Arguments &&...arguments) {
    allocate(sizeof(Type) + 32);
    auto object = std::make_unique<Type>(std::forward<Arguments>(arguments)...);
    Type *result = object.get();
    objects.push_back(std::move(object));
    return result;
  }

  Value string(Text text);
  /// A string that is safe in HTML, which is what Jinja's filter `safe` says.
  Value markup(Text text);
  Value list(std::vector<Value> elements) { return sequence(Value::Kind::List, elements); }
  Value tuple(std::vector<Value> elements) { return sequence(Value::Kind::Tuple, elements); }
  Value iterator(std::vector<Value> elements) { return sequence(Value::Kind::Iterator, elements); }
  Value view(const char *name, std::vector<Value> elements);
  Value dict() { return {Value::Kind::Dict, make<DictObject>()}; }
  Value undefined(std::string message);
  /// Adds an element, and counts it.
  void append(std::vector<Value> &elements, Value element) {
    allocate(sizeof(Value));
    elements.push_back(element);
  }

private:
  Value sequence(Value::Kind kind, std::vector<Value> &elements);

  uint64_t stepsLeft;
  uint64_t bytesLeft;
  std::vector<std::unique_ptr<Object>> objects;
};

/// The name of a value's type in Python.
const char *typeName(Value value);

bool isTrue(Value value);
/// Whether Python's == holds. Going through what is nested counts as work.
bool areEqual(Value left, Value right, Heap &heap, int depth = 0);
/// Less than zero, zero or more, for two values that Python has an order for; else throws Error
/// with `operation` in its message. NaN is less than nothing and gives `isOrdered` false.
int compare(Value left, Value right, const char *operation, Heap &heap, bool &isOrdered,
            int depth = 0);

/// Finds a key in a dict; throws Error if it can be none.
const Value *findKey(const DictObject &dict, Value key, Heap &heap);
void setKey(DictObject &dict, Value key, Value value, Heap &heap);

/// Appends what str() gives.
void appendString(Text &text, Value value, Heap &heap);
Text toText(Value value, Heap &heap);
/// Appends what repr() gives.
void appendRepresentation(Text &text, Value value, Heap &heap, int depth = 0);
std::string formatFloat(double number);

/// Gives the elements that a loop goes through; throws Error where there are none to go through.
/// What is an iterator is empty afterwards.
std::vector<Value> iterate(Value value, Heap &heap);
/// Gives len(), or throws Error.
int64_t length(Value value, Heap &heap);

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_VALUE_H
