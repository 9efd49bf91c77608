//===- onnx_fuzzer.cpp - hostile ONNX models ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Imports bytes as an ONNX file, beside which 64 KiB of external data lie as "weights", and raises
// what was imported. Mutations keep most inputs well-formed: they change fields of the message,
// with values from elsewhere in it, so that what lies behind the parser is reached.
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/ImportONNX/ImportONNX.h"
#include "llmc/Pipelines/Raise.h"

#include "mlir/IR/MLIRContext.h"
#include "onnx/onnx_pb.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <random>

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

static void require(bool condition) {
  if (!condition)
    std::abort();
}

//===----------------------------------------------------------------------===//
// Mutations
//===----------------------------------------------------------------------===//

namespace {

/// One field of one message of the tree.
struct Place {
  Message *message;
  const FieldDescriptor *field;
};

/// Changes single fields of a model.
class Mutator {
public:
  explicit Mutator(unsigned seed) : random(seed) {}

  unsigned pick(size_t count) { return static_cast<unsigned>(random() % count); }

  void mutate(Message &root) {
    std::vector<Place> places;
    collect(root, places);
    if (places.empty())
      return;
    Place place = places[pick(places.size())];
    // Another place of the same kind, to take a value from.
    std::vector<Place> others;
    for (const Place &other : places)
      if (other.field == place.field)
        others.push_back(other);
    Place other = others[pick(others.size())];
    if (place.field->is_repeated())
      mutateRepeated(place, other);
    else
      mutateSingle(place, other);
  }

private:
  /// Lists all fields that are set, and those that are not one time in eight.
  void collect(Message &message, std::vector<Place> &places) {
    const Reflection &reflection = *message.GetReflection();
    for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor *field = message.GetDescriptor()->field(i);
      bool isMessage = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
      bool isSet = field->is_repeated() ? reflection.FieldSize(message, field) > 0
                                        : reflection.HasField(message, field);
      if (isSet || pick(8) == 0)
        places.push_back({&message, field});
      if (!isMessage || !isSet)
        continue;
      if (!field->is_repeated())
        collect(*reflection.MutableMessage(&message, field), places);
      for (int j = 0; field->is_repeated() && j < reflection.FieldSize(message, field); ++j)
        collect(*reflection.MutableRepeatedMessage(&message, field, j), places);
    }
  }

  int64_t changeInteger(int64_t value) {
    static constexpr int64_t interesting[] = {0,
                                              1,
                                              2,
                                              3,
                                              7,
                                              8,
                                              11,
                                              16,
                                              18,
                                              29,
                                              32,
                                              64,
                                              255,
                                              -1,
                                              -2,
                                              -3,
                                              INT32_MAX,
                                              INT32_MIN,
                                              INT64_MAX,
                                              INT64_MIN,
                                              int64_t(1) << 25,
                                              int64_t(1) << 40,
                                              int64_t(1) << 62};
    switch (pick(4)) {
    case 0:
      return static_cast<int64_t>(static_cast<uint64_t>(value) + 1);
    case 1:
      return static_cast<int64_t>(static_cast<uint64_t>(value) - 1);
    default:
      return interesting[pick(std::size(interesting))];
    }
  }

  double changeFloat(double value) {
    static const double interesting[] = {0, 1, -1, 0.5, -0.5, 2, 1e-5, 1e30, -1e9, NAN, INFINITY};
    return pick(4) == 0 ? -value : interesting[pick(std::size(interesting))];
  }

