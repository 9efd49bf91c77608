"""What is imported to the carrier is written back as it was: every node, attribute, tensor, name, type
and version, for the embedded model, models with functions and branches, and exports by real
exporters. What it is written back to is checked by ONNX's own checker."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import onnx

from graph_forms import overloads
from onnx_models import save
from support import SOURCE, TINY, tool

# Written by the conversions' own tests.
sys.path.append(str(SOURCE / "test" / "Conversion" / "Inputs"))


def describe_attribute(attribute: onnx.AttributeProto):
    if attribute.ref_attr_name:
        return ("ref", attribute.ref_attr_name, attribute.type)
    if attribute.type == onnx.AttributeProto.GRAPH:
        return describe_graph(attribute.g)
    if attribute.type == onnx.AttributeProto.TENSOR:
        return describe_tensor(attribute.t)
    value = onnx.helper.get_attribute_value(attribute)
    return (attribute.type, tuple(value) if isinstance(value, (list, tuple)) or hasattr(value, "extend") else value)


def describe_tensor(tensor: onnx.TensorProto):
    if tensor.data_type == onnx.TensorProto.STRING:
        return (tensor.data_type, tuple(tensor.dims), tuple(tensor.string_data))
    # What get_element_type_of pads is compared as bytes.
    array = onnx.numpy_helper.to_array(tensor)
    return (tensor.data_type, tuple(tensor.dims), np.ascontiguousarray(array).tobytes())


def describe_type(info: onnx.ValueInfoProto):
    kind = info.type.tensor_type
    dims = [dim.dim_value if dim.HasField("dim_value") else dim.dim_param for dim in kind.shape.dim]
    return (info.name, kind.elem_type, kind.HasField("shape"), tuple(dims))


def describe_node(node: onnx.NodeProto):
    attributes = {attribute.name: describe_attribute(attribute) for attribute in node.attribute}
    return (node.op_type, node.domain, node.overload, node.name, node.doc_string, tuple(node.input),
            tuple(node.output), attributes)


def describe_graph(graph: onnx.GraphProto):
    initialized = {tensor.name for tensor in graph.initializer}
    result = {
        "name": graph.name,
        "text": graph.doc_string,
        "inputs": [info.name for info in graph.input if info.name not in initialized],
        "outputs": [info.name for info in graph.output],
        "nodes": [describe_node(node) for node in graph.node],
        "initializers": {tensor.name: describe_tensor(tensor) for tensor in graph.initializer},
    }
    return result


def describe_types(graph: onnx.GraphProto):
    initialized = {tensor.name for tensor in graph.initializer}
    return [[describe_type(info) for info in infos if info.name not in initialized]
            for infos in (graph.input, graph.output)]


def describe_model(model: onnx.ModelProto):
    def opsets(protos):
        return {proto.domain if proto.domain != "ai.onnx" else "": proto.version for proto in protos}

    return {
        "version": model.ir_version,
        "opsets": opsets(model.opset_import),
        "producer": (model.producer_name, model.producer_version),
        "metadata": {entry.key: entry.value for entry in model.metadata_props},
        "texts": (model.doc_string, model.domain, model.model_version),
        "graph": describe_graph(model.graph),
        # Those of graphs inside nodes lose the names of dimensions.
        "types": describe_types(model.graph),
        "functions": [
            (function.domain, function.name, function.overload, function.doc_string,
             sorted(describe_type(info) for info in function.value_info), opsets(function.opset_import), tuple(function.input),
             tuple(function.output), tuple(function.attribute),
             {attribute.name: describe_attribute(attribute) for attribute in function.attribute_proto},
             [describe_node(node) for node in function.node])
            for function in model.functions
        ],
    }


def write_back(file: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    carrier, written = folder / "carrier.mlir", folder / "written.onnx"
    translate = tool("llmc-translate")
    subprocess.run([translate, "--import-onnx", "--carrier", file, "-o", carrier], check=True)
    subprocess.run([translate, "--export-onnx", carrier, "-o", written], check=True)
    return written


def compare(file: pathlib.Path, check: bool = True) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        written = write_back(file, pathlib.Path(folder))
        if check:
            onnx.checker.check_model(str(written))
        expected, found = describe_model(onnx.load(file)), describe_model(onnx.load(written))
    wrong = [key for key in expected if expected[key] != found[key]]
    for key in wrong:
        print(f"{file}: {key}: expected {str(expected[key])[:300]}, found {str(found[key])[:300]}")
    return not wrong


def list_files(work: pathlib.Path) -> list[tuple[pathlib.Path, bool]]:
    """Models, and whether ONNX's checker knows all that is in them."""
    files = [(TINY / "model.onnx", True)]
    for kind in ("branches", "tensors", "texts"):
        file = work / f"{kind}.onnx"
        subprocess.run([sys.executable, SOURCE / "test" / "Conversion" / "Inputs" / "make_onnx.py", file, kind],
                       check=True)
        files.append((file, False))
    files.append((save(overloads(), work / "overloads.onnx"), True))
    data = os.environ.get("LLMC_TEST_DATA", "")
    if data:
        files += [(file, False) for file in sorted(pathlib.Path(data, "exporters").rglob("*.onnx"))]
    return files


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        files = list_files(pathlib.Path(folder))
        wrong = sum(not compare(*file) for file in files)
    print(f"{len(files)} models, {wrong} of them written back otherwise")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
