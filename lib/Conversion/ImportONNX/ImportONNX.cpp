//===- ImportONNX.cpp - ONNX files into the onnx dialect ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/ImportONNX/ImportONNX.h"
#include "NodeOrder.h"
#include "RawDataOffsets.h"
#include "TensorImport.h"
#include "UnknownFields.h"
#include "llmc/Conversion/ImportONNX/ElementTypes.h"
#include "llmc/Dialect/LLMC/IR/LLMC.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"

#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

namespace {

/// Names that a graph's nodes can refer to. A subgraph also sees those of the graph around it.
struct Scope {
  const Scope *outer = nullptr;
  llvm::StringMap<Value> values;

  Value lookup(StringRef name) const {
    for (const Scope *scope = this; scope; scope = scope->outer)
      if (auto found = scope->values.find(name); found != scope->values.end())
        return found->second;
    return {};
  }
};

/// Turns one model into a module.
class Importer {
public:
  Importer(StringRef path, RawDataOffsets offsets, Location location)
      : builder(location.getContext()), location(location), tensors(path, location),
        offsets(std::move(offsets)) {}

  OwningOpRef<ModuleOp> run(const onnx::ModelProto &model);

private:
  using TypeMap = llvm::StringMap<Type>;

  LogicalResult importHeader(const onnx::ModelProto &model, ModuleOp module);
  FailureOr<DictionaryAttr>
  importOpsets(const google::protobuf::RepeatedPtrField<onnx::OperatorSetIdProto> &opsets,
               const Twine &user);
  LogicalResult importMain(const onnx::GraphProto &graph);
  LogicalResult importFunction(const onnx::FunctionProto &function);
  LogicalResult importInitializers(const onnx::GraphProto &graph, Scope &scope, bool isMain);
  LogicalResult importNodes(const google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes,
                            const TypeMap &types, Scope &scope, bool isMain = false);
  LogicalResult importNode(const onnx::NodeProto &node, const TypeMap &types, Scope &scope,
                           int64_t mainIndex);
  void setBodyNames(NodeOp op, ArrayRef<const onnx::GraphProto *> graphs);
  LogicalResult importBody(const onnx::GraphProto &graph, Region &region, const Scope &outer);
  LogicalResult importAttributes(const onnx::NodeProto &node, int64_t mainIndex,
                                 NamedAttrList &attributes,
                                 SmallVectorImpl<const onnx::GraphProto *> &graphs,
                                 SmallVectorImpl<Attribute> &graphNames);
  FailureOr<Attribute> importAttribute(const onnx::AttributeProto &attribute, StringRef node,
                                       int64_t rawOffset);
  FailureOr<SmallVector<Value>>
  resolve(const google::protobuf::RepeatedPtrField<std::string> &names, const Scope &scope,
          const Twine &user);
  LogicalResult define(Scope &scope, StringRef name, Value value);
  Type importType(const onnx::TypeProto &type);
  TypeMap collectTypes(const onnx::GraphProto &graph);
  Attribute importDims(const onnx::ValueInfoProto &info);

  InFlightDiagnostic fail() { return emitError(location); }

  OpBuilder builder;
  Location location;
  TensorImporter tensors;
  RawDataOffsets offsets;
  llvm::StringSet<> functions;
  Value absent; ///< of the body being built
  int depth = 0;
};

} // namespace

static StringRef view(const std::string &text) { return text; }

/// Text that people wrote about something, where there is any.
static void setText(Operation *op, StringRef name, StringRef text) {
  if (!text.empty())
    op->setAttr(name, StringAttr::get(op->getContext(), text));
}

static SmallVector<StringRef>
viewAll(const google::protobuf::RepeatedPtrField<std::string> &texts) {
  return SmallVector<StringRef>(texts.begin(), texts.end());
}

Type Importer::importType(const onnx::TypeProto &type) {
  auto untyped = UntypedType::get(builder.getContext());
  if (!type.has_tensor_type())
    return untyped;
  Type element = getElementType(type.tensor_type().elem_type(), builder.getContext());
  if (!element)
    return untyped;
  if (!type.tensor_type().has_shape())
    return UnrankedTensorType::get(element);
  SmallVector<int64_t> shape;
  for (const onnx::TensorShapeProto::Dimension &dim : type.tensor_type().shape().dim())
    shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value()
                                                                : ShapedType::kDynamic);
  return RankedTensorType::get(shape, element);
}

