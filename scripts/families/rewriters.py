# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tools that make another ONNX file of one: rewriters.py NAME IN-FILE OUT-FILE."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

Rewriter = Callable[[pathlib.Path, pathlib.Path], None]


def optimize_offline(level: str) -> Rewriter:
    """What ONNX Runtime runs, written down."""

    def rewrite(source: pathlib.Path, target: pathlib.Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
        options.optimized_model_filepath = str(target)
        options.log_severity_level = 4
        onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])

    return rewrite


def fuse_transformer(source: pathlib.Path, target: pathlib.Path) -> None:
    """ONNX Runtime's optimizer of transformers."""
    from onnxruntime.transformers import optimizer

    optimizer.optimize_model(str(source), model_type="gpt2", num_heads=4, hidden_size=64,
                             opt_level=0).save_model_to_file(str(target))


def halve(keep_io: bool) -> Rewriter:
    """fp32 to fp16."""

    def rewrite(source: pathlib.Path, target: pathlib.Path) -> None:
        import onnx
        from onnxruntime.transformers import float16

        model = onnx.load(str(source))
        onnx.save(float16.convert_float_to_float16(model, keep_io_types=keep_io), str(target))

    return rewrite


def quantize_dynamic(source: pathlib.Path, target: pathlib.Path) -> None:
    from onnxruntime import quantization

    quantization.quantize_dynamic(source, target, weight_type=quantization.QuantType.QInt8)


def quantize_static(qdq: bool, per_channel: bool) -> Rewriter:
    """Static quantization, calibrated on random tokens."""

    def rewrite(source: pathlib.Path, target: pathlib.Path) -> None:
        from onnxruntime import quantization

        import oracle

        class Samples(quantization.CalibrationDataReader):
            def __init__(self) -> None:
                session = oracle.open_session(source)
                tokens = np.random.default_rng(3).integers(3, 300, (4, 24))
                self.samples = iter([oracle.make_feeds(session, row, 0, {}) for row in tokens])

            def get_next(self) -> dict[str, Any] | None:
                return next(self.samples, None)

        style = quantization.QuantFormat.QDQ if qdq else quantization.QuantFormat.QOperator
        quantization.quantize_static(source, target, Samples(), quant_format=style,
                                     per_channel=per_channel, op_types_to_quantize=["MatMul", "Gemm"],
                                     activation_type=quantization.QuantType.QUInt8,
                                     weight_type=quantization.QuantType.QInt8)

    return rewrite


def quantize_blocks(bits: int, symmetric: bool) -> Rewriter:
    """ONNX Runtime's quantizer to MatMulNBits."""

    def rewrite(source: pathlib.Path, target: pathlib.Path) -> None:
        import onnx
        from onnxruntime.quantization import matmul_nbits_quantizer as quantizer

        config = quantizer.DefaultWeightOnlyQuantConfig(block_size=32, is_symmetric=symmetric, bits=bits)
        work = quantizer.MatMulNBitsQuantizer(onnx.load(str(source)), algo_config=config)
        work.process()
        work.model.save_model_to_file(str(target))

    return rewrite


def simplify(source: pathlib.Path, target: pathlib.Path) -> None:
    import onnx
    import onnxsim

    model, _ = onnxsim.simplify(onnx.load(str(source)))
    onnx.save(model, str(target))


def slim(source: pathlib.Path, target: pathlib.Path) -> None:
    import onnx
    import onnxslim

    onnx.save(onnxslim.slim(onnx.load(str(source))), str(target))


def make_producers(model: Any) -> dict[str, Any]:
    """The node that computes each value."""
    return {name: node for node in model.graph.node for name in node.output}


def expand_products(model: Any) -> None:
    """QLinearMatMul and QGemm as products between conversions."""
    from onnx import helper, numpy_helper

    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        if node.op_type not in ("QLinearMatMul", "QGemm"):
            nodes.append(node)
            continue
        left, right, rest = node.input[:3], node.input[3:6], list(node.input[6:])
        names = [f"{node.output[0]}_{part}" for part in ("left", "right", "product")]
        options = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
        axis = 0 if options.get("transB") else 1
        operands = names[:2]
        if node.op_type == "QGemm":
            if rest[0]:
                bias = constants[rest[0]] * (constants[left[1]] * constants[right[1]])
                operands = [*operands, names[2] + "_bias"]
                model.graph.initializer.append(
                    numpy_helper.from_array(bias.astype(np.float32), operands[2]))
            rest = rest[1:]
        nodes += [helper.make_node("DequantizeLinear", left, names[:1]),
                  helper.make_node("DequantizeLinear", right, names[1:2], axis=axis),
                  helper.make_node(node.op_type.removeprefix("Q").removeprefix("Linear"), operands,
                                   names[2:], **options),
                  helper.make_node("QuantizeLinear", [names[2], *rest], list(node.output))]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def keep_signs(model: Any, producers: dict[str, Any], exact: dict[str, str]) -> None:
    """Puts a Relu where a rounding has integers of positive numbers alone: quantizers leave it to it."""
    from onnx import helper, numpy_helper

    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for name, source in exact.items():
        zero = constants[producers[producers[name].input[0]].input[2]]
        if (zero == np.iinfo(zero.dtype).min).all():
            node = helper.make_node("Relu", [source], [name + "_positive"])
            place = list(model.graph.node).index(producers[name])
            model.graph.node.insert(place, node)
            exact[name] = name + "_positive"


def drop_roundings(source: pathlib.Path, target: pathlib.Path) -> None:
    """A graph that is quantized statically, without the roundings of what it computes."""
    import onnx

    model = onnx.load(str(source))
    expand_products(model)
    producers = make_producers(model)
    exact = {node.output[0]: producers[node.input[0]].input[0] for node in model.graph.node
             if node.op_type == "DequantizeLinear" and node.input[0] in producers
             and producers[node.input[0]].op_type == "QuantizeLinear"}
    keep_signs(model, producers, exact)
    for node in model.graph.node:
        for i, name in enumerate(node.input):
            while name in exact:
                name = exact[name]
            node.input[i] = name
    for output in model.graph.output:
        if output.name in exact:
            producers[output.name].op_type = "Identity"
            del producers[output.name].input[:]
            producers[output.name].input.append(exact[output.name])
    onnx.save(model, str(target))


REWRITERS: dict[str, Rewriter] = {
    "ort-basic": optimize_offline("ORT_ENABLE_BASIC"),
    "ort-extended": optimize_offline("ORT_ENABLE_EXTENDED"),
    "ort-transformers": fuse_transformer,
    "fp16": halve(keep_io=False),
    "fp16-keep-io": halve(keep_io=True),
    "dynamic-int8": quantize_dynamic,
    "static-qdq": quantize_static(qdq=True, per_channel=False),
    "static-qdq-channel": quantize_static(qdq=True, per_channel=True),
    "static-operators": quantize_static(qdq=False, per_channel=False),
    "blocks-4": quantize_blocks(4, symmetric=True),
    "blocks-4-zeros": quantize_blocks(4, symmetric=False),
    "blocks-8": quantize_blocks(8, symmetric=True),
    "onnxsim": simplify,
    "onnxslim": slim,
}


def main() -> int:
    name, source, target = sys.argv[1:]
    tools = REWRITERS | {"without-roundings": drop_roundings}
    tools[name](pathlib.Path(source), pathlib.Path(target))
    return 0


if __name__ == "__main__":
    sys.exit(main())
