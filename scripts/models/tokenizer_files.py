# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes Hugging Face tokenizer files from the vocabulary in a GGUF file's metadata."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

# Numbers of tokenizer.ggml.token_type.
NORMAL, CONTROL = 1, 3


class UnsupportedTokenizer(ValueError):
    """The vocabulary is of a kind that is not understood."""


def byte_level(**options: bool) -> dict[str, Any]:
    """Returns a ByteLevel component."""
    return {"type": "ByteLevel", "trim_offsets": True, "use_regex": True, **options}


def tokenizer_json(metadata: dict[str, Any]) -> dict[str, Any]:
    """Returns the contents of tokenizer.json for a byte-level BPE of the SmolLM kind."""
    kind = (metadata.get("tokenizer.ggml.model"), metadata.get("tokenizer.ggml.pre"))
    if kind != ("gpt2", "smollm"):
        raise UnsupportedTokenizer(f"expected a gpt2 tokenizer with smollm splitting, found {kind}")
    tokens, types = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.token_type"]
    unexpected = sorted(set(types) - {NORMAL, CONTROL})
    if len(tokens) != len(types) or unexpected:
        raise UnsupportedTokenizer(f"unexpected token types {unexpected}")
    added = [
        {
            "id": number,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for number, (token, kind) in enumerate(zip(tokens, types))
        if kind == CONTROL
    ]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Digits", "individual_digits": True},
                byte_level(add_prefix_space=False),
            ],
        },
        "post_processor": None,
        "decoder": byte_level(add_prefix_space=True),
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": list(metadata["tokenizer.ggml.merges"]),
        },
    }


def tokenizer_config(metadata: dict[str, Any], context_length: int) -> dict[str, Any]:
    """Returns the contents of tokenizer_config.json: special tokens and the chat template."""
    tokens = metadata["tokenizer.ggml.tokens"]
    added = tokenizer_json(metadata)["added_tokens"]

    def special(role: str) -> str:
        return tokens[metadata[f"tokenizer.ggml.{role}_token_id"]]

    return {
        "add_prefix_space": bool(metadata.get("tokenizer.ggml.add_space_prefix", False)),
        "add_bos_token": bool(metadata.get("tokenizer.ggml.add_bos_token", False)),
        "added_tokens_decoder": {
            str(token["id"]): {key: value for key, value in token.items() if key != "id"}
            for token in added
        },
        "additional_special_tokens": [special("bos"), special("eos")],
        "bos_token": special("bos"),
        "chat_template": metadata["tokenizer.chat_template"],
        "clean_up_tokenization_spaces": False,
        "eos_token": special("eos"),
        "model_max_length": context_length,
        "pad_token": special("padding"),
        "tokenizer_class": "GPT2Tokenizer",
        "unk_token": special("unknown"),
        "vocab_size": len(tokens),
    }


def generation_config(metadata: dict[str, Any]) -> dict[str, Any]:
    """Returns the contents of generation_config.json."""
    return {
        "_from_model_config": True,
        "bos_token_id": metadata["tokenizer.ggml.bos_token_id"],
        "eos_token_id": metadata["tokenizer.ggml.eos_token_id"],
        "pad_token_id": metadata["tokenizer.ggml.padding_token_id"],
    }


def write_json(path: Path, contents: dict[str, Any]) -> None:
    """Writes a JSON file beside its place and renames it."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(contents, indent=2, ensure_ascii=False) + "\n", "utf-8")
    os.replace(partial, path)


def write_tokenizer(folder: Path, metadata: dict[str, Any], context_length: int) -> None:
    """Writes tokenizer.json, tokenizer_config.json and generation_config.json into a folder."""
    write_json(folder / "tokenizer.json", tokenizer_json(metadata))
    write_json(folder / "tokenizer_config.json", tokenizer_config(metadata, context_length))
    write_json(folder / "generation_config.json", generation_config(metadata))
