//===- ModelLife.h - all that is done with a model ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_RUNTIME_MODELLIFE_H
#define LLMC_TEST_UNIT_RUNTIME_MODELLIFE_H

#include "llmc/llmc.h"

namespace llmc::test {

/// A life of a model: sessions of it read a prompt, fork, write on side by side and are drawn from.
/// Ends at the first call that fails, with all released.
llmc_status live(const char *path, const llmc_model_options &options);

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_RUNTIME_MODELLIFE_H
