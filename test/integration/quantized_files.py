"""Files as ONNX Runtime's quantizers and other tools leave them: weights in bitsandbytes' tables, in
blocks with zero points that are numbers or inputs out of order, in 8-bit floats, rounded by
QuantizeLinear where the file keeps them in fp32, and embeddings in every width of
GatherBlockQuantized. Logits are ONNX Runtime's on the same file.
"""

from __future__ import annotations

import logging
import pathlib
import sys
import tempfile
from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from support import compile_model, compute_logits, one_target, relative_difference, test_data
from quantized_weights import find_weights, reference

PREFILL = 24
LIMIT = 1e-3
MICROSOFT = "com.microsoft"
Rewrite = Callable[[pathlib.Path, pathlib.Path], None]


def require(model: onnx.ModelProto, opset: int, contrib: bool = False) -> None:
    """Raises a model's opset to one that has what it is given."""
    for entry in model.opset_import:
        if entry.domain in ("", "ai.onnx"):
            entry.version = max(entry.version, opset)
    if contrib and all(entry.domain != MICROSOFT for entry in model.opset_import):
        model.opset_import.append(helper.make_opsetid(MICROSOFT, 1))
    model.ir_version = max(model.ir_version, 10)


def replace_weights(store: Callable[[str, np.ndarray], tuple[list, list]], opset: int,
                    contrib: bool = False) -> Rewrite:
    """Stores every linear's weight (in × out) as tensors and nodes that compute it."""
    def rewrite(source: pathlib.Path, target: pathlib.Path) -> None:
        model = onnx.load(str(source))
        graph, nodes = model.graph, []
        weights = find_weights(model, False)
        kept = [tensor for tensor in graph.initializer if tensor.name not in weights]
        for name, array in sorted(weights.items()):
            tensors, computed = store(name, array)
            kept += tensors
            nodes += computed
        old = list(graph.node)
        del graph.initializer[:], graph.node[:]
        graph.initializer.extend(kept)
        graph.node.extend(nodes + old)
        require(model, opset, contrib)
        onnx.save(model, str(target))
    return rewrite


def raw(name: str, kind: int, shape: tuple[int, ...], data: bytes) -> TensorProto:
    return helper.make_tensor(name, kind, shape, data, raw=True)


def float8(kind: int, limit: float, per_output: bool) -> Rewrite:
    """Weights as 8-bit floats with one scale, or one for each output."""
    def store(name: str, array: np.ndarray) -> tuple[list, list]:
        scale = np.abs(array).max(axis=0 if per_output else None) / np.float32(limit)
        scale = np.asarray(scale, np.float32)
        codes = (array / scale).astype(helper.tensor_dtype_to_np_dtype(kind))
        tensors = [raw(name + ".codes", kind, array.shape, codes.tobytes()),
                   numpy_helper.from_array(scale, name + ".scale")]
        return tensors, [helper.make_node("DequantizeLinear", [name + ".codes", name + ".scale"],
                                          [name], name + "/Dequantize", axis=1)]
    return replace_weights(store, 19)


