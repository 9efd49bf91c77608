# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every operation's kernel can be switched off, one at a time and all together: the model gives the
same logits but for rounding, and the same bits with any number of threads."""

from __future__ import annotations

import pathlib
import sys
import tempfile

import numpy as np

from support import compile_model, compute_logits, one_target, relative_difference
from tiny_model import CONTEXT, VOCABULARY, write_tiny_model

LIMIT = 1e-5
OPERATIONS = ["arith.addf", "llmc.attention", "llmc.cache_append", "llmc.embedding", "llmc.gate",
              "llmc.linear", "llmc.output_rows", "llmc.rms_norm", "llmc.rotate",
              "llmc.rotation_table"]
TOKENS = np.random.default_rng(3).integers(0, VOCABULARY, CONTEXT)


def check(model: pathlib.Path, operations: list[str]) -> list[str]:
    """What is wrong with the logits of a model whose kernels are switched off."""
    problems = []

    def run(kernels: str, *options: object) -> np.ndarray:
        artifact = compile_model(model, model.with_suffix(".llmc"), "",
                                 f"--target={one_target()}", f"--kernels={kernels}",
                                 "--max-rows=8")
        return compute_logits(artifact, TOKENS, *options)

    expected = run("all")
    for kernels in ["meaning", *(f"meaning:{name}" for name in operations)]:
        logits = run(kernels)
        difference = relative_difference(logits, expected)
        print(f"{kernels}: differs by {difference:.1e}", flush=True)
        if difference > LIMIT:
            problems.append(f"{kernels}: expected a difference of at most {LIMIT}")
    artifact, logits = model.with_suffix(".llmc"), run("meaning")
    for options in (("--prefill", 1), ("--prefill", 7), ("--threads", 1), ("--threads", 3)):
        if not np.array_equal(compute_logits(artifact, TOKENS, *options), logits):
            problems.append(f"meaning: {' '.join(map(str, options))} gives other bits")
    return problems


def main() -> int:
    problems = []
    for bits, operations in ((0, OPERATIONS), (4, [*OPERATIONS, "llmc.round"])):
        with tempfile.TemporaryDirectory() as folder:
            model = pathlib.Path(write_tiny_model(folder, bits=bits))
            problems += [f"{bits} bits: {problem}" for problem in check(model, operations)]
    print("\n".join(problems) or "ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
