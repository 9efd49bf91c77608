"""Real exporters' models in half precision, whole: weights, tables, caches and everything computed.

Every fp32 sample is converted as the exporters do for GPUs: all floats become fp16 or bf16. llmc
keeps such weights as they are and computes in fp32, so its logits are, within 1e-3, those that ONNX
Runtime gives for the fp32 model with the weights rounded (and the tables of angles not: the raise
finds the frequencies behind them). Against ONNX Runtime on the fp16 model itself, which rounds
everything that it computes to 11 bits, a few such roundings are allowed.
"""

from __future__ import annotations

import pathlib
import sys
import tempfile

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from support import compile_model, compute_logits, one_target, relative_difference, test_data
from raised_module import raise_model

PREFILL = 24
# Relative to the largest logit: sums in fp32, and ten roundings to 11 bits.
EXACT_LIMIT, HALF_LIMIT = 1e-3, 5e-3
KINDS = {"fp16": TensorProto.FLOAT16, "bf16": TensorProto.BFLOAT16}
FLAVOURS = ("genai-fp32", "classic", "optimum", "legacy-op17-nocache", "dynamo-op18-cache",
            "dynamo-op23-nocache", "hfx")


def round_array(array: np.ndarray, kind: int) -> np.ndarray:
    """An array in a narrower type; the lowest number, which masks hold, stays the lowest."""
    type_ = helper.tensor_dtype_to_np_dtype(kind)
    finite = float(ml_dtypes.finfo(type_).max)
    return np.clip(array, -finite, finite).astype(type_)


def convert_tensor(tensor: TensorProto, kind: int) -> None:
    """Rounds an fp32 tensor."""
    if tensor.data_type != TensorProto.FLOAT:
        return
    array = round_array(numpy_helper.to_array(tensor), kind)
    name = tensor.name
    tensor.CopyFrom(helper.make_tensor(name, kind, array.shape, array.tobytes(), raw=True))


def round_tensor(tensor: TensorProto, kind: int) -> None:
    """Rounds an fp32 tensor's values and keeps its type."""
    if tensor.data_type == TensorProto.FLOAT:
        rounded = round_array(numpy_helper.to_array(tensor), kind)
        tensor.CopyFrom(numpy_helper.from_array(rounded.astype(np.float32), tensor.name))


def convert(model: onnx.ModelProto, kind: int) -> None:
    """Makes every float of a model one of `kind`."""
    graph = model.graph
    for tensor in graph.initializer:
        convert_tensor(tensor, kind)
    for info in (*graph.input, *graph.output, *graph.value_info):
        if info.type.tensor_type.elem_type == TensorProto.FLOAT:
            info.type.tensor_type.elem_type = kind
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                convert_tensor(attribute.t, kind)
            if attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = kind


def keep_angles(model: onnx.ModelProto) -> set[str]:
    """Says in fp32 what exporters compute in it whatever the model's type: from positions to
    cosines and sines. Gives the names of those values."""
    graph = model.graph
    producers = {name: node for node in graph.node for name in node.output}
    wanted = [node.output[0] for node in graph.node if node.op_type in ("Cos", "Sin")]
    kept: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name in kept:
            continue
        kept.add(name)
        if name in producers and producers[name].op_type != "Shape":
            wanted.extend(producers[name].input)
    return kept


def convert_model(path: pathlib.Path, kind: int, folder: pathlib.Path) -> pathlib.Path:
    """Writes a model in half precision; angles are computed in fp32 and then rounded."""
    model = onnx.load(str(path))
    kept = keep_angles(model)
    before = {tensor.name: TensorProto.FromString(tensor.SerializeToString())
              for tensor in model.graph.initializer if tensor.name in kept}
    nodes = {node.output[0]: onnx.NodeProto.FromString(node.SerializeToString())
             for node in model.graph.node if node.output and node.output[0] in kept}
    convert(model, kind)
    for tensor in model.graph.initializer:
        if tensor.name in before:
            tensor.CopyFrom(before[tensor.name])
    changed = []
    for node in model.graph.node:
        if node.output and node.output[0] in nodes:
            node.CopyFrom(nodes[node.output[0]])
        changed.append(node)
        if node.op_type in ("Cos", "Sin"):
            given = node.output[0]
            node.output[0] = given + "_fp32"
            changed.append(helper.make_node("Cast", [node.output[0]], [given], given + "_half",
                                            to=kind))
    changed = [onnx.NodeProto.FromString(node.SerializeToString()) for node in changed]
    del model.graph.node[:]
    model.graph.node.extend(changed)
    del model.graph.value_info[:]
    output = folder / "model.onnx"
    onnx.save(model, str(output))
    return output


