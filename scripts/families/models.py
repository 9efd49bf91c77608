# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models of two layers with random weights, one of each family, made from transformers' configurations."""

from __future__ import annotations

import pathlib
from typing import Any

VOCABULARY, CONTEXT = 320, 128
COMMON = {"vocab_size": VOCABULARY, "hidden_size": 64, "intermediate_size": 128,
          "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": CONTEXT}
GROUPED = {"num_key_value_heads": 2}
WIDE = {"num_key_value_heads": 2, "head_dim": 16}
PADDED = {"num_key_value_heads": 2, "pad_token_id": 0}
OLD = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_inner": 128, "n_positions": CONTEXT}
FAMILIES: dict[str, dict[str, Any]] = {
    "apertus": GROUPED,
    "arcee": GROUPED,
    "bloom": {"n_layer": 2, "n_head": 4},
    "cohere": PADDED,
    "cohere2": PADDED | {"sliding_window": 16},
    "ernie4_5": WIDE,
    "exaone4": GROUPED,
    "falcon": {},
    "gemma": WIDE,
    "gemma2": WIDE | {"sliding_window": 16},
    "gemma3_text": WIDE | {"sliding_window": 16},
    "glm": WIDE | {"pad_token_id": 0},
    "glm4": WIDE | {"pad_token_id": 0},
    "gpt2": OLD,
    "gpt_bigcode": OLD,
    "gpt_neox": {},
    "gptj": OLD | {"rotary_dim": 8},
    "granite": GROUPED | {"embedding_multiplier": 12.0, "residual_multiplier": 0.22,
                          "attention_multiplier": 0.1, "logits_scaling": 8.0},
    "helium": WIDE,
    "hunyuan_v1_dense": WIDE,
    "llama": GROUPED,
    "ministral": WIDE,
    "mistral": GROUPED | {"sliding_window": 16},
    "mpt": {"max_seq_len": CONTEXT, "expansion_ratio": 2},
    "nemotron": GROUPED,
    "olmo": PADDED,
    "olmo2": PADDED,
    "olmo3": PADDED | {"sliding_window": 16},
    "opt": {"ffn_dim": 128, "word_embed_proj_dim": 64, "pad_token_id": 1},
    "phi": {},
    "phi3": GROUPED | {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2},
    "qwen2": GROUPED,
    "qwen3": WIDE,
    "seed_oss": WIDE,
    "smollm3": PADDED,
    "stablelm": GROUPED,
    "starcoder2": GROUPED | {"sliding_window": 16},
}


def make_model(family: str) -> Any:
    """A model with weights that make its layers matter; the same ones every time."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(1)
    config = AutoConfig.for_model(family, **(COMMON | FAMILIES[family]))
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.data *= 3
        elif parameter.std() == 0:
            parameter.data += torch.randn_like(parameter) * 0.1
    return model


def save_model(family: str, folder: pathlib.Path) -> None:
    """The model as a folder that tools take, with a tokenizer of its vocabulary."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()

    make_model(family).save_pretrained(folder)
    words = {f"w{i}": i for i in range(VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="w0"))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="w0", bos_token="w1",
                            eos_token="w2", pad_token="w0").save_pretrained(folder)
