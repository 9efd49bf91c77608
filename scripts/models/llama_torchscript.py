# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a Llama model with plain operators, as optimum with the TorchScript exporter does.

Opset 17, attention_mask and position_ids as inputs, past and present key/value pairs, shape
arithmetic left in the graph, a Constant node for every constant, linear weights that lost their
names. Follows optimum 2 with transformers 4.57.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from llama_model import LlamaConfig, WeightStore

OPSET = 17
INT64_MAX = np.iinfo(np.int64).max


class Tracer:
    """Collects nodes named by the path of the module that makes them."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.uses: Counter[str] = Counter()

    def op(self, path: str, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Adds a node with one output and returns its name."""
        base = f"{path}/{kind}"
        name = f"{base}_{self.uses[base]}" if self.uses[base] else base
        self.uses[base] += 1
        output = output or f"{name}_output_0"
        self.nodes.append(helper.make_node(kind, inputs, [output], name, **attributes))
        return output

    def constant(self, path: str, value: np.ndarray) -> str:
        """Adds a Constant node."""
        return self.op(path, "Constant", value=numpy_helper.from_array(value))

    def scalar(self, path: str, value: int | float) -> str:
        """Adds a Constant node holding an int64 or fp32 scalar."""
        kind = np.int64 if isinstance(value, int) else np.float32
        return self.constant(path, np.array(value, kind))

    def vector(self, path: str, *values: int) -> str:
        """Adds a Constant node holding an int64 vector."""
        return self.constant(path, np.array(values, np.int64))

    def dimension(self, path: str, value: str, axis: int) -> str:
        """Adds the nodes that read one dimension as a scalar."""
        shape = self.op(path, "Shape", value)
        return self.op(path, "Gather", shape, self.scalar(path, axis), axis=0)

    def unsqueeze(self, path: str, value: str, axis: int) -> str:
        """Adds an Unsqueeze along one axis."""
        return self.op(path, "Unsqueeze", value, self.vector(path, axis))

    def shape_of(self, path: str, *parts: str | int) -> str:
        """Concatenates scalars (by name) and numbers into a shape."""
        items = [
            self.vector(path, part) if isinstance(part, int) else self.unsqueeze(path, part, 0)
            for part in parts
        ]
        return self.op(path, "Concat", *items, axis=0)

    def expand(self, path: str, value: str, shape: str) -> str:
        """Adds torch's expand, where -1 in `shape` keeps a dimension."""
        shape = self.op(path, "Reshape", shape, self.vector(path, -1), allowzero=0)
        one = numpy_helper.from_array(np.array([1], np.int64))
        ones = self.op(path, "ConstantOfShape", self.op(path, "Shape", shape), value=one)
        kept = self.op(path, "Mul", ones, self.scalar(path, -1))
        equal = self.op(path, "Equal", shape, kept)
        return self.op(path, "Expand", value, self.op(path, "Where", equal, ones, shape))


