//===- ProgramValues.h - the named inputs and outputs of a program ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_CONVERSION_EMITOBJECT_PROGRAMVALUES_H
#define LLMC_CONVERSION_EMITOBJECT_PROGRAMVALUES_H

#include "llmc/Dialect/SPMD/IR/SPMD.h"
#include "llmc/program.h"

#include "llvm/ADT/SmallVector.h"

#include <string>

namespace llmc {

/// An llmc_value of program.h.
struct ProgramValue {
  std::string name;
  llmc_value_kind kind;
  llmc_element_type type;
  llvm::SmallVector<int64_t> shape;
};

struct ProgramValues {
  llvm::SmallVector<ProgramValue> inputs, outputs;
};

/// What the steps of a program of these sizes take and give.
ProgramValues getProgramValues(spmd::SizesAttr sizes);

/// A value for people: "logits: f32[output_rows, 49152]".
std::string spellForPeople(const ProgramValue &value);

} // namespace llmc

#endif // LLMC_CONVERSION_EMITOBJECT_PROGRAMVALUES_H
