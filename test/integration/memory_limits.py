# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every command at limits of memory that it does not fit in: a message, and nothing half done."""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile

import numpy as np
from support import TINY, llmc, one_target, tool

MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Command:
    name: str
    arguments: list[str]
    outputs: list[str]  # files in the working folder


def make_commands() -> list[Command]:
    target = f"--target={one_target()}"
    onnx, passes = str(TINY / "model.onnx"), "quantize-rtn{bits=4 table=false}"
    short = ["--prompt-tokens", "8", "--generate-tokens", "4", "--repeat", "1"]
    text = ["--text", str(TINY / "held-out.txt"), "--context", "64", "--windows", "4"]

    def driver(*arguments: str, outputs: tuple[str, ...] = ()) -> Command:
        return Command(arguments[0], [tool("llmc"), *arguments], list(outputs))

    return [
        driver("compile", onnx, f"--passes={passes}", target, "-o", "new.llmc", outputs=("new.llmc",)),
        driver("compile", onnx, "--object", target, "-o", "new.o", outputs=("new.o", "new.h", "new.weights")),
        driver("run", "tiny.llmc", "--prompt", "In those days", "--max-tokens", "4"),
        driver("eval", "tiny.llmc", *text),
        driver("bench", "tiny.llmc", *short),
        driver("logits", "tiny.llmc", "--tokens", "tokens.npy", "-o", "new.npy", outputs=("new.npy",)),
        driver("inspect", "tiny.llmc"),
        driver("inspect", onnx),
        driver("compare", "tiny.llmc", "tiny.llmc", *short),
        Command("import", [tool("llmc-translate"), "--import-onnx", onnx, "-o", "new.mlir"],
                ["new.mlir"]),  # the file's own weights stay where they are
        Command("opt", [tool("llmc-opt"), f"--quantize-rtn=bits=4 table=false", "m.mlir", "-o", "new.mlir"],
                ["new.mlir", "new.safetensors"]),
        Command("object", [tool("llmc-translate"), "--mlir-to-object", target, "m.mlir", "-o", "new.o"],
                ["new.o", "new.h", "new.weights"]),
        Command("gptq", [tool("llmc-opt"), "--quantize-gptq=samples=4 sequence-length=32 table=false", "m.mlir",
                         "-o", "new.mlir"], ["new.mlir", "new.safetensors"]),
    ]


class Runner:
    def __init__(self, work: pathlib.Path):
        self.work, self.temporary = work, work / "temporary"
        self.temporary.mkdir()

    def run(self, command: Command, limit: int) -> subprocess.CompletedProcess:
        def restrict() -> None:
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        return subprocess.run(command.arguments, cwd=self.work, preexec_fn=restrict, capture_output=True,
                              text=True, errors="replace", timeout=300,
                              env={**os.environ, "TMPDIR": str(self.temporary)})

    def check(self, command: Command, limit: int) -> bool:
        """Whether the command fits in the limit; fails the test where it ends badly."""
        before = {path.name for path in self.work.iterdir()}
        done = self.run(command, limit)
        where = f"{command.name} with {limit / MIB:.0f} MiB"
        # Below what loading takes, the dynamic linker is the one that speaks, or LLVM's library, which
        # has no handler of ours before main.
        loading = (done.returncode == 127 and re.search(r"cannot|failed|memory", done.stderr)
                   or done.returncode == -signal.SIGABRT
                   and done.stderr.startswith("LLVM ERROR: out of memory"))
        assert done.returncode in (0, 1) or loading, f"{where}: exit {done.returncode}: {done.stderr[-2000:]}"
        if done.returncode == 0:
            for name in command.outputs:
                (self.work / name).unlink()
        else:
            assert loading or "error" in done.stderr, f"{where}: no message: {done.stderr[-2000:]}"
            assert "Stack dump" not in done.stderr, f"{where}: {done.stderr[-2000:]}"
        after = {path.name for path in self.work.iterdir()}
        # Of several outputs some may be there: each is whole, and they name each other.
        assert all(name in command.outputs for name in after - before), f"{where}: left {after - before}"
        for name in after - before:
            (self.work / name).unlink()
        left = os.listdir(self.temporary)
        assert not left, f"{where}: left {left} in the folder of temporary files"
        return done.returncode == 0


def find_need(runner: Runner, command: Command) -> int:
    """A limit that the command fits in, in MiB, within 32 of the least."""
    low, high = 16, 64
    while not runner.check(command, high * MIB):
        low, high = high, high * 2
        assert high <= 1 << 16, f"{command.name} needs more than 64 GiB"
    while high - low > 32:
        middle = (low + high) // 2
        low, high = (low, middle) if runner.check(command, middle * MIB) else (middle, high)
    return high


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limits", type=int, default=6, help="for each command")
    parser.add_argument("--only", default="", help="a command's name")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        llmc("compile", TINY / "model.onnx", "--passes=quantize-rtn{bits=4 table=false}",
             f"--target={one_target()}", "-o", work / "tiny.llmc")
        subprocess.run([tool("llmc-translate"), "--import-onnx", str(TINY / "model.onnx"), "-o",
                        str(work / "m.mlir")], check=True)
        np.save(work / "tokens.npy", np.arange(64))
        runner = Runner(work)
        for command in make_commands():
            if options.only and command.name != options.only:
                continue
            need = find_need(runner, command)
            # From what the program's libraries take to what it needs, where the interesting ends are.
            limits = np.linspace(0.3, 1.02, options.limits) * need * MIB
            fits = sum(runner.check(command, int(limit)) for limit in limits)
            print(f"{command.name}: fits in {need} MiB, in {fits} of {options.limits} limits below", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