/// The names of a value's dimensions; fixed ones have an empty name.
Attribute Importer::importDims(const onnx::ValueInfoProto &info) {
  SmallVector<StringRef> names;
  if (info.type().has_tensor_type() && info.type().tensor_type().has_shape())
    for (const onnx::TensorShapeProto::Dimension &dim : info.type().tensor_type().shape().dim())
      names.push_back(dim.has_dim_param() ? view(dim.dim_param()) : StringRef());
  return builder.getStrArrayAttr(names);
}

Importer::TypeMap Importer::collectTypes(const onnx::GraphProto &graph) {
  TypeMap types;
  for (const auto *list : {&graph.value_info(), &graph.output(), &graph.input()})
    for (const onnx::ValueInfoProto &info : *list)
      types[info.name()] = importType(info.type());
  return types;
}

LogicalResult Importer::define(Scope &scope, StringRef name, Value value) {
  if (name.empty())
    return success();
  if (!scope.values.try_emplace(name, value).second)
    return fail() << "expected one definition of value '" << name << "', found a second";
  return success();
}

FailureOr<SmallVector<Value>>
Importer::resolve(const google::protobuf::RepeatedPtrField<std::string> &names, const Scope &scope,
                  const Twine &user) {
  SmallVector<Value> values;
  for (const std::string &name : names) {
    Value value = name.empty() ? absent : scope.lookup(name);
    if (!value)
      return fail() << user << " uses '" << name
                    << "', which no input, initializer or node defines";
    values.push_back(value);
  }
  return values;
}

/// Initializers of one name are allowed where they hold the same: of others ONNX Runtime takes one
/// or the other by their size.
LogicalResult Importer::importInitializers(const onnx::GraphProto &graph, Scope &scope,
                                           bool isMain) {
  bool haveOffsets =
      isMain && static_cast<int>(offsets.initializers.size()) == graph.initializer_size();
  llvm::StringMap<ImportedTensor> defined;
  auto add = [&](StringRef name, FailureOr<ImportedTensor> tensor) -> LogicalResult {
    if (failed(tensor))
      return failure();
    auto [earlier, isNew] = defined.try_emplace(name, *tensor);
    if (!isNew && !name.empty()) {
      if (!TensorImporter::haveSameContents(earlier->second, *tensor))
        return fail() << "expected one initializer '" << name << "', found two that differ";
      emitWarning(location) << "initializer '" << name << "' stands twice, with the same contents";
      return success();
    }
    auto op = InitializerOp::create(builder, NameLoc::get(builder.getStringAttr(name)),
                                    tensor->type, name, tensor->data);
    return define(scope, name, op.getResult());
  };
  for (auto [index, tensor] : llvm::enumerate(graph.initializer()))
    if (failed(add(tensor.name(), tensors.import(tensor, tensor.name(),
                                                 haveOffsets ? offsets.initializers[index] : -1))))
      return failure();
  for (const onnx::SparseTensorProto &tensor : graph.sparse_initializer())
    if (failed(add(tensor.values().name(), tensors.importSparse(tensor, tensor.values().name()))))
      return failure();
  return success();
}

