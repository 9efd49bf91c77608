//===- AssemblerTest.cpp - machine code for GPUs by NVIDIA's assembler ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/EmitPTX/EmitCUDAImages.h"

#include "gtest/gtest.h"

using namespace llmc;

// A function is described in several lines, and the kernel last.
TEST(AssemblerFacts, AreSummedUpOverFunctions) {
  llvm::json::Object facts = readAssemblerFacts(
      "ptxas info    : 17 bytes gmem\n"
      "ptxas info    : Compiling entry function 'step_cuda' for 'sm_90a'\n"
      "ptxas info    : Function properties for step_cuda\n"
      "    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads\n"
      "ptxas info    : Used 168 registers, used 1 barriers, 40 bytes cumulative stack size, 1024 "
      "bytes smem\n"
      "ptxas info    : Function properties for rms_norm_576_cuda\n"
      "    40 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads\n");
  EXPECT_EQ(facts.getInteger("registers"), 168);
  EXPECT_EQ(facts.getInteger("shared_bytes"), 1024);
  EXPECT_EQ(facts.getInteger("stack_bytes"), 40);
  EXPECT_EQ(facts.getInteger("spill_bytes"), 20);
}

TEST(AssemblerFacts, WhatIsNotSaidIsNotKnown) {
  EXPECT_TRUE(readAssemblerFacts("").empty());
  EXPECT_TRUE(readAssemblerFacts("ptxas info : registers\n bytes spill loads").empty());
  llvm::json::Object facts = readAssemblerFacts("ptxas info    : Used 24 registers");
  EXPECT_EQ(facts.getInteger("shared_bytes"), 0);
  EXPECT_EQ(facts.getInteger("spill_bytes"), std::nullopt);
}
