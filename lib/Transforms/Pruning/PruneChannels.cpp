//===- PruneChannels.cpp - leaves out channels in the middle of MLPs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/Passes.h"
#include "llmc/Transforms/Pruning/UnitPruning.h"

namespace llmc {
#define GEN_PASS_DEF_PRUNECHANNELS
#include "llmc/Transforms/Passes.h.inc"
} // namespace llmc

using namespace mlir;
using namespace llmc;

namespace {

struct PruneChannels : UnitPass<llmc::impl::PruneChannelsBase<PruneChannels>> {
  using UnitPass::UnitPass;

private:
  void complete(UnitRequest &request) const override {
    request.kind = ChannelGroup::Kind::Hidden;
    request.what = "channels";
    request.multiple = multiple;
  }
};

} // namespace
