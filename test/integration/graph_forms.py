# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Forms of graphs beyond what exporters write: unsorted nodes, repeated and sparse initializers,
overloads, sequences, sums by Einsum."""

from __future__ import annotations

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from form_support import Fused, form, fused, run_forms
from onnx_models import FLOAT, decoder


# Order and structure ------------------------------------------------------------


@form()
def reversed_nodes() -> onnx.ModelProto:
    model = decoder(layers=2)
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


@form(warning="initializer 'layers.0.up' stands twice, with the same contents")
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
def narrow_integers() -> onnx.ModelProto:
    """Places from the end, and sizes to be found, as int32."""

    class Model(Fused):
        def rotate(self, value, heads):
            graph = self.graph
            places = lambda *numbers: graph.constant(list(numbers), np.int32)
            first = graph.op("Slice", value, places(0), places(-self.size // 2), places(-1))
            rest = graph.op("Slice", value, places(-self.size // 2), places(2**31 - 1), places(-1))
            return super().rotate(graph.op("Concat", first, rest, axis=-1), heads)

    return fused(Model)


@form()
def repeated_angles() -> onnx.ModelProto:
    """Angles that stand beside each other twice, by places that NonZero counts out, as
    torch.repeat_interleave is exported."""

    class Model(Fused):
        def make_angles(self):
            op, graph = self.graph.op, self.graph
            angles = super().make_angles()
            half, rows = self.size // 2, graph.op("Unsqueeze", self.rows, graph.constant([0]))
            counts = op("ConstantOfShape", graph.constant([half]),
                        value=numpy_helper.from_array(np.array([2], np.int64)))
            most = op("ReduceMax", counts, keepdims=0)
            places = op("Less", op("Range", graph.constant(0), most, graph.constant(1)),
                        op("Unsqueeze", counts, graph.constant([1])))
            by_column = op("Transpose", angles, perm=[2, 0, 1])
            shape = op("Concat", graph.constant([half, 2, 1]), rows, axis=0)
            wide = op("Expand", op("Unsqueeze", by_column, graph.constant([1])), shape)
            twice = op("GatherND", wide, op("Transpose", op("NonZero", places), perm=[1, 0]))
            # Of each pair the first.
            every = op("Slice", twice, graph.constant([0]), graph.constant([self.size]),
                       graph.constant([0]), graph.constant([2]))
            return op("Transpose", every, perm=[1, 2, 0])

    return fused(Model, angles="range")


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


if __name__ == "__main__":
    sys.exit(run_forms())