FailureOr<Attribute> Importer::importAttribute(const onnx::AttributeProto &attribute,
                                               StringRef node, int64_t rawOffset) {
  if (!attribute.ref_attr_name().empty())
    return Attribute(
        AttributeRefAttr::get(builder.getContext(), attribute.ref_attr_name(),
                              onnx::AttributeProto_AttributeType_Name(attribute.type())));
  switch (attribute.type()) {
  case onnx::AttributeProto::FLOAT:
    return Attribute(builder.getF32FloatAttr(attribute.f()));
  case onnx::AttributeProto::INT:
    return Attribute(builder.getI64IntegerAttr(attribute.i()));
  case onnx::AttributeProto::STRING:
    return Attribute(builder.getStringAttr(attribute.s()));
  case onnx::AttributeProto::FLOATS:
    return Attribute(builder.getDenseF32ArrayAttr(
        SmallVector<float>(attribute.floats().begin(), attribute.floats().end())));
  case onnx::AttributeProto::INTS:
    return Attribute(builder.getDenseI64ArrayAttr(
        SmallVector<int64_t>(attribute.ints().begin(), attribute.ints().end())));
  case onnx::AttributeProto::STRINGS:
    return Attribute(builder.getStrArrayAttr(viewAll(attribute.strings())));
  case onnx::AttributeProto::TENSOR:
  case onnx::AttributeProto::SPARSE_TENSOR: {
    std::string name = (node + "." + attribute.name()).str();
    FailureOr<ImportedTensor> tensor = attribute.type() == onnx::AttributeProto::TENSOR
                                           ? tensors.import(attribute.t(), name, rawOffset)
                                           : tensors.importSparse(attribute.sparse_tensor(), name);
    if (failed(tensor))
      return failure();
    if (isa<DenseElementsAttr>(tensor->data))
      return tensor->data;
    return Attribute(builder.getArrayAttr({TypeAttr::get(tensor->type), tensor->data}));
  }
  default:
    return fail() << "node '" << node << "': attribute '" << attribute.name()
                  << "' has a type that is not supported, number "
                  << static_cast<int>(attribute.type());
  }
}

LogicalResult Importer::importAttributes(const onnx::NodeProto &node, int64_t mainIndex,
                                         NamedAttrList &attributes,
                                         SmallVectorImpl<const onnx::GraphProto *> &graphs,
                                         SmallVectorImpl<Attribute> &graphNames) {
  for (auto [index, attribute] : llvm::enumerate(node.attribute())) {
    if (attribute.name().empty())
      return fail() << "node '" << node.name() << "': expected attributes with a name";
    if (attribute.type() == onnx::AttributeProto::GRAPH && attribute.ref_attr_name().empty()) {
      graphs.push_back(&attribute.g());
      graphNames.push_back(builder.getStringAttr(attribute.name()));
      continue;
    }
    auto offset = offsets.attributes.find({mainIndex, index});
    FailureOr<Attribute> imported = importAttribute(
        attribute, node.name(), offset == offsets.attributes.end() ? -1 : offset->second);
    if (failed(imported))
      return failure();
    if (attributes.get(attribute.name()))
      return fail() << "node '" << node.name() << "': expected one attribute '" << attribute.name()
                    << "', found two";
    // A sparse tensor was made dense, so it is what Constant calls its value.
    bool isSparse = attribute.type() == onnx::AttributeProto::SPARSE_TENSOR;
    attributes.append(isSparse && node.op_type() == "Constant" ? "value" : attribute.name(),
                      *imported);
  }
  return success();
}

/// What the graphs of a node call themselves and their inputs, and what is written about them.
void Importer::setBodyNames(NodeOp op, ArrayRef<const onnx::GraphProto *> graphs) {
  SmallVector<StringRef> graphNames, texts;
  SmallVector<Attribute> inputs;
  bool hasTexts = false;
  for (const onnx::GraphProto *graph : graphs) {
    SmallVector<StringRef> names;
    for (const onnx::ValueInfoProto &input : graph->input())
      names.push_back(input.name());
    graphNames.push_back(graph->name());
    texts.push_back(graph->doc_string());
    hasTexts |= !texts.back().empty();
    inputs.push_back(builder.getStrArrayAttr(names));
  }
  if (graphs.empty())
    return;
  op->setAttr("body_names", builder.getStrArrayAttr(graphNames));
  op->setAttr("body_inputs", builder.getArrayAttr(inputs));
  if (hasTexts)
    op->setAttr("body_doc_strings", builder.getStrArrayAttr(texts));
}

/// Nodes of a graph or function, each after those that it reads from.
LogicalResult
Importer::importNodes(const google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes,
                      const TypeMap &types, Scope &scope, bool isMain) {
  std::string cycle;
  SmallVector<int> order = sortNodes(nodes, cycle);
  if (!cycle.empty())
    return fail() << "expected nodes without a cycle, found that " << cycle;
  for (int index : order)
    if (failed(importNode(nodes[index], types, scope, isMain ? index : -1)))
      return failure();
  return success();
}

