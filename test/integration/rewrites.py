# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Exact rewrites of the embedded model: its logits stay as they are but for rounding in fp32, on every
variant of the code, and what is rounded afterwards loses less."""

from __future__ import annotations

import pathlib
import sys
import tempfile

import numpy as np

from support import (ALL_VARIANTS, TINY, compile_model, compute_logits, encode, llmc_json,
                     relative_difference, runnable_variants)

# Held-out text calibrates here; what is compared are encodings on the same text, not models.
CALIBRATION = f"calibration={TINY / 'held-out.txt'} samples=16 sequence-length=128 table=false"
ROTATED = "rotate{where=residual,values,down}"
BASELINE = "x86-64"

REWRITES = ["fold-norms", "rotate", ROTATED, "rotate{kind=randomized seed=7 where=residual,values,keys}",
            f"scale-awq{{bits=4 symmetric=false search-samples=4 {CALIBRATION}}}",
            f"scale-smoothquant{{{CALIBRATION}}}",
            f"fold-norms,scale-awq{{bits=3 search-samples=4 {CALIBRATION}}},{ROTATED}"]


def check_exact(work: pathlib.Path, plain: pathlib.Path) -> list[str]:
    """What differs though it should not."""
    tokens = encode(TINY, (TINY / "held-out.txt").read_text(encoding="utf-8"))[:160]
    expected, problems = compute_logits(plain, tokens), []
    for passes in REWRITES:
        artifact = compile_model(TINY / "model.onnx", work / "rewritten.llmc", passes, ALL_VARIANTS)
        logits = compute_logits(artifact, tokens)
        difference = relative_difference(logits, expected)
        print(f"{passes}: logits differ by {difference:.1e}", flush=True)
        if not 0 < difference < 2e-5:
            problems.append(f"{passes}: expected a difference of at most 2e-5, and some, found {difference}")
        for variant in runnable_variants(artifact):
            other = compute_logits(artifact, tokens, "--variant", variant)
            # The baseline has no fused multiplication and addition, and rounds twice.
            same = (relative_difference(other, logits) < 1e-5 if variant == BASELINE
                    else np.array_equal(other, logits))
            if not same:
                problems.append(f"{passes}: variant {variant} gives other logits")
    return problems


def check_better(work: pathlib.Path, plain: pathlib.Path) -> list[str]:
    """Where a rewrite does not help the rounding that follows."""

    def divergence(passes: str) -> float:
        artifact = compile_model(TINY / "model.onnx", work / "rounded.llmc", passes)
        return llmc_json("eval", artifact, "--text", TINY / "held-out.txt", "--context", 256,
                         "--windows", 8, "--reference", plain)["kl_mean"]

    rewrite = f"scale-awq{{bits=3 symmetric=false search-samples=4 {CALIBRATION}}}"
    rounding = "quantize-rtn{bits=3 symmetric=false activation=none table=false}"
    without, with_it = divergence(rounding), divergence(f"{rewrite},{rounding}")
    print(f"{rounding}: KL {without:.5f}, after {rewrite} {with_it:.5f}, ratio {with_it / without:.3f}",
          flush=True)
    limit = 0.99
    if with_it < limit * without:
        return []
    return [f"{rewrite}: expected a KL of at most {limit} times {without}, found {with_it}"]


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        plain = compile_model(TINY / "model.onnx", work / "plain.llmc", "")
        problems = check_exact(work, plain) + check_better(work, plain)
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
