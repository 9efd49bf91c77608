# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Forms that files have beyond what exporters write: fused operators as optimizers leave them,
unsorted nodes, repeated and sparse initializers, overloads, sequences, sums by Einsum, caches in any
layout, inputs and outputs beside the usual ones. Each imports and agrees with ONNX Runtime."""

from __future__ import annotations

import pathlib
import sys
import tempfile
from typing import Callable

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from onnx_models import BOOL, FLOAT, INT64, MICROSOFT, Decoder, Spelling, decoder, save
from support import baseline_target, compute_logits, llmc, relative_difference

LIMIT = 2e-6
TOKENS = np.random.default_rng(7).integers(0, Decoder.vocabulary, 40)
PREFILL = 16

FORMS: list[tuple[str, Callable[[], onnx.ModelProto], str]] = []


def form(warning: str = ""):
    """Registers a function that makes a model; `warning` is what llmc says about it."""

    def register(make: Callable[[], onnx.ModelProto]) -> Callable[[], onnx.ModelProto]:
        FORMS.append((make.__name__, make, warning))
        return make

    return register


# Order and structure ------------------------------------------------------------


@form()
def reversed_nodes() -> onnx.ModelProto:
    model = decoder(layers=2)
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


@form("initializer 'layers.0.up' stands twice, with the same contents")
def repeated_initializer() -> onnx.ModelProto:
    model = decoder()
    model.graph.initializer.append(next(t for t in model.graph.initializer
                                        if t.name == "layers.0.up"))
    return model


def make_sparse(tensor: TensorProto, flat: bool) -> onnx.SparseTensorProto:
    """A tensor's values that are not zero, with one index each or one for every dimension."""
    array = numpy_helper.to_array(tensor)
    places = np.flatnonzero(array) if flat else np.argwhere(array)
    values = numpy_helper.from_array(array[array != 0], tensor.name)
    return helper.make_sparse_tensor(values, numpy_helper.from_array(places.astype(np.int64)),
                                     array.shape)


@form()
def sparse_initializers() -> onnx.ModelProto:
    model = decoder()
    for name, flat in (("layers.0.up", True), ("layers.0.down", False)):
        tensor = next(t for t in model.graph.initializer if t.name == name)
        array = numpy_helper.to_array(tensor).copy()
        array[np.abs(array) < 0.1] = 0
        tensor.CopyFrom(numpy_helper.from_array(array, name))
        model.graph.sparse_initializer.append(make_sparse(tensor, flat))
        model.graph.initializer.remove(tensor)
    return model


@form()
def overloads() -> onnx.ModelProto:
    """Two overloads of one function: which one is called is told by the node."""
    model = decoder(activation="relu")
    opsets = [helper.make_opsetid("", 17)]
    for overload, kind in (("positive", "Relu"), ("negative", "Neg")):
        function = helper.make_function("local", "Turn", ["x"], ["y"],
                                        [helper.make_node(kind, ["x"], ["y"])], opsets)
        function.overload = overload
        model.functions.append(function)
    for node in model.graph.node:
        if node.op_type == "Relu":
            node.op_type, node.domain, node.overload = "Turn", "local", "positive"
    model.opset_import.append(helper.make_opsetid("local", 1))
    model.ir_version = 10
    return model


# Fused operators ----------------------------------------------------------------


class Fused(Decoder):
    """A decoder with parts that optimizers fuse."""

    def contrib(self, kind: str, *inputs: str, count: int = 1, **attributes) -> list[str]:
        return self.graph.ops(kind, *inputs, count=count, domain=MICROSOFT, **attributes)


def fused(kind: type[Decoder], layers: int = 2, **choices) -> onnx.ModelProto:
    return kind(Spelling(**choices), layers).model()


@form()
def fused_matmul() -> onnx.ModelProto:
    """Scores and head: a transpose and a factor in one operator."""

    class Model(Fused):
        def mix(self, query, key, value):
            scores, = self.contrib("FusedMatMul", query, self.repeat(key), transB=1,
                                   alpha=float(self.size**-0.5))
            rows = self.graph.op("Softmax", self.masked(scores), axis=-1)
            return self.graph.op("MatMul", rows, self.repeat(value))

        def linear(self, name, value, inputs, outputs, bias=False):
            weight = self.weight(name, self.array(name, outputs, inputs))
            return self.contrib("FusedMatMul", value, weight, transB=1, alpha=1.5)[0]

    return fused(Model)


