"""What the compiler makes of single ONNX operators is what ONNX Runtime computes.

Every operator of the table runs on random inputs in its variants, in models of one node whose inputs
are constants: small ones, and for operators that read weights piece by piece also large ones. The
table itself is compared with ONNX's own definitions: inputs, attributes, versions.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import Any, Callable

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from onnx_models import MICROSOFT
from support import SOURCE, tool

Cases = list[onnx.ModelProto]
RANDOM = np.random.default_rng(7)


def floats(*shape: int) -> np.ndarray:
    return RANDOM.standard_normal(shape).astype(np.float32)


def positive(*shape: int) -> np.ndarray:
    return np.abs(floats(*shape)) + np.float32(0.1)


def ints(low: int, high: int, *shape: int, dtype: Any = np.int64) -> np.ndarray:
    return RANDOM.integers(low, high, shape).astype(dtype)


def bools(*shape: int) -> np.ndarray:
    return RANDOM.integers(0, 2, shape).astype(bool)


def model(kind: str, *inputs: np.ndarray | None, outputs: int = 1, domain: str = "", opset: int = 17,
          **attributes: Any) -> onnx.ModelProto:
    """A model of one node; an input that is None is absent."""
    names = ["" if array is None else f"i{i}" for i, array in enumerate(inputs)]
    tensors = [numpy_helper.from_array(np.array(array, order="C"), name)
               for name, array in zip(names, inputs) if array is not None]
    results = [f"o{i}" for i in range(outputs)]
    node = helper.make_node(kind, names, results, name=kind, domain=domain, **attributes)
    graph = helper.make_graph([node], "test", [], [helper.make_value_info(r, onnx.TypeProto()) for r in results],
                              tensors)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(MICROSOFT, 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


# --- Operators ---------------------------------------------------------------------------------


def elementwise() -> Cases:
    cases = [model(kind, floats(3, 5)) for kind in
             ("Neg", "Abs", "Reciprocal", "Sigmoid", "Exp", "Cos", "Sin", "Tanh", "Erf", "Floor", "Ceil", "Sign",
              "Relu", "Softplus", "HardSwish")]
    cases += [model(kind, positive(3, 5)) for kind in ("Sqrt", "Log")]
    cases.append(model("Round", np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1.2], np.float32)))
    special = np.array([0, np.nan, np.inf, -np.inf, 1], np.float32)
    cases += [model(kind, special) for kind in ("IsNaN", "IsInf")]
    cases.append(model("Not", bools(4)))
    for a, b in [((2, 3), (2, 3)), ((2, 3), (3,)), ((4, 1, 3), (2, 1)), ((), (2, 2))]:
        cases += [model(kind, floats(*a), floats(*b)) for kind in
                  ("Add", "Sub", "Mul", "Div", "Max", "Min", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")]
        cases.append(model("Pow", positive(*a), floats(*b)))
        cases.append(model("Equal", ints(0, 2, *a), ints(0, 2, *b)))
        cases.append(model("Div", ints(-9, 9, *a), ints(1, 5, *b)))
        cases.append(model("Mod", ints(-9, 9, *a), ints(1, 5, *b)))
        cases.append(model("Mod", ints(-9, 9, *a), -ints(1, 5, *b)))
        cases.append(model("Mod", floats(*a), floats(*b), fmod=1))
        cases.append(model("Mod", ints(-9, 9, *a), -ints(1, 5, *b), fmod=1))
        cases += [model(kind, bools(*a), bools(*b)) for kind in ("And", "Or", "Xor")]
        cases.append(model("Where", bools(*a), floats(*b), floats(*a)))
    cases.append(model("Max", floats(2, 3), floats(3), floats(1, 1)))
    cases.append(model("Min", floats(2, 3), floats(3), floats(1, 1)))
    cases.append(model("Clip", floats(9), np.float32(-0.5), np.float32(0.5)))
    cases.append(model("Clip", floats(9), None, np.float32(0.5)))
    cases.append(model("Clip", floats(9), np.float32(0.2)))
    return cases


def movement() -> Cases:
    x = floats(2, 3, 4)
    i64 = lambda *values: np.array(values, np.int64)
    cases = [model("Identity", x), model("Dropout", x, np.float32(0.5)),
             model("Dropout", x, np.float32(0.5), np.array(False)), model("Dropout", x, outputs=2)]
    cases += [model("Cast", floats(6) * 5, to=to) for to in (TensorProto.INT64, TensorProto.INT32,
                                                            TensorProto.DOUBLE)]
    cases += [model("Cast", np.array([0, 0.3, -2, 1], np.float32), to=TensorProto.BOOL),
              model("Cast", bools(5), to=TensorProto.FLOAT), model("Cast", ints(-5, 5, 4), to=TensorProto.FLOAT)]
    for shape in (i64(6, 4), i64(0, -1), i64(-1), i64(2, 0, 2, 2), i64(4, 3, 2)):
        cases.append(model("Reshape", x, shape))
    cases.append(model("Reshape", floats(0, 3), i64(3, 0), allowzero=1))
    cases += [model("Flatten", x, axis=axis) for axis in (0, 1, 2, 3, -1)]
    cases += [model("Unsqueeze", x, i64(0)), model("Unsqueeze", x, i64(-1, 1))]
    y = floats(1, 3, 1)
    cases += [model("Squeeze", y), model("Squeeze", y, i64(0)), model("Squeeze", y, i64(-1))]
    cases += [model("Transpose", x), model("Transpose", x, perm=[1, 2, 0]), model("Transpose", x, perm=[0, 2, 1])]
    big = i64(2**63 - 1)
    cases += [model("Slice", x, i64(1), i64(3)), model("Slice", x, i64(0), big, i64(-1), i64(2)),
              model("Slice", x, i64(-1), i64(-100), i64(2), i64(-1)), model("Slice", x, i64(1, 0), i64(2, 3), i64(1, 2)),
              model("Slice", x, i64(3), i64(1), i64(2)), model("Slice", x, i64(-2), big, i64(2))]
    cases += [model("Split", x, outputs=2, axis=0), model("Split", x, i64(1, 3), outputs=2, axis=-1),
              model("Split", floats(7), outputs=3, opset=18, num_outputs=3)]
    cases += [model("Gather", x, ints(-2, 2, 2, 2)), model("Gather", x, ints(0, 4, 3), axis=2),
              model("Gather", x, np.array(1), axis=1), model("Gather", floats(900, 8), ints(-900, 900, 3, 2))]
    cases += [model("GatherElements", x, ints(-3, 3, 2, 2, 4), axis=1), model("GatherElements", x, ints(0, 2, 1, 3, 2))]
    cases += [model("NonZero", ints(0, 2, *shape)) for shape in ((7,), (3, 4), (2, 3, 2))]
    cases += [model("NonZero", bools(3, 4)), model("NonZero", np.zeros(3, np.float32))]
    cases += [model("GatherND", x, ints(0, 2, 3, 1)), model("GatherND", x, ints(0, 2, 2, 2)),
              model("GatherND", x, ints(-3, 3, 2, 5, 1), batch_dims=1)]
    cases += [model("Concat", x, floats(2, 1, 4), axis=1), model("Concat", x, x, x, axis=-1), model("Concat", x, axis=0)]
    cases += [model("Expand", y, i64(2, 1, 4)), model("Expand", y, i64(5)), model("Tile", x, i64(2, 1, 3))]
    # Large constants are moved as they lie in the file.
    table = floats(120, 64)
    cases += [model("Transpose", table), model("Slice", table, i64(3), i64(90), i64(0), i64(2)),
              model("Reshape", table, i64(64, 120)), model("Split", table, outputs=2, axis=1)]
    return cases


def reduction() -> Cases:
    cases = []
    for kind in ("ReduceSum", "ReduceMean", "ReduceSumSquare", "ReduceL2", "ReduceMax", "ReduceMin", "ReduceProd"):
        x = floats(2, 3, 4)
        for axes, keep in (([-1], 1), ([0, 2], 0), (None, 1)):
            if kind == "ReduceSum":
                given = None if axes is None else np.array(axes, np.int64)
                cases.append(model(kind, x, given, keepdims=keep))
            else:
                cases.append(model(kind, x, keepdims=keep, **({} if axes is None else {"axes": axes})))
                if axes is not None:
                    cases.append(model(kind, x, np.array(axes, np.int64), keepdims=keep, opset=20))
    cases.append(model("ReduceSum", floats(2, 3), np.array([], np.int64), noop_with_empty_axes=1))
    for exclusive in (0, 1):
        for reverse in (0, 1):
            cases.append(model("CumSum", ints(0, 5, 3, 4), np.array(exclusive), exclusive=exclusive, reverse=reverse))
    cases += [model("Range", np.array(2), np.array(11), np.array(3)),
              model("Range", np.float32(1), np.float32(0), np.float32(-0.3)),
              model("Range", np.array(5), np.array(2), np.array(1))]
    cases += [model("Constant", value=numpy_helper.from_array(floats(2, 2))), model("Constant", value_float=1.5),
              model("Constant", value_floats=[1.5, -2.0]), model("Constant", value_int=-3),
              model("Constant", value_ints=[1, 2])]
    two = np.array([2, 3], np.int64)
    cases += [model("ConstantOfShape", two),
              model("ConstantOfShape", two, value=numpy_helper.from_array(np.array([-7], np.int64)))]
    cases += [model("Shape", floats(2, 3, 4)), model("Shape", floats(2, 3, 4), start=-2), model("Shape", floats(2, 3, 4), start=0, end=-1),
              model("Size", floats(2, 3, 4))]
    for upper in (0, 1):
        cases += [model("Trilu", floats(2, 4, 5), upper=upper)]
        cases += [model("Trilu", floats(4, 5), np.array(k), upper=upper) for k in (-2, 0, 1, 9)]
    cases += [model("ScatterND", floats(4, 3), np.array([[2], [0]]), floats(2, 3)),
              model("ScatterND", floats(4, 3), np.array([[1, 2], [-1, 0]]), floats(2))]
    return cases


def layers() -> Cases:
    cases = [model(kind, floats(2, 3, 7) * 4, axis=axis) for kind in ("Softmax", "LogSoftmax") for axis in (-1, 1, 0)]
    cases += [model("Softmax", floats(3, 5))]
    x, gain, bias = floats(2, 3, 8), floats(8), floats(8)
    cases += [model("LayerNormalization", x, gain, bias), model("LayerNormalization", x, gain, epsilon=0.1),
              model("LayerNormalization", x, floats(3, 8), floats(3, 8), axis=1, outputs=3)]
    cases += [model("RMSNormalization", x, gain, opset=23, epsilon=0.01), model("RMSNormalization", x, floats(3, 8), opset=23, axis=1)]
    cases += [model("SimplifiedLayerNormalization", x, gain, epsilon=1e-3)]
    for given in ((), (bias,), (None, floats(8)), (bias, floats(8))):
        cases.append(model("SkipLayerNormalization", x, floats(2, 3, 8), gain, *given, domain=MICROSOFT, epsilon=1e-3))
    for given in ((), (bias,)):
        for skip in (floats(2, 3, 8), floats(1, 3, 8), floats(3, 8)):
            cases.append(model("SkipSimplifiedLayerNormalization", x, skip, gain, *given, domain=MICROSOFT))
    contrib = lambda kind, *inputs, **attributes: model(kind, *inputs, domain=MICROSOFT, **attributes)
    cases += [model("Gelu", x, opset=20), model("Gelu", x, opset=20, approximate="tanh"), contrib("Gelu", x),
              contrib("BiasGelu", x, bias), contrib("FastGelu", x), contrib("FastGelu", x, bias),
              contrib("QuickGelu", x), contrib("QuickGelu", x, alpha=1.5)]
    return cases


def rotations() -> Cases:
    cases = []
    for interleaved in (0, 1):
        cosine, sine = floats(16, 4), floats(16, 4)
        places = ints(0, 16, 2, 5)
        for x, heads in ((floats(2, 3, 5, 8), 0), (floats(2, 5, 24), 3)):
            options = {"interleaved": interleaved, **({"num_heads": heads} if heads else {})}
            cases.append(model("RotaryEmbedding", x, cosine, sine, places, opset=23, **options))
            cases.append(model("RotaryEmbedding", x, floats(2, 5, 4), floats(2, 5, 4), opset=23, **options))
            cases.append(model("RotaryEmbedding", x, cosine[:, :3], sine[:, :3], places, opset=23,
                               rotary_embedding_dim=6, **options))
            for given in (places, np.array([3])):
                cases.append(model("RotaryEmbedding", x, given, cosine, sine, domain=MICROSOFT, **options))
        cases.append(model("RotaryEmbedding", floats(1, 5, 24), np.array([3]), cosine[:, :3], sine[:, :3],
                           domain=MICROSOFT, num_heads=3, rotary_embedding_dim=6, interleaved=interleaved))
    return cases


def products() -> Cases:
    cases = []
    for a, b in (((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 1, 3, 4), (3, 4, 2)), ((1, 2, 3, 4), (1, 2, 4, 3)), ((4,), (4, 5)),
                 ((3, 4), (4,)), ((3, 70), (70, 120)), ((2, 3, 700), (700, 300))):
        cases.append(model("MatMul", floats(*a), floats(*b)))
    for transA in (0, 1):
        for transB in (0, 1):
            a, b = floats(3, 70), floats(70, 120)
            operands = (a.T if transA else a, b.T if transB else b)
            cases.append(model("Gemm", *operands, floats(120), transA=transA, transB=transB))
            cases.append(model("Gemm", *operands, floats(3, 1), transA=transA, transB=transB, alpha=0.5, beta=-2.0))
            cases.append(model("FusedMatMul", *operands, domain=MICROSOFT, transA=transA, transB=transB, alpha=1.5))
            c, d = floats(2, 3, 4), floats(2, 4, 5)
            operands = (c.swapaxes(1, 2) if transA else c, d.swapaxes(1, 2) if transB else d)
            cases.append(model("FusedMatMul", *operands, domain=MICROSOFT, transA=transA, transB=transB))
    cases.append(model("Gemm", floats(3, 4), floats(4, 5)))
    for zeros in ((), (np.uint8(3),), (np.uint8(3), np.uint8(5)), (np.uint8(9), ints(0, 9, 90, dtype=np.uint8))):
        cases.append(model("MatMulInteger", ints(0, 255, 3, 70, dtype=np.uint8), ints(0, 255, 70, 90, dtype=np.uint8),
                           *zeros))
    # Seven bits of weights: ONNX Runtime's sums of two products overflow 16 bits on CPUs without VNNI.
    cases.append(model("MatMulInteger", ints(0, 255, 2, 3, 8, dtype=np.uint8), ints(-64, 63, 8, 5, dtype=np.int8),
                       np.uint8(4), np.int8(-3)))
    return cases


def quantized() -> Cases:
    cases = []
    rows, columns = 24, 96
    for bits, block in ((4, 16), (4, 32), (8, 32), (4, 64)):
        blocks, zero_bytes = -(-columns // block), (-(-columns // block) * bits + 7) // 8
        codes = ints(0, 256, rows, blocks, block * bits // 8, dtype=np.uint8)
        scales, zeros = positive(rows, blocks), ints(0, 256, rows, zero_bytes, dtype=np.uint8)
        options = {"K": columns, "N": rows, "bits": bits, "block_size": block, "domain": MICROSOFT}
        for given in ((), (zeros,), (None, None, floats(rows)), (zeros, None, floats(rows))):
            cases.append(model("MatMulNBits", floats(2, 3, columns), codes, scales, *given, **options))
        if bits == 4:
            cases.append(model("MatMulNBits", floats(3, columns), codes, scales,
                               positive(rows, blocks), **options))
            order = ints(0, blocks, blocks * block, dtype=np.int32)
            # ONNX Runtime ignores zero points where there is a g_idx.
            cases.append(model("MatMulNBits", floats(3, columns), codes, scales, None, order, **options))
    for bits in (4, 8):
        table = ints(0, 256, 90, 128 * bits // 8, dtype=np.uint8)
        scales, zeros = positive(90, 4), ints(0, 256, 90, 4 * bits // 8, dtype=np.uint8)
        for given in ((), (zeros,)):
            cases.append(model("GatherBlockQuantized", table, ints(0, 90, 2, 3), scales, *given, domain=MICROSOFT,
                               bits=bits, block_size=32, quantize_axis=1))
    cases += [model("DynamicQuantizeLinear", floats(3, 9), outputs=3),
              model("DynamicQuantizeLinear", positive(3, 9), outputs=3),
              model("DynamicQuantizeLinear", np.zeros((2, 2), np.float32), outputs=3)]
    for dtype in (np.int8, np.uint8):
        codes = ints(0, 100, 6, 8, dtype=dtype)
        cases += [model("DequantizeLinear", codes, np.float32(0.5)),
                  model("DequantizeLinear", codes, np.float32(0.5), dtype(7)),
                  model("DequantizeLinear", codes, positive(8), ints(0, 9, 8, dtype=dtype)),
                  model("DequantizeLinear", codes, positive(6), ints(0, 9, 6, dtype=dtype), axis=0),
                  model("DequantizeLinear", codes, positive(6, 2), ints(0, 9, 6, 2, dtype=dtype), axis=1, block_size=4, opset=21),
                  model("DequantizeLinear", codes, positive(3, 8), axis=0, block_size=2, opset=21)]
        values, zeros = 20 * floats(6, 8), ints(0, 9, 8, dtype=dtype)
        cases += [model("QuantizeLinear", values, np.float32(0.25), dtype(7)),
                  model("QuantizeLinear", values, positive(8), zeros),
                  model("QuantizeLinear", values, positive(6), zeros[:6], axis=0),
                  model("QuantizeLinear", values, positive(6, 2), ints(0, 9, 6, 2, dtype=dtype), axis=1, block_size=4, opset=21)]
    cases += [model("QuantizeLinear", 20 * floats(6, 8), np.float32(0.25)),
              # A bias, whose integers are those of a sum.
              model("DequantizeLinear", ints(-9000, 9000, 64, dtype=np.int32), np.float32(1e-4))]
    return cases


def attention() -> Cases:
    cases = []
    batch, rows, past, size = 2, 3, 4, 16
    for heads, kv in ((2, 2), (4, 2), (4, 1)):
        q, k, v = floats(batch, heads, rows, size), floats(batch, kv, rows, size), floats(batch, kv, rows, size)
        flat = lambda x: x.transpose(0, 2, 1, 3).reshape(batch, -1, x.shape[1] * size)
        before = floats(batch, kv, past, size), floats(batch, kv, past, size)
        for options in ({}, {"scale": 0.7}, {"softcap": 2.0}, {"is_causal": 1}, {"is_causal": 1, "softcap": 1.5}):
            cases.append(model("Attention", q, k, v, opset=23, **options))
            cases.append(model("Attention", flat(q), flat(k), flat(v), opset=23, outputs=3, q_num_heads=heads, kv_num_heads=kv,
                               **options))
            cases.append(model("Attention", q, k, v, None, *before, opset=23, outputs=3, **options))
            more = np.concatenate([before[0], k], 2), np.concatenate([before[1], v], 2)
            cases.append(model("Attention", q, *more, opset=23, **options))
        total = past + rows
        for mask in (floats(rows, total), bools(batch, 1, rows, total) | np.eye(rows, total, dtype=bool), floats(batch, heads, rows, total)):
            cases.append(model("Attention", q, k, v, mask, *before, opset=23, outputs=3))
            cases.append(model("Attention", q, k, v, mask, *before, opset=23, outputs=3, softcap=1.0))
            cases.append(model("Attention", q, k, v, mask, *before, opset=23, outputs=3, is_causal=1))
        tables = floats(16, size // 2), floats(16, size // 2)
        options = {"domain": MICROSOFT, "num_heads": heads, "kv_num_heads": kv, "outputs": 3}
        # Sequences of a batch have a past only in steps of one row.
        for count, step, length in ((1, rows, past), (batch, 1, past), (batch, rows, 0), (1, 1, 0)):
            q, k, v = floats(count, step, heads * size), floats(count, step, kv * size), floats(count, step, kv * size)
            before = floats(count, kv, length, size), floats(count, kv, length, size)
            lengths = np.full(count, length + step - 1, np.int32), np.array(length + step, np.int32)
            for operands in ((q, k, v), (np.concatenate([q, k, v], 2), None, None)):
                for more in ({}, {"scale": 0.3}, {"softcap": 2.0}, {"local_window_size": 3}, {"local_window_size": 1},
                             {"do_rotary": 1}, {"do_rotary": 1, "rotary_interleaved": 1}):
                    cases.append(model("GroupQueryAttention", *operands, *before, *lengths, *tables, **options, **more))
            for added in (floats(1, 1, step, length + step), floats(count, heads, step, length + step)):
                cases.append(model("GroupQueryAttention", q, k, v, *before, *lengths, None, None, None, added, softcap=2.0, **options))
            for sinks, more in (([None] * 4 + [floats(heads)], {}), ([], {"smooth_softmax": 1})):
                cases.append(model("GroupQueryAttention", q, k, v, *before, *lengths, *sinks, **options, **more))
    heads = 2
    q, k, v = (floats(batch, rows, heads * size) for _ in range(3))
    before = floats(batch, heads, past, size), floats(batch, heads, past, size)
    options = {"domain": MICROSOFT, "num_heads": heads}
    cases += [model("MultiHeadAttention", q, k, v, **options), model("MultiHeadAttention", q, k, v, scale=0.4, **options),
              model("MultiHeadAttention", q, k, v, floats(3 * heads * size), **options),
              model("MultiHeadAttention", q, k, v, unidirectional=1, **options),
              model("MultiHeadAttention", q, k, v, None, None, floats(1, 1, rows, rows), **options),
              model("MultiHeadAttention", q, k, v, None, None, floats(batch, heads, rows, past + rows), *before, outputs=3, **options),
              model("MultiHeadAttention", q, k, v, None, None, None, *before, outputs=3, unidirectional=1, **options)]
    return cases


GROUPS: dict[str, Callable[[], Cases]] = {
    group.__name__: group
    for group in (elementwise, movement, reduction, layers, rotations, products, quantized, attention)
}

# --- Comparison --------------------------------------------------------------------------------


def run_reference(case: onnx.ModelProto) -> list[np.ndarray]:
    """What ONNX Runtime computes, node by node."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(case.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {})


