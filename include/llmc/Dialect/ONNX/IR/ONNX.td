//===- ONNX.td - the carrier of ONNX models -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What an ONNX file says, as IR: every node, name, attribute, domain and version, uninterpreted.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_ONNX_IR_ONNX_TD
#define LLMC_DIALECT_ONNX_IR_ONNX_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def ONNX_Dialect : Dialect {
  let name = "onnx";
  let summary = "A faithful carrier of ONNX models";
  let description = [{
    A module holds one `onnx.graph @main`, the model's local functions, and attributes of the file:
    `onnx.ir_version`, `onnx.opsets` (a dictionary from domain to version), `onnx.producer`,
    `onnx.metadata`, `onnx.domain`, `onnx.model_version` and `onnx.doc_string`. Graphs, functions and
    nodes may have a `doc_string` too. Nothing is interpreted here: `--raise-onnx` does that.

    What is refused, each with a message:
    - attributes that are lists of graphs or tensors, or types: in the default domain only Optional
      (a type) can have one, and it stands in no model that exporters write;
    - nodes that read each other in a cycle. Others are sorted.

    Sparse tensors are made dense. An initializer may stand twice with the same contents.

    What is dropped, since nothing depends on it: texts about single values, tensors and attributes,
    quantization annotations, training information, and types of values that are no dense tensors.
  }];
  let cppNamespace = "::llmc::carrier";
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
}

def ONNX_UntypedType : TypeDef<ONNX_Dialect, "Untyped"> {
  let mnemonic = "untyped";
  let summary = "A value whose type the file does not state";
}

def ONNX_StringType : TypeDef<ONNX_Dialect, "String"> {
  let mnemonic = "string";
  let summary = "The element type of tensors of texts";
}

def ONNX_AbsentType : TypeDef<ONNX_Dialect, "Absent"> {
  let mnemonic = "absent";
  let summary = "The type of an optional input that is not given";
}

def ONNX_AttributeRefAttr : AttrDef<ONNX_Dialect, "AttributeRef"> {
  let mnemonic = "ref";
  let summary = "An attribute of the function that a node stands in";
  let description = [{
    Stands for the value that a call gives to the function's attribute `name`; `type` is what the file
    says of it, such as INT or FLOATS.
  }];
  let parameters = (ins StringRefParameter<"name of the function's attribute">:$name,
                        StringRefParameter<"an AttributeProto::AttributeType">:$type);
  let assemblyFormat = "`<` $name `,` $type `>`";
}

class ONNX_Op<string mnemonic, list<Trait> traits = []> : Op<ONNX_Dialect, mnemonic, traits>;

def ONNX_GraphOp : ONNX_Op<"graph", [Symbol, SingleBlock, IsolatedFromAbove]> {
  let summary = "The model's graph";
  let description = [{
    The region's arguments are the graph's inputs. `input_names` and `output_names` are the file's;
    `input_dims` gives, for every input, the names of its dynamic dimensions.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrArrayAttr:$input_names,
                       StrArrayAttr:$output_names, ArrayAttr:$input_dims,
                       ArrayAttr:$output_dims, TypeArrayAttr:$output_types);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def ONNX_FunctionOp : ONNX_Op<"function", [Symbol, SingleBlock, IsolatedFromAbove]> {
  let summary = "A function that the model defines";
  let description = [{
    Called by nodes of its domain and name, and of its `overload` where it has one. The symbol is
    "domain::name" or "domain::name:overload". `parameters` names its
    attributes, `defaults` gives those that have a default. Values have the types that the file says.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$domain, StrAttr:$function_name,
                       DictionaryAttr:$opsets, StrArrayAttr:$parameters, DictionaryAttr:$defaults,
                       StrArrayAttr:$input_names, StrArrayAttr:$output_names);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def ONNX_InitializerOp : ONNX_Op<"initializer", [Pure]> {
  let summary = "A constant tensor of the graph";
  let description = [{
    `data` says where the bytes lie: `#llmc.file` (the file itself or its external data) or elements.
    Elements of type `!onnx.string` are a list of strings, in row-major order.
  }];
  let arguments = (ins StrAttr:$name, AnyAttr:$data);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$name `:` type($result) `=` $data attr-dict";
  let hasVerifier = 1;
}

def ONNX_AbsentOp : ONNX_Op<"absent", [Pure]> {
  let summary = "An optional input that is not given";
  let results = (outs ONNX_AbsentType:$result);
  let assemblyFormat = "attr-dict";
}

def ONNX_NodeOp : ONNX_Op<"node"> {
  let summary = "A node of the graph";
  let description = [{
    `node_attributes` are the node's, except graphs, which are regions named by `graphs`. `output_names`
    are the values' names in the file; an empty one is an output that is not wanted. For graphs,
    `body_names` and `body_inputs` are the names that they give themselves and their inputs, and
    `body_doc_strings` is what is written about them.

    ```mlir
    %y = onnx.node "MatMul"(%x, %w) {name = "/up/MatMul", output_names = ["up"]} : (…) -> tensor<?x?x1536xf32>
    ```
  }];
  let arguments = (ins StrAttr:$op_type, Variadic<AnyType>:$inputs,
                       DefaultValuedStrAttr<StrAttr, "">:$domain,
                       DefaultValuedStrAttr<StrAttr, "">:$name,
                       StrArrayAttr:$output_names,
                       DefaultValuedAttr<DictionaryAttr, "{}">:$node_attributes,
                       OptionalAttr<StrArrayAttr>:$graphs);
  let results = (outs Variadic<AnyType>:$outputs);
  let regions = (region VariadicRegion<AnyRegion>:$bodies);
  let assemblyFormat = [{
    $op_type `(` $inputs `)` attr-dict `:` functional-type($inputs, $outputs) $bodies
  }];
  let hasVerifier = 1;
}

def ONNX_YieldOp : ONNX_Op<"yield", [Terminator, Pure]> {
  let summary = "The outputs of a graph or function";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif // LLMC_DIALECT_ONNX_IR_ONNX_TD
