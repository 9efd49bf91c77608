//===- RawDataOffsets.cpp - where tensors' bytes lie in an ONNX file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RawDataOffsets.h"

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

using namespace llmc;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Field numbers of onnx.proto.
enum ModelField { modelGraph = 7 };
enum GraphField { graphNode = 1, graphInitializer = 5 };
enum NodeField { nodeAttribute = 5 };
enum AttributeField { attributeTensor = 5 };
enum TensorField { tensorRawData = 9 };

/// Calls `visit(field)` for every length-delimited field of the message up to the limit; `visit`
/// reads the field and returns true, or returns false to have it skipped.
template <typename Visit>
static bool walkMessage(CodedInputStream &stream, Visit visit) {
  while (uint32_t tag = stream.ReadTag()) {
    bool known = false;
    if (WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED) {
      int position = stream.CurrentPosition();
      int length;
      if (!stream.ReadVarintSizeAsInt(&length))
        return false;
      CodedInputStream::Limit limit = stream.PushLimit(length);
      known = visit(WireFormatLite::GetTagFieldNumber(tag));
      if (!known && !stream.Skip(stream.BytesUntilLimit()))
        return false;
      stream.PopLimit(limit);
      if (position >= stream.CurrentPosition())
        return false;
      continue;
    }
    if (!WireFormatLite::SkipField(&stream, tag))
      return false;
  }
  return stream.ConsumedEntireMessage();
}

/// The offset of a tensor's raw_data, or -1.
static int64_t walkTensor(CodedInputStream &stream) {
  int64_t offset = -1;
  walkMessage(stream, [&](int field) {
    if (field == tensorRawData)
      offset = stream.CurrentPosition();
    return false;
  });
  return offset;
}

/// Calls `found(attribute, offset)` for every tensor attribute of a node.
template <typename Found>
static bool walkNode(CodedInputStream &stream, Found found) {
  int64_t attribute = 0;
  return walkMessage(stream, [&](int field) {
    if (field != nodeAttribute)
      return false;
    int64_t own = attribute++;
    return walkMessage(stream, [&](int attributeField) {
      if (attributeField != attributeTensor)
        return false;
      found(own, walkTensor(stream));
      return true;
    });
  });
}

RawDataOffsets llmc::findRawData(llvm::ArrayRef<uint8_t> file) {
  RawDataOffsets offsets;
  if (file.size() > INT32_MAX)
    return offsets;
  CodedInputStream stream(file.data(), file.size());
  int64_t node = 0;
  walkMessage(stream, [&](int field) {
    if (field != modelGraph)
      return false;
    return walkMessage(stream, [&](int graphField) {
      if (graphField == graphInitializer) {
        offsets.initializers.push_back(walkTensor(stream));
        return true;
      }
      if (graphField != graphNode)
        return false;
      walkNode(stream, [&](int64_t attribute, int64_t offset) {
        offsets.attributes[{node, attribute}] = offset;
      });
      ++node;
      return true;
    });
  });
  return offsets;
}
