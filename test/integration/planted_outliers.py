# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Inputs that stand out: in the embedded model three channels of each norm are made 100 times larger, and
what reads them 100 times smaller, so that it computes the same. Rounding inputs to 8 bits by one scale a
token then loses most of what they say; taking outliers apart (activation-outliers) and moving them into
weights (scale-smoothquant) both give it back."""

from __future__ import annotations

import pathlib
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper

from support import TINY, compile_model, compute_logits, encode, relative_difference

FACTOR = 100
CHANNELS = [5, 100, 255]
CALIBRATION = f"calibration={TINY / 'held-out.txt'} samples=8 sequence-length=64 table=false"
W8A8 = "bits=8 group-size=channel activation=i8 activation-group=0 head-format=none"
NAIVE = f"quantize-rtn{{{W8A8} table=false}}"
APART = f"quantize-rtn{{{W8A8} activation-outliers=30 {CALIBRATION}}}"
SMOOTH = f"scale-smoothquant{{{CALIBRATION}}},{NAIVE}"


def plant(source: pathlib.Path, target: pathlib.Path) -> int:
    """Writes the model with outliers; gives the number of norms that have them."""
    model = onnx.load(str(source))
    initializers = {tensor.name: tensor for tensor in model.graph.initializer}

    def scale(name: str, factor: float) -> None:
        array = numpy_helper.to_array(initializers[name]).copy()
        array[CHANNELS] *= factor
        initializers[name].CopyFrom(numpy_helper.from_array(array, name))

    norms = 0
    # That of the last norm is read by the head, which is the embedding too.
    for node in model.graph.node:
        gain = next((name for name in node.input if name.endswith("layernorm.weight")), None)
        if gain is None:
            continue
        scale(gain, FACTOR)
        for reader in model.graph.node:
            if node.output[0] in reader.input and reader.op_type != "Shape":
                assert reader.op_type == "MatMul", reader.op_type
                scale(reader.input[1], 1 / FACTOR)
        norms += 1
    onnx.save(model, str(target))
    return norms


def main() -> int:
    tokens = encode(TINY, (TINY / "held-out.txt").read_text(encoding="utf-8"))[:96]
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        planted = work / "planted.onnx"
        assert plant(TINY / "model.onnx", planted) > 0

        def logits(model: pathlib.Path, passes: str) -> np.ndarray:
            artifact = compile_model(model, work / "model.llmc", passes, "--check-import=off",
                                     f"--tokenizer={TINY}")
            return compute_logits(artifact, tokens)

        exact = logits(TINY / "model.onnx", "")
        found = {
            "planted": relative_difference(logits(planted, ""), exact),
            "plain, rounded": relative_difference(logits(TINY / "model.onnx", NAIVE), exact),
            "planted, rounded": relative_difference(logits(planted, NAIVE), exact),
            "planted, apart": relative_difference(logits(planted, APART), exact),
            "planted, smoothed": relative_difference(logits(planted, SMOOTH), exact),
        }
    for what, difference in found.items():
        print(f"{what}: logits differ by {difference:.2e}", flush=True)
    limits = [
        ("planted", 2e-5),
        ("planted, apart", 1.3 * found["plain, rounded"]),
        ("planted, smoothed", 1.5 * found["plain, rounded"]),
    ]
    problems = [f"{what}: expected at most {limit:.2e}, found {found[what]:.2e}"
                for what, limit in limits if not found[what] <= limit]
    if not found["planted, rounded"] > 4 * found["plain, rounded"]:
        problems.append("planted, rounded: expected that outliers cost more")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
