# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a decoder of a given shape with random weights: a module, and one file of its weights.

Speed depends on shapes and on where weights lie, not on what they are, so that nothing has to be
fetched. The layers are those of Llama (RMS norms, shared key/value heads, a gated MLP); the head is
the embedding.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np


@dataclasses.dataclass(frozen=True)
class Shape:
    """Of a decoder. `rank`: of a branch beside every linear of the layers; 0: none."""

    layers: int
    width: int
    hidden: int
    heads: int
    kv_heads: int
    vocabulary: int
    rank: int = 0

    @property
    def head_size(self) -> int:
        return self.width // self.heads

    def get_linears(self) -> dict[str, tuple[int, int]]:
        """Outputs and inputs of a layer's linears."""
        keys = self.kv_heads * self.head_size
        return {
            "query": (self.width, self.width),
            "key": (keys, self.width),
            "value": (keys, self.width),
            "output": (self.width, self.width),
            "gate": (self.hidden, self.width),
            "up": (self.hidden, self.width),
            "down": (self.width, self.hidden),
        }


class Writer:
    """Collects the text of a module, and writes its weights as it goes."""

    def __init__(self, shape: Shape, weights: Path) -> None:
        self.shape = shape
        self.name = weights.name
        self.file = weights.open("wb")
        self.random = np.random.default_rng(1)
        self.parameters: list[str] = []
        self.body: list[str] = []
        capacity = 2048
        self.cache = (
            f"!llmc.kv_cache<{shape.kv_heads}x{shape.head_size}, capacity = {capacity}, keys = f16, values = f16>"
        )

    def declare(self, name: str, sizes: tuple[int, ...]) -> str:
        """A parameter, and the value that reads it: matrices in f16, vectors of ones in f32."""
        element = "f32" if len(sizes) == 1 else "f16"
        type_of = f"tensor<{'x'.join(map(str, sizes))}x{element}>"
        offset = self.file.tell()
        if len(sizes) == 1:
            self.file.write(np.ones(sizes, np.float32).tobytes())
        else:
            values = self.random.standard_normal(sizes, np.float32) / np.float32(sizes[1] ** 0.5)
            self.file.write(values.astype(np.float16).tobytes())
        self.parameters.append(f'llmc.parameter @{name} : {type_of} = #llmc.file<"{self.name}", offset = {offset}>')
        self.body.append(f"%{name} = llmc.parameter_value @{name} : {type_of}")
        return type_of

    def linear(self, layer: int, name: str, source: str) -> str:
        outputs, inputs = self.shape.get_linears()[name]
        result = self.multiply(f"layers.{layer}.{name}", source, outputs, inputs)
        if self.shape.rank == 0:
            return result
        down = self.multiply(f"layers.{layer}.{name}.a", source, self.shape.rank, inputs)
        branch = self.multiply(f"layers.{layer}.{name}.b", down, outputs, self.shape.rank)
        self.body.append(f"{result}.sum = arith.addf {result}, {branch} : tensor<?x{outputs}xf32>")
        return f"{result}.sum"

    def multiply(self, name: str, source: str, outputs: int, inputs: int) -> str:
        weight = self.declare(name, (outputs, inputs))
        self.body.append(
            f"%{name}.out = llmc.linear {source}, %{name} : (tensor<?x{inputs}xf32>, {weight}) -> tensor<?x{outputs}xf32>"
        )
        return f"%{name}.out"

    def norm(self, name: str, source: str) -> str:
        gain = self.declare(name, (self.shape.width,))
        self.body.append(
            f"%{name}.out = llmc.rms_norm {source}, %{name} : tensor<?x{self.shape.width}xf32>, {gain} {{epsilon = 1.0e-5 : f32}}"
        )
        return f"%{name}.out"

    def rope(self, source: str, heads: int) -> str:
        size = self.shape.head_size
        frequencies = ", ".join(f"{10000.0 ** (-2 * i / size):.9e}" for i in range(size // 2))
        self.body.append(
            f"{source}.rope = llmc.rope {source}, %rows : tensor<?x{heads * size}xf32> "
            f"{{heads = {heads} : i64, frequencies = array<f32: {frequencies}>}}"
        )
        return f"{source}.rope"

    def attention(self, layer: int, source: str) -> str:
        shape, cache = self.shape, f"%cache{layer}"
        rows = f"tensor<?x{shape.width}xf32>"
        keys = f"tensor<?x{shape.kv_heads * shape.head_size}xf32>"
        query = self.rope(self.linear(layer, "query", source), shape.heads)
        key = self.rope(self.linear(layer, "key", source), shape.kv_heads)
        value = self.linear(layer, "value", source)
        self.body.append(
            f"{cache}.new = llmc.cache_append {cache}, {key}, {value}, %rows : {self.cache}, {keys}, {keys}"
        )
        self.body.append(
            f"%attention{layer} = llmc.attention {query}, {cache}.new, %rows : {rows}, {self.cache} "
            f"{{heads = {shape.heads} : i64, scale = {shape.head_size**-0.5:.9e} : f32}}"
        )
        return self.linear(layer, "output", f"%attention{layer}")

    def mlp(self, layer: int, source: str) -> str:
        gate, up = (self.linear(layer, name, source) for name in ("gate", "up"))
        self.body.append(f"%gated{layer} = llmc.gate <silu> {gate}, {up} : tensor<?x{self.shape.hidden}xf32>")
        return self.linear(layer, "down", f"%gated{layer}")

    def add(self, stream: str, added: str, name: str) -> str:
        self.body.append(f"%{name} = arith.addf {stream}, {added} : tensor<?x{self.shape.width}xf32>")
        return f"%{name}"

    def write(self, path: Path) -> None:
        shape = self.shape
        rows, logits = f"tensor<?x{shape.width}xf32>", f"tensor<?x{shape.vocabulary}xf32>"
        table = self.declare("embedding", (shape.vocabulary, shape.width))
        self.body.append(f"%stream = llmc.embedding %tokens, %embedding : (tensor<?xi32>, {table}) -> {rows}")
        stream = "%stream"
        for layer in range(shape.layers):
            source = self.norm(f"layers.{layer}.attention.norm", stream)
            stream = self.add(stream, self.attention(layer, source), f"middle{layer}")
            source = self.norm(f"layers.{layer}.mlp.norm", stream)
            stream = self.add(stream, self.mlp(layer, source), f"stream{layer}")
        self.body.append(f"%wanted = llmc.output_rows {stream}, %rows : {rows} -> {rows}")
        source = self.norm("norm", "%wanted")
        self.body.append(f"%logits = llmc.linear {source}, %embedding : ({rows}, {table}) -> {logits}")
        caches = "".join(f", %cache{layer}: {self.cache}" for layer in range(shape.layers))
        lines = [
            *self.parameters,
            f"func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows{caches}) -> {logits} {{",
            *self.body,
            f"return %logits : {logits}",
            "}",
        ]
        self.file.close()
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_decoder(shape: Shape, path: Path) -> None:
    """Writes `path` and, beside it, a file of the same stem with the weights."""
    Writer(shape, path.with_suffix(".weights")).write(path)
