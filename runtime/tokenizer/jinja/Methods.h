//===- Methods.h - the methods of values ----------------------------------===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares what the files of built-in functions share.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_RUNTIME_TOKENIZER_JINJA_METHODS_H
#define LLMC_RUNTIME_TOKENIZER_JINJA_METHODS_H

#include "Interpreter.h"

namespace llmc::tokenizer::jinja {

struct Method {
  const char *name;
  Function function;
};

/// Gives a function that a template can call, bound to `self`.
Value makeFunction(Interpreter &interpreter, const Method &method, Value self);

/// Gives a method of a string, as findMember does.
const Value *findStringMethod(Interpreter &interpreter, Value self, const std::string &name,
                              Value &place);

/// The keys and values of a dict as tuples.
std::vector<Value> listItems(const DictObject &dict, Heap &heap);

/// Gives `value` as JSON, with the arguments of transformers' `tojson`.
Value toJson(Interpreter &interpreter, Value value, const Arguments &arguments);

/// What a filter does; `name` is its own.
using Filter = Value (*)(Interpreter &interpreter, Value value, const Arguments &arguments);
/// Finds the filters of one value, and those of sequences; null where there is none.
Filter findScalarFilter(const std::string &name);
Filter findSequenceFilter(const std::string &name);

} // namespace llmc::tokenizer::jinja

#endif // LLMC_RUNTIME_TOKENIZER_JINJA_METHODS_H
