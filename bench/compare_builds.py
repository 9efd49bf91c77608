# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares two builds of llmc on SmolLM2-135M-Instruct, one pair of processes after the other.

For each program: the seconds and the peak memory of compiling it, tokens per second of decoding and
of prefill, and whether the logits of a prompt are the same bits. Reported are medians over the pairs,
and the medians of the pairs' ratios, this build's over the other's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy

from pairs import run

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "out" / "smollm2" / "plain" / "model.onnx"
RATES = {"decode": "decode_tokens_per_second", "prefill": "prefill_tokens_per_second"}
# Nothing that a build may have another default for is left open. Grids with a zero point are those that
# have not changed.
COMMON = "scale=f16 mse=false activation=i8 activation-group=32 table=false"
ASYM = f"symmetric=false zero=integer {COMMON}"
CALIBRATED = "calibration=TOKENS samples=16 sequence-length=256 seed=0 memory=4096"
PROGRAMS = {
    "fp32": "",
    "rtn-4": f"quantize-rtn{{bits=4 group-size=32 {ASYM} WHOLE}}",
    "gptq-3": f"quantize-gptq{{bits=3 group-size=64 {ASYM} WHOLE {CALIBRATED}}}",
    "rtn-4-head-8": f"quantize-rtn{{bits=4 group-size=32 {COMMON}}}",
}


class Build:
    """A folder of programs, and how they spell what both know."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        has_formats = "--head-format" in run(folder / "llmc-opt", "--help")
        self.whole = "head-format=none" if has_formats else "head-bits=0"
        self.caches = ["--caches=keep"] if "--caches" in run(folder / "llmc-compile", "--help") else []

    def compile(self, program: str, tokens: Path, artifact: Path) -> dict[str, float]:
        """Compiles, and gives what that took."""
        passes = PROGRAMS[program].replace("WHOLE", self.whole).replace("TOKENS", str(tokens))
        options = [*self.caches, *([f"--passes={passes}"] if passes else [])]
        command = [self.folder / "llmc", "compile", MODEL, *options, "-o", artifact]
        started = time.monotonic()
        child = subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        if status != 0:
            sys.exit(f"compare-builds: {' '.join(map(str, command))} failed")
        return {
            "compile, s": time.monotonic() - started,
            "compile, CPU s": usage.ru_utime + usage.ru_stime,
            "compile, peak MiB": usage.ru_maxrss / 1024,
        }

    def bench(self, artifact: Path, threads: int) -> dict[str, float]:
        found = json.loads(run(self.folder / "llmc", "bench", artifact, "--threads", threads, "--repeat", 3, "--json"))
        return {f"{name}, tokens/s": found[rate] for name, rate in RATES.items()}

    def get_logits(self, artifact: Path, tokens: Path, output: Path) -> bytes:
        run(self.folder / "llmc", "logits", artifact, "--tokens", tokens, "-o", output)
        return output.read_bytes()


def print_ratios(name: str, ours: list[dict[str, float]], others: list[dict[str, float]]) -> dict[str, float]:
    """Prints the medians of all that was measured, and gives those of the pairs' ratios."""
    ratios = {}
    for what in ours[0]:
        ratios[what] = statistics.median(one[what] / other[what] for one, other in zip(ours, others))
        medians = [statistics.median(found[what] for found in runs) for runs in (others, ours)]
        print(f"{name:14}{what:20}{medians[0]:12.2f}{medians[1]:12.2f}{ratios[what]:9.3f}", flush=True)
    return ratios


def compare(program: str, builds: list[Build], work: Path, options: argparse.Namespace) -> dict[str, object]:
    tokens = [work / "calibration.npy", work / "prompt.npy"]
    artifacts = [work / "ours.llmc", work / "other.llmc"]
    compiled = [
        [build.compile(program, tokens[0], artifact) for build, artifact in zip(builds, artifacts)]
        for _ in range(options.compiles)
    ]
    measured = [
        [build.bench(artifact, options.threads) for build, artifact in zip(builds, artifacts)]
        for _ in range(options.pairs)
    ]
    found: dict[str, object] = {}
    for pairs in (compiled, measured):
        found.update(print_ratios(program, *map(list, zip(*pairs))))
    logits = [
        build.get_logits(artifact, tokens[1], work / "logits.npy") for build, artifact in zip(builds, artifacts)
    ]
    found["same logits"] = logits[0] == logits[1]
    print(f"{program:14}logits are {'the same bits' if found['same logits'] else 'others'}", flush=True)
    return found


def write_tokens(work: Path) -> None:
    """Tokens to calibrate with, and a prompt: drawn from a fixed seed."""
    random = numpy.random.default_rng(0)
    numpy.save(work / "calibration.npy", random.integers(100, 40000, 16 * 256, dtype=numpy.int32))
    numpy.save(work / "prompt.npy", random.integers(100, 40000, 300, dtype=numpy.int32))


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench/compare-builds", description=__doc__)
    parser.add_argument("other", type=Path, help="folder that holds the other build's programs")
    parser.add_argument("--this", type=Path, default=ROOT / "build" / "bin", help="the same of this one")
    parser.add_argument("--programs", nargs="+", choices=PROGRAMS, default=list(PROGRAMS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=7, help="of speed (default: 7)")
    parser.add_argument("--compiles", type=int, default=3, help="pairs of compiling (default: 3)")
    parser.add_argument("--json", type=Path, help="write the ratios to this file")
    options = parser.parse_args()
    builds = [Build(options.this.resolve()), Build(options.other.resolve())]
    print(f"{'':34}{'other':>12}{'this':>12}{'ratio':>9}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        write_tokens(Path(folder))
        found = {program: compare(program, builds, Path(folder), options) for program in options.programs}
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
