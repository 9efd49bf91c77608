"""What the integration tests share: running the tools, comparing logits, skipping."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import numpy as np

BUILD = pathlib.Path(os.environ.get("LLMC_BUILD", "build")).resolve()
SOURCE = pathlib.Path(os.environ.get("LLMC_SOURCE", ".")).resolve()


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
    command = [str(BUILD / "bin" / "llmc"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr}")
    return done


def relative_difference(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, relative to the largest expected value."""
    assert found.shape == expected.shape, f"expected shape {expected.shape}, found {found.shape}"
    assert np.isfinite(found).all(), "found values that are not finite"
    return float(np.abs(found - expected).max() / np.abs(expected).max())
