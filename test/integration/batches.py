# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random batches of a compiled model give the bits of each session alone, in every variant that runs here."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile

from support import ALL_VARIANTS, TINY, compile_model, runnable_variants, tool

PASSES = ("", "quantize-rtn{bits=4 table=false}", "quantize-kv-cache{keys=i8 values=i8 residual=0 sinks=0 table=false}",
          "quantize-kv-cache{keys=i4 values=i4 residual=0 sinks=0 table=false}",
          "quantize-kv-cache{residual=5 sinks=3 table=false}",
          "quantize-kv-cache{keys=i4 keys-along=positions values=i2 residual=9 table=false}",
          "quantize-kv-cache{keys=lloydmax4 keys-formats=0=f16 values=fp8 residual=5 sinks=3 table=false},"
          "evict-kv-cache{budget=48 table=false}",
          "quantize-kv-cache{keys=i4 keys-along=positions keys-group=16 values=nf4 residual=9 table=false},"
          "evict-kv-cache{policy=window budget=70 table=false}",
          "share-kv-cache{layers=2 table=false}",
          "factorize-kv-cache{keep=0.7 multiple=1 heads=1 calibration=self samples=2 sequence-length=16 table=false}",
          "factorize-kv-cache{calibration=self samples=2 sequence-length=16 table=false},"
          "quantize-kv-cache{values=i8 residual=5 sinks=3 table=false},evict-kv-cache{budget=48 table=false}",
          "share-kv-cache{layers=2 table=false},quantize-kv-cache{residual=5 sinks=3 table=false},"
          "evict-kv-cache{budget=48 table=false}",
          "quantize-kv-cache{residual=5 sinks=3 table=false},evict-kv-cache{policy=h2o budget=40 table=false}",
          "quantize-kv-cache{residual=5 sinks=3 table=false},evict-kv-cache{policy=pyramid budget=40 observe=7 table=false}")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        for index, passes in enumerate(PASSES):
            model = compile_model(TINY / "model.onnx", pathlib.Path(folder) / f"{index}.llmc", passes,
                                  "--max-rows=32", ALL_VARIANTS)
            for variant in runnable_variants(model):
                done = subprocess.run([tool("batch_check"), str(model), "40"], capture_output=True, text=True,
                                      env={**os.environ, "LLMC_VARIANT": variant})
                assert done.returncode == 0, f"{passes} {variant}: {done.stderr}"
                print(f"{passes or 'unchanged'}, {variant}: {done.stdout.strip()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