LogicalResult Importer::importNode(const onnx::NodeProto &node, const TypeMap &types, Scope &scope,
                                   int64_t mainIndex) {
  FailureOr<SmallVector<Value>> inputs =
      resolve(node.input(), scope, "node '" + node.name() + "' (" + node.op_type() + ")");
  if (failed(inputs))
    return failure();
  NamedAttrList attributes;
  SmallVector<const onnx::GraphProto *> graphs;
  SmallVector<Attribute> graphNames;
  if (failed(importAttributes(node, mainIndex, attributes, graphs, graphNames)))
    return failure();
  SmallVector<Type> outputTypes;
  for (const std::string &name : node.output()) {
    auto type = types.find(name);
    outputTypes.push_back(type == types.end() ? Type(UntypedType::get(builder.getContext()))
                                              : type->second);
  }
  auto op = NodeOp::create(builder, NameLoc::get(builder.getStringAttr(node.name()), location),
                           outputTypes, node.op_type(), *inputs, node.domain(), node.name(),
                           builder.getStrArrayAttr(viewAll(node.output())),
                           attributes.getDictionary(builder.getContext()),
                           graphs.empty() ? ArrayAttr() : builder.getArrayAttr(graphNames),
                           graphs.size());
  setText(op, "doc_string", node.doc_string());
  setText(op, overloadName, getUnknownField(node, nodeOverload).value_or(""));
  setBodyNames(op, graphs);
  for (auto [graph, region] : llvm::zip(graphs, op.getBodies()))
    if (failed(importBody(*graph, region, scope)))
      return failure();
  for (auto [name, result] : llvm::zip(node.output(), op.getResults()))
    if (failed(define(scope, name, result)))
      return failure();
  return success();
}

LogicalResult Importer::importBody(const onnx::GraphProto &graph, Region &region,
                                   const Scope &outer) {
  if (++depth > 32)
    return fail() << "expected graphs nested at most 32 deep";
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&region);
  Value outerAbsent = absent;
  absent = AbsentOp::create(builder, location, AbsentType::get(builder.getContext()));
  Scope scope{&outer, {}};
  TypeMap types = collectTypes(graph);
  for (const onnx::ValueInfoProto &input : graph.input())
    if (failed(define(scope, input.name(), block->addArgument(importType(input.type()), location))))
      return failure();
  if (failed(importInitializers(graph, scope, /*isMain=*/false)))
    return failure();
  if (failed(importNodes(graph.node(), types, scope)))
    return failure();
  google::protobuf::RepeatedPtrField<std::string> outputs;
  for (const onnx::ValueInfoProto &output : graph.output())
    *outputs.Add() = output.name();
  FailureOr<SmallVector<Value>> values = resolve(outputs, scope, "graph '" + graph.name() + "'");
  if (failed(values))
    return failure();
  YieldOp::create(builder, location, *values);
  absent = outerAbsent;
  --depth;
  return success();
}

LogicalResult Importer::importMain(const onnx::GraphProto &graph) {
  llvm::StringSet<> initialized;
  for (const onnx::TensorProto &tensor : graph.initializer())
    initialized.insert(tensor.name());
  for (const onnx::SparseTensorProto &tensor : graph.sparse_initializer())
    initialized.insert(tensor.values().name());
  // Before IR version 4 every initializer was listed as an input too.
  SmallVector<const onnx::ValueInfoProto *> inputs;
  for (const onnx::ValueInfoProto &input : graph.input())
    if (!initialized.contains(input.name()))
      inputs.push_back(&input);

  SmallVector<StringRef> inputNames, outputNames;
  SmallVector<Attribute> inputDims, outputDims, outputTypes;
  for (const onnx::ValueInfoProto *input : inputs) {
    inputNames.push_back(input->name());
    inputDims.push_back(importDims(*input));
  }
  for (const onnx::ValueInfoProto &output : graph.output()) {
    outputNames.push_back(output.name());
    outputDims.push_back(importDims(output));
    outputTypes.push_back(TypeAttr::get(importType(output.type())));
  }
  auto op = GraphOp::create(builder, location, "main", builder.getStrArrayAttr(inputNames),
                            builder.getStrArrayAttr(outputNames), builder.getArrayAttr(inputDims),
                            builder.getArrayAttr(outputDims), builder.getArrayAttr(outputTypes));
  setText(op, "graph_name", graph.name());
  setText(op, "doc_string", graph.doc_string());
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&op.getBody());
  absent = AbsentOp::create(builder, location, AbsentType::get(builder.getContext()));
  Scope scope;
  TypeMap types = collectTypes(graph);
  for (const onnx::ValueInfoProto *input : inputs)
    if (failed(
            define(scope, input->name(), block->addArgument(importType(input->type()), location))))
      return failure();
  if (failed(importInitializers(graph, scope, /*isMain=*/true)))
    return failure();
  if (failed(importNodes(graph.node(), types, scope, /*isMain=*/true)))
    return failure();
  google::protobuf::RepeatedPtrField<std::string> outputs;
  for (StringRef name : outputNames)
    *outputs.Add() = name.str();
  FailureOr<SmallVector<Value>> values = resolve(outputs, scope, "the graph's list of outputs");
  if (failed(values))
    return failure();
  YieldOp::create(builder, location, *values);
  return success();
}

