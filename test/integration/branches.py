# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What layers have on their branches beyond linears: queries, keys and values that end at bounds, and
sigmoids that gate what attention gives. Each agrees with ONNX Runtime."""

from __future__ import annotations

import pathlib
import sys
import tempfile

import numpy as np

from form_support import PROVED, check
from onnx_models import Decoder, Spelling

BOUND = 0.4


class Wide(Decoder):
    """A decoder with heads as wide as ONNX Runtime's fused attention needs them."""

    heads, kv_heads, size = 2, 1, 16


class Bounded(Wide):
    """Clips queries, keys and values, side by side where one linear makes them."""

    def clip(self, value: str) -> str:
        bound = np.float32(BOUND)
        return self.graph.op("Clip", value, self.graph.constant(-bound), self.graph.constant(bound))

    def project(self, path: str, value: str) -> tuple[str, ...]:
        if self.spelling.linear != "packed":
            return tuple(self.clip(part) for part in super().project(path, value))
        widths = [heads * self.size for heads in (self.heads, self.kv_heads, self.kv_heads)]
        packed = self.clip(self.linear(f"{path}.qkv", value, self.hidden, sum(widths),
                                       self.spelling.bias))
        return tuple(self.graph.ops("Split", packed, self.graph.constant(widths), count=3, axis=-1))


class Gated(Wide):
    """Gates what attention gives by the sigmoid of a linear of the layer's input."""

    def attention(self, index: int, value: str) -> str:
        self.layer_input = value
        return super().attention(index, value)

    def linear(self, name: str, value: str, inputs: int, outputs: int, bias: bool = False) -> str:
        if name.endswith(".output"):
            gate = super().linear(f"{name}_gate", self.layer_input, self.hidden, inputs, bias)
            value = self.graph.op("Mul", value, self.graph.op("Sigmoid", gate))
        return super().linear(name, value, inputs, outputs, bias)


MODELS = {
    "bounds": (Bounded, {}),
    "bounds after biases": (Bounded, dict(bias=True, positions="split")),
    "bounds of one linear": (Bounded, dict(linear="packed", bias=True)),
    "bounds before fused attention": (Bounded, dict(attention="fused", positions="fused")),
    "gates": (Gated, {}),
    "gates with biases": (Gated, dict(linear="gemm", bias=True, attention="fused",
                                      positions="fused")),
}


def main() -> int:
    problems = 0
    for name, (kind, choices) in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            wrong = check(kind(Spelling(**choices), 2).model, [PROVED], pathlib.Path(folder))
        print(f"{name}: {wrong or 'ok'}", flush=True)
        problems += bool(wrong)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
