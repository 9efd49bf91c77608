"""Weights stay where they are: every type, inside a file or beside it, is referred to, not copied.

Models beyond 2 GiB import from their external data in a moment and in little memory.
"""

from __future__ import annotations

import pathlib
import resource
import subprocess
import sys
import tempfile

import numpy as np
from onnx import TensorProto, helper

from onnx_models import FLOAT, INT64, Graph, decoder, externalize, save, set_external
from raised_module import raise_model
from support import BUILD


def check_references(work: pathlib.Path, data: str, external: bool) -> str:
    """All large weights of a decoder lie in the model's own files after the raise."""
    model = decoder(data=data)
    if external:
        externalize(model, work)
    path = save(model, work / "model.onnx")
    expected = work / "weights" if external else path
    raised = raise_model(path, work / "raised.mlir", "--context=64")
    kind = {"float32": "f32", "float16": "f16", "bfloat16": "bf16"}[data]
    copied = [name for name, file in raised.files.items()
              if raised.parameters[name].size > 32 and file.resolve() != expected.resolve()]
    if copied:
        return f"expected references into {expected.name}, found copies of {copied}"
    other = [name for name, text in raised.types.items() if not text.endswith("x" + kind)]
    if other:
        return f"expected weights of {kind}, found others: {other}"
    by_name = {tensor.name: tensor for tensor in decoder(data=data).graph.initializer}
    matrix = np.frombuffer(by_name["layers.0.up"].raw_data,
                           {"float32": "<f4", "float16": "<f2", "bfloat16": "<u2"}[data])
    if data == "bfloat16":
        matrix = (matrix.astype(np.uint32) << 16).view(np.float32)
    matrix = matrix.astype(np.float32).reshape(32, 48).T
    if not np.array_equal(raised.parameters["layers.0.mlp.up"], matrix):
        return "layers.0.mlp.up has other values"
    return ""


def make_large(work: pathlib.Path) -> pathlib.Path:
    """Three GiB of weights, none of which take room on the disk."""
    graph = Graph()
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    rows, width = 3 << 18, 1024  # 3 GiB of fp32
    with (work / "large").open("wb") as file:
        file.truncate(rows * width * 4 + (1 << 22))
    for name, dims, offset in (("table", [rows, width], 0), ("head", [width, 1024], rows * 4092)):
        tensor = TensorProto(name=name, data_type=FLOAT, dims=dims)
        set_external(tensor, "large", offset, 4 * dims[0] * dims[1])
        graph.initializers.append(tensor)
    value = graph.op("Gather", "table", "input_ids")
    graph.add_output(graph.op("MatMul", value, "head"), FLOAT, ["batch", "rows", 1024])
    return save(graph.model(), work / "model.onnx")


def check_large(work: pathlib.Path) -> str:
    raised = subprocess.run([str(BUILD / "bin" / "llmc-translate"), "--import-onnx",
                             str(make_large(work)), "-o", str(work / "raised.mlir")],
                            capture_output=True, text=True)
    if raised.returncode != 0:
        return raised.stderr
    text = (work / "raised.mlir").read_text()
    if 'tensor<786432x1024xf32> = #llmc.file<"large", offset = 0>' not in text:
        return f"expected a reference to the whole table, found {text[:1000]}"
    if 'offset = 3218079744, strides = [1, 1024]>' not in text:
        return f"expected a reference beyond 2 GiB, found {text[:1000]}"
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
    return "" if peak < 500 else f"expected less than 500 MiB, found {peak}"


def check_types(work: pathlib.Path) -> str:
    """Tensors of all types stay as they are in the carrier, elements where there are few."""
    graph = Graph(21)
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    values = {
        "int4": helper.make_tensor("int4", TensorProto.INT4, [3], [1, -2, 7]),
        "uint4": helper.make_tensor("uint4", TensorProto.UINT4, [3], [1, 2, 15]),
        "int8": helper.make_tensor("int8", TensorProto.INT8, [2], [-128, 127]),
        "uint8": helper.make_tensor("uint8", TensorProto.UINT8, [2], [0, 255]),
        "bool": helper.make_tensor("bool", TensorProto.BOOL, [2], [True, False]),
        "int64": helper.make_tensor("int64", TensorProto.INT64, [1], [-2**63]),
        "half": helper.make_tensor("half", TensorProto.FLOAT16, [2], [1.5, -2.0]),
        "brain": helper.make_tensor("brain", TensorProto.BFLOAT16, [2], [1.5, -2.0]),
        "double": helper.make_tensor("double", TensorProto.DOUBLE, [1], [0.1]),
    }
    graph.initializers.extend(values.values())
    graph.add_output("input_ids", INT64, ["batch", "rows"])
    path = save(graph.model(), work / "model.onnx")
    done = subprocess.run([str(BUILD / "bin" / "llmc-translate"), "--import-onnx", "--carrier",
                           str(path)], capture_output=True, text=True)
    expected = {
        "int4": ": tensor<3xi4> = dense_resource<int4>",
        "uint4": ": tensor<3xui4> = dense_resource<uint4>",
        "int8": "dense<[-128, 127]> : tensor<2xi8>",
        "uint8": "dense<[0, 255]> : tensor<2xui8>",
        "bool": "dense<[true, false]> : tensor<2xi1>",
        "int64": "dense<-9223372036854775808> : tensor<1xi64>",
        "half": "dense<[1.500000e+00, -2.000000e+00]> : tensor<2xf16>",
        "brain": "dense<[1.500000e+00, -2.000000e+00]> : tensor<2xbf16>",
        "double": "dense<1.000000e-01> : tensor<1xf64>",
    }
    for name, text in expected.items():
        line = next((l for l in done.stdout.splitlines() if f'initializer "{name}"' in l), "")
        if text not in line:
            return f"{name}: expected '{text}', found '{line}' {done.stderr}"
    return ""


def main() -> int:
    checks = {"large": check_large, "types": check_types}
    for data in ("float32", "float16", "bfloat16"):
        for external in (False, True):
            checks[f"{data}, {'beside' if external else 'inside'}"] = (
                lambda work, data=data, external=external: check_references(work, data, external))
    problems = 0
    for name, check in checks.items():
        with tempfile.TemporaryDirectory() as work:
            try:
                wrong = check(pathlib.Path(work))
            except AssertionError as error:
                wrong = str(error)
        print(f"{name}: {wrong or 'ok'}", flush=True)
        problems += bool(wrong)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
