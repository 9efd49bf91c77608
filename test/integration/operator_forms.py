# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fused operators as optimizers leave them, of products, norms, activations and attention."""

from __future__ import annotations

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

from form_support import Fused, add_form, form, fused, run_forms
from onnx_models import FLOAT, MICROSOFT, Decoder


# Fused operators ----------------------------------------------------------------


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
def hard_swish() -> onnx.ModelProto:
    class Model(Fused):
        def activate(self, value):
            return self.graph.op("HardSwish", value)

    return fused(Model)


def ending_in(operator: str) -> onnx.ModelProto:
    class Model(Fused):
        def finish(self, logits):
            return self.graph.op(operator, logits)

    return fused(Model)


@form(warning="leaves out LogSoftmax of the output", output="LogSoftmax")
def log_probabilities() -> onnx.ModelProto:
    return ending_in("LogSoftmax")


@form(warning="leaves out Softmax of the output", output="Softmax")
def probabilities() -> onnx.ModelProto:
    return ending_in("Softmax")



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
    add_form(f"fused_gemm_{name}", lambda n=name, c=choices: fused_gemm(n, **c))


@form()
def skip_norm_of_positions() -> onnx.ModelProto:
    """The first norm adds embeddings of positions, as its first operand."""

    class Model(Fused):
        def embed(self):
            graph = self.graph
            table = self.weight("embedding", self.array("embedding", self.vocabulary, self.hidden))
            places = self.weight("positions", self.array("positions", self.context, self.hidden))
            self.parts = [graph.op("Gather", places, self.positions(), axis=0),
                          graph.op("Gather", table, "input_ids", axis=0)]
            return graph.fresh()

        def norm(self, name, value, width=Decoder.hidden):
            if not self.parts:
                return super().norm(name, value, width)
            gain = self.weight(name, 1 + self.array(name, self.hidden))
            outputs = [self.graph.fresh(), "", "", value]
            self.graph.nodes.append(helper.make_node(
                "SkipSimplifiedLayerNormalization", [*self.parts, gain], outputs, name,
                domain=MICROSOFT, epsilon=self.epsilon))
            self.parts = []
            return outputs[0]

    return fused(Model, positions="learned")


@form()
def xielu() -> onnx.ModelProto:
    """Apertus's activation, which has no name in the dialect."""

    class Model(Fused):
        def activate(self, value):
            op, number = self.graph.op, lambda x: self.graph.constant(np.float32(x))
            linear = op("Mul", value, number(0.5))
            up = op("Add", op("Mul", op("Mul", value, number(0.8)), value), linear)
            below = op("Sub", op("Exp", op("Min", value, number(-1e-6))), number(1))
            down = op("Add", op("Mul", op("Sub", below, value), number(0.7)), linear)
            return op("Where", op("Greater", value, number(0)), up, down)

    return fused(Model, gated=False)


@form()
def function_of_many_operators() -> onnx.ModelProto:
    """A gate of comparisons, powers and bounds, which gates another matrix."""

    class Model(Fused):
        def activate(self, value):
            op, number = self.graph.op, lambda x: self.graph.constant(np.float32(x))
            inside = op("And", op("Less", value, number(2)), op("Not", op("Less", value, number(-1))))
            bound = op("Clip", op("Pow", value, number(3)), number(-0.5), number(4))
            bound = op("Max", bound, op("Clip", value, number(-0.25)))
            smooth = op("Div", value, op("Add", op("Abs", op("Sin", value)), number(1)))
            root = op("Sqrt", op("Reciprocal", op("Add", op("Mul", value, value), number(1))))
            return op("Add", op("Where", inside, bound, smooth), op("Max", root, op("Neg", value)))

    return fused(Model)


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
    add_form(f"bias_of_{name}", lambda n=name: biased(n))


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
    add_form(f"bias_of_{name}",
             lambda n=name: fused(type("Model", (SkipNorms,), {"kind": n})))


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
    add_form(f"multi_head_attention_{name}", lambda i=inputs: fused(
        type("Model", (HeadsOperator,), {"inputs": i}), positions="learned", angles="cumsum"))


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
    add_form(f"packed_attention_{name}", lambda m=masked: fused(
        type("Model", (PackedAttention,), {"masked_by_input": m}), positions="learned",
        angles="cumsum"))


