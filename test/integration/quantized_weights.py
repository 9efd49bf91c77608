"""Weights that a file holds as integers with DequantizeLinear: int8 and uint8 per tensor and per
axis, int4 and uint4 in blocks, as they are or through a Transpose, and embedding tables.

What #llmc.grouped holds exactly becomes such a parameter, everything else its values; logits are
ONNX Runtime's either way.
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib
import re
import sys
import tempfile
from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from support import compile_model, compute_logits, one_target, relative_difference, test_data
from raised_module import raise_model

PREFILL = 24
KINDS = {"int8": (TensorProto.INT8, 8, True), "uint8": (TensorProto.UINT8, 8, False),
         "int4": (TensorProto.INT4, 4, True), "uint4": (TensorProto.UINT4, 4, False)}


@dataclasses.dataclass(frozen=True)
class Form:
    """How weights are stored. The axis is that of the stored matrix."""

    kind: str
    axis: int | None = None  # none: per tensor
    block: int = 0
    zeros: bool = False
    transposed: bool = False  # stored out × in, with a Transpose behind
    group: str = ""  # of the encoding that it raises to; empty where it becomes values
    zero: str = "none"
    scale: str = "float32"


FORMS = {
    "per tensor": Form("int8", group="tensor"),
    "per tensor, unsigned": Form("uint8", zeros=True, group="tensor", zero="integer"),
    "per output": Form("int8", axis=1, group="channel"),
    "per output, unsigned": Form("uint8", axis=1, zeros=True, group="channel", zero="integer"),
    "per output, shifted": Form("int8", axis=-1, zeros=True, group="channel", zero="integer"),
    "per output, transposed": Form("int8", axis=0, transposed=True, group="channel"),
    "per input": Form("int8", axis=0),
    "blocks": Form("int4", axis=0, block=16, group="16"),
    "blocks, unsigned": Form("uint4", axis=0, block=32, zeros=True, group="32", zero="integer"),
    "blocks that do not divide": Form("uint4", axis=0, block=24, zeros=True, group="24",
                                      zero="integer"),
    "blocks, transposed": Form("int4", axis=1, block=16, transposed=True, group="16"),
    "blocks of 8 bits": Form("int8", axis=-2, block=32, zeros=True, group="32", zero="integer"),
    "blocks of outputs": Form("int4", axis=1, block=16),
    "scales in fp16": Form("int8", axis=1, group="channel", scale="float16"),
}


def quantize(array: np.ndarray, form: Form) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Codes, scales and zero points of a matrix."""
    _, bits, signed = KINDS[form.kind]
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if form.axis is None:
        pieces = [array.reshape(-1)]
        shape: tuple[int, ...] = ()
    elif form.block == 0:
        pieces = list(np.moveaxis(array, form.axis, 0))
        shape = (array.shape[form.axis],)
    else:
        cuts = range(form.block, array.shape[form.axis], form.block)
        parts = np.split(np.moveaxis(array, form.axis, 0), cuts)
        pieces = [part[:, i] for part in parts for i in range(part.shape[1])]
        shape = (len(parts), array.shape[1 - form.axis % 2])
    scales, zeros = [], []
    for piece in pieces:
        if form.zeros:
            # Not symmetric, so that zero points are not in the middle.
            least, most = min(float(piece.min()), 0.0), 1.25 * max(float(piece.max()), 0.0)
            scales.append((most - least) / (high - low))
            zeros.append(np.clip(np.rint(low - least / scales[-1]), low, high))
        else:
            scales.append(float(np.abs(piece).max()) / high)
            zeros.append(0.0)
    scale = np.array(scales, np.float32).astype(form.scale).reshape(shape)
    zero = np.array(zeros).reshape(shape)
    if form.block and form.axis % 2 == 1:
        scale, zero = scale.T, zero.T
    wide, wide_zero = scale.astype(np.float32), zero
    if form.axis is not None and form.block == 0:
        dims = [1, 1]
        dims[form.axis] = -1
        wide, wide_zero = wide.reshape(dims), zero.reshape(dims)
    elif form.block:
        count = array.shape[form.axis]
        wide, wide_zero = (np.take(np.repeat(part, form.block, form.axis), range(count), form.axis)
                           for part in (wide, zero))
    codes = np.clip(np.rint(array / wide + wide_zero), low, high)
    return codes, scale, zero if form.zeros else None


def store(graph: onnx.GraphProto, name: str, array: np.ndarray, form: Form) -> list[onnx.NodeProto]:
    """Replaces an initializer by integers; gives the nodes that compute the old value."""
    data_type, bits, _ = KINDS[form.kind]

    def integers(suffix: str, values: np.ndarray) -> TensorProto:
        flat = values.astype(np.int64).reshape(-1) & ((1 << bits) - 1)
        if bits == 4:
            flat = np.append(flat, np.zeros(len(flat) % 2, np.int64))
            flat = flat[0::2] | flat[1::2] << 4
        return helper.make_tensor(name + suffix, data_type, values.shape,
                                  flat.astype(np.uint8).tobytes(), raw=True)

    codes, scale, zero = quantize(array.T if form.transposed else array, form)
    graph.initializer.extend([integers(".codes", codes),
                              numpy_helper.from_array(np.ascontiguousarray(scale), name + ".scale")])
    inputs = [name + ".codes", name + ".scale"]
    if zero is not None:
        graph.initializer.append(integers(".zero", zero))
        inputs.append(name + ".zero")
    attributes = {} if form.axis is None else {"axis": form.axis}
    if form.block:
        attributes["block_size"] = form.block
    value = name + ".dequantized" if form.transposed or form.scale != "float32" else name
    nodes = [helper.make_node("DequantizeLinear", inputs, [value], name + "/Dequantize", **attributes)]
    if form.scale != "float32":
        nodes.append(helper.make_node("Cast", [value], [name], name + "/Cast", to=TensorProto.FLOAT))
    if form.transposed:
        nodes.append(helper.make_node("Transpose", [value], [name], name + "/Transpose", perm=[1, 0]))
    return nodes