class PlainExport:
    """Builds the graph of one model."""

    def __init__(self, config: LlamaConfig, store: WeightStore) -> None:
        self.config = config
        self.store = store
        self.tracer = Tracer()
        self.initializers: list[TensorProto] = []
        self.unnamed = 0

    def weight(self, key: str, name: str = "") -> str:
        """Adds the initializer for the stored tensor `key`."""
        self.initializers.append(self.store.proto(key, name or key))
        return self.initializers[-1].name

    def linear(self, path: str, key: str, value: str) -> str:
        """Adds a MatMul with a transposed weight that has no name of its own."""
        self.unnamed += 1
        weight = self.weight(f"{key}.weight", f"onnx::MatMul_{1000 + self.unnamed}")
        return self.tracer.op(path, "MatMul", value, weight)

    def norm(self, path: str, key: str, value: str) -> tuple[str, str]:
        """Adds an RMS norm; returns the cast input (the residual) and the result."""
        trace = self.tracer
        residual = trace.op(path, "Cast", value, to=TensorProto.FLOAT)
        square = trace.op(path, "Pow", residual, trace.scalar(path, 2.0))
        mean = trace.op(path, "ReduceMean", square, axes=[-1], keepdims=1)
        shifted = trace.op(path, "Add", mean, trace.scalar(path, self.config.rms_norm_eps))
        root = trace.op(path, "Sqrt", shifted)
        scale = trace.op(path, "Div", trace.scalar(path, 1.0), root)
        normed = trace.op(path, "Mul", residual, scale)
        normed = trace.op(path, "Cast", normed, to=TensorProto.FLOAT)
        return residual, trace.op(path, "Mul", self.weight(f"{key}.weight"), normed)

    def mask(self, embedded: str) -> str:
        """Adds the boolean mask [batch, 1, sequence, past + sequence]: causal and not padded."""
        trace, path = self.tracer, "/model"
        past = trace.dimension(path, "past_key_values.0.key", 2)
        sequence = trace.dimension(path, embedded, 1)
        total = trace.op(path, "Add", past, sequence)
        start = trace.op(path, "Cast", past, to=TensorProto.INT64)
        end = trace.op(path, "Cast", total, to=TensorProto.INT64)
        rows = trace.op(path, "Range", start, end, trace.scalar(path, 1))
        padding = trace.op(path, "Cast", "attention_mask", to=TensorProto.BOOL)
        row_count = trace.dimension(path, rows, 0)
        column_count = trace.op(path, "Add", past, row_count)
        batch = trace.dimension(path, embedded, 0)
        for axis in (0, 1, 3):
            rows = trace.unsqueeze(path, rows, axis)
        limit = trace.op(path, "Cast", batch, to=TensorProto.INT64)
        batches = trace.op(path, "Range", trace.scalar(path, 0), limit, trace.scalar(path, 1))
        for axis in (1, 2, 3):
            batches = trace.unsqueeze(path, batches, axis)
        limit = trace.op(path, "Cast", column_count, to=TensorProto.INT64)
        columns = trace.op(path, "Range", trace.scalar(path, 0), limit, trace.scalar(path, 1))
        for axis in (0, 1, 2):
            columns = trace.unsqueeze(path, columns, axis)

        true = numpy_helper.from_array(np.array([True]))
        everything = trace.op(path, "ConstantOfShape", trace.vector(path), value=true)
        causal = trace.op(path, "LessOrEqual", columns, rows)
        causal = trace.op(path, "Cast", causal, to=TensorProto.BOOL)
        causal = trace.op(path, "And", everything, causal)
        shape = trace.op(path, "Shape", padding)
        width = trace.op(path, "Gather", shape, trace.vector(path, 1), axis=0)
        flat = trace.op(path, "Flatten", padding, axis=2)
        places = trace.op(path, "Add", columns, trace.op(path, "Mul", batches, width))
        gathered = trace.op(path, "Gather", flat, places, axis=0)
        shape = trace.op(path, "Shape", places)
        gathered = trace.op(path, "Reshape", gathered, trace.vector(path, -1), allowzero=0)
        shape = trace.op(path, "Concat", shape, axis=0)
        gathered = trace.op(path, "Reshape", gathered, shape, allowzero=0)
        gathered = trace.op(path, "Cast", gathered, to=TensorProto.BOOL)
        both = trace.op(path, "And", causal, gathered)
        return trace.expand(path, both, trace.shape_of(path, batch, -1, row_count, column_count))

    def rotary(self) -> tuple[str, str]:
        """Adds cosine and sine [batch, sequence, head_dim] of position_ids."""
        trace, path = self.tracer, "/model/rotary_emb"
        frequencies = trace.constant(path, self.config.inverse_frequencies[None, :, None])
        batch = trace.dimension(path, "position_ids", 0)
        frequencies = trace.expand(path, frequencies, trace.shape_of(path, batch, -1, 1))
        frequencies = trace.op(path, "Cast", frequencies, to=TensorProto.FLOAT)
        positions = trace.unsqueeze(path, "position_ids", 1)
        positions = trace.op(path, "Cast", positions, to=TensorProto.FLOAT)
        frequencies = trace.op(path, "Cast", frequencies, to=TensorProto.FLOAT)
        positions = trace.op(path, "Cast", positions, to=TensorProto.FLOAT)
        angles = trace.op(path, "MatMul", frequencies, positions)
        angles = trace.op(path, "Transpose", angles, perm=[0, 2, 1])
        angles = trace.op(path, "Concat", angles, angles, axis=-1)
        scaled = [
            trace.op(path, "Mul", trace.op(path, kind, angles), trace.scalar(path, 1.0))
            for kind in ("Cos", "Sin")
        ]
        cos, sin = [trace.op(path, "Cast", value, to=TensorProto.FLOAT) for value in scaled]
        return cos, sin

    def rotate(self, path: str, value: str, cos: str, sin: str) -> str:
        """Adds x · cos + rotate_half(x) · sin."""
        trace = self.tracer
        straight = trace.op(path, "Mul", value, cos)
        half = trace.op(path, "Div", trace.dimension(path, value, 3), trace.scalar(path, 2))
        half = trace.op(path, "Cast", half, to=TensorProto.INT64)
        half = trace.op(path, "Cast", half, to=TensorProto.INT64)
        axes, start = trace.vector(path, 3), trace.vector(path, 0)
        end, step = trace.unsqueeze(path, half, 0), trace.vector(path, 1)
        first = trace.op(path, "Slice", value, start, end, axes, step)
        axes, start = trace.vector(path, 3), trace.unsqueeze(path, half, 0)
        end, step = trace.vector(path, INT64_MAX), trace.vector(path, 1)
        second = trace.op(path, "Slice", value, start, end, axes, step)
        turned = trace.op(path, "Concat", trace.op(path, "Neg", second), first, axis=-1)
        return trace.op(path, "Add", straight, trace.op(path, "Mul", turned, sin))

    def repeat_heads(self, path: str, value: str) -> str:
        """Adds repeat_kv: each key or value head once for every query head that reads it."""
        trace, groups = self.tracer, self.config.num_heads // self.config.num_kv_heads
        if groups == 1:
            return value
        batch, heads, length, width = [trace.dimension(path, value, axis) for axis in range(4)]
        value = trace.unsqueeze(path, value, 2)
        shape = trace.shape_of(path, batch, heads, groups, length, width)
        value = trace.expand(path, value, shape)
        heads = trace.op(path, "Mul", heads, trace.scalar(path, groups))
        shape = trace.shape_of(path, batch, heads, length, width)
        return trace.op(path, "Reshape", value, shape, allowzero=0)

    def attention(self, index: int, value: str, mask: str, cos: str, sin: str) -> str:
        """Adds one layer's attention with its past and present."""
        trace, key = self.tracer, f"model.layers.{index}.self_attn"
        path = f"/model/layers.{index}/self_attn"
        batch, sequence = [trace.dimension(path, value, axis) for axis in (0, 1)]
        heads = []
        for part in "qkv":
            projected = self.linear(f"{path}/{part}_proj", f"{key}.{part}_proj", value)
            shape = trace.shape_of(path, batch, sequence, -1, self.config.head_dim)
            projected = trace.op(path, "Reshape", projected, shape, allowzero=0)
            heads.append(trace.op(path, "Transpose", projected, perm=[0, 2, 1, 3]))
        query, new_key, new_value = heads
        cos, sin = [trace.unsqueeze(path, table, 1) for table in (cos, sin)]
        query = self.rotate(path, query, cos, sin)
        new_key = self.rotate(path, new_key, cos, sin)
        present = []
        for name, new in (("key", new_key), ("value", new_value)):
            past = f"past_key_values.{index}.{name}"
            output = f"present.{index}.{name}"
            present.append(trace.op(path, "Concat", past, new, output=output, axis=-2))
        keys, values = [self.repeat_heads(path, state) for state in present]

        columns = trace.dimension(path, keys, 2)
        axes, start = trace.vector(path, 3), trace.vector(path, 0)
        end, step = trace.unsqueeze(path, columns, 0), trace.vector(path, 1)
        mask = trace.op(path, "Slice", mask, start, end, axes, step)
        keys = trace.op(path, "Transpose", keys, perm=[0, 1, 3, 2])
        root_scale = float(self.config.head_dim**-0.25)
        query = trace.op(path, "Mul", query, trace.scalar(path, root_scale))
        keys = trace.op(path, "Mul", keys, trace.scalar(path, root_scale))
        scores = trace.op(path, "MatMul", query, keys)
        zero = trace.constant(path, np.zeros(1, np.float32))
        minus_infinity = trace.constant(path, np.full(1, -np.inf, np.float32))
        bias = trace.op(path, "Where", mask, zero, minus_infinity)
        rows = trace.op(path, "Softmax", trace.op(path, "Add", scores, bias), axis=-1)
        undefined = trace.op(path, "IsNaN", rows)
        zero = trace.constant(path, np.zeros(1, np.float32))
        rows = trace.op(path, "Where", undefined, zero, rows)
        mixed = trace.op(path, "MatMul", rows, values)
        mixed = trace.op(path, "Transpose", mixed, perm=[0, 2, 1, 3])
        shape = trace.shape_of(path, batch, sequence, -1)
        mixed = trace.op(path, "Reshape", mixed, shape, allowzero=0)
        return self.linear(f"{path}/o_proj", f"{key}.o_proj", mixed)

    def layer(self, index: int, value: str, mask: str, cos: str, sin: str) -> str:
        """Adds one block: attention and gated MLP, each after a norm and around a residual."""
        trace, path, key = self.tracer, f"/model/layers.{index}", f"model.layers.{index}"
        residual, normed = self.norm(f"{path}/input_layernorm", f"{key}.input_layernorm", value)
        attended = self.attention(index, normed, mask, cos, sin)
        value = trace.op(path, "Add", residual, attended)
        residual, normed = self.norm(
            f"{path}/post_attention_layernorm", f"{key}.post_attention_layernorm", value
        )
        mlp = f"{path}/mlp"
        gate = self.linear(f"{mlp}/gate_proj", f"{key}.mlp.gate_proj", normed)
        sigmoid = trace.op(f"{mlp}/act_fn", "Sigmoid", gate)
        gate = trace.op(f"{mlp}/act_fn", "Mul", gate, sigmoid)
        up = self.linear(f"{mlp}/up_proj", f"{key}.mlp.up_proj", normed)
        both = trace.op(mlp, "Mul", gate, up)
        down = self.linear(f"{mlp}/down_proj", f"{key}.mlp.down_proj", both)
        return trace.op(path, "Add", residual, down)

    def model(self) -> onnx.ModelProto:
        """Builds the whole model; the head is the transposed embedding, the same initializer."""
        config, trace = self.config, self.tracer
        embedding = self.weight("model.embed_tokens.weight")
        value = trace.op("/model/embed_tokens", "Gather", embedding, "input_ids")
        mask = self.mask(value)
        cos, sin = self.rotary()
        for index in range(config.num_layers):
            value = self.layer(index, value, mask, cos, sin)
        _, value = self.norm("/model/norm", "model.norm", value)
        head = trace.op("/lm_head", "Transpose", embedding, perm=[1, 0])
        trace.op("/lm_head", "MatMul", value, head, output="logits")

        batch, sequence = "batch_size", "sequence_length"
        past, total = "past_sequence_length", "past_sequence_length + sequence_length"
        tensor = helper.make_tensor_value_info
        shape: list[str | int]
        inputs = [
            tensor("input_ids", TensorProto.INT64, [batch, sequence]),
            tensor("attention_mask", TensorProto.INT64, [batch, total]),
            tensor("position_ids", TensorProto.INT64, [batch, sequence]),
        ]
        outputs = [tensor("logits", TensorProto.FLOAT, [batch, sequence, config.vocab_size])]
        for index in range(config.num_layers):
            for name in ("key", "value"):
                shape = [batch, config.num_kv_heads, past, config.head_dim]
                full_name = f"past_key_values.{index}.{name}"
                inputs.append(tensor(full_name, TensorProto.FLOAT, shape))
                shape = [batch, config.num_kv_heads, total, config.head_dim]
                outputs.append(tensor(f"present.{index}.{name}", TensorProto.FLOAT, shape))
        graph = helper.make_graph(trace.nodes, "main_graph", inputs, outputs, self.initializers)
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="llmc")


def export_plain(config: LlamaConfig, store: WeightStore) -> onnx.ModelProto:
    """Returns the plain flavour of the model whose tensors `store` holds (see store_llama)."""
    return PlainExport(config, store).model()
