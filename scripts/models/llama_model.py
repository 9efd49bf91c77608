# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A Llama-family model in memory, and the file that holds the weights of its ONNX flavours."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

ALIGNMENT = 64


@dataclass(frozen=True)
class LlamaConfig:
    """Sizes of a decoder with RMSNorm, rotary positions, grouped-query attention and SwiGLU."""

    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    intermediate_size: int
    context_length: int
    rope_theta: float
    rms_norm_eps: float

    @property
    def inverse_frequencies(self) -> np.ndarray:
        """The head_dim / 2 angular frequencies of the rotary positions, fp32."""
        exponents = np.arange(0, self.head_dim, 2, dtype=np.float32) / self.head_dim
        return (1.0 / np.power(np.float32(self.rope_theta), exponents)).astype(np.float32)


@dataclass(frozen=True)
class LlamaModel:
    """Configuration and fp32 weights by Hugging Face name; linear weights are [out, in].

    The head is tied to model.embed_tokens.weight. Query and key rows are in the half-rotation
    layout: dimension i of a head is paired with i + head_dim / 2.
    """

    config: LlamaConfig
    weights: dict[str, np.ndarray]


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor's bytes are: in a data file, or here when there is no file."""

    data_type: int
    dims: tuple[int, ...]
    offset: int
    length: int
    raw: bytes | None


@dataclass
class WeightStore:
    """Collects tensors into one data file, or keeps them for ONNX files without external data.

    `location` is the name that the ONNX files give for the data file beside them.
    """

    path: Path | None = None
    location: str = "model.onnx.data"
    tensors: dict[str, StoredTensor] = field(default_factory=dict)
    offset: int = 0

    def add(self, key: str, array: np.ndarray) -> None:
        """Appends a tensor under `key`; little-endian, contiguous, aligned to 64 bytes."""
        if key in self.tensors:
            raise KeyError(f"tensor {key} is stored twice")
        array = np.ascontiguousarray(array)
        data_type = helper.np_dtype_to_tensor_dtype(array.dtype)
        if self.path is None:
            raw = array.tobytes()
            self.tensors[key] = StoredTensor(data_type, array.shape, 0, array.nbytes, raw)
            return
        start = -(-self.offset // ALIGNMENT) * ALIGNMENT
        with self.path.open("ab" if self.offset else "wb") as file:
            file.write(b"\0" * (start - self.offset))
            file.write(array.data)
        self.tensors[key] = StoredTensor(data_type, array.shape, start, array.nbytes, None)
        self.offset = start + array.nbytes

    def proto(self, key: str, name: str) -> TensorProto:
        """Returns the initializer called `name` for the tensor under `key`."""
        stored = self.tensors[key]
        proto = TensorProto(name=name, data_type=stored.data_type, dims=stored.dims)
        if stored.raw is not None:
            proto.raw_data = stored.raw
            return proto
        proto.data_location = TensorProto.EXTERNAL
        for entry, value in (
            ("location", self.location),
            ("offset", stored.offset),
            ("length", stored.length),
        ):
            proto.external_data.add(key=entry, value=str(value))
        return proto


def store_llama(
    store: WeightStore, model: LlamaModel, packed: bool = False, head: bool = False
) -> None:
    """Stores a model's tensors as exporters write them: linears transposed to [in, out].

    Keys are the Hugging Face names. With `packed`, each layer's query, key and value stand side by
    side as self_attn.qkv_proj.weight [in, q + k + v] instead, and the rotary tables
    [context, head_dim / 2] are cos_cache and sin_cache. With `head`, the transposed embedding,
    which is the head, is also stored as lm_head.weight.
    """
    for name, weight in model.weights.items():
        if packed and name.endswith((".q_proj.weight", ".k_proj.weight", ".v_proj.weight")):
            continue
        linear = weight.ndim == 2 and name != "model.embed_tokens.weight"
        store.add(name, weight.T if linear else weight)
    if packed:
        for index in range(model.config.num_layers):
            prefix = f"model.layers.{index}.self_attn."
            parts = [model.weights[f"{prefix}{part}_proj.weight"].T for part in "qkv"]
            store.add(f"{prefix}qkv_proj.weight", np.concatenate(parts, axis=1))
        cos, sin = rotary_tables(model.config)
        store.add("cos_cache", cos)
        store.add("sin_cache", sin)
    if head:
        store.add("lm_head.weight", model.weights["model.embed_tokens.weight"].T)


def rotary_tables(config: LlamaConfig) -> tuple[np.ndarray, np.ndarray]:
    """Returns the cosine and sine tables [context, head_dim / 2], fp32."""
    positions = np.arange(config.context_length, dtype=np.float32)
    angles = np.outer(positions, config.inverse_frequencies).astype(np.float32)
    return np.cos(angles), np.sin(angles)


def huggingface_config(config: LlamaConfig, bos: int, eos: int) -> dict[str, Any]:
    """Returns the contents of config.json; `bos` and `eos` are token numbers."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "bos_token_id": bos,
        "eos_token_id": eos,
        "head_dim": config.head_dim,
        "hidden_act": "silu",
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "max_position_embeddings": config.context_length,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": config.num_heads,
        "num_hidden_layers": config.num_layers,
        "num_key_value_heads": config.num_kv_heads,
        "rms_norm_eps": config.rms_norm_eps,
        "rope_scaling": None,
        "rope_theta": config.rope_theta,
        "tie_word_embeddings": True,
        "torch_dtype": "float32",
        "vocab_size": config.vocab_size,
    }


def save_model(model: onnx.ModelProto, path: Path) -> None:
    """Writes an ONNX file beside its place and renames it."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(model.SerializeToString(deterministic=True))
    os.replace(partial, path)
