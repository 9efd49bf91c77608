# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights that a file holds as floats of 4 or 8 bits with DequantizeLinear: FP8 per tensor, per output and
in blocks, FP4 in blocks, NVFP4 as ModelOpt writes it (blocks' scales in FP8, which another DequantizeLinear
multiplies by one of the matrix), and Microscaling formats, whose scales are powers of two.

They become #llmc.float with the same bytes; logits are ONNX Runtime's for the values that ml_dtypes decodes,
and for the file itself where ONNX Runtime has the types.
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import sys

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from quantized_weights import PREFILL, check_cases, find_weights, reference
from raised_module import raise_model
from support import compile_model, compute_logits, one_target, relative_difference, test_data

ELEMENTS = {
    "f8E4M3FN": (ml_dtypes.float8_e4m3fn, TensorProto.FLOAT8E4M3FN, 8),
    "f8E5M2": (ml_dtypes.float8_e5m2, TensorProto.FLOAT8E5M2, 8),
    "f4E2M1FN": (ml_dtypes.float4_e2m1fn, TensorProto.FLOAT4E2M1, 4),
}
SCALES = {"f32": np.float32, "f16": np.float16, "f8E4M3FN": ml_dtypes.float8_e4m3fn,
          "f8E8M0FNU": ml_dtypes.float8_e8m0fnu}


@dataclasses.dataclass(frozen=True)
class Form:
    """How weights are stored: out × in with a Transpose behind, or as the embedding's table is."""

    element: str
    group: int | str  # of the encoding that it raises to
    scale: str = "f32"
    zero: bool = False  # there is a zero point
    cast: bool = False  # scales are cast to fp32 first
    runs: bool = True  # in ONNX Runtime
    table: bool = False  # of the embedding

    @property
    def encoding(self) -> str:
        matrix = ", matrix = f32" if self.scale == "f8E4M3FN" else ""
        return f"#llmc.float<{self.element}, group = {self.group}, scale = {self.scale}{matrix}>"


FORMS = {
    "fp8 per tensor": Form("f8E4M3FN", "tensor"),
    "fp8 per tensor, zero point": Form("f8E4M3FN", "tensor", zero=True),
    "fp8 per output": Form("f8E4M3FN", "channel"),
    "fp8 e5m2 per output": Form("f8E5M2", "channel"),
    "fp8 blocks": Form("f8E4M3FN", 32),
    "fp8 scales in fp16": Form("f8E4M3FN", "channel", scale="f16"),
    "fp4 blocks": Form("f4E2M1FN", 32, runs=False),
    "fp4 blocks that do not divide": Form("f4E2M1FN", 24, runs=False),
    "nvfp4": Form("f4E2M1FN", 16, scale="f8E4M3FN", runs=False),
    "mxfp4": Form("f4E2M1FN", 32, scale="f8E8M0FNU", runs=False),
    "mxfp4, scales cast": Form("f4E2M1FN", 32, scale="f8E8M0FNU", cast=True, runs=False),
    "mxfp8": Form("f8E4M3FN", 32, scale="f8E8M0FNU", runs=False),
    "table, fp8 per row": Form("f8E4M3FN", "channel", table=True),
    "table, nvfp4": Form("f4E2M1FN", 16, scale="f8E4M3FN", runs=False, table=True),
}


@dataclasses.dataclass(frozen=True)
class Stored:
    """A matrix (out × in) as it is stored, and its values."""

    codes: np.ndarray
    scales: np.ndarray
    matrix: np.ndarray | None
    values: np.ndarray


def quantize(array: np.ndarray, form: Form) -> Stored:
    element = ELEMENTS[form.element][0]
    size = {"tensor": array.size, "channel": array.shape[1]}.get(form.group, form.group)
    rows = array.reshape(1, -1) if form.group == "tensor" else array
    starts = range(0, rows.shape[1], size)
    largest = np.stack([np.abs(rows[:, start : start + size]).max(axis=1) for start in starts], axis=1)
    scales = largest / np.float32(ml_dtypes.finfo(element).max)
    matrix = None
    if form.scale == "f8E4M3FN":
        matrix = np.float32(scales.max() / 448)
        scales = scales / matrix
    elif form.scale == "f8E8M0FNU":
        scales = np.exp2(np.ceil(np.log2(scales)))
    scales = scales.astype(SCALES[form.scale])
    wide = np.repeat(scales.astype(np.float32), size, axis=1)[:, : rows.shape[1]]
    wide = (wide * matrix if matrix is not None else wide).reshape(-1)
    wide = np.broadcast_to(wide, array.size).reshape(array.shape)
    codes = (array / wide).astype(element)
    if form.group in ("tensor", "channel"):
        scales = scales.reshape(()) if form.group == "tensor" else scales.reshape(-1)
    return Stored(codes, scales, matrix, codes.astype(np.float32) * wide)


def pack(codes: np.ndarray, bits: int) -> bytes:
    flat = codes.view(np.uint8).reshape(-1)
    return (flat[0::2] | flat[1::2] << 4).tobytes() if bits == 4 else flat.tobytes()