@form()
def fused_matmul_of_batches() -> onnx.ModelProto:
    """Heads stay behind rows, and the product moves them: batch axes are transposed too."""

    class Model(Fused):
        def mix(self, query, key, value):
            query, key = (self.graph.op("Transpose", x, perm=[2, 0, 1, 3])
                          for x in (query, self.repeat(key)))
            scores, = self.contrib("FusedMatMul", query, key, transBatchA=1, transBatchB=1,
                                   transB=1, alpha=float(self.size**-0.5))
            rows = self.graph.op("Softmax", self.masked(scores), axis=-1)
            return self.graph.op("MatMul", rows, self.repeat(value))

    return fused(Model)


class Gemm(Fused):
    """Linears as Gemm of flat rows."""

    attributes: dict = {}
    kind, domain = "Gemm", ""

    def linear(self, name, value, inputs, outputs, bias=False):
        graph = self.graph
        flat = graph.op("Reshape", value, graph.constant([-1, inputs]))
        matrix = self.array(name, outputs, inputs)
        attributes = {"transB": 1, **self.attributes}
        if attributes.get("transA"):
            flat = graph.op("Transpose", flat, perm=[1, 0])
        weight = self.weight(name, matrix if attributes["transB"] else matrix.T)
        flat = graph.op(self.kind, flat, weight, *self.added(name, outputs), domain=self.domain,
                        **attributes)
        return graph.op("Reshape", flat, graph.constant([1, -1, outputs]))

    def added(self, name, outputs):
        return [self.weight(name + ".bias", self.array(name + ".bias", outputs))]


@form()
def gemm_factors() -> onnx.ModelProto:
    class Model(Gemm):
        attributes = {"alpha": 0.75, "beta": -2.0}

    return fused(Model)


@form()
def gemm_transposed_rows() -> onnx.ModelProto:
    class Model(Gemm):
        attributes = {"transA": 1, "transB": 0, "alpha": 1.25}

    return fused(Model)


@form()
def gemm_scalar_bias() -> onnx.ModelProto:
    class Model(Gemm):
        attributes = {"beta": 0.5}

        def added(self, name, outputs):
            return [self.weight(name + ".bias", np.full(1, 0.25, np.float32))]

    return fused(Model)


@form()
def gemm_without_its_bias() -> onnx.ModelProto:
    class Model(Gemm):
        attributes = {"beta": 0.0}

    return fused(Model)


def fused_gemm(activation: str, **more):
    class Model(Gemm):
        def mlp(self, path, value):
            self.kind, self.domain = "FusedGemm", MICROSOFT
            self.attributes = {"activation": activation, **more}
            up = self.linear(f"{path}.up", value, self.hidden, self.inner)
            self.kind, self.domain, self.attributes = "Gemm", "", {}
            return self.linear(f"{path}.down", up, self.inner, self.hidden)

    return fused(Model)


for name, choices in (("Relu", {}), ("Tanh", {})):
    FORMS.append((f"fused_gemm_{name}", lambda n=name, c=choices: fused_gemm(n, **c), ""))


class BiasedActivation(Fused):
    """A layer without gate, whose activation adds the bias of the linear before it."""

    kind = ""

    def mlp(self, path, value):
        width = self.inner * 2 if self.kind == "BiasSplitGelu" else self.inner
        up = self.linear(f"{path}.up", value, self.hidden, width)
        bias = self.weight(f"{path}.up.bias", self.array(f"{path}.up.bias", width))
        return self.linear(f"{path}.down", self.contrib(self.kind, up, bias)[0], self.inner,
                           self.hidden)


def biased(kind: str) -> onnx.ModelProto:
    return fused(type("Model", (BiasedActivation,), {"kind": kind}))


for name in ("BiasGelu", "FastGelu"):
    FORMS.append((f"bias_of_{name}", lambda n=name: biased(n), ""))


