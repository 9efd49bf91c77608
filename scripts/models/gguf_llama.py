# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads a Llama-family GGUF file: configuration, dequantized weights, vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from llama_model import LlamaConfig, LlamaModel

LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
MODEL_NAMES = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
}


class UnsupportedGguf(ValueError):
    """The file is not a Llama-family model that this reader understands."""


@dataclass(frozen=True)
class GgufModel:
    """A model and the metadata of its file by key (tokenizer.ggml.tokens and so on)."""

    model: LlamaModel
    metadata: dict[str, Any]


def to_half_rotation(weight: np.ndarray, heads: int) -> np.ndarray:
    """Undoes the row permutation of query and key weights in GGUF files of the Llama family.

    There, a head's rows are interleaved, so that rotary pairs are neighbours (2i, 2i + 1); the
    Hugging Face layout pairs i with i + head_dim / 2. `weight` is [heads · head_dim, in].
    """
    rows, columns = weight.shape
    pairs = weight.reshape(heads, rows // heads // 2, 2, columns)
    return pairs.swapaxes(1, 2).reshape(rows, columns)


def read_config(metadata: dict[str, Any]) -> LlamaConfig:
    """Reads the sizes of the model."""
    architecture = metadata.get("general.architecture")
    if architecture != "llama":
        raise UnsupportedGguf(f"expected architecture llama, found {architecture}")
    heads = metadata["llama.attention.head_count"]
    hidden = metadata["llama.embedding_length"]
    head_dim = metadata.get("llama.attention.key_length", hidden // heads)
    if metadata.get("llama.rope.dimension_count", head_dim) != head_dim:
        raise UnsupportedGguf("partial rotation is not supported")
    if metadata.get("llama.rope.scaling.type", "none") != "none":
        raise UnsupportedGguf("scaled rotary positions are not supported")
    return LlamaConfig(
        vocab_size=len(metadata["tokenizer.ggml.tokens"]),
        hidden_size=hidden,
        num_layers=metadata["llama.block_count"],
        num_heads=heads,
        num_kv_heads=metadata.get("llama.attention.head_count_kv", heads),
        head_dim=head_dim,
        intermediate_size=metadata["llama.feed_forward_length"],
        context_length=metadata["llama.context_length"],
        rope_theta=metadata.get("llama.rope.freq_base", 10000.0),
        rms_norm_eps=metadata["llama.attention.layer_norm_rms_epsilon"],
    )


def huggingface_name(name: str) -> str:
    """Translates a tensor's name."""
    if name in MODEL_NAMES:
        return MODEL_NAMES[name]
    parts = name.split(".")
    if len(parts) == 4 and parts[0] == "blk" and parts[2] in LAYER_NAMES and parts[3] == "weight":
        return f"model.layers.{parts[1]}.{LAYER_NAMES[parts[2]]}.weight"
    raise UnsupportedGguf(f"unexpected tensor {name}")


def read_gguf(path: Path) -> GgufModel:
    """Reads and dequantizes a file; the head must be tied to the embedding."""
    from gguf import GGUFReader
    from gguf.quants import dequantize

    reader = GGUFReader(path)
    metadata = {key: field.contents() for key, field in reader.fields.items()}
    config = read_config(metadata)
    heads = {"self_attn.q_proj": config.num_heads, "self_attn.k_proj": config.num_kv_heads}
    weights: dict[str, np.ndarray] = {}
    for tensor in reader.tensors:
        name = huggingface_name(tensor.name)
        # GGUF lists dimensions from the innermost.
        shape = tuple(int(size) for size in reversed(tensor.shape))
        weight = dequantize(tensor.data, tensor.tensor_type).astype(np.float32).reshape(shape)
        for part, count in heads.items():
            if part in name:
                weight = to_half_rotation(weight, count)
        weights[name] = weight
    expected = 2 + config.num_layers * len(LAYER_NAMES)
    if len(weights) != expected:
        raise UnsupportedGguf(f"expected {expected} tensors, found {len(weights)}")
    return GgufModel(LlamaModel(config, weights), metadata)
