"""Small models by real exporters: every one compiles, and its logits are ONNX Runtime's.

A sample is a folder with model.onnx and oracle.npz: tokens [1, T], of which the first 24 were run
at once and the rest one by one where the export has a cache, and logits [T, vocabulary]. Also
checked: decode agrees with prefill, and every thread count gives the same bits.
"""

from __future__ import annotations

import pathlib
import sys
import tempfile

import numpy as np

from support import llmc, one_target, relative_difference, test_data

PREFILL = 24


def run_logits(artifact: pathlib.Path, tokens: pathlib.Path, *arguments: object) -> np.ndarray:
    """The logits of all positions."""
    output = artifact.with_suffix(".npy")
    llmc("logits", artifact, "--tokens", tokens, "-o", output, *arguments)
    return np.load(output)


def check_sample(folder: pathlib.Path, work: pathlib.Path) -> list[str]:
    """Compiles and runs one sample; gives what is wrong with it."""
    oracle = np.load(folder / "oracle.npz")
    tokens = oracle["tokens"].reshape(-1)
    token_file = work / "tokens.npy"
    np.save(token_file, tokens)
    artifact = work / "model.llmc"
    llmc("compile", folder / "model.onnx", "-o", artifact)
    found = run_logits(artifact, token_file, "--prefill", PREFILL, "--threads", 1)
    problems = []
    difference = relative_difference(found, oracle["logits"])
    limit = 1e-3
    if "logits_fp32" in oracle:
        limit = 5e-2
        exact = work / "exact.llmc"
        llmc("compile", folder / "model.onnx", "--activation=none", f"--target={one_target()}", "-o", exact)
        against_fp32 = relative_difference(
            run_logits(exact, token_file, "--prefill", PREFILL), oracle["logits_fp32"]
        )
        print(f"  without activation rounding: {against_fp32:.1e}")
        if against_fp32 > 1e-3:
            problems.append(f"differs from logits_fp32 by {against_fp32:.1e}")
        # The exact run settles agreement; rounding differs between implementations.
        limit = np.inf if against_fp32 <= 1e-3 else limit
    if difference > limit:
        problems.append(f"differs from ONNX Runtime by {difference:.1e}")
    whole = run_logits(artifact, token_file, "--threads", 1)
    if not np.array_equal(whole, found):
        problems.append(f"decode differs from prefill by {relative_difference(found, whole):.1e}")
    for threads in (2, 3):
        again = run_logits(artifact, token_file, "--prefill", PREFILL, "--threads", threads)
        if not np.array_equal(again, found):
            problems.append(f"{threads} threads give other bits than 1")
    print(f"{folder.parent.name}/{folder.name}: {difference:.1e} {'; '.join(problems) or 'ok'}")
    return problems


def main() -> int:
    samples = sorted((test_data() / "exporters").glob("*/*/oracle.npz"))
    assert samples, "no samples found"
    failed = 0
    for sample in samples:
        with tempfile.TemporaryDirectory() as work:
            try:
                failed += bool(check_sample(sample.parent, pathlib.Path(work)))
            except AssertionError as error:
                print(f"{sample.parent.parent.name}/{sample.parent.name}: {error}")
                failed += 1
    print(f"{len(samples) - failed} of {len(samples)} samples agree")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
