# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests of hostile ONNX files share: each is refused with its message, in seconds and in
bounded memory.

A case makes a model, which is imported with llmc-translate; checked are exit code 1, the message,
and that nothing was written. A few that are merely odd have to pass.
"""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Callable

import onnx

from support import tool

SECONDS = 20
MEMORY = 2 << 30

CASES: list[tuple[str, Callable, str]] = []


def case(message: str):
    """Registers a function that makes a model (or bytes) which is refused with a message."""

    def register(make: Callable) -> Callable:
        CASES.append((make.__name__, make, message))
        return make

    return register


# A process of its own, because a child is charged with what its parent had when it was born.
MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024))
sys.exit(code if code >= 0 else 128 - code)
"""
peak = 0


def run_import(path: pathlib.Path, output: pathlib.Path) -> tuple[subprocess.CompletedProcess, float]:
    """Imports a file; gives how it ended and after how many seconds."""
    global peak
    with tempfile.NamedTemporaryFile() as memory:
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-c", MEASURE, memory.name,
                               tool("llmc-translate"), "--import-onnx", str(path),
                               "-o", str(output)], capture_output=True, timeout=SECONDS * 4)
        peak = max(peak, int(pathlib.Path(memory.name).read_text()))
        return done, time.monotonic() - start


def check(name: str, make: Callable, message: str) -> str:
    """Runs one case; gives what is wrong with it."""
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work) / "in"
        folder.mkdir()
        made = make(folder)
        path = folder / "model.onnx"
        if isinstance(made, onnx.ModelProto):
            made = made.SerializeToString()
        if made is not None:
            path.write_bytes(made)
        before = sorted(folder.iterdir())
        output = pathlib.Path(work) / "out"
        output.mkdir()
        done, seconds = run_import(path, output / "model.mlir")
        text = done.stderr.decode("utf-8", "replace")
        left = sorted(output.iterdir())
        if sorted(folder.iterdir()) != before:
            return "files appeared beside the model"
        if seconds > SECONDS:
            return f"took {seconds:.1f} s"
        if not message:
            return "" if done.returncode == 0 and left else f"exit {done.returncode}: {text}"
        if done.returncode != 1:
            return f"expected exit code 1, found {done.returncode}: {text[:2000]}"
        if left:
            return f"left {left}"
        if message not in text:
            return f"expected '{message}', found: {text[:2000]}"
        return ""


def run_cases(*groups: Callable[[], list[str]]) -> int:
    """Runs every registered case, then groups of them that say what is wrong; gives the exit code."""
    problems = []
    for name, make, message in CASES:
        start = time.monotonic()
        wrong = check(name, make, message)
        print(f"{name}: {wrong or 'ok'} ({time.monotonic() - start:.1f} s)", flush=True)
        if wrong:
            problems.append(name)
    for group in groups:
        found = group()
        print(f"{group.__name__}: {'; '.join(found) or 'ok'}", flush=True)
        problems += found
    print(f"peak memory of an import: {peak >> 20} MiB")
    if peak > MEMORY:
        problems.append("memory")
    print(f"{len(problems)} problems")
    return 1 if problems else 0