  std::string changeString(const FieldDescriptor *field, std::string value) {
    static const char *operators[] = {"Abs",
                                      "Add",
                                      "Ceil",
                                      "Exp",
                                      "Floor",
                                      "IsInf",
                                      "Log",
                                      "Not",
                                      "Round",
                                      "Sign",
                                      "Softplus",
                                      "And",
                                      "Attention",
                                      "Cast",
                                      "Clip",
                                      "Concat",
                                      "Constant",
                                      "ConstantOfShape",
                                      "Cos",
                                      "CumSum",
                                      "Div",
                                      "Equal",
                                      "Expand",
                                      "FastGelu",
                                      "Flatten",
                                      "Gather",
                                      "GatherBlockQuantized",
                                      "GatherElements",
                                      "GatherND",
                                      "Gelu",
                                      "Gemm",
                                      "GroupQueryAttention",
                                      "Identity",
                                      "If",
                                      "IsNaN",
                                      "LayerNormalization",
                                      "LessOrEqual",
                                      "MatMul",
                                      "MatMulNBits",
                                      "Max",
                                      "Mul",
                                      "Neg",
                                      "Pow",
                                      "RMSNormalization",
                                      "Range",
                                      "Reciprocal",
                                      "ReduceMean",
                                      "ReduceSum",
                                      "Reshape",
                                      "RotaryEmbedding",
                                      "ScatterND",
                                      "Shape",
                                      "Sigmoid",
                                      "SimplifiedLayerNormalization",
                                      "Sin",
                                      "SkipLayerNormalization",
                                      "SkipSimplifiedLayerNormalization",
                                      "Slice",
                                      "Softmax",
                                      "Split",
                                      "Sqrt",
                                      "Squeeze",
                                      "Sub",
                                      "Tanh",
                                      "Tile",
                                      "Transpose",
                                      "Trilu",
                                      "Unsqueeze",
                                      "Where"};
    if (field->name() == "op_type" && pick(4) != 0)
      return operators[pick(std::size(operators))];
    if (field->name() == "location" && pick(2) == 0)
      return "weights";
    if (field->name() == "domain")
      return pick(2) ? "" : "com.microsoft";
    size_t size = value.size();
    value.resize(size + 16);
    value.resize(LLVMFuzzerMutate(reinterpret_cast<uint8_t *>(value.data()), size, value.size()));
    return value;
  }

