# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a Llama model in opset 23, as torch.onnx.export with dynamo does.

Attention, RotaryEmbedding and RMSNormalization as operators, input_ids, attention_mask and past
and present key/value pairs; constants are initializers and nearly all names are numbers. Follows
torch 2.15 with transformers 5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from llama_model import LlamaConfig, WeightStore

OPSET = 23


class Graph:
    """Collects nodes and the initializers that they share; values are numbered."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[TensorProto] = []
        self.constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self.count = 0

    def fresh(self) -> str:
        """Returns the next value's name."""
        self.count += 1
        return f"val_{self.count - 1}"

    def op(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Adds a node with one output and returns its name."""
        output = output or self.fresh()
        name = f"node_{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name, **attributes))
        return output

    def constant(self, value: np.ndarray) -> str:
        """Returns the initializer of a small constant; equal ones are shared."""
        key = (str(value.dtype), value.shape, value.tobytes())
        if key not in self.constants:
            self.constants[key] = self.fresh()
            self.initializers.append(numpy_helper.from_array(value, self.constants[key]))
        return self.constants[key]

    def scalar(self, value: int) -> str:
        """Returns an int64 scalar."""
        return self.constant(np.array(value, np.int64))

    def vector(self, *values: int) -> str:
        """Returns an int64 vector."""
        return self.constant(np.array(values, np.int64))

    def size(self, value: str, axis: int) -> tuple[str, str]:
        """Returns one dimension as a vector of one and as a scalar."""
        vector = self.op("Shape", value, start=axis, end=axis + 1)
        return vector, self.op("Squeeze", vector)

    def unsqueeze(self, value: str, *axes: int) -> str:
        """Adds an Unsqueeze."""
        return self.op("Unsqueeze", value, self.vector(*axes))

    def reshape(self, value: str, *parts: str | int) -> str:
        """Adds a Reshape to vectors of one (by name) and numbers."""
        items = [self.vector(part) if isinstance(part, int) else part for part in parts]
        shape = self.op("Concat", *items, axis=0)
        return self.op("Reshape", value, shape, allowzero=1)


class DynamoExport:
    """Builds the graph of one model."""

    def __init__(self, config: LlamaConfig, store: WeightStore) -> None:
        self.config = config
        self.store = store
        self.graph = Graph()

    def weight(self, key: str, named: bool) -> str:
        """Adds the initializer for the stored tensor `key`; transposed weights lose their names."""
        name = f"model.{key}" if named else self.graph.fresh()
        self.graph.initializers.append(self.store.proto(key, name))
        return name

    def linear(self, key: str, value: str, output: str = "") -> str:
        """Adds a MatMul with a transposed weight."""
        weight = self.weight(f"{key}.weight", named=False)
        return self.graph.op("MatMul", value, weight, output=output)

    def norm(self, key: str, value: str) -> str:
        """Adds an RMSNormalization."""
        weight = self.weight(f"{key}.weight", named=True)
        epsilon = self.config.rms_norm_eps
        return self.graph.op(
            "RMSNormalization", value, weight, axis=-1, epsilon=epsilon, stash_type=1
        )

    def prepare(self) -> tuple[str, str]:
        """Adds what all layers share: the boolean mask and the rotary angles.

        The mask is [batch, 1, sequence, past + sequence], the angles [1, sequence, head_dim / 2].
        """
        graph = self.graph
        batch_vector, batch = graph.size("input_ids", 0)
        sequence_vector, sequence = graph.size("input_ids", 1)
        _, past = graph.size("past_key_values.0.key", 2)
        total = graph.op("Add", past, sequence)
        zero, one = graph.scalar(0), graph.scalar(1)
        positions = graph.op("Add", graph.op("Range", zero, sequence, one), past)
        columns = graph.op("Range", zero, total, one)
        rows = graph.unsqueeze(graph.unsqueeze(positions, 0, 1), 3)
        columns = graph.unsqueeze(graph.unsqueeze(columns, 0, 1), 2)
        causal = graph.op("LessOrEqual", columns, rows)
        causal = graph.op("And", graph.constant(np.array(True)), causal)

        batches = graph.op("Range", zero, batch, one)
        batches = graph.unsqueeze(graph.unsqueeze(batches, 1, 2), 3)
        shape = graph.op("Shape", graph.op("Max", batches, columns), start=0)
        places = [
            graph.unsqueeze(graph.op("Expand", part, shape), -1) for part in (batches, columns)
        ]
        padding = graph.op("Cast", "attention_mask", to=TensorProto.BOOL)
        indices = graph.op("Concat", *places, axis=-1)
        kept = graph.op("GatherND", padding, indices, batch_dims=0)
        total_vector = graph.op("Reshape", total, graph.vector(-1), allowzero=0)
        shape = graph.op(
            "Concat", batch_vector, graph.vector(1), sequence_vector, total_vector, axis=0
        )
        mask = graph.op("Expand", graph.op("And", causal, kept), shape)

        frequencies = "model.model.rotary_emb.inv_freq"
        tensor = numpy_helper.from_array(self.config.inverse_frequencies, frequencies)
        graph.initializers.append(tensor)
        turns = graph.op("Cast", graph.unsqueeze(positions, 0, 2), to=TensorProto.FLOAT)
        # The operator wants one row of angles for each row of the batch.
        shape = graph.op("Concat", batch_vector, sequence_vector, graph.vector(1), axis=0)
        turns = graph.op("Expand", turns, shape)
        self.batch, self.sequence, self.total = batch_vector, sequence_vector, total_vector
        return mask, graph.op("Mul", turns, frequencies)

    def rotate(self, value: str, angles: str, heads: int) -> str:
        """Adds a RotaryEmbedding with cosines and sines of its own."""
        cos, sin = [self.graph.op(kind, angles) for kind in ("Cos", "Sin")]
        return self.graph.op(
            "RotaryEmbedding", value, cos, sin, interleaved=0, num_heads=heads
        )

    def repeat_heads(self, value: str) -> str:
        """Adds repeat_kv: each key or value head once for every query head that reads it."""
        graph, config = self.graph, self.config
        groups = config.num_heads // config.num_kv_heads
        if groups == 1:
            return value
        width = graph.vector(config.head_dim)
        heads, repeats = graph.vector(config.num_kv_heads), graph.vector(groups)
        shape = graph.op("Concat", self.batch, heads, repeats, self.total, width, axis=0)
        value = graph.op("Expand", graph.unsqueeze(value, 2), shape)
        return graph.reshape(value, self.batch, config.num_heads, self.total, config.head_dim)

    def attention(self, index: int, value: str, mask: str, angles: str) -> str:
        """Adds one layer's attention with its past and present."""
        graph, config = self.graph, self.config
        key = f"model.layers.{index}.self_attn"
        split = []
        for part in "qkv":
            heads = graph.reshape(
                self.linear(f"{key}.{part}_proj", value),
                self.batch, self.sequence, -1, config.head_dim,
            )
            split.append(graph.op("Transpose", heads, perm=[0, 2, 1, 3]))
        query = self.rotate(split[0], angles, config.num_heads)
        new_key = self.rotate(split[1], angles, config.num_kv_heads)
        present = []
        for name, new in (("key", new_key), ("value", split[2])):
            past, output = f"past_key_values.{index}.{name}", f"present.{index}.{name}"
            present.append(graph.op("Concat", past, new, output=output, axis=-2))
        keys, values = [self.repeat_heads(state) for state in present]
        mixed = graph.op(
            "Attention", query, keys, values, mask,
            is_causal=0, qk_matmul_output_mode=0, scale=float(config.head_dim**-0.5), softcap=0.0,
        )
        mixed = graph.op("Transpose", mixed, perm=[0, 2, 1, 3])
        mixed = graph.reshape(mixed, self.batch, self.sequence, -1)
        return self.linear(f"{key}.o_proj", mixed)

    def mlp(self, index: int, value: str) -> str:
        """Adds one layer's gated MLP."""
        graph, key = self.graph, f"model.layers.{index}.mlp"
        gate = self.linear(f"{key}.gate_proj", value)
        gate = graph.op("Mul", gate, graph.op("Sigmoid", gate))
        both = graph.op("Mul", gate, self.linear(f"{key}.up_proj", value))
        return self.linear(f"{key}.down_proj", both)

    def values(self) -> tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]]:
        """Returns the graph's inputs and outputs."""
        config, tensor = self.config, helper.make_tensor_value_info
        batch, sequence = "batch", "sequence"
        shape: list[str | int]
        inputs = [
            tensor("input_ids", TensorProto.INT64, [batch, sequence]),
            tensor("attention_mask", TensorProto.INT64, [batch, "total"]),
        ]
        outputs = [tensor("logits", TensorProto.FLOAT, [batch, sequence, config.vocab_size])]
        for index in range(config.num_layers):
            for name in ("key", "value"):
                heads, width = config.num_kv_heads, config.head_dim
                past, present = f"past_key_values.{index}.{name}", f"present.{index}.{name}"
                inputs.append(tensor(past, TensorProto.FLOAT, [batch, heads, "past", width]))
                shape = [batch, heads, "past + sequence", width]
                outputs.append(tensor(present, TensorProto.FLOAT, shape))
        return inputs, outputs

    def model(self) -> onnx.ModelProto:
        """Builds the whole model; the head is a transposed copy of the embedding."""
        graph = self.graph
        embedding = self.weight("model.embed_tokens.weight", named=True)
        mask, angles = self.prepare()
        value = graph.op("Gather", embedding, "input_ids", output="embedding", axis=0)
        for index in range(self.config.num_layers):
            key = f"model.layers.{index}"
            normed = self.norm(f"{key}.input_layernorm", value)
            value = graph.op("Add", value, self.attention(index, normed, mask, angles))
            normed = self.norm(f"{key}.post_attention_layernorm", value)
            value = graph.op("Add", value, self.mlp(index, normed))
        self.linear("lm_head", self.norm("model.norm", value), output="logits")
        inputs, outputs = self.values()
        proto = helper.make_graph(graph.nodes, "main_graph", inputs, outputs, graph.initializers)
        opsets = [helper.make_opsetid("", OPSET)]
        return helper.make_model(proto, opset_imports=opsets, ir_version=10, producer_name="llmc")


def export_opset23(config: LlamaConfig, store: WeightStore) -> onnx.ModelProto:
    """Returns the opset-23 flavour of the model stored by store_llama(…, head=True)."""
    return DynamoExport(config, store).model()
