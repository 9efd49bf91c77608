"""A cache in f16: nearly the logits of fp32, the same bits in decode and prefill, with any number
of threads and in every variant of the code; half the memory."""

from __future__ import annotations

import pathlib
import sys
import tempfile

import numpy as np

from support import (TINY, compile_model, compute_logits, encode, llmc_json, relative_difference,
                     runnable_variants)

BASELINE = "x86-64"
# The largest difference of logits from those with a cache in fp32.
LIMIT = 2e-3


def check(plain: pathlib.Path, work: pathlib.Path) -> list[str]:
    """What is wrong with a cache in f16."""
    tokens = encode(TINY, (TINY / "held-out.txt").read_text(encoding="utf-8"))[:160]
    artifact = compile_model(TINY / "model.onnx", work / "f16.llmc", "quantize-kv-cache")
    logits, problems = compute_logits(artifact, tokens), []
    difference = relative_difference(logits, compute_logits(plain, tokens))
    print(f"f16 differs from fp32 by {difference:.1e}")
    if not 0 < difference < LIMIT:
        problems.append(f"expected a difference of at most {LIMIT}, and some")
    whole, half = (llmc_json("inspect", model)["state_bytes"] for model in (plain, artifact))
    if half * 2 != whole:
        problems.append(f"expected half of {whole} bytes of state, found {half}")
    for options in (("--prefill", 7), ("--threads", 1), ("--threads", 3)):
        if not np.array_equal(compute_logits(artifact, tokens, *options), logits):
            problems.append(f"{' '.join(map(str, options))} gives other bits")
    for variant in runnable_variants(artifact):
        # The baseline has no fused multiplication and addition, and rounds twice.
        if variant != BASELINE and not np.array_equal(
                compute_logits(artifact, tokens, "--variant", variant), logits):
            problems.append(f"variant {variant} gives other bits")
    return problems


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        problems = check(compile_model(TINY / "model.onnx", work / "f32.llmc"), work)
    print("\n".join(problems) or "ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
