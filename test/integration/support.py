"""What the integration tests share: running the tools, comparing logits, skipping."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

import numpy as np

BUILD = pathlib.Path(os.environ.get("LLMC_BUILD", "build")).resolve()
SOURCE = pathlib.Path(os.environ.get("LLMC_SOURCE", ".")).resolve()
TINY = SOURCE / "models" / "tiny"

# The one program that knows how to feed any exporter's model to ONNX Runtime.
sys.path.append(str(SOURCE / "scripts" / "models"))


def skip(reason: str) -> None:
    """Ends the test as skipped."""
    print(f"skipped: {reason}")
    sys.exit(77)


def test_data() -> pathlib.Path:
    """The folder of data that lies beside the project; skips the test where there is none."""
    folder = os.environ.get("LLMC_TEST_DATA", "")
    if not folder or not pathlib.Path(folder).is_dir():
        skip("LLMC_TEST_DATA names no folder")
    return pathlib.Path(folder)


def smollm2() -> pathlib.Path:
    """The folder that scripts/get-smollm2 makes; skips the test where there is none."""
    folder = pathlib.Path(os.environ.get("LLMC_SMOLLM2", SOURCE / "out" / "smollm2"))
    if not (folder / "plain" / "model.onnx").exists():
        skip(f"no SmolLM2 in {folder} (scripts/get-smollm2 downloads it)")
    return folder


def llmc(*arguments: object, check: bool = True, **options) -> subprocess.CompletedProcess:
    """Runs the driver; on failure its standard error becomes the test's."""
    command = [tool("llmc"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return done


def tool(name: str) -> str:
    """The path of a built program."""
    return str(BUILD / "bin" / name)


def llmc_json(command: str, *arguments: object) -> dict:
    """What a command of the driver prints with --json."""
    return json.loads(llmc(command, *arguments, "--json").stdout)


# Code for every variant, where the variants are what is tested.
ALL_VARIANTS = "--target=host"


# Digests of the ONNX files that this test has compared with their graphs.
checked: set[bytes] = set()


def compile_model(model: pathlib.Path, output: pathlib.Path, passes: str = "", *options: object):
    """Compiles a model with compression passes, for one_target() where no target is given; gives the
    artifact's path. What is imported is compared with its graph, once for each file. Caches are as
    the passes have them, so that references have the same."""
    if not any(str(option).startswith("--target") for option in options):
        options = (*options, f"--target={one_target()}")
    digest = hashlib.sha256(pathlib.Path(model).read_bytes()).digest()
    if digest in checked and not any(str(option).startswith("--check-import") for option in options):
        options = (*options, "--check-import=off")
    done = llmc("compile", model, *([f"--passes={passes}"] if passes else []), "--caches=keep", *options,
                "-o", output)
    assert "cannot compare the raised model" not in done.stderr, done.stderr
    if pathlib.Path(model).suffix == ".onnx":
        checked.add(digest)
    return output


@functools.cache
def one_target() -> str:
    """--target for one variant that this machine runs, where what is tested is not code: that which
    takes least time to compile."""
    if platform.machine() == "aarch64":
        return "host:neon"
    flags = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    return "host:avx2" if {"avx2", "fma", "f16c", "bmi2"} <= set(flags) else "host:x86-64"


def compute_logits(artifact: pathlib.Path, tokens: np.ndarray, *options: object) -> np.ndarray:
    """The logits of all positions."""
    token_file, output = artifact.with_suffix(".tokens.npy"), artifact.with_suffix(".npy")
    np.save(token_file, tokens)
    llmc("logits", artifact, "--tokens", token_file, "-o", output, *options)
    return np.load(output)


def runnable_variants(artifact: pathlib.Path) -> list[str]:
    """The variants of a program that this CPU can run, best first."""
    variants = llmc_json("inspect", artifact)["variants"]
    return [variant["name"] for variant in variants if variant["runs_here"]]


def encode(folder: pathlib.Path, text: str) -> np.ndarray:
    """The tokens of a text, by the tokenizer beside a model, without special ones."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return np.array(tokenizer.encode(text, add_special_tokens=False).ids, np.int64)


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a command took."""

    seconds: float
    peak_bytes: int
    output: str


def measure(*command: object) -> Cost:
    """Runs a command that must succeed, and measures it."""
    start = time.monotonic()
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - start
    assert process.returncode == 0, f"{' '.join(map(str, command))}: exit {process.returncode}"
    return Cost(seconds, usage.ru_maxrss * 1024, output)


def relative_difference(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, relative to the largest expected value."""
    assert found.shape == expected.shape, f"expected shape {expected.shape}, found {found.shape}"
    assert np.isfinite(found).all(), "found values that are not finite"
    return float(np.abs(found - expected).max() / np.abs(expected).max())
