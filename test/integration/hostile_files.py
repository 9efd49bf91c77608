# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Files that are no ONNX models: empty, random, cut, damaged, too large."""

from __future__ import annotations

import pathlib
import random
import sys
import tempfile

from hostile_support import SECONDS, case, check, run_cases, run_import
from onnx_models import decoder, externalize


@case("expected an ONNX model, found an empty file")
def empty_file(folder):
    return b""


@case("expected an ONNX model")
def random_bytes(folder):
    return random.Random(1).randbytes(100000)


@case("expected an ONNX model with a graph, found none")
def no_graph(folder):
    model = decoder()
    model.ClearField("graph")
    return model


@case("cannot read")
def absent_file(folder):
    return None


@case("")
def plain_decoder(folder):
    model = decoder()
    externalize(model, folder, least=1000)
    return model


def check_truncations() -> list[str]:
    """Every cut of a model is refused, whatever it says, without a signal."""
    bytes_ = decoder().SerializeToString()
    problems = []
    points = sorted({len(bytes_) * i // 40 for i in range(40)} | set(range(len(bytes_) - 12,
                                                                          len(bytes_))))
    for point in points:
        wrong = check(f"cut at {point}", lambda folder: bytes_[:point], "error: ")
        if wrong:
            problems.append(f"cut at {point}: {wrong}")
    return problems


def check_damage() -> list[str]:
    """Damaged bytes import or are refused; nothing ends by a signal."""
    bytes_ = decoder(opset=23, norm="operator", attention="operator").SerializeToString()
    generator = random.Random(2)
    problems = []
    for number in range(40):
        damaged = bytearray(bytes_)
        for _ in range(generator.randrange(1, 6)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        with tempfile.TemporaryDirectory() as work:
            path = pathlib.Path(work) / "model.onnx"
            path.write_bytes(damaged)
            done, seconds = run_import(path, pathlib.Path(work) / "model.mlir")
            if done.returncode not in (0, 1) or seconds > SECONDS or \
                    (done.returncode == 1 and not done.stderr):
                problems.append(f"damage {number}: exit {done.returncode} in {seconds:.1f} s")
    return problems


def check_large_file() -> list[str]:
    """Beyond 2 GiB protobuf can't read a file; it is refused before it is tried."""
    with tempfile.TemporaryDirectory() as work:
        path = pathlib.Path(work) / "model.onnx"
        with path.open("wb") as file:
            file.truncate(3 << 30)
        done, seconds = run_import(path, pathlib.Path(work) / "model.mlir")
        message = b"expected a file below 2 GiB (with its tensors as external data)"
        if done.returncode != 1 or message not in done.stderr or seconds > SECONDS:
            return [f"exit {done.returncode} in {seconds:.1f} s: {done.stderr.decode()[:1000]}"]
    return []


if __name__ == "__main__":
    sys.exit(run_cases(check_truncations, check_damage, check_large_file))
