"""Small ONNX models for the tests: a graph builder, and a decoder spelled as exporters spell it."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"
SCRIPTS = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "models"

INT64, FLOAT, BOOL = TensorProto.INT64, TensorProto.FLOAT, TensorProto.BOOL


class Graph:
    """Collects the parts of a model; values are numbered."""

    def __init__(self, opset: int = 17, nodes_as_constants: bool = True) -> None:
        self.opset = opset
        self.nodes_as_constants = nodes_as_constants
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self.functions: list[onnx.FunctionProto] = []
        self.count = 0

    def fresh(self) -> str:
        """The next value's name."""
        self.count += 1
        return f"v{self.count}"

    def ops(self, kind: str, *inputs: str, count: int, domain: str = "", **attributes: Any) -> list[str]:
        """Adds a node with `count` outputs; gives their names."""
        outputs = [self.fresh() for _ in range(count)]
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, outputs, name, domain=domain, **attributes))
        return outputs

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Adds a node with one output; gives its name."""
        return self.ops(kind, *inputs, count=1, domain=domain, **attributes)[0]

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Adds a constant, as a node or as an initializer; numbers are int64 or fp32."""
        if dtype is None and not isinstance(value, np.ndarray):
            dtype = np.float32 if isinstance(np.array(value).flat[0] if np.size(value) else 0,
                                             np.floating) else np.int64
        array = np.array(value, dtype)
        if self.nodes_as_constants:
            return self.op("Constant", value=numpy_helper.from_array(array))
        name = self.fresh()
        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def weight(self, name: str, array: np.ndarray) -> str:
        """Adds an initializer with its data in the file."""
        if all(tensor.name != name for tensor in self.initializers):
            self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add_input(self, name: str, kind: int, dims: list[str | int]) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, dims))
        return name

    def add_output(self, value: str, kind: int, dims: list[str | int], name: str = "") -> None:
        """Makes a value an output, under another name if one is given."""
        if name and name != value:
            self.nodes.append(helper.make_node("Identity", [value], [name], f"out_{name}"))
            value = name
        self.outputs.append(helper.make_tensor_value_info(value, kind, dims))

    def model(self) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, "test", self.inputs, self.outputs, self.initializers)
        domains = {node.domain for node in self.nodes} | {f.domain for f in self.functions}
        opsets = [helper.make_opsetid("", self.opset)]
        opsets += [helper.make_opsetid(domain, 1) for domain in sorted(domains - {""})]
        return helper.make_model(graph, opset_imports=opsets, functions=self.functions,
                                 ir_version=10 if self.opset > 18 else 8, producer_name="test")


def save(model: onnx.ModelProto, path: pathlib.Path) -> pathlib.Path:
    path.write_bytes(model.SerializeToString(deterministic=True))
    return path


def externalize(model: onnx.ModelProto, folder: pathlib.Path, location: str = "weights",
                least: int = 1) -> None:
    """Moves initializers of `least` bytes or more into a file beside the model."""
    offset = 0
    with (folder / location).open("wb") as file:
        for tensor in model.graph.initializer:
            if len(tensor.raw_data) < least:
                continue
            set_external(tensor, location, offset, len(tensor.raw_data))
            file.write(tensor.raw_data)
            offset += len(tensor.raw_data)
            tensor.ClearField("raw_data")


def set_external(tensor: TensorProto, location: str, offset: int, length: int | None) -> None:
    """Says that a tensor's bytes lie in a file."""
    tensor.data_location = TensorProto.EXTERNAL
    del tensor.external_data[:]
    tensor.external_data.add(key="location", value=location)
    tensor.external_data.add(key="offset", value=str(offset))
    if length is not None:
        tensor.external_data.add(key="length", value=str(length))


