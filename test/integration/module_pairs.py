# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A module and its weights stay one thing: runs that end half way, and two at once to one name."""

from __future__ import annotations

import argparse
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import numpy as np
from support import TINY, compute_logits, encode, llmc, one_target, tool

# What the two runs write: models whose logits differ a good deal.
PASSES = {"four": "--quantize-rtn=bits=4 table=false", "three": "--quantize-rtn=bits=3 table=false"}


def start(module: pathlib.Path, passes: str, output: pathlib.Path) -> subprocess.Popen:
    return subprocess.Popen([tool("llmc-opt"), PASSES[passes], str(module), "-o", str(output)],
                            stderr=subprocess.PIPE, text=True)


def describe(module: pathlib.Path, tokens: np.ndarray, expected: dict[str, np.ndarray]) -> str:
    """What a module beside its weights compiles to: a name of PASSES, "refused", or what is wrong."""
    artifact = module.with_suffix(".llmc")
    done = llmc("compile", module, f"--target={one_target()}", "--tokenizer", TINY, "-o", artifact, check=False)
    if done.returncode == 1 and "expected the weights that the module was written with" in done.stderr:
        return "refused"
    if done.returncode != 0:
        return f"exit {done.returncode}: {done.stderr}"
    logits = compute_logits(artifact, tokens)
    for name, reference in expected.items():
        if np.array_equal(logits, reference):
            return name
    return "a mixed pair was compiled"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4, help="of each kind")
    options = parser.parse_args()
    seen: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        module = work / "m.mlir"
        subprocess.run([tool("llmc-translate"), "--import-onnx", str(TINY / "model.onnx"), "-o",
                        str(module)], check=True)
        tokens = encode(TINY, "In those days the old road")
        expected, seconds = {}, 0.0
        for name in PASSES:
            begin = time.monotonic()
            assert start(module, name, work / f"{name}.mlir").wait() == 0
            seconds = max(seconds, time.monotonic() - begin)
            llmc("compile", work / f"{name}.mlir", f"--target={one_target()}", "--tokenizer", TINY, "-o",
                 work / f"{name}.llmc")
            expected[name] = compute_logits(work / f"{name}.llmc", tokens)
        assert not np.array_equal(*expected.values()), "the two models are the same"

        def check(pair: pathlib.Path) -> None:
            result = describe(pair, tokens, expected)
            assert result in (*PASSES, "refused"), result
            seen[result] = seen.get(result, 0) + 1

        output = work / "q.mlir"
        chance = random.Random(1)
        for _ in range(options.runs):
            runs = [start(module, name, output) for name in PASSES]
            for run in runs:
                message = run.communicate()[1]
                assert run.returncode == 0, message
            check(output)
        # What is killed leaves the old pair, the new one, or one that is refused.
        for _ in range(options.runs):
            for name in PASSES:
                run = start(module, name, output)
                time.sleep(chance.uniform(0.5, 1.0) * seconds)
                run.kill()
                run.communicate()
                if output.exists():
                    check(output)
        # The one moment that chance seldom meets.
        (work / "four.safetensors").replace(work / "three.safetensors")
        assert describe(work / "three.mlir", tokens, expected) == "refused"
    print(f"modules beside their weights: {seen}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
