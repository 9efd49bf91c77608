//===- UnknownFields.h - what later ONNX releases added to a file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_IMPORTONNX_UNKNOWNFIELDS_H
#define LLMC_LIB_CONVERSION_IMPORTONNX_UNKNOWNFIELDS_H

#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"
#include "llvm/ADT/StringRef.h"

#include <optional>

namespace llmc {

/// Numbers of fields that the installed protobuf classes of ONNX may not have.
enum UnknownField {
  nodeOverload = 8,
  functionAttributeDefault = 11,
  functionValueInfo = 12,
  functionOverload = 13
};

/// The bytes of such a field, or nothing. `next` walks over the fields of a list; it starts at 0.
inline std::optional<llvm::StringRef> getUnknownField(const google::protobuf::Message &message,
                                                      int number, int *next = nullptr) {
  const google::protobuf::UnknownFieldSet &fields =
      message.GetReflection()->GetUnknownFields(message);
  for (int i = next ? *next : 0; i < fields.field_count(); ++i)
    if (fields.field(i).number() == number &&
        fields.field(i).type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) {
      if (next)
        *next = i + 1;
      return llvm::StringRef(fields.field(i).length_delimited());
    }
  return std::nullopt;
}

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_IMPORTONNX_UNKNOWNFIELDS_H
