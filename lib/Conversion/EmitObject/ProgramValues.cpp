//===- ProgramValues.cpp - the named inputs and outputs of a program ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/EmitObject/ProgramValues.h"

#include "llvm/ADT/StringExtras.h"

using namespace llmc;

ProgramValues llmc::getProgramValues(spmd::SizesAttr sizes) {
  return {{{"tokens", LLMC_VALUE_TOKENS, LLMC_ELEMENT_I32, {LLMC_DIM_ROWS}},
           {"positions", LLMC_VALUE_POSITIONS, LLMC_ELEMENT_I32, {LLMC_DIM_ROWS}},
           {"sequences", LLMC_VALUE_SEQUENCES, LLMC_ELEMENT_I32, {LLMC_DIM_ROWS}},
           {"output_rows", LLMC_VALUE_OUTPUT_ROWS, LLMC_ELEMENT_I32, {LLMC_DIM_OUTPUT_ROWS}}},
          {{"logits",
            LLMC_VALUE_LOGITS,
            LLMC_ELEMENT_F32,
            {LLMC_DIM_OUTPUT_ROWS, sizes.getVocabulary()}}}};
}

std::string llmc::spellForPeople(const ProgramValue &value) {
  auto spell = [](int64_t size) {
    return size == LLMC_DIM_ROWS          ? std::string("rows")
           : size == LLMC_DIM_OUTPUT_ROWS ? std::string("output_rows")
                                          : std::to_string(size);
  };
  return value.name + ": " + (value.type == LLMC_ELEMENT_F32 ? "f32" : "i32") + "[" +
         llvm::join(llvm::map_range(value.shape, spell), ", ") + "]";
}