class SkipNorms(Fused):
    """Residual sums inside the norms that follow them, with the bias of the layer before."""

    kind = "SkipLayerNormalization"

    def skip(self, name, branch, residual):
        gain = self.weight(name, 1 + self.array(name, self.hidden))
        offset = [self.weight(name + ".bias", self.array(name + ".bias", self.hidden))]
        offset = offset if self.kind == "SkipLayerNormalization" else []
        bias = self.weight(name + ".sum", self.array(name + ".sum", self.hidden))
        found = self.contrib(self.kind, branch, residual, gain, *offset, bias, count=4,
                             epsilon=self.epsilon)
        return found[0], found[3]

    def model(self):
        # A sum of a branch and the residual waits for the norm that follows it.
        self.pending: dict[str, tuple[str, str]] = {}
        self.branches: set[str] = set()
        make = self.graph.op

        def op(kind, *inputs, **attributes):
            if kind == "Add" and len(inputs) == 2 and inputs[1] in self.branches:
                sum_ = self.graph.fresh()
                self.pending[sum_] = inputs
                return sum_
            return make(kind, *inputs, **attributes)

        self.graph.op = op
        return super().model()

    def attention(self, index, value):
        result = super().attention(index, value)
        self.branches.add(result)
        return result

    def mlp(self, path, value):
        result = super().mlp(path, value)
        self.branches.add(result)
        return result

    def norm(self, name, value, width=Decoder.hidden):
        if value not in self.pending:
            return super().norm(name, value, width)
        residual, branch = self.pending[value]
        gain = self.weight(name, 1 + self.array(name, self.hidden))
        bias = self.weight(name + ".sum", self.array(name + ".sum", self.hidden))
        offset = [self.weight(name + ".bias", self.array(name + ".bias", self.hidden))]
        offset = offset if self.kind == "SkipLayerNormalization" else []
        outputs = [self.graph.fresh(), "", "", value]
        self.graph.nodes.append(helper.make_node(
            self.kind, [branch, residual, gain, *offset, bias], outputs, name, domain=MICROSOFT,
            epsilon=self.epsilon))
        return outputs[0]


for name in ("SkipLayerNormalization", "SkipSimplifiedLayerNormalization"):
    FORMS.append((f"bias_of_{name}",
                  lambda n=name: fused(type("Model", (SkipNorms,), {"kind": n})), ""))


# Sequences and sums -------------------------------------------------------------


