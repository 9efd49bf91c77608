# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model with blocks as functions computes the same bits as the same model in one piece.

For the embedded model as it is imported, and for a written model of many layers in 4 bits, of which
some are in 8: prefill, decode, and any number of threads.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from support import BUILD, SOURCE, llmc
from tiny_model import write_tiny_model


def opt(*arguments: object) -> None:
    """Runs llmc-opt."""
    subprocess.run([BUILD / "bin" / "llmc-opt", *map(str, arguments)], check=True)


def check(blocks: pathlib.Path, functions: int, vocabulary: int) -> None:
    """Compares a module of `functions` blocks with its flat form."""
    folder = blocks.parent
    text = blocks.read_text(encoding="utf-8")
    found = text.count("func.func private @block")
    assert found == functions, f"{blocks}: expected {functions} blocks, found {found}"
    flat = folder / "flat.mlir"
    opt(blocks, "--inline-blocks", "-o", flat)
    assert "call @" not in flat.read_text(encoding="utf-8"), "expected no calls in the flat form"
    tokens = folder / "tokens.npy"
    np.save(tokens, np.random.default_rng(7).integers(0, vocabulary, 29))
    for module in (blocks, flat):
        llmc("compile", module, "-o", module.with_suffix(".llmc"))
    for options in (("--prefill", 17, "--threads", 1), ("--prefill", 2, "--threads", 3)):
        logits = []
        for module in (blocks, flat):
            output = module.with_suffix(".npy")
            llmc("logits", module.with_suffix(".llmc"), "--tokens", tokens, "-o", output, *options)
            logits.append(np.load(output))
        assert np.isfinite(logits[0]).all() and np.abs(logits[0]).max() > 0, "expected logits"
        assert np.array_equal(*logits), f"{blocks}: other bits than the flat form with {options}"


def main() -> int:
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        imported = folder / "imported.mlir"
        model = SOURCE / "models" / "tiny" / "model.onnx"
        subprocess.run(
            [BUILD / "bin" / "llmc-translate", "--import-onnx", model, "-o", imported], check=True
        )
        check(imported, functions=1, vocabulary=2048)

        written = pathlib.Path(write_tiny_model(work, layers=6))
        mixed = folder / "mixed.mlir"
        # The layers 2 and 3 are unlike the others.
        opt(
            written,
            "--outline-blocks",
            "--quantize-rtn=bits=4 group-size=32 table=false ignore=[23]$",
            "--quantize-rtn=bits=8 group-size=32 table=false ignore=[0145]$",
            "-o",
            mixed,
        )
        check(mixed, functions=2, vocabulary=32)
    return 0


if __name__ == "__main__":
    sys.exit(main())