/// Domains and versions as a dictionary. The default domain has two spellings.
FailureOr<DictionaryAttr>
Importer::importOpsets(const google::protobuf::RepeatedPtrField<onnx::OperatorSetIdProto> &opsets,
                       const Twine &user) {
  NamedAttrList list;
  for (const onnx::OperatorSetIdProto &opset : opsets) {
    StringRef domain = opset.domain().empty() ? "ai.onnx" : view(opset.domain());
    if (domain == "ai.onnx" && (opset.version() < minOpset || opset.version() > maxOpset))
      return fail() << "expected " << user << " to use an opset from " << minOpset << " to "
                    << maxOpset << " of the default domain, found " << opset.version();
    auto version = builder.getI64IntegerAttr(opset.version());
    if (Attribute earlier = list.set(domain, version); earlier && earlier != version)
      return fail() << "expected " << user << " to use one version of domain '" << domain
                    << "', found " << cast<IntegerAttr>(earlier).getInt() << " and "
                    << opset.version();
  }
  return list.getDictionary(builder.getContext());
}

LogicalResult Importer::importFunction(const onnx::FunctionProto &function) {
  StringRef overload = getUnknownField(function, functionOverload).value_or("");
  std::string symbol = getFunctionSymbol(function.domain(), function.name(), overload);
  FailureOr<DictionaryAttr> opsets =
      importOpsets(function.opset_import(), "function '" + symbol + "'");
  if (failed(opsets))
    return failure();
  SmallVector<StringRef> parameters = viewAll(function.attribute());
  NamedAttrList defaults;
  int next = 0;
  while (auto bytes = getUnknownField(function, functionAttributeDefault, &next)) {
    onnx::AttributeProto attribute;
    if (!attribute.ParseFromArray(bytes->data(), bytes->size()) || attribute.name().empty())
      return fail() << "function '" << symbol
                    << "': expected a named attribute as default, found something else";
    FailureOr<Attribute> imported = importAttribute(attribute, symbol, -1);
    if (failed(imported))
      return failure();
    defaults.set(attribute.name(), *imported);
    parameters.push_back(defaults.getNamed(attribute.name())->getName().getValue());
  }
  if (!functions.insert(symbol).second)
    return fail() << "expected one function '" << symbol << "', found a second";
  auto op = FunctionOp::create(builder, location, symbol, function.domain(), function.name(),
                               *opsets, builder.getStrArrayAttr(parameters),
                               defaults.getDictionary(builder.getContext()),
                               builder.getStrArrayAttr(viewAll(function.input())),
                               builder.getStrArrayAttr(viewAll(function.output())));
  setText(op, "doc_string", function.doc_string());
  setText(op, overloadName, overload);
  TypeMap types;
  next = 0;
  while (auto bytes = getUnknownField(function, functionValueInfo, &next)) {
    onnx::ValueInfoProto info;
    if (!info.ParseFromArray(bytes->data(), bytes->size()))
      return fail() << "function '" << symbol
                    << "': expected types of values, found bytes that are no such message";
    types[info.name()] = importType(info.type());
  }
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&op.getBody());
  absent = AbsentOp::create(builder, location, AbsentType::get(builder.getContext()));
  Scope scope;
  for (const std::string &input : function.input()) {
    auto type = types.find(input);
    Value argument = block->addArgument(
        type == types.end() ? UntypedType::get(builder.getContext()) : type->second, location);
    if (failed(define(scope, input, argument)))
      return failure();
  }
  if (failed(importNodes(function.node(), types, scope)))
    return failure();
  FailureOr<SmallVector<Value>> values =
      resolve(function.output(), scope, "function '" + symbol + "'");
  if (failed(values))
    return failure();
  YieldOp::create(builder, location, *values);
  return success();
}

