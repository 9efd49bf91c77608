//===- NodeOrder.h - nodes in an order in which they can run ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_IMPORTONNX_NODEORDER_H
#define LLMC_LIB_CONVERSION_IMPORTONNX_NODEORDER_H

#include "onnx/onnx_pb.h"
#include "llvm/ADT/SmallVector.h"

#include <string>

namespace llmc {

/// The nodes' indices in an order in which each comes after those whose outputs it or a graph
/// inside it reads. A list that is sorted stays as it is. Fewer than all where nodes read each
/// other in a cycle, which `cycle` then spells.
llvm::SmallVector<int> sortNodes(const google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes,
                                 std::string &cycle);

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_IMPORTONNX_NODEORDER_H