def describe(case: onnx.ModelProto) -> str:
    node = case.graph.node[0]
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    shapes = ["-" if not name else str(list(next(t.dims for t in case.graph.initializer if t.name == name)))
              for name in node.input]
    return f"{node.op_type}({', '.join(shapes)}) {attributes} opset {case.opset_import[0].version}"


def find_difference(found: dict, expected: list[np.ndarray]) -> str:
    """What is wrong with our outputs, or nothing."""
    if "error" in found:
        return found["error"]
    for index, array in enumerate(expected):
        if f"o{index}" not in found:
            return f"output {index} has no value"
        ours = found[f"o{index}"]
        if list(array.shape) != ours["shape"]:
            return f"output {index}: expected shape {list(array.shape)}, found {ours['shape']}"
        values = np.array([float(value) for value in ours["values"]]).reshape(array.shape)
        finite = np.abs(array[np.isfinite(array)]) if array.size else array
        tolerance = 2e-5 * max(1.0, float(finite.max(initial=0)))
        if not np.allclose(values, array.astype(np.float64), rtol=2e-5, atol=tolerance, equal_nan=True):
            difference = np.abs(values - array).max() if array.size else 0
            return f"output {index} differs by {difference:.2e}"
    return ""


def check_group(name: str, work: pathlib.Path) -> tuple[set[str], list[str]]:
    """The types that were compared, and what differs."""
    cases = GROUPS[name]()
    paths = []
    for index, case in enumerate(cases):
        paths.append(work / f"{name}{index}.onnx")
        paths[-1].write_bytes(case.SerializeToString())
    lines = subprocess.run([tool("llmc-evaluate-onnx"), *map(str, paths)], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    types, problems, refused = set(), [], 0
    for case, line in zip(cases, lines, strict=True):
        try:
            expected = run_reference(case)
        except Exception as error:  # a variant that this version of ONNX Runtime does not have
            print(f"  not in ONNX Runtime: {describe(case)}: {str(error)[:300]}")
            refused += 1
            continue
        node = case.graph.node[0]
        types.add(f"{node.domain}::{node.op_type}" if node.domain else node.op_type)
        difference = find_difference(json.loads(line), expected)
        if difference:
            problems.append(f"{describe(case)}: {difference}")
    print(f"{name}: {len(cases)} cases, {len(problems)} differ, {refused} not in ONNX Runtime")
    return types, problems


# --- The table ---------------------------------------------------------------------------------


def read_table() -> dict[str, tuple[int, int, list[str], list[str]]]:
    """Rows by type: versions, inputs, attributes."""
    text = subprocess.run([tool("llmc-evaluate-onnx"), "--operators"], capture_output=True, text=True,
                          check=True).stdout
    rows, domain = {}, ""
    for line in text.splitlines():
        if line.startswith("## "):
            domain = "" if line[3:] == "ai.onnx" else line[3:] + "::"
        found = re.match(r"\| (\w+) \| ([\d–]+) \| (.*) \| (.*) \|$", line)
        if found and found[1] != "operator":
            first, last = (found[2].split("–") * 2)[:2]
            rows[domain + found[1]] = (int(first), int(last), [part for part in found[3].split(", ") if part],
                                       [part.split(" = ")[0] for part in found[4].split(", ") if part])
    return rows


def find_evaluated(rows: dict) -> set[str]:
    """Types whose rows name a function that evaluates them."""
    folder = SOURCE / "lib" / "Conversion" / "ONNXToLLMC"
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("Evaluate/Evaluate*.cpp"))
    return {name for name in rows if f'"{name.split("::")[-1]}"' in text}