@form()
def split_to_sequence() -> onnx.ModelProto:
    """Queries, keys and values by chunks and by one size, joined again by ConcatFromSequence."""

    class Model(Fused):
        def project(self, path, value):
            graph, width = self.graph, self.kv_heads * self.size
            names = [f"{path}.{part}" for part in ("query", "key", "value")]
            matrix = np.concatenate([self.array(name, self.hidden if name == names[0] else width,
                                                self.hidden) for name in names])
            packed = graph.op("MatMul", value, self.weight(f"{path}.qkv", matrix.T))
            chunks = graph.op("SplitToSequence", packed, graph.constant(width), axis=-1)
            parts = [graph.op("SequenceAt", chunks, graph.constant(i)) for i in (0, 1, -2, 3)]
            query = graph.op("ConcatFromSequence", graph.op("SequenceConstruct", *parts[:2]),
                             axis=2)
            return query, parts[2], parts[3]

        def rotate(self, value, heads):
            graph = self.graph
            halves = graph.op("SplitToSequence", value,
                              graph.constant([self.size // 2, self.size // 2]), axis=3)
            first = graph.op("SequenceAt", halves, graph.constant(0))
            rest = graph.op("SequenceErase", halves, graph.constant(0))
            whole = graph.op("SequenceInsert", rest, first, graph.constant(0))
            return super().rotate(graph.op("ConcatFromSequence", whole, axis=-1), heads)

    return fused(Model)


@form()
def einsums() -> onnx.ModelProto:
    """Linears, angles, scores and values as sums over named axes."""

    class Model(Fused):
        def sum(self, equation, *values):
            return self.graph.op("Einsum", *values, equation=equation)

        def linear(self, name, value, inputs, outputs, bias=False):
            return self.sum("bsi, oi -> bso", value,
                            self.weight(name, self.array(name, outputs, inputs)))

        def make_angles(self):
            places = self.graph.op("Cast", self.positions(), to=FLOAT)
            return self.sum("bi,j->bij", places, self.graph.constant(self.frequencies))

        def heads_of(self, value, heads):
            split = self.graph.op("Reshape", value, self.graph.constant([0, 0, heads, self.size]))
            return self.sum("bshd->bhsd", split)

        def mix(self, query, key, value):
            group = self.heads // self.kv_heads
            query = self.graph.op("Reshape", query, self.graph.constant(
                [1, self.kv_heads, group, -1, self.size]))
            scores = self.sum("bgrqd,bgkd->bgrqk", query, key)
            scores = self.graph.op("Mul", scores,
                                   self.graph.constant(np.float32(self.size**-0.5)))
            rows = self.graph.op("Softmax", self.masked(scores), axis=-1)
            mixed = self.sum("...rqk,...kd->...rqd", rows, value)
            return self.graph.op("Reshape", mixed,
                                 self.graph.constant([1, self.heads, -1, self.size]))

    return fused(Model)


@form()
def angles_by_gather_elements() -> onnx.ModelProto:
    """Sines and cosines of a table, gathered element by element (GPT-J): it limits the context."""

    class Model(Fused):
        def rotate(self, value, heads):
            graph, half = self.graph, self.size // 2
            cos, sin = self.tables()
            table = graph.op("Unsqueeze", graph.op("Concat", sin, cos, axis=1), graph.constant([0]))
            places = graph.op("Unsqueeze", self.positions(), graph.constant([2]))
            places = graph.op("Tile", places, graph.constant([1, 1, self.size]))
            found = graph.op("GatherElements", table, places, axis=1)
            sin, cos = graph.ops("Split", graph.op("Unsqueeze", found, graph.constant([1])),
                                 graph.constant([half, half]), count=2, axis=-1)
            sin, cos = (graph.op("Concat", x, x, axis=-1) for x in (sin, cos))
            low, high = graph.ops("Split", value, graph.constant([half, half]), count=2, axis=-1)
            turned = graph.op("Concat", graph.op("Neg", high), low, axis=-1)
            return graph.op("Add", graph.op("Mul", value, cos), graph.op("Mul", turned, sin))

    return fused(Model)


# Attention operators ------------------------------------------------------------


class HeadsOperator(Fused):
    """MultiHeadAttention, which keeps the cache and masks; keys and values of all heads."""

    kv_heads = Fused.heads
    inputs: tuple[str, ...] = ()

    def attention(self, index, value):
        graph, path = self.graph, f"layers.{index}"
        query, key, new_value = self.project(path, value)
        operands = [query, key, new_value]
        operands.append(self.weight(f"{path}.bias", self.array(f"{path}.bias", 3 * self.hidden))
                        if "bias" in self.inputs else "")
        mask = graph.op("Cast", "attention_mask", to=TensorProto.INT32) \
            if "mask" in self.inputs else ""
        added = ""
        if "added" in self.inputs:
            added = graph.op("Where", self.make_mask(), graph.constant(np.float32(0)),
                             graph.constant(np.float32(-3.4e38)))
        pasts = [f"past_key_values.{index}.{part}" for part in ("key", "value")]
        mixed, *present = self.contrib("MultiHeadAttention", *operands, mask, added, *pasts,
                                       count=3, num_heads=self.heads, unidirectional=int(not added))
        for part, state in zip(("key", "value"), present):
            graph.add_output(state, FLOAT, ["batch", self.kv_heads, "total", self.size],
                             f"present.{index}.{part}")
        return self.linear(f"{path}.output", mixed, self.hidden, self.hidden)


for name, inputs in (("plain", ()), ("bias", ("bias",)), ("padding", ("mask", "bias")),
                     ("added", ("added",))):
    FORMS.append((f"multi_head_attention_{name}", lambda i=inputs: fused(
        type("Model", (HeadsOperator,), {"inputs": i}), positions="learned", angles="cumsum"), ""))


class PackedAttention(Fused):
    """com.microsoft's Attention: weights for all three, and one tensor of keys and values."""

    kv_heads = Fused.heads
    masked_by_input = False

    def dimension(self, value, axis):
        value, axis = ("past_0", 3) if value.startswith("past_key") else (value, axis)
        return super().dimension(value, axis)

    def attention(self, index, value):
        graph, path = self.graph, f"layers.{index}"
        weight = self.weight(f"{path}.qkv", self.array(f"{path}.qkv", self.hidden, 3 * self.hidden))
        bias = self.weight(f"{path}.bias", self.array(f"{path}.bias", 3 * self.hidden))
        mask = graph.op("Cast", "attention_mask", to=TensorProto.INT32) \
            if self.masked_by_input else ""
        mixed, present = self.contrib("Attention", value, weight, bias, mask, f"past_{index}",
                                      count=2, num_heads=self.heads, unidirectional=1)
        graph.add_output(present, FLOAT, [2, "batch", self.heads, "total", self.size],
                         f"present_{index}")
        return self.linear(f"{path}.output", mixed, self.hidden, self.hidden)

    def model(self):
        add = self.graph.add_input

        def add_input(name, kind, dims):
            if name.endswith(".value"):
                return
            if name.startswith("past_key"):
                name = "past_" + name.split(".")[1]
                dims = [2, *dims]
            add(name, kind, dims)

        self.graph.add_input = add_input
        return super().model()


for name, masked in (("plain", False), ("padding", True)):
    FORMS.append((f"packed_attention_{name}", lambda m=masked: fused(
        type("Model", (PackedAttention,), {"masked_by_input": m}), positions="learned",
        angles="cumsum"), ""))


# Caches -------------------------------------------------------------------------


class Layout(Decoder):
    """A decoder whose caches come in another layout: `dims`, and the axis of positions."""

    dims: list = []
    axis = 2

    def to_given(self, rows: str) -> str:
        """New rows, batch × heads × rows × size, as caches are given."""
        return rows

    def from_given(self, cache: str) -> str:
        return cache

    def dimension(self, value, axis):
        return super().dimension(value, self.axis if value.startswith("past") else axis)

    def join(self, name: str, rows: str) -> str:
        joined = self.make("Concat", name, self.to_given(rows), axis=self.axis)
        return self.from_given(joined)

    def add_cache(self, name: str) -> None:
        self.add(name, FLOAT, self.dims)

    def model(self):
        self.make, self.add = self.graph.op, self.graph.add_input

        def op(kind, *inputs, **attributes):
            if kind == "Concat" and inputs[0].startswith("past_key"):
                return self.join(*inputs)
            return self.make(kind, *inputs, **attributes)

        def add_input(name, kind, dims):
            if name.startswith("past_key"):
                return self.add_cache(name)
            return self.add(name, kind, dims)

        self.graph.op, self.graph.add_input = op, add_input
        return super().model()


@form()
def caches_by_position() -> onnx.ModelProto:
    class Model(Layout):
        dims, axis = ["batch", "past", Decoder.kv_heads, Decoder.size], 1

        def to_given(self, rows):
            return self.make("Transpose", rows, perm=[0, 2, 1, 3])

        from_given = to_given

    return fused(Model)


@form()
def caches_without_batch() -> onnx.ModelProto:
    class Model(Layout):
        dims, axis = [Decoder.kv_heads, "past", Decoder.size], 1

        def to_given(self, rows):
            return self.make("Squeeze", rows, self.graph.constant([0]))

        def from_given(self, cache):
            return self.make("Unsqueeze", cache, self.graph.constant([0]))

    return fused(Model)


@form()
def caches_of_open_sizes() -> onnx.ModelProto:
    class Model(Layout):
        dims = ["batch", "heads_open", "past", "size_open"]

    return fused(Model)


@form()
def caches_of_other_names() -> onnx.ModelProto:
    def rename(name: str) -> str:
        return name.replace("past_key_values", "state").replace(".key", ".a").replace(
            ".value", ".b") if name.startswith("past_key") else name

    model = decoder(layers=2)
    for node in model.graph.node:
        node.input[:] = [rename(name) for name in node.input]
    for info in model.graph.input:
        info.name = rename(info.name)
    return model


class Stacked(Layout):
    """Keys and values of a layer in one tensor of two."""

    dims = [2, "batch", Decoder.kv_heads, "past", Decoder.size]
    axis = 3
    split = False

    def add_cache(self, name):
        if name.endswith(".key"):
            self.add(name[:-4], FLOAT, self.dims)

    def dimension(self, value, axis):
        return super().dimension(value.removesuffix(".key"), axis)

    def join(self, name, rows):
        base, _, part = name.rpartition(".")
        place = ("key", "value").index(part)
        if self.split:
            halves = self.graph.ops("Split", base, self.graph.constant([1, 1]), count=2, axis=0)
            taken = self.make("Squeeze", halves[place], self.graph.constant([0]))
        else:
            taken = self.make("Gather", base, self.graph.constant(place), axis=0)
        return self.make("Concat", taken, rows, axis=2)


@form()
def caches_stacked() -> onnx.ModelProto:
    return fused(Stacked)


@form()
def caches_stacked_and_split() -> onnx.ModelProto:
    return fused(type("Model", (Stacked,), {"split": True}))


@form()
def caches_stacked_while_growing() -> onnx.ModelProto:
    """New keys and values are stacked first, and joined with the past as one."""

    class Model(Stacked):
        def join(self, name, rows):
            base, _, part = name.rpartition(".")
            if part == "key":
                self.keys = rows
                return rows
            zero = self.graph.constant([0])
            both = self.make("Concat", *(self.make("Unsqueeze", x, zero)
                                         for x in (self.keys, rows)), axis=0)
            whole = self.make("Concat", base, both, axis=3)
            self.whole = [self.make("Gather", whole, self.graph.constant(i), axis=0)
                          for i in (0, 1)]
            return self.whole[1]

        def mix(self, query, key, value):
            return super().mix(query, self.whole[0], value)

    return fused(Model)


@form()
def caches_side_by_side() -> onnx.ModelProto:
    """One head, whose key and value are halves of a row (GPT-BigCode)."""

    class Model(Layout):
        kv_heads = 1
        dims, axis = ["batch", "past", 2 * Decoder.size], 1

        def add_cache(self, name):
            if name.endswith(".key"):
                self.add(name + "_value", FLOAT, self.dims)

        def dimension(self, value, axis):
            return super().dimension(value + "_value" if value.endswith(".key") else value, axis)

        def join(self, name, rows):
            if name.endswith(".key"):
                self.keys = rows
                return rows
            one = self.graph.constant([1])
            both = self.make("Squeeze", self.make("Concat", self.keys, rows, axis=3), one)
            whole = self.make("Concat", name[:-6] + ".key_value", both, axis=1)
            whole = self.make("Unsqueeze", whole, one)
            self.whole = self.graph.ops("Split", whole, self.graph.constant([self.size] * 2),
                                        count=2, axis=3)
            return self.whole[1]

        def mix(self, query, key, value):
            return super().mix(query, self.whole[0], value)

    return fused(Model)


# Inputs and outputs -------------------------------------------------------------


@form()
def mask_as_input() -> onnx.ModelProto:
    class Model(Decoder):
        def masked(self, scores):
            return self.graph.op("Add", scores, "attention_mask")

        def model(self):
            self.graph.add_input("attention_mask", FLOAT, ["batch", 1, "rows", "total"])
            return super().model()

    return fused(Model)


@form()
def rows_to_keep() -> onnx.ModelProto:
    class Model(Decoder):
        def norm(self, name, value, width=Decoder.hidden):
            if name == "norm":
                graph = self.graph
                start = graph.op("Unsqueeze", graph.op("Neg", "num_logits_to_keep"),
                                 graph.constant([0]))
                value = graph.op("Slice", value, start,
                                 graph.constant([np.iinfo(np.int64).max]), graph.constant([1]))
            return super().norm(name, value, width)

        def model(self):
            self.graph.add_input("num_logits_to_keep", INT64, [])
            return super().model()

    return fused(Model)


@form()
def window_state() -> onnx.ModelProto:
    """A scalar that the exporter of transformers passes through, and another that cuts what is given
    out: nothing that logits depend on."""
    model = decoder(layers=2)
    graph = model.graph
    for name in ("input.layers.0._sliding_window_tensor", "input.layers.1._sliding_window_tensor"):
        graph.input.append(helper.make_tensor_value_info(name, INT64, []))
        graph.node.append(helper.make_node("Identity", [name], [name.replace("input", "output")]))
        graph.output.append(helper.make_tensor_value_info(name.replace("input", "output"), INT64,
                                                          []))
    return model


@form("takes output 'logits' as the logits and leaves out 'hidden', 'chances'")
def other_outputs() -> onnx.ModelProto:
    class Model(Decoder):
        def model(self):
            model = super().model()
            hidden = next(node.output[0] for node in model.graph.node
                          if "embedding" in node.input)
            last = next(node.input[0] for node in model.graph.node if "logits" in node.output)
            model.graph.node.append(helper.make_node("Identity", [hidden], ["hidden"]))
            model.graph.node.append(helper.make_node("LogSoftmax", [last], ["chances"], axis=-1))
            for name in ("hidden", "chances"):
                model.graph.output.append(helper.make_tensor_value_info(name, FLOAT, None))
            return model

    return fused(Model)


@form()
def merged_decoder() -> onnx.ModelProto:
    """A branch with a past and one without, chosen by an input."""
    with_past, without = decoder(layers=2), decoder(layers=2, cache=False)
    past, first = with_past.graph, without.graph
    inputs = list(past.input)
    flag = helper.make_tensor_value_info("use_cache_branch", BOOL, [1])
    weights = {tensor.name: tensor for tensor in [*past.initializer, *first.initializer]}
    outputs = [info for info in past.output if info.name == "logits"]
    bodies = []
    for graph in (past, first):
        body = helper.make_graph(graph.node, "body", [], [
            info for info in graph.output if info.name == "logits"])
        for node in body.node:  # names are unique in a model
            for names in (node.input, node.output):
                for i, name in enumerate(names):
                    if name.startswith("v") or name == "logits":
                        names[i] = name + ("_past" if graph is past else "_first")
        body.output[0].name += "_past" if graph is past else "_first"
        bodies.append(body)
    node = helper.make_node("If", ["use_cache_branch"], ["logits"], "choice",
                            then_branch=bodies[0], else_branch=bodies[1])
    graph = helper.make_graph([node], "merged", [*inputs, flag], outputs, list(weights.values()))
    return helper.make_model(graph, opset_imports=with_past.opset_import, ir_version=8)


# The check ----------------------------------------------------------------------


def run_whole(path: pathlib.Path) -> np.ndarray:
    """The logits of all tokens by ONNX Runtime, in one step without a past."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    session = onnxruntime.InferenceSession(str(path), options)
    lengths = {"batch": 1, "rows": len(TOKENS), "total": len(TOKENS), "past": 0,
               "heads_open": Decoder.kv_heads, "size_open": Decoder.size}
    feeds = {}
    for entry in session.get_inputs():
        shape = [lengths.get(dim, dim) for dim in entry.shape]
        if entry.name == "input_ids":
            value = TOKENS.reshape(shape)
        elif "mask" in entry.name and len(shape) == 4:
            value = np.triu(np.full(shape, -3.4e38, np.float32), 1)
        elif "mask" in entry.name or "use_cache" in entry.name:
            value = np.ones(shape)
        elif "position" in entry.name:
            value = np.arange(len(TOKENS)).reshape(shape)
        else:
            value = np.zeros(shape)
        kind = {"tensor(float)": np.float32, "tensor(bool)": bool}.get(entry.type, np.int64)
        feeds[entry.name] = value.astype(kind)
    logits, = session.run(["logits"], feeds)
    return logits.reshape(len(TOKENS), -1)


def check(name: str, make: Callable[[], onnx.ModelProto], warning: str,
          folder: pathlib.Path) -> str:
    """Runs one form; gives what is wrong with it."""
    path = save(make(), folder / "model.onnx")
    expected = run_whole(path)
    done = llmc("compile", path, f"--target={baseline_target()}", "-o", folder / "model.llmc",
                check=False)
    if done.returncode != 0:
        return done.stderr
    if warning not in done.stderr:
        return f"expected '{warning}', found {done.stderr}"
    found = compute_logits(folder / "model.llmc", TOKENS, f"--prefill={PREFILL}")
    difference = relative_difference(found.reshape(expected.shape), expected)
    return "" if difference < LIMIT else f"differs by {difference:.1e}"


def main() -> int:
    problems = 0
    chosen = sys.argv[1:]
    for name, make, warning in FORMS:
        if chosen and name not in chosen:
            continue
        with tempfile.TemporaryDirectory() as folder:
            wrong = check(name, make, warning, pathlib.Path(folder))
        print(f"{name}: {wrong or 'ok'}", flush=True)
        problems += bool(wrong)
    print(f"{problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
