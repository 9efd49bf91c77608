//===- ExportONNX.cpp - the onnx dialect back into ONNX files ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/ExportONNX/ExportONNX.h"
#include "TensorExport.h"
#include "llmc/Conversion/ImportONNX/ElementTypes.h"
#include "llmc/Dialect/ONNX/IR/ONNX.h"
#include "llmc/Support/AtomicFile.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace llmc;
using namespace llmc::carrier;

/// Fields of later ONNX releases than the classes may be of.
enum { nodeOverload = 8, functionAttributeDefault = 11, functionValueInfo, functionOverload };

namespace {

/// Turns one module into a model.
class Exporter {
public:
  Exporter(ModuleOp module, StringRef dataLocation) : module(module), tensors(dataLocation) {}

  LogicalResult run(onnx::ModelProto &model);
  const TensorExporter &getTensors() const { return tensors; }

private:
  LogicalResult exportHeader(onnx::ModelProto &model);
  LogicalResult exportMain(GraphOp graph, onnx::GraphProto &proto);
  LogicalResult exportFunction(FunctionOp function, onnx::FunctionProto &proto);
  LogicalResult exportBody(Region &region, ArrayAttr inputNames, onnx::GraphProto &proto);
  /// Nodes go to `nodes`; initializers and types to `graph`, which a function has none of.
  LogicalResult exportOperations(Block &block,
                                 google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes,
                                 onnx::GraphProto *graph);
  LogicalResult exportNode(NodeOp op, onnx::NodeProto &node);
  LogicalResult exportAttribute(NamedAttribute attribute, Location where,
                                onnx::AttributeProto &proto);
  LogicalResult exportTensor(ArrayAttr typeAndData, Location where, onnx::TensorProto &tensor);
  LogicalResult exportType(Type type, ArrayAttr dims, Location where, onnx::ValueInfoProto &info);

  /// Gives a value its name. Names are unique in a model, so that graphs inside see those outside.
  LogicalResult define(Value value, StringRef name);
  /// A name that nothing in the module has.
  std::string invent();
  StringRef getName(Value value) const {
    auto found = names.find(value);
    return found == names.end() ? StringRef() : StringRef(found->second);
  }

  ModuleOp module;
  TensorExporter tensors;
  llvm::DenseMap<Value, std::string> names;
  llvm::StringSet<> taken; ///< names defined in the graph or function at hand
  llvm::StringSet<> given; ///< names of the module's nodes and initializers
  int64_t invented = 0;
};

} // namespace

//===----------------------------------------------------------------------===//
// Names and types
//===----------------------------------------------------------------------===//

LogicalResult Exporter::define(Value value, StringRef name) {
  if (!taken.insert(name).second)
    return emitError(value.getLoc())
           << "expected one definition of value '" << name << "', found a second";
  names[value] = name.str();
  return success();
}

std::string Exporter::invent() {
  while (true) {
    std::string name = "input_" + std::to_string(invented++);
    if (!taken.contains(name) && !given.contains(name))
      return name;
  }
}