  void mutateSingle(const Place &place, const Place &other) {
    Message *message = place.message;
    const FieldDescriptor *field = place.field;
    const Reflection &to = *message->GetReflection();
    const Reflection &from = *other.message->GetReflection();
    if (pick(16) == 0)
      return to.ClearField(message, field);
    bool copies = pick(3) == 0 && other.message != message;
    switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return to.SetInt32(message, field,
                         copies
                             ? from.GetInt32(*other.message, field)
                             : static_cast<int32_t>(changeInteger(to.GetInt32(*message, field))));
    case FieldDescriptor::CPPTYPE_INT64:
      return to.SetInt64(message, field,
                         copies ? from.GetInt64(*other.message, field)
                                : changeInteger(to.GetInt64(*message, field)));
    case FieldDescriptor::CPPTYPE_ENUM:
      return to.SetEnumValue(message, field, static_cast<int>(pick(16)));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return to.SetFloat(message, field,
                         static_cast<float>(changeFloat(to.GetFloat(*message, field))));
    case FieldDescriptor::CPPTYPE_STRING:
      return to.SetString(message, field,
                          copies ? from.GetString(*other.message, field)
                                 : changeString(field, to.GetString(*message, field)));
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      std::unique_ptr<Message> copy(from.GetMessage(*other.message, field).New());
      copy->CopyFrom(from.GetMessage(*other.message, field));
      return to.MutableMessage(message, field)->CopyFrom(*copy);
    }
    default:
      return;
    }
  }

  /// Appends element `index` of `other`, or a changed one.
  void append(const Place &place, const Place &other, int index) {
    Message *message = place.message;
    const FieldDescriptor *field = place.field;
    const Reflection &to = *message->GetReflection();
    const Reflection &from = *other.message->GetReflection();
    switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return to.AddInt32(message, field, from.GetRepeatedInt32(*other.message, field, index));
    case FieldDescriptor::CPPTYPE_INT64:
      return to.AddInt64(message, field,
                         pick(2) ? changeInteger(0)
                                 : from.GetRepeatedInt64(*other.message, field, index));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return to.AddFloat(message, field, static_cast<float>(changeFloat(1)));
    case FieldDescriptor::CPPTYPE_STRING:
      return to.AddString(message, field,
                          pick(8) ? from.GetRepeatedString(*other.message, field, index) : "");
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      std::unique_ptr<Message> copy(from.GetRepeatedMessage(*other.message, field, index).New());
      copy->CopyFrom(from.GetRepeatedMessage(*other.message, field, index));
      return to.AddMessage(message, field)->CopyFrom(*copy);
    }
    default:
      return;
    }
  }

  void mutateRepeated(const Place &place, const Place &other) {
    const Reflection &to = *place.message->GetReflection();
    int size = to.FieldSize(*place.message, place.field);
    int otherSize = other.message->GetReflection()->FieldSize(*other.message, other.field);
    unsigned kind = pick(4);
    if (kind == 0 && size > 0) {
      to.SwapElements(place.message, place.field, static_cast<int>(pick(size)), size - 1);
      return to.RemoveLast(place.message, place.field);
    }
    if (kind == 1 && size > 1)
      return to.SwapElements(place.message, place.field, static_cast<int>(pick(size)),
                             static_cast<int>(pick(size)));
    if (otherSize == 0)
      return;
    append(place, other, static_cast<int>(pick(otherSize)));
    // In place of another element, or as one more.
    if (kind == 2 && size > 0) {
      to.SwapElements(place.message, place.field, static_cast<int>(pick(size)), size);
      to.RemoveLast(place.message, place.field);
    }
  }

  std::minstd_rand random;
};

} // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize,
                                          unsigned seed) {
  Mutator mutator(seed);
  onnx::ModelProto model;
  if (mutator.pick(16) == 0 || !model.ParseFromArray(data, static_cast<int>(size)))
    return LLVMFuzzerMutate(data, size, maxSize);
  for (unsigned i = 0, e = 1 + mutator.pick(3); i < e; ++i)
    mutator.mutate(model);
  std::string bytes;
  if (!model.SerializeToString(&bytes) || bytes.empty() || bytes.size() > maxSize)
    return size;
  std::memcpy(data, bytes.data(), bytes.size());
  return bytes.size();
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

static void write(const llvm::Twine &path, llvm::StringRef contents) {
  std::error_code error;
  llvm::raw_fd_ostream stream(path.str(), error);
  require(!error);
  stream << contents;
}

/// A folder with external data, removed at the end.
static llvm::StringRef getFolder() {
  struct Folder {
    llvm::SmallString<128> path;
    Folder() {
      require(!llvm::sys::fs::createUniqueDirectory("llmc-onnx-fuzzer", path));
      std::string weights(65536, '\0');
      for (size_t i = 0; i < weights.size(); i += 4) {
        float value = static_cast<float>(i * 2654435761u % 4096) / 4096 - 0.5f;
        std::memcpy(weights.data() + i, &value, 4);
      }
      write(path + "/weights", weights);
    }
    ~Folder() { (void)llvm::sys::fs::remove_directories(path); }
  };
  static Folder folder;
  return folder.path;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef bytes(reinterpret_cast<const char *>(data), size);
  std::string path = (getFolder() + "/model.onnx").str();
  write(path, bytes);
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  unsigned errors = 0;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    errors += diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
    require(!diagnostic.str().empty());
    return mlir::success();
  });
  mlir::OwningOpRef<mlir::ModuleOp> module =
      llmc::importONNX(llvm::MemoryBufferRef(bytes, path), &context);
  bool isRaised = module && mlir::succeeded(llmc::raiseModel(*module));
  // What is refused says why, and what is not says nothing.
  require(isRaised == (errors == 0));
  if (isRaised)
    module->print(llvm::nulls());
  return 0;
}