def store(graph: onnx.GraphProto, name: str, stored: Stored, form: Form) -> list[onnx.NodeProto]:
    """Adds a matrix, and gives the nodes that compute it."""
    _, data_type, bits = ELEMENTS[form.element]
    scale_types = {"f32": TensorProto.FLOAT, "f16": TensorProto.FLOAT16, "f8E4M3FN": TensorProto.FLOAT8E4M3FN,
                   "f8E8M0FNU": TensorProto.FLOAT8E8M0}
    shape = stored.codes.shape
    graph.initializer.extend([
        helper.make_tensor(f"{name}.codes", data_type, shape, pack(stored.codes, bits), raw=True),
        helper.make_tensor(f"{name}.scale", scale_types[form.scale], stored.scales.shape, stored.scales.tobytes(),
                           raw=True)])
    nodes, scale = [], f"{name}.scale"
    if stored.matrix is not None:
        graph.initializer.append(numpy_helper.from_array(stored.matrix, f"{name}.matrix"))
        nodes.append(helper.make_node("DequantizeLinear", [scale, f"{name}.matrix"], [f"{name}.scale.f32"]))
        scale = f"{name}.scale.f32"
    if form.cast:
        nodes.append(helper.make_node("Cast", [scale], [f"{name}.scale.f32"], to=TensorProto.FLOAT))
        scale = f"{name}.scale.f32"
    inputs = [f"{name}.codes", scale]
    if form.zero:
        graph.initializer.append(helper.make_tensor(f"{name}.zero", data_type, stored.scales.shape,
                                                    bytes(stored.scales.size), raw=True))
        inputs.append(f"{name}.zero")
    attributes = {"tensor": {}, "channel": {"axis": 0}}.get(form.group, {"axis": -1, "block_size": form.group})
    if form.scale == "f8E8M0FNU" and not form.cast:
        attributes["output_dtype"] = TensorProto.FLOAT
    dequantized = f"{name}.dequantized"
    nodes.append(helper.make_node("DequantizeLinear", inputs, [dequantized], **attributes))
    if form.scale == "f16":
        nodes.append(helper.make_node("Cast", [dequantized], [f"{dequantized}.f32"], to=TensorProto.FLOAT))
        dequantized = f"{dequantized}.f32"
    if form.table:
        return [*nodes, helper.make_node("Identity", [dequantized], [name])]
    return [*nodes, helper.make_node("Transpose", [dequantized], [name], perm=[1, 0])]


def rewrite(path: pathlib.Path, form: Form, output: pathlib.Path, decoded: pathlib.Path) -> dict[str, Stored]:
    """Writes a model with its linears' weights, or its embedding, as floats, and one with the values that they stand for."""
    model, plain = onnx.load(str(path)), onnx.load(str(path))
    weights = {name: quantize(np.ascontiguousarray(array if form.table else array.T), form)
               for name, array in find_weights(model, form.table).items()}
    assert weights, f"no weights in {path}"
    for tensor in plain.graph.initializer:
        if tensor.name in weights:
            values = weights[tensor.name].values
            values = values if form.table else np.ascontiguousarray(values.T)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    onnx.save(plain, str(decoded))
    graph, nodes = model.graph, []
    for name, stored in weights.items():
        nodes += store(graph, name, stored, form)
    kept = [tensor for tensor in graph.initializer if tensor.name not in weights]
    old = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes + old)
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx"):
            opset.version = max(opset.version, 21 if form.runs else 24)
    model.ir_version = 10 if form.runs else 11
    onnx.save(model, str(output))
    return weights


def check(sample: str, form: Form, work: pathlib.Path) -> tuple[str, float]:
    """What is wrong with a form, or nothing, and the largest difference of logits."""
    data = test_data() / "exporters" / sample
    tokens = np.load(data / "oracle.npz")["tokens"].reshape(-1)
    model, decoded = work / "model.onnx", work / "decoded.onnx"
    weights = rewrite(data / "model.onnx", form, model, decoded)
    types = [kind for kind in raise_model(model, work / "model.mlir").types.values() if "#llmc.float" in kind]
    if len(types) < len(weights) or not all(form.encoding in kind for kind in types):
        return f"expected {len(weights)} of {form.encoding}, found {len(types)} ({types[:1]})", np.nan
    artifact = compile_model(model, work / "model.llmc", "", f"--target={one_target()}")
    found = compute_logits(artifact, tokens, "--prefill", PREFILL)
    difference = relative_difference(found, reference(decoded, tokens))
    wrong = "" if difference <= 1e-5 else f"differs from the decoded values by {difference:.1e}"
    if form.runs:
        # ONNX Runtime rounds products with scales in fp16 to fp16.
        of_file = relative_difference(found, reference(model, tokens))
        if not of_file <= (1e-3 if form.scale == "f16" else 1e-5):
            wrong += f" differs from ONNX Runtime by {of_file:.1e}"
    return wrong, difference


def main() -> int:
    cases = [("llama/optimum", name) for name in FORMS] + [("gpt2/optimum", "nvfp4")]
    return check_cases({f"{sample}, {name}": functools.partial(check, sample, FORMS[name]) for sample, name in cases})


if __name__ == "__main__":
    sys.exit(main())