class GroupedAttention(Fused):
    """GroupQueryAttention as fusions leave it: scores with a mask that the graph makes, and tables of
    the angles of the step's own rows, which positions count from 0."""

    heads, kv_heads, size = 2, 1, 16
    adds_mask = computes_angles = packed = False

    def project(self, path, value):
        if not self.packed:
            return super().project(path, value)
        width = (self.heads + 2 * self.kv_heads) * self.size
        return self.linear(f"{path}.qkv", value, self.hidden, width), "", ""

    def row_angles(self) -> list[str]:
        """Cosines and sines of the step's rows, and rows of zeros to the length of the text."""
        graph = self.graph
        half = self.size // 2
        shape = graph.op("Concat", graph.op("Unsqueeze", self.past, graph.constant([0])),
                         graph.constant([half]), axis=0)
        rest = graph.op("Expand", graph.constant(np.float32(0)), shape)
        rows = graph.op("Reshape", self.make_angles(), graph.constant([-1, half]))
        return [graph.op("Concat", graph.op(kind, rows), rest, axis=0) for kind in ("Cos", "Sin")]

    def row_places(self) -> str:
        graph = self.graph
        rows = graph.op("Range", graph.constant(0), self.rows, graph.constant(1))
        return graph.op("Unsqueeze", rows, graph.constant([0]))

    def fused(self, query, key, value, pasts):
        graph = self.graph
        last = graph.op("Cast", graph.op("Sub", self.total, graph.constant(1)), to=TensorProto.INT32)
        last = graph.op("Reshape", last, graph.constant([1]))
        total = graph.op("Cast", self.total, to=TensorProto.INT32)
        tables = [*self.row_angles(), self.row_places()] if self.computes_angles else \
            [*self.tables(), ""]
        mask = graph.op("Where", self.make_mask(), graph.constant(np.float32(0)),
                        graph.constant(np.float32(-3.4e38))) if self.adds_mask else ""
        return self.contrib("GroupQueryAttention", query, key, value, *pasts, last, total, *tables,
                            mask, count=3, num_heads=self.heads, kv_num_heads=self.kv_heads,
                            do_rotary=1)


for name, choices, more in (("mask", {"adds_mask": True}, {}),
                            ("window", {"adds_mask": True}, {"mask": "window"}),
                            ("angles", {"computes_angles": True}, {}),
                            ("packed", {"computes_angles": True, "adds_mask": True, "packed": True}, {})):
    add_form(f"grouped_attention_{name}", lambda c=choices, m=more: fused(
        type("Model", (GroupedAttention,), c), attention="fused", positions="fused",
        angles="range", **m))


@form()
def blocks_of_grouped_heads() -> onnx.ModelProto:
    """Queries, keys and values stand beside each other head by head, in blocks of integers."""

    class Model(Fused):
        def multiply(self, name, value, matrix):
            return self.quantized_linear(name, value, matrix)

    return fused(Model, linear="grouped")


@form()
def integers_of_grouped_heads() -> onnx.ModelProto:
    """The same as integers with a scale and a zero point for each block."""

    class Model(Fused):
        def multiply(self, name, value, matrix):
            graph = self.graph
            blocks = matrix.reshape(len(matrix), -1, 16)
            scale = (np.ptp(blocks, axis=2) / 255).astype(np.float32)
            zero = np.rint(-blocks.min(axis=2) / scale)
            codes = np.rint(blocks / scale[..., None]) + zero[..., None]
            codes = np.clip(codes, 0, 255).astype(np.uint8).reshape(matrix.shape)
            weight = graph.op("DequantizeLinear", graph.weight(name + ".codes", codes),
                              graph.weight(name + ".scales", scale),
                              graph.weight(name + ".zeros", np.clip(zero, 0, 255).astype(np.uint8)),
                              axis=1, block_size=16)
            return graph.op("MatMul", value, graph.op("Transpose", weight, perm=[1, 0]))

    return fused(Model, linear="grouped", opset=21)


@form()
def rotary_operator_of_row_angles() -> onnx.ModelProto:
    """com.microsoft's RotaryEmbedding by tables that the graph computes for the step's rows."""

    class Model(GroupedAttention):
        def rotate(self, value, heads):
            return self.contrib("RotaryEmbedding", value, self.row_places(), *self.row_angles())[0]

    return fused(Model, angles="range")


if __name__ == "__main__":
    sys.exit(run_forms())
