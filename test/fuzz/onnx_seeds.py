"""Writes first inputs of onnx_fuzzer into a folder: decoders in many spellings, and odd models."""

from __future__ import annotations

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import numpy as np
from onnx import TensorProto, helper

import onnx_models
from onnx_models import FLOAT, INT64, Graph, save, set_external

SPELLINGS = {
    "plain": {},
    "learned": dict(norm="layer power", positions="learned", activation="gelu tanh", gated=False,
                    linear="gemm", bias=True, mask="add", attention="div"),
    "operators": dict(opset=23, norm="operator", positions="operator", attention="operator",
                      constants="initializers", angles="range"),
    "causal": dict(opset=23, norm="operator", attention="operator", mask="causal", cache=False,
                   positions="mul", angles="range"),
    "fused": dict(norm="simplified", attention="fused", positions="fused"),
    "contrib": dict(positions="contrib", linear="packed", bias=True, activation="FastGelu"),
    "nbits": dict(linear="nbits", mask="trilu", tied=True, cache=False, angles="range"),
    "isnan": dict(mask="isnan", attention="root scale", linear="transposed", positions="split",
                  norm="power", angles="cumsum", opset=18, activation="gelu"),
    "half": dict(data="float16", norm="layer operator", mask="window", activation="gelu quick"),
}


def with_external_data(model):
    """Replaces the data of weights by parts of the file that the fuzzer keeps beside its inputs."""
    offset = 0
    for tensor in model.graph.initializer:
        length = len(tensor.raw_data)
        if length < 256 or tensor.name in ("cos_cache", "sin_cache") or offset + length > 65536:
            continue
        set_external(tensor, "weights", offset, length)
        tensor.ClearField("raw_data")
        offset += length
    return model


def branches():
    """An If whose condition is the same for any number of rows, and a model-local function with an attribute."""
    graph = Graph(18)
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    table = graph.weight("table", np.ones((8, 4), np.float32))
    value = graph.op("Gather", table, "input_ids")
    rows = graph.op("Gather", graph.op("Shape", "input_ids"), graph.constant(1))
    yes, no = (
        helper.make_graph([helper.make_node(kind, [value], [f"{kind}_out"])], kind, [],
                          [helper.make_tensor_value_info(f"{kind}_out", FLOAT, None)])
        for kind in ("Identity", "Relu"))
    value = graph.op("If", graph.op("Less", rows, graph.constant(1)), then_branch=yes,
                     else_branch=no)
    node = helper.make_node("Transpose", ["x"], ["y"])
    attribute = node.attribute.add(name="perm", ref_attr_name="order", type=7)
    assert attribute.ref_attr_name == "order"
    graph.functions.append(helper.make_function("local", "Turn", ["x"], ["y"], [node],
                                                [helper.make_opsetid("", 18)], ["order"]))
    value = graph.op("Turn", value, domain="local", order=[0, 1, 2])
    graph.add_output(value, FLOAT, ["batch", "rows", 4], "logits")
    return graph.model()


def texts():
    """Texts about a model and its parts, a Loop whose graph has inputs, a function that states types."""
    graph = Graph(18)
    graph.add_input("x", FLOAT, ["rows", 4])
    info = helper.make_tensor_value_info
    step = helper.make_node("Add", ["state", "state"], ["twice"])
    keep = helper.make_node("Identity", ["going"], ["still"])
    body = helper.make_graph([keep, step], "again",
                             [info("step", INT64, []), info("going", TensorProto.BOOL, []),
                              info("state", FLOAT, ["rows", 4])],
                             [info("still", TensorProto.BOOL, []), info("twice", FLOAT, ["rows", 4])],
                             doc_string="of the body")
    value = graph.op("Loop", graph.constant(3), graph.constant(True, np.bool_), "x", body=body)
    graph.nodes[-1].doc_string = "of the node"
    graph.functions.append(helper.make_function(
        "local", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 18)], doc_string="of the function",
        value_info=[info("a", FLOAT, [None, 4]), info("b", FLOAT, [None, 4])]))
    graph.add_output(graph.op("Twice", value, domain="local"), FLOAT, ["rows", 4], "y")
    model = graph.model()
    model.graph.doc_string = "of the graph"
    model.doc_string, model.domain, model.model_version = "of the model", "org.example", 7
    return model


