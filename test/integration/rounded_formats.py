# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The bytes of weights rounded to floats of a byte or less are those that ml_dtypes rounds to.

Scales follow from the formats' definitions (OCP Microscaling Formats v1.0, section 6.3; the largest
magnitude over the largest number elsewhere); codes are what ml_dtypes makes of the quotients.
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import tempfile

import ml_dtypes
import numpy as np

from support import tool

ROWS, COLUMNS = 33, 96
MODEL = """
llmc.parameter @w : tensor<{rows}x{columns}xf32> = #llmc.file<"weights.bin", offset = 0>
func.func @step(%x: tensor<?x{columns}xf32>) -> tensor<?x{rows}xf32> {{
  %w = llmc.parameter_value @w : tensor<{rows}x{columns}xf32>
  %y = llmc.linear %x, %w : (tensor<?x{columns}xf32>, tensor<{rows}x{columns}xf32>) -> tensor<?x{rows}xf32>
  return %y : tensor<?x{rows}xf32>
}}
"""
ELEMENTS = {"fp4": ml_dtypes.float4_e2m1fn, "fp8": ml_dtypes.float8_e4m3fn,
            "fp8-e5m2": ml_dtypes.float8_e5m2, "mxfp4": ml_dtypes.float4_e2m1fn,
            "mxfp6": ml_dtypes.float6_e2m3fn, "mxfp6-e3m2": ml_dtypes.float6_e3m2fn,
            "mxfp8": ml_dtypes.float8_e4m3fn, "mxfp8-e5m2": ml_dtypes.float8_e5m2,
            "mxint8": np.int8, "nvfp4": ml_dtypes.float4_e2m1fn}


def largest_number(element: type) -> float:
    return 127.0 if element is np.int8 else float(ml_dtypes.finfo(element).max)


def scales_of(name: str, weights: np.ndarray, element: type) -> tuple[np.ndarray, np.ndarray, float]:
    """Scales of groups [rows, groups] as they are stored and as numbers, and that of the matrix."""
    group = {"fp4": 64, "nvfp4": 16}.get(name, 32 if name.startswith("mx") else weights.shape[1])
    starts = range(0, weights.shape[1], group)
    largest = np.stack([np.abs(weights[:, i:i + group]).max(axis=1) for i in starts], axis=1)
    if name.startswith("mx"):
        most = np.floor(np.log2(largest_number(element)))
        exponents = np.where(largest == 0, 0, np.floor(np.log2(np.where(largest == 0, 1, largest))) - most)
        stored = np.exp2(exponents).astype(ml_dtypes.float8_e8m0fnu)
        return stored, stored.astype(np.float32), 1.0
    if name == "nvfp4":
        matrix = np.float32(largest.max() / np.float32(6 * 448))
        stored = (largest / np.float32(6) / matrix).astype(ml_dtypes.float8_e4m3fn)
        return stored, stored.astype(np.float32), matrix
    stored = (largest / np.float32(largest_number(element))).astype(np.float16)
    return stored, stored.astype(np.float32), 1.0


def codes_of(weights: np.ndarray, scales: np.ndarray, element: type) -> np.ndarray:
    quotients = np.divide(weights, scales, out=np.zeros_like(weights), where=scales != 0)
    most = np.float32(largest_number(element))
    cut = np.clip(quotients, -most, most)
    if element is np.int8:
        return (np.rint(cut) + 128).astype(np.uint8)
    return cut.astype(element).view(np.uint8)


def canonical_form(name: str, weights: np.ndarray) -> bytes:
    element = ELEMENTS[name]
    stored, numbers, matrix = scales_of(name, weights, element)
    width = -(-weights.shape[1] // numbers.shape[1])
    group = {"fp4": 64}.get(name, width)
    spread = np.repeat(numbers, group, axis=1)[:, :weights.shape[1]] * np.float32(matrix)
    bits = 8 if element is np.int8 else ml_dtypes.finfo(element).bits
    codes = codes_of(weights, spread, element)
    rows = np.unpackbits(codes[:, :, None], axis=2, bitorder="little")[:, :, :bits]
    form = np.packbits(rows.reshape(len(weights), -1), axis=1, bitorder="little").tobytes()
    form += bytes(-len(form) % 64) + stored.tobytes()
    if name == "nvfp4":
        form += bytes(-len(form) % 64) + np.float32(matrix).tobytes()
    return form


def stored_bytes(module: pathlib.Path, size: int) -> bytes:
    """The first of the only parameter."""
    place = re.search(r'#llmc.file<"([^"]*)", offset = (\d+)>', module.read_text())
    return (module.parent / place[1]).read_bytes()[int(place[2]):][:size]


def make_weights(seed: int) -> np.ndarray:
    """Normal, of rows of all magnitudes, with a group of zeros."""
    random = np.random.default_rng(seed)
    weights = random.standard_normal((ROWS, COLUMNS)) * np.exp2(random.integers(-6, 7, (ROWS, 1)))
    weights[3, 32:64] = 0
    weights[4] = 0
    return weights.astype(np.float32)


def main() -> None:
    failures = []
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        (work / "model.mlir").write_text(MODEL.format(rows=ROWS, columns=COLUMNS))
        for seed in range(3):
            weights = make_weights(seed)
            weights.tofile(work / "weights.bin")
            for kind in ELEMENTS:
                subprocess.run([tool("llmc-opt"), work / "model.mlir", "-o", work / "q.mlir",
                                f"--quantize-rtn=format={kind} table=false"], check=True)
                expected = canonical_form(kind, weights)
                if stored_bytes(work / "q.mlir", len(expected)) != expected:
                    failures.append(f"{kind}, seed {seed}: other bytes than ml_dtypes gives")
    print("\n".join(failures) or f"{len(ELEMENTS)} formats: the bytes are equal")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
