//===- Inputs.cpp - what a model's inputs are for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph/Inputs.h"
#include "Graph/CacheInputs.h"
#include "Graph/RemoveUnused.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringSwitch.h"

#include <limits>

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

//===----------------------------------------------------------------------===//
// What inputs hold
//===----------------------------------------------------------------------===//

int64_t ModelInput::getCacheSize(CacheAxis axis) const {
  for (auto [own, dim] : llvm::zip(axes, shape)) {
    if (own == axis)
      return dim;
    if (axis == Size && own == JoinedSize)
      return dim < 0 ? dim : dim / 2;
  }
  return 1;
}

int64_t ModelInput::getParts() const {
  for (auto [own, dim] : llvm::zip(axes, shape)) {
    if (own == Parts)
      return dim;
    if (own == JoinedSize)
      return 2;
  }
  return 1;
}

/// What an element of a mask is.
static double getMaskValue(const ModelInput &input, bool isRead) {
  if (!input.isFloat || input.shape.size() < 3)
    return isRead ? 1 : 0;
  return isRead ? 0 : std::numeric_limits<float>::lowest();
}

HostTensor llmc::makeInput(const ModelInput &input, ProbeSizes sizes) {
  SmallVector<int64_t> dims;
  for (int64_t dim : input.shape)
    dims.push_back(dim == ModelInput::Rows       ? sizes.rows
                   : dim == ModelInput::Total    ? sizes.total()
                   : dim == ModelInput::PastRows ? sizes.past
                                                 : dim);
  InputRole role = input.role;
  if (role == InputRole::Tokens || role == InputRole::Past)
    return HostTensor::unknown(dims, role == InputRole::Tokens);
  int64_t count = getProduct(dims);
  if (count < 0)
    return HostTensor::unknown(dims, !input.isFloat);
  std::vector<double> values(count);
  for (int64_t i = 0; i < count; ++i) {
    int64_t column = dims.empty() ? 0 : i % dims.back();
    switch (role) {
    case InputRole::Mask:
      values[i] = getMaskValue(input, dims.size() < 3 ||
                                          column <= sizes.past + i / dims.back() % sizes.rows);
      break;
    case InputRole::Positions:
      values[i] = static_cast<double>(sizes.past + column);
      break;
    case InputRole::UseCache:
      values[i] = 1;
      break;
    case InputRole::PastLength:
      values[i] = static_cast<double>(sizes.past);
      break;
    case InputRole::TotalLength:
      values[i] = static_cast<double>(sizes.total());
      break;
    default:
      break;
    }
  }
  return HostTensor::known(dims, std::move(values), !input.isFloat);
}

//===----------------------------------------------------------------------===//
// What inputs are for
//===----------------------------------------------------------------------===//

namespace {

/// An input as a file declares it.
struct Declared {
  StringRef name;
  std::string lower;
  BlockArgument argument;
  RankedTensorType type; ///< null where the file states no shape
  ArrayAttr dims;

  bool named(StringRef part) const { return StringRef(lower).contains(part); }
};

} // namespace

/// The dimensions of an input whose last ones follow lengths; others are 1 where they are open.
static SmallVector<int64_t> makeShape(const Declared &input, ArrayRef<int64_t> last) {
  SmallVector<int64_t> shape;
  size_t rank = input.type.getRank();
  for (size_t axis = 0; axis + last.size() < rank; ++axis)
    shape.push_back(input.type.isDynamicDim(axis) ? 1 : input.type.getDimSize(axis));
  llvm::append_range(shape, last.take_back(rank));
  return shape;
}

/// Of what is neither a cache nor tokens: a scalar by its name, where it is known.
static std::optional<InputRole> classifyScalar(const Declared &input) {
  if (input.named("logits_to_keep"))
    return InputRole::RowsToKeep;
  if (input.named("total_seq") || input.named("total_len"))
    return InputRole::TotalLength;
  if (input.named("past_seq") || input.named("past_len") || input.named("cache_len"))
    return InputRole::PastLength;
  return std::nullopt;
}

