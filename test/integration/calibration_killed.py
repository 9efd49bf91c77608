# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kills calibrated passes again and again, at random moments, and expects what one run that nobody
disturbs gives, bit for bit."""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import random
import signal
import subprocess
import tempfile
import time

import tiny_model
from support import BUILD, SOURCE


@dataclasses.dataclass(frozen=True)
class Case:
    """A pass that is killed, and what comes before it."""

    name: str
    options: str
    kills: int = 2
    before: tuple[str, ...] = ()
    embedded: bool = False  # of models/tiny, which takes a while, instead of a smaller one

    def command(self, folder: pathlib.Path, output: str, extra: str = "") -> list[str]:
        # The model writes its own text, so that this is interrupted too.
        options = self.options.replace("OUTPUT", str(folder / output))
        model = folder / ("embedded.mlir" if self.embedded else "model.mlir")
        return [str(BUILD / "bin" / "llmc-opt"), str(model), *self.before, "-o",
                str(folder / f"{output}.mlir"), f"--{self.name}=calibration=self {options} {extra}"]

    def get_result(self, folder: pathlib.Path, output: str) -> pathlib.Path:
        """What a run has written: statistics, or weights."""
        return folder / (output if "OUTPUT" in self.options else f"{output}.safetensors")


DATA = "table=false samples=24 sequence-length=16"
CASES = [
    Case("calibrate", "samples=40 sequence-length=96 memory=2 save-statistics=OUTPUT", kills=6,
         embedded=True),
    Case("slice", f"width=16 {DATA}"),
    Case("prune-channels", f"ratio=0.25 multiple=8 {DATA}"),
    Case("prune-wanda", f"sparsity=0.5 {DATA}"),
    Case("factorize-svd-llm", f"rank=4 {DATA}"),
    Case("repair-eora", f"rank=4 {DATA}", before=("--quantize-rtn=bits=3 table=false",)),
]


def check(case: Case, folder: pathlib.Path, kills: int, generator: random.Random) -> None:
    start = time.monotonic()
    subprocess.run(case.command(folder, "clean"), check=True, stderr=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    expected = case.get_result(folder, "clean").read_bytes()
    found = case.get_result(folder, "killed")
    resumed = case.command(folder, "killed", f"resume={folder / 'work'}")
    killed = finished = 0
    while killed < kills:
        process = subprocess.Popen(resumed, stderr=subprocess.DEVNULL)
        try:
            assert process.wait(timeout=generator.uniform(0.05, 0.6) * seconds) == 0
            finished += 1
            assert found.read_bytes() == expected
            found.unlink()
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
    subprocess.run(resumed, check=True, stderr=subprocess.DEVNULL)
    assert found.read_bytes() == expected
    assert not (folder / "work").exists()
    found.unlink()
    print(f"{case.name}: the same bits, killed {killed} times, {finished} walks finished between",
          flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, help="of each pass")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tiny_model.write_tiny_model(name, layers=3)
        subprocess.run([BUILD / "bin" / "llmc-translate", "--import-onnx",
                        SOURCE / "models" / "tiny" / "model.onnx", "-o", folder / "embedded.mlir"],
                       check=True)
        for case in CASES:
            check(case, folder, options.kills or case.kills, generator)


if __name__ == "__main__":
    main()