def quantized():
    """A decoder whose weights DequantizeLinear computes, in blocks of 4 bits."""
    model = onnx_models.decoder(opset=21)
    names = {node.input[1] for node in model.graph.node if node.op_type == "MatMul"}
    for tensor in [tensor for tensor in model.graph.initializer if tensor.name in names]:
        rows, columns = tensor.dims
        codes = TensorProto(name=tensor.name + ".codes", data_type=TensorProto.INT4,
                            dims=tensor.dims, raw_data=bytes(range(256)) * (rows * columns // 512))
        scales = helper.make_tensor(tensor.name + ".scales", FLOAT, [rows // 16, columns],
                                    np.ones(rows // 16 * columns))
        node = helper.make_node("DequantizeLinear", [codes.name, scales.name], [tensor.name],
                                axis=0, block_size=16)
        model.graph.initializer.remove(tensor)
        model.graph.initializer.extend([codes, scales])
        model.graph.node.insert(0, node)
    return model


def rounded():
    """A decoder after dynamic quantization: 8-bit weights times rows that are rounded as they come."""
    model = onnx_models.decoder()
    arrays = {tensor.name: tensor for tensor in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        if node.op_type != "MatMul" or node.input[1] not in arrays:
            nodes.append(node)
            continue
        (rows, weight), result = node.input, node.output[0]
        inputs, outputs = arrays[weight].dims
        integers, scale, zero, product, number, both = (f"{result}.{i}" for i in range(6))
        if weight + ".codes" not in arrays:
            arrays[weight + ".codes"] = TensorProto(
                name=weight + ".codes", data_type=TensorProto.INT8, dims=[inputs, outputs],
                raw_data=bytes(range(256)) * (inputs * outputs // 256))
            arrays[weight + ".scales"] = helper.make_tensor(weight + ".scales", FLOAT, [outputs],
                                                            np.ones(outputs))
        nodes += [helper.make_node("DynamicQuantizeLinear", [rows], [integers, scale, zero]),
                  helper.make_node("MatMulInteger", [integers, weight + ".codes", zero], [product]),
                  helper.make_node("Cast", [product], [number], to=FLOAT),
                  helper.make_node("Mul", [scale, weight + ".scales"], [both]),
                  helper.make_node("Mul", [number, both], [result])]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(arrays.values())
    return model


def tensors():
    """One initializer of every data type."""
    graph = Graph()
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    bits = {4: (21, 22, 23), 8: (2, 3, 9, 17, 18, 19, 20), 16: (4, 5, 10, 16), 32: (1, 6, 12),
            64: (7, 11, 13, 14), 128: (15,)}
    for size, kinds in bits.items():
        for kind in kinds:
            graph.initializers.append(TensorProto(name=f"t{kind}", data_type=kind, dims=[4],
                                                  raw_data=bytes(size // 2)))
    graph.initializers.append(helper.make_tensor("list", INT64, [3], [1, 2, 3]))
    texts = [b"a", b"", b"b\0\xff\""]
    graph.initializers.append(helper.make_tensor("texts", TensorProto.STRING, [3, 1], texts))
    graph.op("Constant", value=helper.make_tensor("", TensorProto.STRING, [2], texts[:2]))
    graph.add_output("input_ids", INT64, ["batch", "rows"])
    return graph.model()


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    for name, choices in SPELLINGS.items():
        save(with_external_data(onnx_models.decoder(**choices)), folder / f"{name}.onnx")
    save(branches(), folder / "branches.onnx")
    save(tensors(), folder / "tensors.onnx")
    save(texts(), folder / "texts.onnx")
    save(quantized(), folder / "quantized.onnx")
    save(rounded(), folder / "rounded.onnx")
    return 0


if __name__ == "__main__":
    sys.exit(main())