static std::optional<ModelInput> classify(const Declared &input) {
  if (!input.type)
    return std::nullopt;
  Type element = input.type.getElementType();
  int64_t rank = input.type.getRank();
  bool isFloat = isa<FloatType>(element);
  auto make = [&](InputRole role, ArrayRef<int64_t> last) {
    return ModelInput{role, makeShape(input, last), {}, isFloat};
  };
  if (input.named("mask") && rank >= 3)
    return make(InputRole::Mask, {ModelInput::Rows, ModelInput::Total});
  if (input.named("mask") && rank >= 1)
    return make(InputRole::Mask, ModelInput::Total);
  if (isFloat) {
    if (auto axes = findCacheAxes(input.name, input.argument, input.type, input.dims))
      return makeCacheInput(input.type, input.dims, *axes);
    return std::nullopt;
  }
  if (element.isInteger(1) && input.named("cache"))
    return make(InputRole::UseCache, {});
  bool isOne = rank == 0 || (rank == 1 && input.type.getDimSize(0) == 1);
  if (std::optional<InputRole> role = isOne ? classifyScalar(input) : std::nullopt)
    return make(*role, {});
  if (input.named("position") && rank >= 1)
    return make(InputRole::Positions, ModelInput::Rows);
  if (input.named("token_type") && rank >= 1)
    return make(InputRole::TokenTypes, ModelInput::Rows);
  bool isNamed = input.named("ids") || input.named("token") || input.named("input");
  if ((rank == 2 || (rank == 1 && isNamed)) && element.isIntOrIndex() && !element.isInteger(1) &&
      !input.named("type"))
    return make(InputRole::Tokens, ModelInput::Rows);
  return std::nullopt;
}

/// The size that the last axis of tokens is declared with, or nothing where it is open.
static std::optional<int64_t> getFixedLength(const Declared &input) {
  unsigned last = input.type.getRank() - 1;
  if (!input.type.isDynamicDim(last))
    return input.type.getDimSize(last);
  // An exporter may write the number as a name.
  int64_t size;
  if (last < input.dims.size() &&
      !cast<StringAttr>(input.dims[last]).getValue().getAsInteger(10, size))
    return size;
  return std::nullopt;
}

static LogicalResult checkTokens(GraphOp graph, ArrayRef<const Declared *> tokens) {
  if (tokens.size() > 1) {
    std::string names;
    for (const Declared *input : tokens)
      names += (names.empty() ? "'" : ", '") + input->name.str() + "'";
    return graph.emitError("expected one input of tokens, a matrix of integers, found ")
           << tokens.size() << ": " << names
           << " (export the model with input_ids, attention_mask and position_ids as names)";
  }
  if (tokens.empty())
    return graph.emitError("expected one input of tokens, a matrix of integers, found 0");
  if (std::optional<int64_t> length = getFixedLength(*tokens[0]))
    return graph.emitError("expected any number of tokens, but the graph has a fixed length of ")
           << *length << (*length == 1 ? " token" : " tokens") << ", by its input '"
           << tokens[0]->name << "' (export the model with dynamic axes)";
  return success();
}

FailureOr<SmallVector<ModelInput>> llmc::classifyInputs(GraphOp graph) {
  SmallVector<ModelInput> inputs;
  SmallVector<Declared> declared;
  std::string unknown;
  llvm::raw_string_ostream stream(unknown);
  for (auto [name, argument, dims] :
       llvm::zip(graph.getInputNames(), graph.getBody().getArguments(), graph.getInputDims())) {
    StringRef text = cast<StringAttr>(name).getValue();
    declared.push_back({text, text.lower(), argument,
                        dyn_cast<RankedTensorType>(argument.getType()), cast<ArrayAttr>(dims)});
  }
  SmallVector<const Declared *> tokens;
  DenseSet<Value> needed = findNeededInputs(graph);
  for (const Declared &input : declared) {
    std::optional<ModelInput> found = classify(input);
    // Nobody reads it, or it is a number that other outputs alone depend on: whatever it is for, it
    // does not matter.
    bool isScalar = input.type && input.type.hasStaticShape() && input.type.getNumElements() == 1;
    if (!(found && found->role == InputRole::Tokens) &&
        (input.argument.use_empty() || (!found && isScalar && !needed.contains(input.argument))))
      found = ModelInput{
          InputRole::Unread, input.type ? makeShape(input, {}) : SmallVector<int64_t>(), {}};
    if (!found)
      stream << (unknown.empty() ? "" : ", ") << "'" << input.name << "' ("
             << input.argument.getType() << ")";
    else if (found->role == InputRole::Tokens)
      tokens.push_back(&input);
    inputs.push_back(found.value_or(ModelInput{InputRole::Unread, {}, {}}));
  }
  if (!unknown.empty()) {
    InFlightDiagnostic diagnostic =
        graph.emitError("expected inputs that hold tokens, positions, a mask or a cache, found ")
        << unknown;
    if (tokens.empty() && StringRef(unknown).contains_insensitive("embed"))
      diagnostic.attachNote() << "embeddings can't stand in for tokens: export the model with its "
                                 "embedding table, and input_ids as input";
    return diagnostic;
  }
  // A second matrix of integers that only other outputs read is no choice to make.
  if (tokens.size() > 1)
    llvm::erase_if(tokens, [](const Declared *input) { return input->argument.use_empty(); });
  if (failed(checkTokens(graph, tokens)) || failed(checkCacheLengths(graph, inputs)))
    return failure();
  return inputs;
}
