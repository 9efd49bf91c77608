# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Caches in any layout, and inputs and outputs beside the usual ones."""

from __future__ import annotations

import sys

import numpy as np
import onnx
from onnx import helper

from form_support import form, fused, run_forms
from onnx_models import BOOL, FLOAT, INT64, Decoder, decoder


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
        self.grown[name] = joined
        return self.from_given(joined)

    def give_caches(self, index: int, key: str, value: str) -> None:
        dims = ["total" if dim == "past" else dim for dim in self.dims]
        for name, joined in self.grown.items():
            self.graph.add_output(joined, FLOAT, dims, name.replace("past_key_values", "present"))
        self.grown.clear()

    def add_cache(self, name: str) -> None:
        self.add(name, FLOAT, self.dims)

    def model(self):
        self.make, self.add, self.grown = self.graph.op, self.graph.add_input, {}

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

    def stack(self, *tensors):
        zero = self.graph.constant([0])
        return self.make("Concat", *(self.make("Unsqueeze", x, zero) for x in tensors), axis=0)

    def give_caches(self, index, key, value):
        if not self.grown:
            self.grown[f"past_key_values.{index}"] = self.stack(key, value)
        super().give_caches(index, key, value)


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
            whole = self.make("Concat", base, self.stack(self.keys, rows), axis=3)
            self.grown[base] = whole
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
            self.grown[name[:-6] + ".key_value"] = whole
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


@form(warning="takes output 'logits' as the logits and leaves out 'hidden', 'chances'")
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


class First(Decoder):
    """A decoder that is given no caches and gives some."""

    def mix(self, query, key, value):
        self.give_caches(self.given, key, value)
        self.given += 1
        return super().mix(query, key, value)

    given = 0


@form()
def merged_decoder() -> onnx.ModelProto:
    """A branch with a past and one without, chosen by an input."""
    with_past = decoder(layers=2)
    past, first = with_past.graph, fused(First, cache=False).graph
    flag = helper.make_tensor_value_info("use_cache_branch", BOOL, [1])
    weights = {tensor.name: tensor for tensor in [*past.initializer, *first.initializer]}
    outputs = sorted(past.output, key=lambda info: info.name)
    bodies = []
    for graph, ending in ((past, "_past"), (first, "_first")):
        own = {name for node in graph.node for name in node.output}  # unique in a model
        for node in graph.node:
            for names in (node.input, node.output):
                names[:] = [name + ending if name in own else name for name in names]
        infos = [onnx.ValueInfoProto.FromString(info.SerializeToString())
                 for info in sorted(graph.output, key=lambda info: info.name)]
        for info in infos:
            info.name += ending
        bodies.append(helper.make_graph(graph.node, "body", [], infos))
    node = helper.make_node("If", ["use_cache_branch"], [info.name for info in outputs], "choice",
                            then_branch=bodies[0], else_branch=bodies[1])
    graph = helper.make_graph([node], "merged", [*past.input, flag], outputs, list(weights.values()))
    return helper.make_model(graph, opset_imports=with_past.opset_import, ir_version=8)


if __name__ == "__main__":
    sys.exit(run_forms())
