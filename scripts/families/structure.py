# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whether --print-structure says of a family's model what its configuration says."""

from __future__ import annotations

import dataclasses
import pathlib


@dataclasses.dataclass(frozen=True)
class Expected:
    layers: int
    width: int
    inner: int  # of an MLP
    kv_heads: int
    gated: bool

    @property
    def roles(self) -> list[str]:
        return ["query", "key", "value", "output", *(["gate"] if self.gated else []), "up", "down"]


def get_expected(folder: pathlib.Path) -> Expected:
    """What the model in a folder is."""
    from safetensors import safe_open
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder)
    width, heads = config.hidden_size, config.num_attention_heads
    inner = 4 * width
    # These are four times as wide whatever else the configuration says.
    if config.model_type not in ("bloom", "mpt"):
        for name in ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size"):
            inner = getattr(config, name, None) or inner
    kv_heads = getattr(config, "num_key_value_heads", None) or heads
    if getattr(config, "multi_query", False):
        kv_heads = 1
    with safe_open(folder / "model.safetensors", framework="np") as weights:
        gated = any("gate" in name for name in weights.keys())
    return Expected(config.num_hidden_layers, width, inner, kv_heads, gated)


def find_mistake(text: str, expected: Expected) -> str:
    """What the text gets wrong; empty where nothing is."""
    lines = text.splitlines()
    wanted = {f"structure of @step: {expected.layers} blocks": 1,
              f"  residual × {expected.width}: ": 1,
              f"  heads × {expected.kv_heads}: ": expected.layers,
              f"  hidden × {expected.inner}: ": expected.layers,
              "  unknown @": 0}
    for start, count in wanted.items():
        found = sum(line.startswith(start) for line in lines)
        if found != count:
            return f"structure: expected '{start.strip()}' {count} times, found {found}"
    for block in range(expected.layers):
        for role in expected.roles:
            found = sum(line.startswith(f"  {role} @") and line.endswith(f" in block {block}") for line in lines)
            if found != 1:
                return f"structure: expected one {role} in block {block}, found {found}"
    return ""
