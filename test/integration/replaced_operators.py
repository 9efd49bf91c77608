# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Nodes of decoders become other operators, or get other inputs: each model imports or is refused with
a message, and none crashes.

`--count` says how many are tried, `--seed` where the choices begin, and `--keep FOLDER` where models
that crash are left.
"""

from __future__ import annotations

import argparse
import pathlib
import random
import subprocess
import sys
import tempfile

import onnx

from onnx_models import decoder
from sample_decoders import DECODERS
from support import tool

SECONDS = 20


def operators(models: list[onnx.ModelProto]) -> list[tuple[str, str]]:
    """Every operator that a decoder has, and some that none has."""
    own = {(node.domain, node.op_type) for model in models for node in model.graph.node}
    return sorted(own | {("", kind) for kind in ("Clip", "Einsum", "Erf", "Flatten", "GatherElements",
                                                 "GatherND", "Gemm", "IsNaN", "Max", "Pow",
                                                 "ReduceSum", "Tanh", "Tile", "Trilu", "Where")})


def mutate(model: onnx.ModelProto, choice: random.Random, kinds: list[tuple[str, str]]) -> str:
    """Changes one or two nodes; says how."""
    said = []
    for _ in range(choice.choice((1, 1, 1, 2))):
        # Each operator as likely as another, however many nodes have it.
        kind = choice.choice(sorted({node.op_type for node in model.graph.node} - {"Constant"}))
        node = choice.choice([node for node in model.graph.node if node.op_type == kind])
        earlier = [name for other in model.graph.node for name in other.output]
        change = choice.choice(("operator", "operator", "operator", "input", "absent", "drop", "swap"))
        before = f"{node.domain}::{node.op_type}({', '.join(node.input)})"
        if change == "operator":
            node.domain, node.op_type = choice.choice(kinds)
        elif not node.input:
            continue
        elif change == "input":
            # The graph stays in order: only what stands before the node can become its input.
            place = list(model.graph.node).index(node)
            names = [name for other in list(model.graph.node)[:place] for name in other.output]
            names += [tensor.name for tensor in model.graph.initializer] or earlier
            if names:
                node.input[choice.randrange(len(node.input))] = choice.choice(names)
        elif change == "absent":
            node.input[choice.randrange(len(node.input))] = ""
        elif change == "drop":
            node.input.pop()
        else:
            inputs = list(node.input)
            choice.shuffle(inputs)
            node.input[:] = inputs
        said.append(f"{before} -> {node.domain}::{node.op_type}({', '.join(node.input)})")
    return "; ".join(said)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=160)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    choice = random.Random(options.seed)
    models = [decoder(**choices) for choices in DECODERS.values()]
    kinds = operators(models)
    imported = refused = crashed = 0
    with tempfile.TemporaryDirectory() as folder:
        path, output = pathlib.Path(folder) / "model.onnx", pathlib.Path(folder) / "model.mlir"
        for number in range(options.count):
            model = onnx.ModelProto()
            model.CopyFrom(models[number % len(models)])
            said = mutate(model, choice, kinds)
            path.write_bytes(model.SerializeToString())
            try:
                done = subprocess.run([tool("llmc-translate"), "--import-onnx", path, "-o", output],
                                      capture_output=True, text=True, timeout=SECONDS)
                code, text = done.returncode, done.stderr
            except subprocess.TimeoutExpired:
                code, text = -1, f"took more than {SECONDS} s"
            imported += code == 0
            refused += code == 1 and "error: " in text
            if code == 0 or (code == 1 and "error: " in text):
                continue
            crashed += 1
            print(f"{number}: {said}: exit {code}: {text[:400]}", flush=True)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{options.seed}-{number}.onnx").write_bytes(path.read_bytes())
    print(f"{options.count} models: {imported} imported, {refused} refused, {crashed} crashed")
    # Where all are refused or all pass, nothing was tried.
    return 1 if crashed or not imported or not refused else 0


if __name__ == "__main__":
    sys.exit(main())