def round_weights(path: pathlib.Path, kind: int, folder: pathlib.Path) -> pathlib.Path:
    """Writes the model with its weights rounded and everything else as it was."""
    model = onnx.load(str(path))
    kept = keep_angles(model)
    for tensor in model.graph.initializer:
        if tensor.name not in kept and not tensor.name.endswith(("cos_cache", "sin_cache")):
            round_tensor(tensor, kind)
    for node in model.graph.node:
        if node.op_type == "Constant" and node.output[0] not in kept:
            for attribute in node.attribute:
                if attribute.HasField("t") and len(attribute.t.dims) > 0:
                    round_tensor(attribute.t, kind)
    output = folder / "rounded.onnx"
    onnx.save(model, str(output))
    return output


def reference(model: pathlib.Path, tokens: np.ndarray) -> np.ndarray:
    from reference_logits import ReferenceModel

    return ReferenceModel.load(model).all_logits(tokens, PREFILL)


def check(folder: pathlib.Path, name: str, work: pathlib.Path) -> list[str]:
    """Converts, compiles and runs one sample; gives what is wrong with it."""
    tokens = np.load(folder / "oracle.npz")["tokens"].reshape(-1)
    half = convert_model(folder / "model.onnx", KINDS[name], work)
    artifact = compile_model(half, work / "model.llmc", "", f"--target={one_target()}")
    found = compute_logits(artifact, tokens, "--prefill", PREFILL)
    exact = reference(round_weights(folder / "model.onnx", KINDS[name], work), tokens)
    differences = {"the rounded fp32 model": (relative_difference(found, exact), EXACT_LIMIT)}
    if name == "fp16":
        own = reference(half, tokens)
        differences["ONNX Runtime in fp16"] = (relative_difference(found, own), HALF_LIMIT)
    problems = [f"differs from {what} by {difference:.1e}, expected at most {limit:.0e}"
                for what, (difference, limit) in differences.items() if not difference <= limit]
    print(f"{folder.parent.name}/{folder.name} {name}: "
          f"{', '.join(f'{difference:.1e}' for difference, _ in differences.values())} "
          f"{'; '.join(problems) or 'ok'}", flush=True)
    return problems


def check_frequencies(folder: pathlib.Path, work: pathlib.Path) -> int:
    """Long tables in half precision, of plain and of scaled frequencies, give the frequencies."""
    problems = 0
    for name, kind in KINDS.items():
        for label, frequencies in table_frequencies().items():
            model = onnx.load(str(folder / "model.onnx"))
            angles = np.outer(np.arange(8192, dtype=np.float32), frequencies.astype(np.float32))
            for tensor in model.graph.initializer:
                for function in (np.cos, np.sin):
                    if tensor.name == f"{function.__name__}_cache":
                        tensor.CopyFrom(numpy_helper.from_array(
                            function(angles).astype(np.float32), tensor.name))
            convert(model, kind)
            path = work / "tables.onnx"
            onnx.save(model, str(path))
            text = raise_model(path, work / "tables.mlir", "--context=8192").function
            line = next(line for line in text.splitlines() if "llmc.rope" in line)
            found = line.split("frequencies = array<f32: ")[1].split(">")[0]
            found = np.array([float(number) for number in found.split(", ")])
            # In radians at the end of the context.
            error = float(np.abs(found - frequencies).max() * 8192)
            wrong = not error <= 1e-4
            problems += wrong
            print(f"tables {name}, {label}: {error:.1e} radians at 8192"
                  f"{', expected at most 1e-4' if wrong else ''}", flush=True)
    return problems


def table_frequencies() -> dict[str, np.ndarray]:
    """Frequencies of 8 pairs as models have them."""
    result = {f"plain {base}": float(base) ** (-np.arange(8) / 8)
              for base in (10000, 500000, 1000000)}
    result["linear 4"] = result["plain 10000"] / 4
    # The scaling of Llama 3.1: long waves by 8, short ones not at all, a ramp between.
    plain = result["plain 500000"]
    ramp = np.clip((8192 / (2 * np.pi / plain) - 1) / 3, 0, 1)
    result["by wavelength"] = (1 - ramp) * plain / 8 + ramp * plain
    return result


def main() -> int:
    data = test_data() / "exporters"
    problems = 0
    for family in ("llama", "qwen2", "gpt2"):
        for flavour in FLAVOURS:
            folder = data / family / flavour
            if not folder.is_dir():
                continue
            for kind in KINDS:
                with tempfile.TemporaryDirectory() as work:
                    try:
                        problems += len(check(folder, kind, pathlib.Path(work)))
                    except Exception as error:  # one sample's failure does not end the test
                        print(f"{family}/{flavour} {kind}: {str(error)[:1500]}", flush=True)
                        problems += 1
    with tempfile.TemporaryDirectory() as work:
        problems += check_frequencies(data / "llama" / "genai-fp32", pathlib.Path(work))
    print(f"{problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
