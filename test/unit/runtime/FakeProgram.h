//===- FakeProgram.h - a program made by hand ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Its logits are a hash of all tokens so far, read from the session's state, and of the weights: a
// runtime that loses, mixes up or keeps too much of a state gives others.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_RUNTIME_FAKEPROGRAM_H
#define LLMC_TEST_UNIT_RUNTIME_FAKEPROGRAM_H

#include "llmc/program.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { fakeVocabulary = 37, fakeContext = 50, fakeMaxRows = 8, fakeWeightsBytes = 4096 + 64 };

extern const llmc_program llmc_program_image;

/// The logit of `token` after `count` tokens, with weights that are all `weight`.
float fakeLogit(const int32_t *tokens, int64_t count, uint8_t weight, int32_t token);

#ifdef __cplusplus
}
#endif

#endif // LLMC_TEST_UNIT_RUNTIME_FAKEPROGRAM_H
