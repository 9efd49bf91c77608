# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs an application with a model linked in on an emulated x86-64 with AVX-512 VNNI, whatever this
machine has, and demands that it chooses that variant by itself and gives the bits of AVX2.

LLMC_EMULATOR is the command that emulates: `COMMAND -i FILE -o FOLDER -e NAME=VALUE PROGRAM
ARGUMENT…` runs PROGRAM with a variable of the environment; FILE is what it reads, and what it writes
in FOLDER comes back.
"""

import os
import shlex
import sys
import tempfile

from linked_model import (build, check_near, evaluate, install_runtime, require_avx2,
                          write_tiny_model)


def check(folder, bits, runtime, emulator):
    model = write_tiny_model(folder, bits=bits)
    program, weights = build(folder, model, runtime)
    name, expected = evaluate(folder, program, weights, variant="avx2")
    assert name == "avx2"

    def emulate(variant):
        launcher = [*emulator, "-i", weights, "-o", folder, "-e", f"LLMC_VARIANT={variant}"]
        return evaluate(folder, program, weights, launcher)

    name, found = emulate("")
    assert name == "avx512vnni", f"expected that the emulated CPU runs avx512vnni, found {name}"
    assert found == expected, f"bits={bits}: avx512vnni gives other bits than avx2"
    name, found = emulate("avx2")
    assert name == "avx2" and found == expected, f"bits={bits}: AVX2 emulated gives other bits"
    name, found = emulate("x86-64")
    assert name == "x86-64"
    check_near(found, expected)


def main():
    emulator = shlex.split(os.environ.get("LLMC_EMULATOR", ""))
    if not emulator:
        print("skipped: LLMC_EMULATOR names no command")
        sys.exit(77)
    require_avx2()
    with tempfile.TemporaryDirectory() as folder:
        runtime = install_runtime(folder, "x86_64")
        for bits in (0, 3, 4, 8):
            check(folder, bits, runtime, emulator)


if __name__ == "__main__":
    main()