/// `dims` names the dynamic dimensions; null where nothing does.
LogicalResult Exporter::exportType(Type type, ArrayAttr dims, Location where,
                                   onnx::ValueInfoProto &info) {
  if (isa<UntypedType>(type))
    return success();
  auto shaped = dyn_cast<ShapedType>(type);
  int32_t dataType = shaped ? getDataType(shaped.getElementType()) : 0;
  if (!dataType)
    return emitError(where) << "expected a tensor with elements that ONNX has, found " << type;
  onnx::TypeProto::Tensor *tensor = info.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(dataType);
  if (!shaped.hasRank())
    return success();
  onnx::TensorShapeProto *shape = tensor->mutable_shape();
  for (auto [index, dim] : llvm::enumerate(shaped.getShape())) {
    onnx::TensorShapeProto::Dimension *proto = shape->add_dim();
    if (!ShapedType::isDynamic(dim))
      proto->set_dim_value(dim);
    else if (dims && index < dims.size() && !cast<StringAttr>(dims[index]).empty())
      proto->set_dim_param(cast<StringAttr>(dims[index]).str());
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

/// A tensor that is not small stands as [type, data].
LogicalResult Exporter::exportTensor(ArrayAttr typeAndData, Location where,
                                     onnx::TensorProto &tensor) {
  auto typeAttr = typeAndData.size() == 2 ? dyn_cast<TypeAttr>(typeAndData[0]) : TypeAttr();
  auto type = typeAttr ? dyn_cast<RankedTensorType>(typeAttr.getValue()) : RankedTensorType();
  if (!type)
    return emitError(where) << "expected strings, or a type and data, found " << typeAndData;
  return tensors.exportTensor(type, typeAndData[1], where, tensor);
}

LogicalResult Exporter::exportAttribute(NamedAttribute attribute, Location where,
                                        onnx::AttributeProto &proto) {
  proto.set_name(attribute.getName().str());
  Attribute value = attribute.getValue();
  if (auto reference = dyn_cast<AttributeRefAttr>(value)) {
    onnx::AttributeProto::AttributeType type;
    if (!onnx::AttributeProto_AttributeType_Parse(reference.getType().str(), &type))
      return emitError(where) << "expected a type of attributes, found '" << reference.getType()
                              << "'";
    proto.set_type(type);
    proto.set_ref_attr_name(reference.getName().str());
  } else if (auto number = dyn_cast<FloatAttr>(value); number && number.getType().isF32()) {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(number.getValue().convertToFloat());
  } else if (auto integer = dyn_cast<IntegerAttr>(value);
             integer && integer.getType().isSignlessInteger(64)) {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(integer.getInt());
  } else if (auto string = dyn_cast<StringAttr>(value)) {
    proto.set_type(onnx::AttributeProto::STRING);
    proto.set_s(string.str());
  } else if (auto numbers = dyn_cast<DenseF32ArrayAttr>(value)) {
    proto.set_type(onnx::AttributeProto::FLOATS);
    proto.mutable_floats()->Add(numbers.asArrayRef().begin(), numbers.asArrayRef().end());
  } else if (auto integers = dyn_cast<DenseI64ArrayAttr>(value)) {
    proto.set_type(onnx::AttributeProto::INTS);
    proto.mutable_ints()->Add(integers.asArrayRef().begin(), integers.asArrayRef().end());
  } else if (auto elements = dyn_cast<DenseElementsAttr>(value)) {
    proto.set_type(onnx::AttributeProto::TENSOR);
    return tensors.exportTensor(cast<RankedTensorType>(elements.getType()), elements, where,
                                *proto.mutable_t());
  } else if (auto list = dyn_cast<ArrayAttr>(value)) {
    if (!llvm::all_of(list, [](Attribute item) { return isa<StringAttr>(item); })) {
      proto.set_type(onnx::AttributeProto::TENSOR);
      return exportTensor(list, where, *proto.mutable_t());
    }
    proto.set_type(onnx::AttributeProto::STRINGS);
    for (auto string : list.getAsRange<StringAttr>())
      proto.add_strings(string.str());
  } else {
    return emitError(where) << "attribute '" << attribute.getName().getValue()
                            << "': expected numbers, strings or a tensor, found " << value;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

/// A text of an operation, empty where it has none.
static std::string getText(Operation *op, StringRef name) {
  auto text = op->getAttrOfType<StringAttr>(name);
  return text ? text.str() : std::string();
}

/// What a list of texts says of a graph inside a node.
static std::string getBodyText(NodeOp op, StringRef list, size_t index, StringRef otherwise) {
  auto texts = op->getAttrOfType<ArrayAttr>(list);
  auto text = texts && index < texts.size() ? dyn_cast<StringAttr>(texts[index]) : StringAttr();
  return text ? text.str() : otherwise.str();
}

LogicalResult Exporter::exportNode(NodeOp op, onnx::NodeProto &node) {
  node.set_op_type(op.getOpType().str());
  node.set_domain(op.getDomain().str());
  node.set_name(op.getName().str());
  node.set_doc_string(getText(op, "doc_string"));
  if (std::string overload = getText(op, overloadName); !overload.empty())
    node.GetReflection()->MutableUnknownFields(&node)->AddLengthDelimited(nodeOverload, overload);
  for (Value input : op.getInputs())
    node.add_input(getName(input).str());
  for (NamedAttribute attribute : op.getNodeAttributes())
    if (failed(exportAttribute(attribute, op.getLoc(), *node.add_attribute())))
      return failure();
  for (auto [index, region] : llvm::enumerate(op.getBodies())) {
    StringRef name = cast<StringAttr>((*op.getGraphs())[index]).getValue();
    onnx::AttributeProto *graph = node.add_attribute();
    graph->set_name(name.str());
    graph->set_type(onnx::AttributeProto::GRAPH);
    graph->mutable_g()->set_name(getBodyText(op, "body_names", index, name));
    graph->mutable_g()->set_doc_string(getBodyText(op, "body_doc_strings", index, ""));
    auto inputs = op->getAttrOfType<ArrayAttr>("body_inputs");
    auto names = inputs && index < inputs.size() ? dyn_cast<ArrayAttr>(inputs[index]) : ArrayAttr();
    if (failed(exportBody(region, names, *graph->mutable_g())))
      return failure();
  }
  for (auto [result, name] : llvm::zip(op.getResults(), op.getOutputNames())) {
    StringRef given = cast<StringAttr>(name).getValue();
    node.add_output(given.str());
    if (given.empty() && !result.use_empty())
      return op.emitOpError("expected a name for output ")
             << result.getResultNumber() << ", which is used";
    if (!given.empty() && failed(define(result, given)))
      return failure();
  }
  return success();
}

LogicalResult Exporter::exportOperations(Block &block,
                                         google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes,
                                         onnx::GraphProto *graph) {
  for (Operation &op : block.without_terminator()) {
    if (auto node = dyn_cast<NodeOp>(op)) {
      if (failed(exportNode(node, *nodes.Add())))
        return failure();
      for (auto result : node.getResults())
        if (graph && !isa<UntypedType>(result.getType()) && names.contains(result)) {
          onnx::ValueInfoProto *info = graph->add_value_info();
          info->set_name(getName(result).str());
          if (failed(exportType(result.getType(), {}, op.getLoc(), *info)))
            return failure();
        }
    } else if (auto initializer = dyn_cast<InitializerOp>(op); initializer && graph) {
      onnx::TensorProto *tensor = graph->add_initializer();
      tensor->set_name(initializer.getName().str());
      if (failed(define(initializer, initializer.getName())) ||
          failed(tensors.exportTensor(cast<RankedTensorType>(initializer.getType()),
                                      initializer.getData(), op.getLoc(), *tensor)))
        return failure();
    } else if (!isa<AbsentOp>(op)) {
      return op.emitOpError("expected nodes")
             << (graph ? " and initializers" : "") << " of the carrier alone";
    }
  }
  return success();
}

/// A graph inside a node. Inputs without a name of their own get one.
LogicalResult Exporter::exportBody(Region &region, ArrayAttr inputNames, onnx::GraphProto &proto) {
  Block &block = region.front();
  for (BlockArgument input : block.getArguments()) {
    onnx::ValueInfoProto *info = proto.add_input();
    unsigned index = input.getArgNumber();
    auto name = inputNames && index < inputNames.size() ? dyn_cast<StringAttr>(inputNames[index])
                                                        : StringAttr();
    bool isFree = name && !name.empty() && !taken.contains(name.getValue());
    if (failed(define(input, isFree ? name.str() : invent())) ||
        failed(exportType(input.getType(), {}, input.getLoc(), *info)))
      return failure();
    info->set_name(getName(input).str());
  }
  if (failed(exportOperations(block, *proto.mutable_node(), &proto)))
    return failure();
  for (Value output : cast<YieldOp>(block.getTerminator()).getValues()) {
    onnx::ValueInfoProto *info = proto.add_output();
    info->set_name(getName(output).str());
    if (failed(exportType(output.getType(), {}, output.getLoc(), *info)))
      return failure();
  }
  return success();
}

LogicalResult Exporter::exportMain(GraphOp op, onnx::GraphProto &proto) {
  auto name = op->getAttrOfType<StringAttr>("graph_name");
  proto.set_name(name ? name.str() : op.getSymName().str());
  proto.set_doc_string(getText(op, "doc_string"));
  Block &block = op.getBody().front();
  for (auto [input, given, dims] :
       llvm::zip(block.getArguments(), op.getInputNames(), op.getInputDims())) {
    onnx::ValueInfoProto *info = proto.add_input();
    info->set_name(cast<StringAttr>(given).str());
    if (failed(define(input, info->name())) ||
        failed(exportType(input.getType(), cast<ArrayAttr>(dims), op.getLoc(), *info)))
      return failure();
  }
  if (failed(exportOperations(block, *proto.mutable_node(), &proto)))
    return failure();
  auto values = cast<YieldOp>(block.getTerminator()).getValues();
  for (auto [value, given, type, dims] :
       llvm::zip(values, op.getOutputNames(), op.getOutputTypes(), op.getOutputDims())) {
    if (cast<StringAttr>(given).getValue() != getName(value))
      return op.emitOpError("expected output ")
             << given << " to be the value of that name, found '" << getName(value) << "'";
    onnx::ValueInfoProto *info = proto.add_output();
    info->set_name(getName(value).str());
    if (failed(
            exportType(cast<TypeAttr>(type).getValue(), cast<ArrayAttr>(dims), op.getLoc(), *info)))
      return failure();
  }
  return success();
}

/// Domains and versions. The default domain's name in files is empty.
static void exportOpsets(DictionaryAttr opsets,
                         google::protobuf::RepeatedPtrField<onnx::OperatorSetIdProto> &protos) {
  for (NamedAttribute opset : opsets) {
    onnx::OperatorSetIdProto *proto = protos.Add();
    StringRef domain = opset.getName().getValue();
    proto->set_domain(domain == "ai.onnx" ? "" : domain.str());
    proto->set_version(cast<IntegerAttr>(opset.getValue()).getInt());
  }
}

/// Whether a dictionary maps domains to versions.
static bool areOpsets(DictionaryAttr opsets) {
  return llvm::all_of(opsets,
                      [](NamedAttribute opset) { return isa<IntegerAttr>(opset.getValue()); });
}

LogicalResult Exporter::exportFunction(FunctionOp op, onnx::FunctionProto &proto) {
  // Names in a function are its own.
  names.clear();
  taken.clear();
  if (!areOpsets(op.getOpsets()))
    return op.emitOpError("expected integer versions as opsets, found ") << op.getOpsets();
  proto.set_domain(op.getDomain().str());
  proto.set_name(op.getFunctionName().str());
  proto.set_doc_string(getText(op, "doc_string"));
  if (std::string overload = getText(op, overloadName); !overload.empty())
    proto.GetReflection()->MutableUnknownFields(&proto)->AddLengthDelimited(functionOverload,
                                                                            overload);
  exportOpsets(op.getOpsets(), *proto.mutable_opset_import());
  for (auto parameter : op.getParameters().getAsRange<StringAttr>())
    if (!op.getDefaults().get(parameter))
      proto.add_attribute(parameter.str());
  for (NamedAttribute attribute : op.getDefaults()) {
    onnx::AttributeProto value;
    if (failed(exportAttribute(attribute, op.getLoc(), value)))
      return failure();
    proto.GetReflection()->MutableUnknownFields(&proto)->AddLengthDelimited(
        functionAttributeDefault, value.SerializeAsString());
  }
  Block &block = op.getBody().front();
  for (auto [input, name] : llvm::zip(block.getArguments(), op.getInputNames())) {
    proto.add_input(cast<StringAttr>(name).str());
    if (failed(define(input, cast<StringAttr>(name).getValue())))
      return failure();
  }
  if (failed(exportOperations(block, *proto.mutable_node(), nullptr)))
    return failure();
  auto addType = [&](Value value) -> LogicalResult {
    if (isa<UntypedType, AbsentType>(value.getType()) || !names.contains(value))
      return success();
    onnx::ValueInfoProto info;
    info.set_name(getName(value).str());
    if (failed(exportType(value.getType(), {}, op.getLoc(), info)))
      return failure();
    proto.GetReflection()->MutableUnknownFields(&proto)->AddLengthDelimited(
        functionValueInfo, info.SerializeAsString());
    return success();
  };
  for (Value input : block.getArguments())
    if (failed(addType(input)))
      return failure();
  for (auto node : block.getOps<NodeOp>())
    for (Value result : node.getResults())
      if (failed(addType(result)))
        return failure();
  for (auto [value, name] :
       llvm::zip(cast<YieldOp>(block.getTerminator()).getValues(), op.getOutputNames())) {
    if (cast<StringAttr>(name).getValue() != getName(value))
      return op.emitOpError("expected output ")
             << name << " to be the value of that name, found '" << getName(value) << "'";
    proto.add_output(getName(value).str());
  }
  return success();
}

LogicalResult Exporter::exportHeader(onnx::ModelProto &model) {
  auto version = module->getAttrOfType<IntegerAttr>("onnx.ir_version");
  auto opsets = module->getAttrOfType<DictionaryAttr>("onnx.opsets");
  if (!version || !opsets || !areOpsets(opsets))
    return module.emitError("expected a module of the carrier, with the attributes onnx.ir_version "
                            "and onnx.opsets");
  model.set_ir_version(version.getInt());
  exportOpsets(opsets, *model.mutable_opset_import());
  if (auto producer = module->getAttrOfType<StringAttr>("onnx.producer")) {
    auto [name, number] = producer.getValue().rsplit(' ');
    model.set_producer_name(name.str());
    model.set_producer_version(number.str());
  }
  model.set_domain(getText(module, "onnx.domain"));
  model.set_doc_string(getText(module, "onnx.doc_string"));
  if (auto number = module->getAttrOfType<IntegerAttr>("onnx.model_version"))
    model.set_model_version(number.getInt());
  if (auto metadata = module->getAttrOfType<DictionaryAttr>("onnx.metadata"))
    for (NamedAttribute entry : metadata) {
      onnx::StringStringEntryProto *proto = model.add_metadata_props();
      proto->set_key(entry.getName().str());
      auto value = dyn_cast<StringAttr>(entry.getValue());
      if (!value)
        return module.emitError("expected strings as onnx.metadata, found ") << entry.getValue();
      proto->set_value(value.str());
    }
  return success();
}

LogicalResult Exporter::run(onnx::ModelProto &model) {
  if (failed(exportHeader(model)))
    return failure();
  module.walk([&](Operation *op) {
    if (auto initializer = dyn_cast<InitializerOp>(op))
      given.insert(initializer.getName());
    else if (auto node = dyn_cast<NodeOp>(op))
      for (auto name : node.getOutputNames().getAsRange<StringAttr>())
        given.insert(name.getValue());
  });
  GraphOp graph;
  for (Operation &op : *module.getBody()) {
    if (auto function = dyn_cast<FunctionOp>(op)) {
      if (failed(exportFunction(function, *model.add_functions())))
        return failure();
    } else if (isa<GraphOp>(op) && !graph) {
      graph = cast<GraphOp>(op);
    } else {
      return op.emitOpError("expected one onnx.graph and functions in a module of the carrier");
    }
  }
  if (!graph)
    return module.emitError("expected a module of the carrier, with one onnx.graph, found none");
  names.clear();
  taken.clear();
  return exportMain(graph, *model.mutable_graph());
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

LogicalResult llmc::exportONNX(ModuleOp module, StringRef path) {
  std::string dataPath = (path + ".data").str();
  Exporter exporter(module, llvm::sys::path::filename(dataPath));
  onnx::ModelProto model;
  if (failed(exporter.run(model)))
    return failure();
  if (model.ByteSizeLong() > INT32_MAX)
    return module.emitError("expected a model below 2 GiB beside its external data, found ")
           << model.ByteSizeLong() << " bytes";
  auto report = [&](llvm::Error error) -> LogicalResult {
    if (!error)
      return success();
    return module.emitError() << llvm::toString(std::move(error));
  };
  if (exporter.getTensors().hasExternalData() &&
      failed(report(exporter.getTensors().write(dataPath))))
    return failure();
  return report(writeFileAtomically(path, model.SerializeAsString()));
}
