# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a whole model that needs no other file: layers in llmc's own IR, random weights, and a
tokenizer whose tokens are the letters."""

import array
import json
import math
import os
import random
import struct
import sys

WIDTH, HEADS, CACHE_HEADS, HEAD, INNER, VOCABULARY, CONTEXT = 32, 4, 2, 8, 64, 32, 32
GROUP = 32
CACHE = f"!llmc.kv_cache<{CACHE_HEADS}x{HEAD}, capacity = {CONTEXT}, keys = f32, values = f32>"


class _Writer:
    """Collects parameters and the lines of the function."""

    def __init__(self, seed, bits):
        self.random, self.bits = random.Random(seed), bits
        self.weights, self.parameters, self.lines = bytearray(), [], []

    def parameter(self, name, *shape):
        tensor = f"tensor<{'x'.join(map(str, shape))}xf32>"
        mean = 1 if len(shape) == 1 else 0
        values = (self.random.gauss(mean, 0.4) for _ in range(math.prod(shape)))
        self.add(name, tensor, array.array("f", values).tobytes())

    def encoded_parameter(self, name, rows, columns):
        """A matrix of random codes and scales; gives its type."""
        tensor = (f"tensor<{rows}x{columns}xf32, "
                  f"#llmc.grouped<bits = {self.bits}, group = {GROUP}, zero = none, scale = f16>>")
        codes = self.random.randbytes(rows * columns * self.bits // 8)
        scales = [self.random.uniform(0.5, 1.5) / 2 ** self.bits
                  for _ in range(rows * columns // GROUP)]
        codes += bytes(-len(codes) % 64)
        self.add(name, tensor, codes + struct.pack(f"<{len(scales)}e", *scales))
        return tensor

    def add(self, name, tensor, contents):
        self.weights += bytes(-len(self.weights) % 64)
        self.parameters.append(f"llmc.parameter @{name} : {tensor} = "
                               f'#llmc.file<"weights.bin", offset = {len(self.weights)}>')
        self.weights += contents
        self.lines.append(f"%{name} = llmc.parameter_value @{name} : {tensor}")

    def linear(self, result, x, name, inputs, outputs):
        tensor, activation = f"tensor<{outputs}x{inputs}xf32>", ""
        if self.bits:
            tensor = self.encoded_parameter(name, outputs, inputs)
            activation = f" activation <bits = 8, group = {GROUP}>"
        else:
            self.parameter(name, outputs, inputs)
        self.lines.append(f"%{result} = llmc.linear %{x}, %{name}{activation} : "
                          f"(tensor<?x{inputs}xf32>, {tensor}) -> tensor<?x{outputs}xf32>")

    def norm(self, result, x, name):
        self.parameter(name, WIDTH)
        self.lines.append(f"%{result} = llmc.rms_norm %{x}, %{name} : tensor<?x{WIDTH}xf32>, "
                          f"tensor<{WIDTH}xf32> {{epsilon = 1.0e-5 : f32}}")

    def layer(self, i):
        rows, cached = f"tensor<?x{WIDTH}xf32>", f"tensor<?x{CACHE_HEADS * HEAD}xf32>"
        rope = "frequencies = array<f32: 1.0, 0.1, 0.01, 0.001>"
        self.norm(f"a{i}", f"h{i}", f"norm{i}")
        self.linear(f"q{i}", f"a{i}", f"query{i}", WIDTH, WIDTH)
        self.linear(f"k{i}", f"a{i}", f"key{i}", WIDTH, CACHE_HEADS * HEAD)
        self.linear(f"v{i}", f"a{i}", f"value{i}", WIDTH, CACHE_HEADS * HEAD)
        self.lines += [
            f"%qr{i} = llmc.rope %q{i}, %rows : {rows} {{heads = {HEADS} : i64, {rope}}}",
            f"%kr{i} = llmc.rope %k{i}, %rows : {cached} {{heads = {CACHE_HEADS} : i64, {rope}}}",
            f"%full{i} = llmc.cache_append %cache{i}, %kr{i}, %v{i}, %rows : {CACHE}, {cached}, "
            f"{cached}",
            f"%at{i} = llmc.attention %qr{i}, %full{i}, %rows : {rows}, {CACHE} "
            f"{{heads = {HEADS} : i64, scale = 0.35 : f32}}"]
        self.linear(f"o{i}", f"at{i}", f"output{i}", WIDTH, WIDTH)
        self.lines.append(f"%r{i} = arith.addf %h{i}, %o{i} : {rows}")
        self.norm(f"b{i}", f"r{i}", f"mlp_norm{i}")
        self.linear(f"g{i}", f"b{i}", f"gate{i}", WIDTH, INNER)
        self.linear(f"u{i}", f"b{i}", f"up{i}", WIDTH, INNER)
        self.lines.append(f"%m{i} = llmc.gate <silu> %g{i}, %u{i} : tensor<?x{INNER}xf32>")
        self.linear(f"d{i}", f"m{i}", f"down{i}", INNER, WIDTH)
        self.lines.append(f"%h{i + 1} = arith.addf %r{i}, %d{i} : {rows}")


def write_tiny_model(folder, seed=1, layers=2, bits=0):
    """Writes model.mlir, weights.bin and tokenizer.json to `folder`; gives the model's path. With
    `bits` the matrices are integers of so many bits in groups, and their inputs are in 8 bits."""
    writer = _Writer(seed, bits)
    writer.parameter("table", VOCABULARY, WIDTH)
    writer.lines.append(f"%h0 = llmc.embedding %tokens, %table : (tensor<?xi32>, "
                        f"tensor<{VOCABULARY}x{WIDTH}xf32>) -> tensor<?x{WIDTH}xf32>")
    for i in range(layers):
        writer.layer(i)
    rows = f"tensor<?x{WIDTH}xf32>"
    writer.lines.append(f"%out = llmc.output_rows %h{layers}, %rows : {rows} -> {rows}")
    writer.norm("n", "out", "final_norm")
    writer.linear("logits", "n", "head", WIDTH, VOCABULARY)
    caches = "".join(f", %cache{i}: {CACHE}" for i in range(layers))
    result = f"tensor<?x{VOCABULARY}xf32>"
    with open(os.path.join(folder, "model.mlir"), "w", encoding="utf-8") as stream:
        stream.write("\n".join(writer.parameters))
        stream.write(f"\nfunc.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows{caches}) "
                     f"-> {result} {{\n  " + "\n  ".join(writer.lines) +
                     f"\n  return %logits : {result}\n}}\n")
    with open(os.path.join(folder, "weights.bin"), "wb") as stream:
        stream.write(writer.weights)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEF"
    tokenizer = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": None, "post_processor": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                          "use_regex": True},
        "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                    "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None,
                  "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False,
                  "vocab": {letter: i for i, letter in enumerate(letters)}, "merges": []}}
    with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as stream:
        json.dump(tokenizer, stream)
    return os.path.join(folder, "model.mlir")


if __name__ == "__main__":
    write_tiny_model(sys.argv[1], seed=int(sys.argv[2]))
