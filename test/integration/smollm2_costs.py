"""What SmolLM2 costs: importing, compiling, loading, running, calibrating. Memory is held to its limits; times
are printed beside theirs, since they depend on what else the machine does."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from support import llmc_json, measure, smollm2, tool

PASSES = "quantize-rtn{bits=4 group-size=32 table=false}"
MEGABYTE = 10**6
# What calibration may keep of the rows, in MiB: less than the rows of these samples take.
BOUND = 32
SAMPLES, LENGTH = 32, 256


def calibration_peak(module: pathlib.Path, memory: int) -> int:
    """The most memory that GPTQ takes with a bound on the rows it keeps, in bytes."""
    tokens = module.with_name("tokens.npy")
    np.save(tokens, np.random.default_rng(0).integers(0, 49152, (SAMPLES, LENGTH), np.int32))
    options = f"bits=4 table=false calibration={tokens} samples={SAMPLES} sequence-length={LENGTH} memory={memory}"
    return measure(tool("llmc-opt"), f"--quantize-gptq={options}", module, "-o", module.with_name("q.mlir")).peak_bytes


def main() -> int:
    model = smollm2() / "plain" / "model.onnx"
    wrong = 0

    def report(what: str, found: float, unit: str, limit: float, binding: bool) -> None:
        nonlocal wrong
        above = found > limit
        wrong += above and binding
        print(f"{what}: {found:.3g} {unit}, limit {limit:.3g} {unit}{' ABOVE' if above else ''}", flush=True)

    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        importing = measure(tool("llmc-translate"), "--import-onnx", model, "-o", folder / "m.mlir")
        report("import", importing.seconds, "s", 5, binding=False)
        base = calibration_peak(folder / "m.mlir", 0)
        report("calibration, memory", base / MEGABYTE, "MB", 2000, binding=True)
        bounded = calibration_peak(folder / "m.mlir", BOUND)
        report(f"calibration with {BOUND} MiB, memory", bounded / MEGABYTE, "MB",
               (base + BOUND * 2**20) / MEGABYTE, binding=True)
        artifact = folder / "model.llmc"
        compiling = measure(tool("llmc"), "compile", model, f"--passes={PASSES}", "-o", artifact)
        report("compile", compiling.seconds, "s", 60, binding=False)
        report("compile, memory", compiling.peak_bytes / MEGABYTE, "MB", 2000, binding=True)
        bench = json.loads(subprocess.run(
            [tool("llmc"), "bench", str(artifact), "--repeat", "1", "--json"], check=True,
            stdout=subprocess.PIPE, text=True).stdout)
        report("load", bench["load_seconds"], "s", 0.1, binding=False)

        # The cache of a run is the part of its address space that the text fills.
        tokens = 256
        running = measure(tool("llmc"), "run", artifact, "--prompt", "The sea", "--max-tokens", tokens,
                          "--temperature", 1, "--seed", 1)
        inspected = llmc_json("inspect", artifact)
        cache = inspected["state_bytes"] * (tokens + 2) / inspected["context"]
        least = inspected["weight_bytes"] + cache
        # A text that ends early fills less of the cache: this one is as long as it may be.
        report("run, memory, as aimed at", running.peak_bytes / MEGABYTE, "MB", 1.15 * least / MEGABYTE, binding=False)
        report("run, memory", running.peak_bytes / MEGABYTE, "MB", 1.2 * least / MEGABYTE, binding=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