@dataclasses.dataclass(frozen=True)
class Spelling:
    """How a decoder is written down. The choices stand in the methods of Decoder."""

    opset: int = 17
    norm: str = "div"
    linear: str = "matmul"
    activation: str = "silu"
    sharpness: float = 1.702  # of quick gelu
    gated: bool = True
    positions: str = "concat"
    angles: str = "ids"
    mask: str = "where"
    attention: str = "plain"
    cache: bool = True
    bias: bool = False
    tied: bool = False
    data: str = "float32"
    constants: str = "nodes"
    scale: float = 1.0  # of embeddings and logits
    head_norm: bool = False  # of queries and keys, after their rotation
    sinks: str = ""  # of fused attention: learned, or smooth for 0
    cap: str = ""  # of attention scores and logits: c · tanh(x / c)


class Decoder:
    """A decoder of random weights, which depend on nothing but the seed."""

    vocabulary, hidden, heads, kv_heads, size, inner = 40, 32, 4, 2, 8, 48
    context = 64
    epsilon = 1e-5

    def __init__(self, spelling: Spelling, layers: int = 1, seed: int = 0) -> None:
        self.spelling = spelling
        self.layers = layers
        self.seed = seed
        self.graph = Graph(spelling.opset, spelling.constants == "nodes")
        self.angle_cache: dict[str, tuple[str, str]] = {}

    # Weights -----------------------------------------------------------------

    def array(self, name: str, *shape: int) -> np.ndarray:
        """The random values that belong to a name."""
        generator = np.random.default_rng([self.seed, *name.encode()])
        return (generator.standard_normal(shape) / 8).astype(np.float32)

    def weight(self, name: str, array: np.ndarray) -> str:
        """An initializer of the model's data type, cast to fp32 where that is another."""
        if self.spelling.data == "float32":
            return self.graph.weight(name, array)
        if self.spelling.data == "bfloat16":
            bits = (array.view(np.uint32) >> 16).astype(np.uint16)
            if all(tensor.name != name for tensor in self.graph.initializers):
                self.graph.initializers.append(
                    helper.make_tensor(name, TensorProto.BFLOAT16, array.shape, bits.tobytes(),
                                       raw=True))
        else:
            self.graph.weight(name, array.astype(self.spelling.data))
        return self.graph.op("Cast", name, to=FLOAT)

    def linear(self, name: str, value: str, inputs: int, outputs: int, bias: bool = False) -> str:
        """rows × out = rows × in times a weight that is out × in."""
        graph, how = self.graph, self.spelling.linear
        matrix = self.array(name, outputs, inputs)
        offset = self.array(name + ".bias", outputs) if bias else None
        if how == "nbits":
            return self.quantized_linear(name, value, matrix)
        if how == "gemm":
            flat = graph.op("Reshape", value, graph.constant([-1, inputs]))
            operands = [flat, self.weight(name, matrix)]
            if bias:
                operands.append(self.weight(name + ".bias", offset))
            flat = graph.op("Gemm", *operands, transB=1)
            # Batch and rows come back from the shape of what went in.
            shape = graph.op("Slice", graph.op("Shape", value), graph.constant([0]),
                             graph.constant([2]))
            shape = graph.op("Concat", shape, graph.constant([outputs]), axis=0)
            return graph.op("Reshape", flat, shape)
        if how == "transposed":
            weight = graph.op("Transpose", self.weight(name, matrix), perm=[1, 0])
        else:
            weight = self.weight(name, matrix.T)
        result = graph.op("MatMul", value, weight)
        if bias:
            result = graph.op("Add", result, self.weight(name + ".bias", offset))
        return result

    def quantized_linear(self, name: str, value: str, matrix: np.ndarray) -> str:
        """MatMulNBits on blocks of 16 with a zero point of 8."""
        rows, columns = matrix.shape
        blocks = matrix.reshape(rows, columns // 16, 16)
        scales = np.abs(blocks).max(axis=-1) / 7
        codes = (np.rint(blocks / scales[..., None]) + 8).astype(np.uint8)
        packed = codes[..., 0::2] | codes[..., 1::2] << 4
        graph = self.graph
        return graph.op("MatMulNBits", value, graph.weight(name + ".codes", packed),
                        graph.weight(name + ".scales", scales.astype(np.float32)),
                        domain=MICROSOFT, K=columns, N=rows, bits=4, block_size=16)

    # Norms -------------------------------------------------------------------

    def norm(self, name: str, value: str, width: int = hidden) -> str:
        graph, how = self.graph, self.spelling.norm
        gain = self.weight(name, 1 + self.array(name, width))
        if how.startswith("layer"):
            offset = self.weight(name + ".bias", self.array(name + ".bias", width))
            if how == "layer operator":
                return graph.op("LayerNormalization", value, gain, offset, axis=-1,
                                epsilon=self.epsilon)
            centered = graph.op("Sub", value, self.mean(value))
            if how == "layer centered":
                normed = graph.op("RMSNormalization", centered, gain, axis=-1, epsilon=self.epsilon)
                return graph.op("Add", normed, offset)
            if how == "layer power":
                square = graph.op("Pow", centered, graph.constant(2.0, np.float32))
            else:
                square = graph.op("Mul", centered, centered)
            root = graph.op("Sqrt", graph.op("Add", self.mean(square),
                                             graph.constant(self.epsilon, np.float32)))
            normed = graph.op("Div", centered, root)
            return graph.op("Add", graph.op("Mul", normed, gain), offset)
        if how == "operator":
            return graph.op("RMSNormalization", value, gain, axis=-1, epsilon=self.epsilon)
        if how == "simplified":
            return graph.op("SimplifiedLayerNormalization", value, gain, axis=-1,
                            epsilon=self.epsilon)
        if how == "mul square":
            square = graph.op("Mul", value, value)
        else:
            square = graph.op("Pow", value, graph.constant(2.0, np.float32))
        shifted = graph.op("Add", self.mean(square), graph.constant(self.epsilon, np.float32))
        if how == "power":
            normed = graph.op("Mul", value, graph.op("Pow", shifted,
                                                     graph.constant(-0.5, np.float32)))
        elif how == "reciprocal":
            normed = graph.op("Mul", value, graph.op("Reciprocal", graph.op("Sqrt", shifted)))
        elif how == "one over":
            one = graph.constant(1.0, np.float32)
            normed = graph.op("Mul", graph.op("Div", one, graph.op("Sqrt", shifted)), value)
        else:
            normed = graph.op("Div", value, graph.op("Sqrt", shifted))
        return graph.op("Mul", gain, normed)

    def mean(self, value: str) -> str:
        """The mean of the last axis; axes became an input in opset 18."""
        if self.spelling.opset < 18:
            return self.graph.op("ReduceMean", value, axes=[-1], keepdims=1)
        return self.graph.op("ReduceMean", value, self.graph.constant([-1]), keepdims=1)

    # Positions and masks -------------------------------------------------------

    def dimension(self, value: str, axis: int) -> str:
        """One dimension as a scalar."""
        return self.graph.op("Gather", self.graph.op("Shape", value), self.graph.constant(axis),
                             axis=0)

    def lengths(self) -> None:
        """The numbers of cached, new and all positions, as scalars."""
        graph = self.graph
        self.rows = self.dimension("input_ids", 1)
        if self.spelling.cache:
            self.past = self.dimension("past_key_values.0.key", 2)
            self.total = graph.op("Add", self.past, self.rows)
        else:
            self.past, self.total = graph.constant(0), self.rows

    def positions(self) -> str:
        """Positions of the new rows, batch × rows."""
        graph, how = self.graph, self.spelling.angles
        if how == "ids":
            return "position_ids"
        if how == "cumsum":
            counted = graph.op("CumSum", "attention_mask", graph.constant(1))
            counted = graph.op("Sub", counted, graph.constant(1))
            start = graph.op("Unsqueeze", self.past, graph.constant([0]))
            end = graph.op("Unsqueeze", self.total, graph.constant([0]))
            return graph.op("Slice", counted, start, end, graph.constant([1]))
        one = graph.constant(1)
        return graph.op("Unsqueeze", graph.op("Range", self.past, self.total, one),
                        graph.constant([0]))

    @property
    def frequencies(self) -> np.ndarray:
        exponents = np.arange(0, self.size, 2, dtype=np.float32) / np.float32(self.size)
        return (1 / np.power(np.float32(10000), exponents)).astype(np.float32)

    def make_angles(self) -> str:
        """Angles, 1 × rows × size / 2."""
        graph = self.graph
        places = graph.op("Cast", self.positions(), to=FLOAT)
        if self.spelling.positions == "mul":
            places = graph.op("Unsqueeze", places, graph.constant([2]))
            return graph.op("Mul", places, graph.constant(self.frequencies))
        places = graph.op("Unsqueeze", places, graph.constant([1]))
        turns = graph.op("MatMul", graph.constant(self.frequencies[None, :, None]), places)
        return graph.op("Transpose", turns, perm=[0, 2, 1])

    def tables(self) -> tuple[str, str]:
        """Cosines and sines of all positions, context × size / 2."""
        angles = np.outer(np.arange(self.context, dtype=np.float32), self.frequencies)
        return (self.graph.weight("cos_cache", np.cos(angles).astype(np.float32)),
                self.graph.weight("sin_cache", np.sin(angles).astype(np.float32)))

    def rotate(self, value: str, heads: int) -> str:
        """Turns heads (batch × heads × rows × size) by their positions."""
        graph, how = self.graph, self.spelling.positions
        if how in ("learned", "none", "fused", "slopes"):
            return value
        if how == "contrib":
            return graph.op("RotaryEmbedding", value, self.positions(), *self.tables(),
                            domain=MICROSOFT)
        if not hasattr(self, "angles"):
            self.angles = self.make_angles()
        if how == "operator":
            cos, sin = graph.op("Cos", self.angles), graph.op("Sin", self.angles)
            return graph.op("RotaryEmbedding", value, cos, sin, num_heads=heads)
        both = graph.op("Concat", self.angles, self.angles, axis=-1)
        one = graph.constant([1])
        cos = graph.op("Unsqueeze", graph.op("Cos", both), one)
        sin = graph.op("Unsqueeze", graph.op("Sin", both), one)
        if how == "split":
            low, high = graph.ops("Split", value, graph.constant([self.size // 2] * 2), count=2,
                                  axis=-1)
        else:
            half = graph.constant([self.size // 2])
            axis = graph.constant([3])
            low = graph.op("Slice", value, graph.constant([0]), half, axis)
            high = graph.op("Slice", value, half, graph.constant([np.iinfo(np.int64).max]), axis)
        turned = graph.op("Concat", graph.op("Neg", high), low, axis=-1)
        result = graph.op("Add", graph.op("Mul", value, cos), graph.op("Mul", turned, sin))
        if how == "whole":
            # What is beyond the part that is rotated: nothing.
            rest = graph.op("Slice", value, graph.constant([self.size]),
                            graph.constant([np.iinfo(np.int64).max]), graph.constant([3]))
            return graph.op("Concat", result, rest, axis=-1)
        return result

    def make_mask(self) -> str:
        """Which keys a row reads, 1 × 1 × rows × keys."""
        graph = self.graph
        one, zero = graph.constant(1), graph.constant(0)
        rows = graph.op("Unsqueeze", graph.op("Range", self.past, self.total, one),
                        graph.constant([0, 1, 3]))
        columns = graph.op("Unsqueeze", graph.op("Range", zero, self.total, one),
                           graph.constant([0, 1, 2]))
        if self.spelling.mask == "window":
            start = graph.op("Sub", rows, graph.constant(4))
            return graph.op("And", graph.op("LessOrEqual", columns, rows),
                            graph.op("Greater", columns, start))
        if self.spelling.mask == "greater":
            return graph.op("Not", graph.op("Greater", columns, rows))
        return graph.op("LessOrEqual", columns, rows)

    def slopes(self) -> str:
        """What ALiBi adds to scores: slope of the head · position, 1 × heads × 1 × total."""
        graph = self.graph
        places = graph.op("Range", graph.constant(0), self.total, graph.constant(1))
        places = graph.op("Cast", places, to=FLOAT)
        if self.spelling.angles == "range":  # from the last one
            places = graph.op("Sub", places, graph.op("Cast", self.total, to=FLOAT))
        slopes = 0.5 ** np.arange(1, self.heads + 1, dtype=np.float32)
        return graph.op("Mul", graph.constant(slopes.reshape(1, -1, 1, 1)), places)

    def masked(self, scores: str) -> str:
        """Scores with a mask applied."""
        graph, how = self.graph, self.spelling.mask
        low = graph.constant(np.float32(-3.4e38))
        if how == "trilu":
            end = graph.op("Unsqueeze", self.total, graph.constant([0]))
            shape = graph.op("Concat", end, end, axis=0)
            value = numpy_helper.from_array(np.array([-3.4e38], np.float32))
            full = graph.op("ConstantOfShape", shape, value=value)
            upper = graph.op("Trilu", full, graph.constant(1), upper=1)
            start = graph.op("Unsqueeze", self.past, graph.constant([0]))
            return graph.op("Add", scores, graph.op("Slice", upper, start, end,
                                                    graph.constant([0])))
        if self.spelling.positions == "slopes":
            scores = graph.op("Add", scores, self.slopes())
        mask = self.make_mask()
        if how == "add":
            bias = graph.op("Where", mask, graph.constant(np.float32(0)), low)
            return graph.op("Add", scores, bias)
        return graph.op("Where", mask, scores, low)

    # Attention -------------------------------------------------------------------

    def heads_of(self, value: str, heads: int) -> str:
        """batch × heads × rows × size."""
        graph = self.graph
        split = graph.op("Reshape", value, graph.constant([0, 0, heads, self.size]))
        return graph.op("Transpose", split, perm=[0, 2, 1, 3])

    def repeat(self, value: str) -> str:
        """Each key/value head once per query head."""
        graph, group = self.graph, self.heads // self.kv_heads
        if group == 1:
            return value
        wide = graph.op("Expand", graph.op("Unsqueeze", value, graph.constant([2])),
                        graph.constant([1, 1, group, 1, 1]))
        return graph.op("Reshape", wide, graph.constant([1, self.heads, -1, self.size]))

    def project(self, path: str, value: str) -> tuple[str, str, str]:
        """Queries, keys and values side by side."""
        graph, bias = self.graph, self.spelling.bias
        widths = [self.heads * self.size, self.kv_heads * self.size, self.kv_heads * self.size]
        names = [f"{path}.{part}" for part in ("query", "key", "value")]
        if self.spelling.linear not in ("packed", "grouped"):
            return tuple(self.linear(name, value, self.hidden, width, bias)
                         for name, width in zip(names, widths))
        if self.spelling.linear == "grouped":
            return self.project_grouped(path, value, names, widths)
        matrix = np.concatenate([self.array(name, width, self.hidden)
                                 for name, width in zip(names, widths)])
        packed = graph.op("MatMul", value, self.weight(f"{path}.qkv", matrix.T))
        if bias:
            offset = np.concatenate([self.array(name + ".bias", width)
                                     for name, width in zip(names, widths)])
            packed = graph.op("Add", packed, self.weight(f"{path}.qkv.bias", offset))
        return tuple(graph.ops("Split", packed, graph.constant(widths), count=3, axis=-1))

    def project_grouped(self, path: str, value: str, names: list[str],
                        widths: list[int]) -> tuple[str, str, str]:
        """The same where the queries of a key/value head stand beside its key and value."""
        graph = self.graph
        parts = [self.array(name, width, self.hidden).reshape(self.kv_heads, -1, self.hidden)
                 for name, width in zip(names, widths)]
        matrix = np.concatenate(parts, axis=1).reshape(-1, self.hidden)
        packed = self.multiply(f"{path}.qkv", value, matrix)
        groups = graph.op("Reshape", packed, graph.constant([0, 0, self.kv_heads, -1]))
        split = graph.ops("Split", groups, graph.constant([part.shape[1] for part in parts]),
                          count=3, axis=-1)
        return tuple(graph.op("Reshape", part, graph.constant([0, 0, width]))
                     for part, width in zip(split, widths))

    def multiply(self, name: str, value: str, matrix: np.ndarray) -> str:
        """rows × out, of a weight that is out × in."""
        return self.graph.op("MatMul", value, self.weight(name, matrix.T))

    def attention(self, index: int, value: str) -> str:
        graph, how, path = self.graph, self.spelling.attention, f"layers.{index}"
        pasts = [f"past_key_values.{index}.{part}" for part in ("key", "value")]
        query, key, new_value = self.project(path, value)
        if how == "fused":
            if self.spelling.positions == "contrib":
                query, key = (
                    graph.op("RotaryEmbedding", value_, self.positions(), *self.tables(),
                             domain=MICROSOFT, num_heads=heads)
                    for value_, heads in ((query, self.heads), (key, self.kv_heads)))
            mixed, *present = self.fused(query, key, new_value, pasts)
        else:
            query = self.rotate(self.heads_of(query, self.heads), self.heads)
            key = self.rotate(self.heads_of(key, self.kv_heads), self.kv_heads)
            new_value = self.heads_of(new_value, self.kv_heads)
            if self.spelling.head_norm:
                query, key = (self.norm(f"{path}.{name}_norm", heads, self.size)
                              for name, heads in (("query", query), ("key", key)))
            if self.spelling.cache:
                key = graph.op("Concat", pasts[0], key, axis=2)
                new_value = graph.op("Concat", pasts[1], new_value, axis=2)
            present = [key, new_value]
            mixed = self.mix(query, key, new_value)
            mixed = graph.op("Transpose", mixed, perm=[0, 2, 1, 3])
            mixed = graph.op("Reshape", mixed, graph.constant([0, 0, self.heads * self.size]))
        if self.spelling.cache:
            self.give_caches(index, *present)
        return self.linear(f"{path}.output", mixed, self.hidden, self.hidden, self.spelling.bias)

    def give_caches(self, index: int, key: str, value: str) -> None:
        """Makes a layer's keys and values outputs."""
        for part, state in (("key", key), ("value", value)):
            self.graph.add_output(state, FLOAT, ["batch", self.kv_heads, "total", self.size],
                                  f"present.{index}.{part}")

    def mix(self, query: str, key: str, value: str) -> str:
        """Attention of heads, by plain operators or opset 23's."""
        graph, scale = self.graph, float(self.size**-0.5)
        if self.spelling.attention == "operator":
            mask = [] if self.spelling.mask == "causal" else [self.make_mask()]
            return graph.op("Attention", query, key, value, *mask, scale=scale,
                            is_causal=0 if mask else 1)
        key, value = self.repeat(key), self.repeat(value)
        key = graph.op("Transpose", key, perm=[0, 1, 3, 2])
        if self.spelling.attention == "root scale":
            root = graph.constant(np.float32(scale**0.5))
            query, key = graph.op("Mul", query, root), graph.op("Mul", key, root)
            scores = graph.op("MatMul", query, key)
        elif self.spelling.attention == "div":
            scores = graph.op("Div", graph.op("MatMul", query, key),
                              graph.constant(np.float32(1 / scale)))
        else:
            scores = graph.op("Mul", graph.op("MatMul", query, key),
                              graph.constant(np.float32(scale)))
        rows = graph.op("Softmax", self.masked(self.capped(scores, 50)), axis=-1)
        if self.spelling.mask == "isnan":
            rows = graph.op("Where", graph.op("IsNaN", rows), graph.constant(np.float32(0)), rows)
        return graph.op("MatMul", rows, value)

    def fused(self, query: str, key: str, value: str, pasts: list[str]) -> list[str]:
        """com.microsoft's GroupQueryAttention, which rotates by tables."""
        graph = self.graph
        count = graph.op("ReduceSum", "attention_mask", graph.constant([1]), keepdims=0)
        last = graph.op("Cast", graph.op("Sub", count, graph.constant(1)), to=TensorProto.INT32)
        total = graph.op("Cast", self.dimension("attention_mask", 1), to=TensorProto.INT32)
        tables = self.tables() if self.spelling.positions == "fused" else ()
        further: dict[str, Any] = {"smooth_softmax": 1} if self.spelling.sinks else {}
        sinks = ()
        if self.spelling.sinks == "learned":
            sinks = (*[""] * (4 - len(tables)), self.weight("sinks", self.array("sinks", self.heads)))
        return graph.ops("GroupQueryAttention", query, key, value, *pasts, last, total, *tables,
                         *sinks, count=3, domain=MICROSOFT, num_heads=self.heads,
                         kv_num_heads=self.kv_heads, do_rotary=int(bool(tables)), **further)

    # The rest --------------------------------------------------------------------

    def activate(self, value: str) -> str:
        graph, how, sharpness = self.graph, self.spelling.activation, self.spelling.sharpness
        number = lambda x: graph.constant(np.float32(x))
        if how == "silu":
            return graph.op("Mul", value, graph.op("Sigmoid", value))
        if how == "relu":
            return graph.op("Relu", value)
        if how == "relu power":
            return graph.op("Pow", graph.op("Relu", value), number(2))
        if how == "relu square":
            positive = graph.op("Relu", value)
            return graph.op("Mul", positive, positive)
        if how == "gelu":
            erf = graph.op("Erf", graph.op("Div", value, number(np.sqrt(2))))
            return graph.op("Mul", graph.op("Mul", value, graph.op("Add", erf, number(1))),
                            number(0.5))
        if how == "gelu tanh":
            cube = graph.op("Mul", graph.op("Pow", value, number(3)), number(0.044715))
            inner = graph.op("Mul", graph.op("Add", value, cube), number(np.sqrt(2 / np.pi)))
            one_more = graph.op("Add", graph.op("Tanh", inner), number(1))
            return graph.op("Mul", graph.op("Mul", value, number(0.5)), one_more)
        if how == "gelu quick":
            return graph.op("Mul", value, graph.op("Sigmoid",
                                                   graph.op("Mul", value, number(sharpness))))
        if how == "operator":
            return graph.op("Gelu", value)
        if how == "operator tanh":
            return graph.op("Gelu", value, approximate="tanh")
        options = {"alpha": sharpness} if how == "QuickGelu" else {}
        return graph.op(how, value, domain=MICROSOFT, **options)

    def mlp(self, path: str, value: str) -> str:
        graph, bias = self.graph, self.spelling.bias
        up = self.linear(f"{path}.up", value, self.hidden, self.inner, bias)
        if self.spelling.gated:
            gate = self.linear(f"{path}.gate", value, self.hidden, self.inner, bias)
            up = graph.op("Mul", self.activate(gate), up)
        else:
            up = self.activate(up)
        return self.linear(f"{path}.down", up, self.inner, self.hidden, bias)

    def embed(self) -> str:
        graph = self.graph
        table = self.weight("embedding", self.array("embedding", self.vocabulary, self.hidden))
        value = self.scaled(graph.op("Gather", table, "input_ids", axis=0))
        if self.spelling.positions == "learned":
            places = self.weight("positions", self.array("positions", self.context, self.hidden))
            value = graph.op("Add", value, graph.op("Gather", places, self.positions(), axis=0))
        return value

    def scaled(self, value: str) -> str:
        if self.spelling.scale == 1:
            return value
        return self.graph.op("Mul", value, self.graph.constant(np.float32(self.spelling.scale)))

    def capped(self, value: str, cap: float) -> str:
        if not self.spelling.cap:
            return value
        op, graph = self.graph.op, self.graph
        bound = graph.constant(np.float32(cap))
        if self.spelling.cap == "div":
            return op("Mul", bound, op("Tanh", op("Div", value, bound)))
        return op("Mul", op("Tanh", op("Mul", value, graph.constant(np.float32(1 / cap)))), bound)

    def finish(self, logits: str) -> str:
        """What the graph gives of its logits."""
        return logits

    def model(self) -> onnx.ModelProto:
        graph, spelling = self.graph, self.spelling
        graph.add_input("input_ids", INT64, ["batch", "rows"])
        if spelling.attention == "fused" or spelling.angles == "cumsum":
            graph.add_input("attention_mask", INT64, ["batch", "total"])
        if spelling.angles == "ids" and spelling.positions not in ("none", "fused", "slopes"):
            graph.add_input("position_ids", INT64, ["batch", "rows"])
        if spelling.cache:
            for index in range(self.layers):
                for part in ("key", "value"):
                    graph.add_input(f"past_key_values.{index}.{part}", FLOAT,
                                    ["batch", self.kv_heads, "past", self.size])
        self.lengths()
        value = self.embed()
        for index in range(self.layers):
            path = f"layers.{index}"
            value = graph.op("Add", value,
                             self.attention(index, self.norm(f"{path}.norm", value)))
            value = graph.op("Add", value,
                             self.mlp(path, self.norm(f"{path}.mlp_norm", value)))
        value = self.norm("norm", value)
        if spelling.tied:
            head = graph.op("Transpose", self.weight("embedding", self.array(
                "embedding", self.vocabulary, self.hidden)), perm=[1, 0])
            logits = graph.op("MatMul", value, head)
        else:
            logits = self.linear("head", value, self.hidden, self.vocabulary)
        logits = self.finish(self.capped(self.scaled(logits), 30))
        graph.add_output(logits, FLOAT, ["batch", "rows", self.vocabulary], "logits")
        return graph.model()


def decoder(layers: int = 1, **choices: Any) -> onnx.ModelProto:
    """A small decoder in the spelling that the choices make of the default one."""
    return Decoder(Spelling(**choices), layers).model()


def llama_flavours(config: dict[str, Any], weights: dict[str, np.ndarray],
                   folder: pathlib.Path) -> list[pathlib.Path]:
    """Writes a model (config.json, weights by Hugging Face name) in all fp32 flavours."""
    sys.path.insert(0, str(SCRIPTS))
    from llama_dynamo import export_opset23
    from llama_genai import export_genai
    from llama_model import LlamaConfig, LlamaModel, WeightStore, save_model, store_llama
    from llama_torchscript import export_plain

    sizes = LlamaConfig(
        config["vocab_size"], config["hidden_size"], config["num_hidden_layers"],
        config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"],
        config["intermediate_size"], config["max_position_embeddings"], config["rope_theta"],
        config["rms_norm_eps"])
    files = []
    for name, export, packed, head in (("plain", export_plain, False, False),
                                       ("genai", export_genai, True, True),
                                       ("opset23", export_opset23, False, True)):
        (folder / name).mkdir()
        store = WeightStore(folder / name / "model.onnx.data")
        store_llama(store, LlamaModel(sizes, weights), packed, head)
        files.append(folder / name / "model.onnx")
        save_model(export(sizes, store), files[-1])
    return files