def check_table(rows: dict) -> list[str]:
    """Names that ONNX does not know at any version; ONNX Runtime's own operators are not in there."""
    problems = []
    history: dict[str, list] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "":
            history.setdefault(schema.name, []).append(schema)
    for name, (first, last, _, attributes) in rows.items():
        schemas = history.get(name)
        if "::" in name or schemas is None:
            continue
        known = {attribute for schema in schemas for attribute in schema.attributes}
        problems += [f"{name}: attribute '{attribute}' is not ONNX's" for attribute in set(attributes) - known]
        changed = [schema.since_version for schema in schemas if schema.since_version <= first]
        if not changed and name not in ("LayerNormalization",):
            problems.append(f"{name}: there is no version {first}")
        del last
    return problems


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--group", choices=GROUPS, action="append")
    arguments = parser.parse_args()
    rows = read_table()
    problems = check_table(rows)
    tested: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.group or GROUPS:
            types, found = check_group(name, pathlib.Path(folder))
            tested |= types
            problems += found
    if not arguments.group:
        # Rows without an evaluation are known only as the operators that they are written as.
        untested = find_evaluated(rows) - tested - {"If", f"{MICROSOFT}::Attention", f"{MICROSOFT}::SimplifiedLayerNormalization"}
        problems += [f"{name}: no case compares it with ONNX Runtime" for name in sorted(untested)]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