def fake_quantized(kind: str, axis: int | None, block: int = 0, contrib: bool = False) -> Rewrite:
    """Weights in fp32 that QuantizeLinear and DequantizeLinear round, as training leaves them."""
    type_ = getattr(TensorProto, kind.upper())
    bits = int(kind.lstrip("uint"))
    signed = not kind.startswith("u")
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def store(name: str, array: np.ndarray) -> tuple[list, list]:
        if axis is None:
            largest = np.abs(array).max()
        elif block == 0:
            largest = np.abs(array).max(axis=1 - axis)
        else:
            parts = np.split(array, range(block, array.shape[0], block))
            largest = np.stack([np.abs(part).max(axis=0) for part in parts])
        # Too small, so that some are cut.
        scale = np.asarray(1.8 * largest / (high - low), np.float32)
        zero = np.full(scale.shape, (low + high) // 2, np.int64).reshape(-1) & ((1 << bits) - 1)
        if bits == 4:
            zero = np.append(zero, np.zeros(len(zero) % 2, np.int64))
            zero = zero[0::2] | zero[1::2] << 4
        zero = zero.astype(np.uint16 if bits == 16 else np.uint8)
        tensors = [numpy_helper.from_array(np.ascontiguousarray(array), name + ".plain"),
                   numpy_helper.from_array(scale, name + ".scale"),
                   raw(name + ".zero", type_, scale.shape, zero.tobytes())]
        attributes = {} if axis is None else {"axis": axis}
        if block:
            attributes["block_size"] = block
        domain = MICROSOFT if contrib else ""
        return tensors, [
            helper.make_node("QuantizeLinear", [name + ".plain", name + ".scale", name + ".zero"],
                             [name + ".codes"], name + "/Quantize", domain=domain, **attributes),
            helper.make_node("DequantizeLinear", [name + ".codes", name + ".scale", name + ".zero"],
                             [name], name + "/Dequantize", domain=domain, **attributes)]
    return replace_weights(store, 13 if contrib or bits == 8 else 21, contrib)


def bnb4(kind: int, block: int) -> Rewrite:
    """What ONNX Runtime's quantizer makes: FP4 (0) or NF4 (1)."""
    def rewrite(source: pathlib.Path, target: pathlib.Path) -> None:
        from onnxruntime.quantization.matmul_bnb4_quantizer import MatMulBnb4Quantizer

        quantizer = MatMulBnb4Quantizer(onnx.load(str(source)), kind, block)
        quantizer.process()
        quantizer.model.save_model_to_file(str(target))
    return rewrite


def nbits(change: Callable[[onnx.ModelProto], None] = lambda model: None, **options) -> Rewrite:
    """What ONNX Runtime's quantizer of blocks makes, changed."""
    def rewrite(source: pathlib.Path, target: pathlib.Path) -> None:
        from onnxruntime.quantization.matmul_nbits_quantizer import (
            DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer)
        from onnxruntime.quantization.quant_utils import QuantFormat

        chosen = dict(options)
        if chosen.pop("qdq", False):
            chosen["quant_format"] = QuantFormat.QDQ
        quantizer = MatMulNBitsQuantizer(
            onnx.load(str(source)), algo_config=DefaultWeightOnlyQuantConfig(**chosen))
        quantizer.process()
        model = quantizer.model.model
        change(model)
        model.ir_version = max(model.ir_version, 10)
        onnx.save(model, str(target))
    return rewrite


def of_type(model: onnx.ModelProto, kind: str) -> list[onnx.NodeProto]:
    return [node for node in model.graph.node if node.op_type == kind]


def attribute(node: onnx.NodeProto, name: str) -> int:
    return next(entry.i for entry in node.attribute if entry.name == name)


def set_input(node: onnx.NodeProto, index: int, name: str) -> None:
    while len(node.input) <= index:
        node.input.append("")
    node.input[index] = name


def numbers_as_zeros(whole: bool) -> Callable[[onnx.ModelProto], None]:
    """Zero points in fp32, whole numbers or between them, as HQQ finds them."""
    def change(model: onnx.ModelProto) -> None:
        random = np.random.default_rng(5)
        arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        for node in of_type(model, "MatMulNBits"):
            bits = attribute(node, "bits")
            zeros = (1 << bits - 1) + random.uniform(-0.6, 0.6, arrays[node.input[2]].shape)
            zeros = np.rint(zeros) if whole else zeros
            name = node.input[1] + ".zero"
            model.graph.initializer.append(numpy_helper.from_array(zeros.astype(np.float32), name))
            set_input(node, 3, name)
    return change


def out_of_order(model: onnx.ModelProto) -> None:
    """Inputs belong to blocks in any order, as with GPTQ's act-order; and biases."""
    random = np.random.default_rng(6)
    for node in of_type(model, "MatMulNBits"):
        inputs, outputs = attribute(node, "K"), attribute(node, "N")
        order = random.permutation(np.arange(inputs) // attribute(node, "block_size"))
        name = node.input[1] + ".order"
        model.graph.initializer.append(numpy_helper.from_array(order.astype(np.int32), name))
        set_input(node, 4, name)
        name = node.input[1] + ".bias"
        bias = random.normal(0, 0.01, outputs).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(bias, name))
        set_input(node, 5, name)


FORMS: dict[str, Rewrite] = {
    "NF4": bnb4(1, 64),
    "NF4, blocks over rows": bnb4(1, 256),
    "FP4": bnb4(0, 16),
    "4 bits": nbits(block_size=32, is_symmetric=False),
    "4 bits and embedding": nbits(block_size=16, is_symmetric=True,
                                  op_types_to_quantize=("MatMul", "Gather")),
    "4 bits and embedding, zero points": nbits(block_size=16, is_symmetric=False,
                                               op_types_to_quantize=("MatMul", "Gather")),
    "8 bits": nbits(block_size=32, is_symmetric=False, bits=8),
    "2 bits": nbits(block_size=32, is_symmetric=False, bits=2),
    "4 bits, DequantizeLinear": nbits(block_size=32, is_symmetric=False, qdq=True),
    "zero points as numbers": nbits(numbers_as_zeros(False), block_size=32),
    "zero points as whole numbers": nbits(numbers_as_zeros(True), block_size=16),
    "2 bits, zero points as numbers": nbits(numbers_as_zeros(False), block_size=32, bits=2),
    "out of order": nbits(out_of_order, block_size=32, is_symmetric=True),
    "out of order, blocks of 16": nbits(out_of_order, block_size=16, is_symmetric=True),
    "out of order, zero points as numbers": nbits(
        lambda model: (numbers_as_zeros(False)(model), out_of_order(model)), block_size=32),
    "e4m3fn": float8(TensorProto.FLOAT8E4M3FN, 448, False),
    "e4m3fn per output": float8(TensorProto.FLOAT8E4M3FN, 448, True),
    "e5m2": float8(TensorProto.FLOAT8E5M2, 57344, False),
    "e4m3fnuz": float8(TensorProto.FLOAT8E4M3FNUZ, 240, True),
    "e5m2fnuz": float8(TensorProto.FLOAT8E5M2FNUZ, 57344, False),
    "fake int8": fake_quantized("int8", None),
    "fake int8 per output": fake_quantized("int8", 1),
    "fake uint8 per input": fake_quantized("uint8", 0),
    "fake int16 per output": fake_quantized("int16", 1),
    "fake uint16": fake_quantized("uint16", None),
    "fake int4 in blocks": fake_quantized("int4", 0, 16),
    "fake uint4": fake_quantized("uint4", None),
    "fake int16, contrib": fake_quantized("int16", None, contrib=True),
    "fake int4, contrib": fake_quantized("int4", 1, contrib=True),
}
SAMPLES = {"llama/optimum": list(FORMS),
           "gpt2/optimum": ["NF4", "zero points as numbers", "out of order", "fake int8 per output",
                            "e5m2"],
           "qwen2/optimum": ["FP4", "4 bits and embedding, zero points", "fake int4 in blocks"]}


def check(sample: pathlib.Path, rewrite: Rewrite, work: pathlib.Path) -> tuple[float, str]:
    """The difference to ONNX Runtime, and what is wrong; empty where nothing is."""
    tokens = np.load(sample / "oracle.npz")["tokens"].reshape(-1)
    model = work / "model.onnx"
    rewrite(sample / "model.onnx", model)
    artifact = compile_model(model, work / "model.llmc", "", f"--target={one_target()}")
    found = compute_logits(artifact, tokens, "--prefill", PREFILL)
    difference = relative_difference(found, reference(model, tokens))
    return difference, "" if difference <= LIMIT else f"expected at most {LIMIT:.0e}"


def main() -> int:
    logging.disable(logging.WARNING)
    data = test_data() / "exporters"
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    problems = count = 0
    for sample, names in SAMPLES.items():
        for name in names:
            if only not in f"{sample}, {name}":
                continue
            count += 1
            with tempfile.TemporaryDirectory() as folder:
                try:
                    difference, wrong = check(data / sample, FORMS[name], pathlib.Path(folder))
                except Exception as error:  # one form's failure does not end the test
                    difference, wrong = np.nan, str(error)[:1500]
            problems += bool(wrong)
            print(f"{sample}, {name}: {difference:.1e} {wrong or 'ok'}", flush=True)
    print(f"{count} forms, {problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