/// What the file says of itself, as attributes of the module.
LogicalResult Importer::importHeader(const onnx::ModelProto &model, ModuleOp module) {
  FailureOr<DictionaryAttr> opsets = importOpsets(model.opset_import(), "the model");
  if (failed(opsets))
    return failure();
  if (!opsets->get("ai.onnx"))
    return fail() << "expected the model to use an opset of the default domain, found none";
  module->setAttr("onnx.ir_version", builder.getI64IntegerAttr(model.ir_version()));
  module->setAttr("onnx.opsets", *opsets);
  NamedAttrList metadata;
  for (const onnx::StringStringEntryProto &entry : model.metadata_props())
    if (!entry.key().empty())
      metadata.set(entry.key(), builder.getStringAttr(entry.value()));
  if (!model.producer_name().empty())
    module->setAttr("onnx.producer",
                    builder.getStringAttr(model.producer_name() + " " + model.producer_version()));
  if (!metadata.empty())
    module->setAttr("onnx.metadata", metadata.getDictionary(builder.getContext()));
  setText(module, "onnx.domain", model.domain());
  setText(module, "onnx.doc_string", model.doc_string());
  if (model.model_version() != 0)
    module->setAttr("onnx.model_version", builder.getI64IntegerAttr(model.model_version()));
  return success();
}

/// Nodes of a list and of all graphs inside. Protobuf bounds how deep they nest.
static int64_t countNodes(const google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes) {
  int64_t count = nodes.size();
  for (const onnx::NodeProto &node : nodes)
    for (const onnx::AttributeProto &attribute : node.attribute())
      if (attribute.has_g())
        count += countNodes(attribute.g().node());
  return count;
}

OwningOpRef<ModuleOp> Importer::run(const onnx::ModelProto &model) {
  int64_t nodes = countNodes(model.graph().node());
  for (const onnx::FunctionProto &function : model.functions())
    nodes += countNodes(function.node());
  if (nodes > maxNodes) {
    fail() << "expected at most " << maxNodes << " nodes, found " << nodes;
    return nullptr;
  }
  OwningOpRef<ModuleOp> module = ModuleOp::create(location);
  builder.setInsertionPointToEnd(module->getBody());
  if (failed(importHeader(model, *module)))
    return nullptr;
  for (const onnx::FunctionProto &function : model.functions())
    if (failed(importFunction(function)))
      return nullptr;
  if (failed(importMain(model.graph())))
    return nullptr;
  return module;
}

OwningOpRef<ModuleOp> llmc::importONNX(llvm::MemoryBufferRef file, MLIRContext *context) {
  context->loadDialect<ONNXDialect, LLMCDialect>();
  SmallString<256> path(file.getBufferIdentifier());
  Location location = FileLineColLoc::get(context, path, 0, 0);
  bool isFile = !path.empty() && path != "-" && path != "<stdin>";
  if (!isFile)
    path.clear();
  else if (std::error_code error = llvm::sys::fs::make_absolute(path)) {
    emitError(location) << "cannot find the current folder: " << error.message();
    return nullptr;
  }
  if (file.getBufferSize() == 0) {
    emitError(location) << "expected an ONNX model, found an empty file";
    return nullptr;
  }
  if (file.getBufferSize() > INT32_MAX) {
    emitError(location) << "expected a file below 2 GiB (with its tensors as external data), found "
                        << file.getBufferSize() << " bytes";
    return nullptr;
  }
  google::protobuf::SetLogHandler(nullptr);
  google::protobuf::io::ArrayInputStream stream(file.getBufferStart(), file.getBufferSize());
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(INT32_MAX);
  onnx::ModelProto model;
  if (!model.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage()) {
    emitError(location) << "expected an ONNX model, found bytes that are no such protobuf message";
    return nullptr;
  }
  if (!model.has_graph()) {
    emitError(location) << "expected an ONNX model with a graph, found none";
    return nullptr;
  }
  RawDataOffsets offsets;
  if (isFile)
    offsets = findRawData(llvm::arrayRefFromStringRef(file.getBuffer()));
  return Importer(path, std::move(offsets), location).run(model);
}