def find_weights(model: onnx.ModelProto, table: bool) -> dict[str, np.ndarray]:
    """The matrices of linears (in × out), or with `table` the embedding's."""
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    names = set()
    for node in model.graph.node:
        if table and node.op_type == "Gather" and node.input[0] in arrays:
            names.add(node.input[0])
        elif not table and node.op_type in ("MatMul", "Gemm") and node.input[1] in arrays:
            names.add(node.input[1])
    return {name: arrays[name] for name in names if arrays[name].ndim == 2}


def rewrite(path: pathlib.Path, form: Form, table: bool, output: pathlib.Path) -> None:
    """Writes a model with its linears' weights, or its embedding, as integers."""
    model = onnx.load(str(path))
    graph, nodes = model.graph, []
    weights = find_weights(model, table)
    assert weights, f"no weights in {path}"
    for name, array in weights.items():
        nodes += store(graph, name, array, form)
    kept = [tensor for tensor in graph.initializer if tensor.name not in weights]
    old = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes + old)
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx"):
            opset.version = max(opset.version, 21 if form.block or form.scale != "float32" else 13)
    model.ir_version = 10
    onnx.save(model, str(output))


def reference(path: pathlib.Path, tokens: np.ndarray) -> np.ndarray:
    """ONNX Runtime's logits, with the graph as it stands: fusions would round activations."""
    import onnxruntime as ort
    from reference_logits import ReferenceModel, symbolic_head_size

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    model = ReferenceModel(session, symbolic_head_size(onnx.load(str(path))))
    model.reset()
    return model.all_logits(tokens, PREFILL)


def check_encodings(types: dict[str, str], form: Form, count: int) -> str:
    """What is wrong with the parameters' types; empty where nothing is."""
    found = [kind for kind in types.values() if "#llmc.grouped" in kind]
    if not form.group:
        return f"expected values, found {found[0]}" if found else ""
    _, bits, _ = KINDS[form.kind]
    scale = {"float32": "f32", "float16": "f16"}[form.scale]
    wanted = re.compile(rf"bits = {bits}, group = {form.group}, zero = {form.zero}, scale = {scale}>")
    wrong = [kind for kind in found if not wanted.search(kind)]
    if wrong or len(found) < count:
        return f"expected {count} of '{wanted.pattern}', found {len(found)} ({wrong[:1]})"
    return ""


def check(sample: str, form: Form, table: bool, work: pathlib.Path) -> tuple[str, float]:
    """What is wrong with a form, or nothing, and the largest difference of logits."""
    data = test_data() / "exporters" / sample
    tokens = np.load(data / "oracle.npz")["tokens"].reshape(-1)
    model = work / "model.onnx"
    rewrite(data / "model.onnx", form, table, model)
    types = raise_model(model, work / "model.mlir").types
    count = len(find_weights(onnx.load(str(data / "model.onnx")), table))
    wrong = check_encodings(types, form, count)
    artifact = compile_model(model, work / "model.llmc", "", f"--target={one_target()}")
    found = compute_logits(artifact, tokens, "--prefill", PREFILL)
    difference = relative_difference(found, reference(model, tokens))
    if not difference <= 1e-3:
        wrong += f" differs from ONNX Runtime by {difference:.1e}"
    return wrong, difference


def check_cases(cases: dict[str, Callable[[pathlib.Path], tuple[str, float]]]) -> int:
    """Runs each case in a folder of its own; gives an exit code."""
    problems = 0
    for name, check_case in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                wrong, difference = check_case(pathlib.Path(folder))
            except AssertionError as error:
                wrong, difference = str(error)[:1500], np.nan
        problems += bool(wrong)
        print(f"{name}: {difference:.1e} {wrong or 'ok'}", flush=True)
    print(f"{len(cases)} forms, {problems} problems")
    return 1 if problems else 0


def main() -> int:
    cases = [("llama/optimum", name, form, False) for name, form in FORMS.items()]
    cases += [("gpt2/optimum", name, FORMS[name], False)
              for name in ("per output, unsigned", "blocks", "per input", "per tensor")]
    cases += [("llama/genai-fp32", "blocks, unsigned", FORMS["blocks, unsigned"], False)]
    # A table's rows are its outputs.
    cases += [("llama/optimum", f"table, {name}", form, True) for name, form in {
        "per output, unsigned": Form("uint8", axis=0, zeros=True, group="channel", zero="integer"),
        "blocks": Form("int4", axis=1, block=16, group="16"),
        "per tensor": Form("int8", group="tensor"),
        "per input": Form("int8", axis=1),
    }.items()]
    return check_cases({f"{sample}, {name}": functools.partial(check, sample, form, table)
                        for sample, name, form, table in cases})


if __name__ == "__main__":
    sys.exit(main())
