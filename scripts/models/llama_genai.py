# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a Llama model with fused operators, as the builder of ONNX Runtime GenAI does.

Opset 22 and com.microsoft: GroupQueryAttention on packed queries, keys and values with rotary
tables, SkipSimplifiedLayerNormalization, and MatMul or 4-bit MatMulNBits. No position_ids; the
inputs list all keys, then all values. Follows the builder's version 0.18.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from int4_blocks import BLOCK, quantize_blocks
from llama_model import LlamaConfig, LlamaModel, WeightStore, rotary_tables

OPSET = 22


def layer_linears(model: LlamaModel, index: int) -> dict[str, np.ndarray]:
    """Returns a layer's linear weights [out, in] by key, query, key and value stacked as one."""
    prefix = f"model.layers.{index}."
    parts = [model.weights[f"{prefix}self_attn.{part}_proj.weight"] for part in "qkv"]
    linears = {f"{prefix}self_attn.qkv_proj": np.concatenate(parts)}
    for name in ("self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"):
        linears[prefix + name] = model.weights[f"{prefix}{name}.weight"]
    return linears


def store_int4(store: WeightStore, model: LlamaModel) -> None:
    """Stores what export_genai(…, int4=True) reads: linears and the head in blocks of 4 bits.

    Under key.weight_Q4 and key.weight_scales; norms, rotary tables and the embedding stay fp32.
    """

    def store_linear(key: str, weight: np.ndarray) -> None:
        packed, scales = quantize_blocks(weight)
        store.add(f"{key}.weight_Q4", packed)
        store.add(f"{key}.weight_scales", scales)

    for name, weight in model.weights.items():
        if weight.ndim == 1 or name == "model.embed_tokens.weight":
            store.add(name, weight)
    cos, sin = rotary_tables(model.config)
    store.add("cos_cache", cos)
    store.add("sin_cache", sin)
    for index in range(model.config.num_layers):
        for key, weight in layer_linears(model, index).items():
            store_linear(key, weight)
    store_linear("lm_head", model.weights["model.embed_tokens.weight"])


class GenaiExport:
    """Builds the graph of one model."""

    def __init__(self, config: LlamaConfig, store: WeightStore, int4: bool) -> None:
        self.config = config
        self.store = store
        self.int4 = int4
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[TensorProto] = []

    def op(self, kind: str, name: str, inputs: list[str], output: str = "", **kw: Any) -> str:
        """Adds a node of the standard domain with one output and returns the output's name."""
        output = output or f"{name}/output_0"
        self.nodes.append(helper.make_node(kind, inputs, [output], name, **kw))
        return output

    def fused(self, kind: str, name: str, inputs: list[str], outputs: list[str], **kw: Any) -> None:
        """Adds a com.microsoft node."""
        self.nodes.append(
            helper.make_node(kind, inputs, outputs, name, domain="com.microsoft", **kw)
        )

    def constant(self, name: str, value: Any) -> str:
        """Adds an int64 Constant node."""
        output = f"/model/constants/INT64/{name}"
        tensor = numpy_helper.from_array(np.array(value, np.int64))
        node_name = f"/model/constant_nodes/INT64/{name}"
        return self.op("Constant", node_name, [], output, value=tensor)

    def weight(self, key: str, name: str) -> str:
        """Adds the initializer called `name` for the stored tensor `key`."""
        self.initializers.append(self.store.proto(key, name))
        return name

    def linear(self, path: str, key: str, value: str, output: str = "") -> str:
        """Adds a MatMul, or a MatMulNBits on 4-bit blocks."""
        name = f"{path}/MatMul"
        output = output or f"{name}/output_0"
        weight = f"{path.lstrip('/').replace('/', '.')}.MatMul.weight"
        if not self.int4:
            return self.op("MatMul", name, [value, self.weight(f"{key}.weight", weight)], output)
        packed = self.weight(f"{key}.weight_Q4", f"{weight}_Q4")
        scales = self.weight(f"{key}.weight_scales", f"{weight}_scales")
        rows, blocks, _ = self.store.tensors[f"{key}.weight_Q4"].dims
        sizes = {"K": blocks * BLOCK, "N": rows, "bits": 4, "block_size": BLOCK}
        inputs = [value, packed, scales]
        self.fused("MatMulNBits", f"{name}_Q4", inputs, [output], accuracy_level=4, **sizes)
        return output

    def lengths(self) -> tuple[str, str]:
        """Adds what GroupQueryAttention takes for a mask: each row's last position, the total."""
        path = "/model/attn_mask_reformat/attn_mask_subgraph"
        one = self.constant("[1]", [1])
        count = self.op("ReduceSum", f"{path}/ReduceSum", ["attention_mask", one], keepdims=0)
        last = self.op("Sub", f"{path}/Sub", [count, one])
        last = self.op("Cast", f"{path}/Sub/Cast", [last], to=TensorProto.INT32)
        shape = self.op("Shape", f"{path}/Shape", ["attention_mask"])
        total = self.op("Gather", f"{path}/Gather", [shape, self.constant("1", 1)], axis=0)
        return last, self.op("Cast", f"{path}/Gather/Cast", [total], to=TensorProto.INT32)

    def skip_norm(self, path: str, key: str, skip: str, value: str, last: bool) -> tuple[str, str]:
        """Adds the fused residual and norm; returns the norm and the residual."""
        weight = self.weight(key, f"{path.lstrip('/').replace('/', '.')}.weight")
        outputs = [f"{path}/output_0"] + ([] if last else ["", "", f"{path}/output_3"])
        self.fused("SkipSimplifiedLayerNormalization", f"{path}/SkipLayerNorm",
                   [skip, value, weight], outputs, epsilon=self.config.rms_norm_eps)
        return outputs[0], outputs[-1]

    def attention(self, index: int, value: str, last: str, total: str) -> str:
        """Adds one layer's attention, from the packed projection to the output's."""
        config, path, key = self.config, f"/model/layers.{index}/attn", f"model.layers.{index}"
        packed = self.linear(f"{path}/qkv_proj", f"{key}.self_attn.qkv_proj", value)
        past = [f"past_key_values.{index}.{kind}" for kind in ("key", "value")]
        present = [f"present.{index}.{kind}" for kind in ("key", "value")]
        name = f"{path}/GroupQueryAttention"
        self.fused(
            "GroupQueryAttention", name,
            [packed, "", "", *past, last, total, "cos_cache", "sin_cache", "", "", ""],
            [f"{name}/output_0", *present],
            num_heads=config.num_heads, kv_num_heads=config.num_kv_heads,
            scale=float(config.head_dim**-0.5), local_window_size=-1, softcap=0.0, do_rotary=1,
            rotary_interleaved=0,
        )
        return self.linear(f"{path}/o_proj", f"{key}.self_attn.o_proj", f"{name}/output_0")

    def mlp(self, index: int, value: str) -> str:
        """Adds one layer's gated MLP."""
        path, key = f"/model/layers.{index}/mlp", f"model.layers.{index}.mlp"
        gate = self.linear(f"{path}/gate_proj", f"{key}.gate_proj", value)
        up = self.linear(f"{path}/up_proj", f"{key}.up_proj", value)
        sigmoid = self.op("Sigmoid", f"{path}/act_fn/Sigmoid", [gate])
        gate = self.op("Mul", f"{path}/act_fn/Mul", [gate, sigmoid])
        both = self.op("Mul", f"{path}/Mul", [gate, up])
        return self.linear(f"{path}/down_proj", f"{key}.down_proj", both)

    def values(self) -> tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]]:
        """Returns the graph's inputs and outputs; the head size stays symbolic, as built."""
        config, tensor = self.config, helper.make_tensor_value_info
        batch, total = "batch_size", "total_sequence_length"
        shape: list[str | int]
        inputs = [
            tensor("input_ids", TensorProto.INT64, [batch, "sequence_length"]),
            tensor("attention_mask", TensorProto.INT64, [batch, total]),
        ]
        shape = [batch, "sequence_length", config.vocab_size]
        outputs = [tensor("logits", TensorProto.FLOAT, shape)]
        for kind in ("key", "value"):
            for index in range(config.num_layers):
                shape = [batch, config.num_kv_heads, "past_sequence_length", "kv_cache_dim"]
                past = f"past_key_values.{index}.{kind}"
                inputs.append(tensor(past, TensorProto.FLOAT, shape))
                shape = [batch, config.num_kv_heads, total, "kv_cache_dim"]
                outputs.append(tensor(f"present.{index}.{kind}", TensorProto.FLOAT, shape))
        return inputs, outputs

    def model(self) -> onnx.ModelProto:
        """Builds the whole model."""
        config, count = self.config, self.config.num_layers
        last, total = self.lengths()
        for table in ("cos_cache", "sin_cache"):
            self.weight(table, table)
        embedding = self.weight("model.embed_tokens.weight", "model.embed_tokens.weight")
        residual = self.op("Gather", "/model/embed_tokens/Gather", [embedding, "input_ids"])
        name = "model.layers.0.input_layernorm.weight"
        path = "/model/layers.0/input_layernorm"
        normed = self.op(
            "SimplifiedLayerNormalization", f"{path}/LayerNorm",
            [residual, self.weight(name, name)], f"{path}/output_0",
            epsilon=config.rms_norm_eps, axis=-1, stash_type=1,
        )
        for index in range(count):
            value = self.attention(index, normed, last, total)
            path = f"/model/layers.{index}/post_attention_layernorm"
            key = f"model.layers.{index}.post_attention_layernorm.weight"
            normed, residual = self.skip_norm(path, key, residual, value, last=False)
            value = self.mlp(index, normed)
            final = index + 1 == count
            following = "final_norm_layernorm" if final else "input_layernorm"
            path = f"/model/layers.{index + 1}/{following}"
            key = f"model.layers.{index + 1}.input_layernorm.weight"
            key = "model.norm.weight" if final else key
            normed, residual = self.skip_norm(path, key, residual, value, last=final)
        self.linear("/lm_head", "lm_head", normed, "logits")

        inputs, outputs = self.values()
        graph = helper.make_graph(self.nodes, "main_graph", inputs, outputs, self.initializers)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="llmc")


def export_genai(config: LlamaConfig, store: WeightStore, int4: bool = False) -> onnx.ModelProto:
    """Returns the fused flavour of the model whose tensors `store` holds.

    The store must come from store_llama(…, packed=True, head=True), or with `int4` from store_int4.
    """
    return GenaiExport(config, store, int4).model()
