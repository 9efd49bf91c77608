# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Cross-compiles the runtime and, with llmc_add_model, an application with a model for AArch64. Runs
it in qemu-aarch64 on a CPU with and on one without dot product instructions, and demands the bits
that x86-64 gives.

Variants with a fused multiply-add give the same bits on every architecture; the x86-64 variant has
none and is compared within rounding.
"""

import os
import shutil
import sys
import tempfile

from linked_model import (BUILD, build, check_near, evaluate, install_runtime, require_avx2, run,
                          write_tiny_model)

SYSROOT = "/usr/aarch64-linux-gnu"
TOOLCHAIN = "-DCMAKE_TOOLCHAIN_FILE=" + os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                     "aarch64.cmake")
# CPU: variants it runs, best first.
CPUS = {"max": ["neon-dotprod", "neon"], "cortex-a72": ["neon"]}


def check_artifact(folder, model, x86, arm, expected):
    """One file for both architectures gives what the linked models give."""
    artifact = os.path.join(folder, "both.llmc")
    run(f"{BUILD}/bin/llmc-compile", model, "--target=x86_64-linux-gnu:avx2",
        "--target=aarch64-linux-gnu", "-o", artifact)
    for program, launcher in ((x86, ()), (arm, ("qemu-aarch64", "-L", SYSROOT))):
        assert evaluate(folder, program, artifact, launcher)[1] == expected, "other bits: artifact"


def write_model(folder, form):
    """A model of floats, of integers of so many bits, or rounded to the format of a name."""
    if isinstance(form, int):
        return write_tiny_model(folder, bits=form)
    rounded = os.path.join(folder, "rounded.mlir")
    run(f"{BUILD}/bin/llmc-opt", write_tiny_model(folder),
        f"--quantize-rtn=format={form} head-format=same table=false", "-o", rounded)
    return rounded


def check(form, x86_runtime, arm_runtime):
    with tempfile.TemporaryDirectory() as folder:
        model = write_model(folder, form)
        x86, x86_weights = build(folder, model, x86_runtime)
        arm, arm_weights = build(folder, model, arm_runtime, TOOLCHAIN)
        with open(x86_weights, "rb") as left, open(arm_weights, "rb") as right:
            assert left.read() == right.read(), "the packed weights depend on the target"
        name, expected = evaluate(folder, x86, x86_weights, variant="avx2")
        assert name == "avx2"
        name, unfused = evaluate(folder, x86, x86_weights, variant="x86-64")
        assert name == "x86-64"
        check_near(unfused, expected)
        for cpu, variants in CPUS.items():
            qemu = ("qemu-aarch64", "-cpu", cpu, "-L", SYSROOT)
            name, _ = evaluate(folder, arm, arm_weights, qemu)
            assert name == variants[0], f"{cpu}: expected {variants[0]}, found {name}"
            for variant in variants:
                name, found = evaluate(folder, arm, arm_weights, qemu, variant)
                assert name == variant
                assert found == expected, f"{form}, {cpu}, {variant}: other bits than avx2"
        check_artifact(folder, model, x86, arm, expected)
        message = run("qemu-aarch64", "-cpu", "cortex-a72", "-L", SYSROOT, arm, arm_weights,
                      os.path.join(folder, "logits.bin"), "1", "1", variant="neon-dotprod",
                      fails=True)
        assert "variant 'neon-dotprod' needs what this CPU lacks: dotprod" in message, message


def main():
    # By its real name, beside which the one for C++ lies.
    clang = os.path.realpath(shutil.which("clang-22") or shutil.which("clang") or "")
    if not os.path.exists(clang + "++") or not shutil.which("qemu-aarch64") or not os.path.isdir(SYSROOT):
        print("skipped: needs clang, qemu-aarch64 and the libraries in " + SYSROOT)
        sys.exit(77)
    require_avx2()
    os.environ["LLMC_TEST_CLANG"] = clang
    with tempfile.TemporaryDirectory() as folder:
        x86_runtime = install_runtime(folder, "x86_64")
        arm_runtime = install_runtime(folder, "aarch64", TOOLCHAIN)
        for form in (0, 4, 8, "trellis"):
            check(form, x86_runtime, arm_runtime)


if __name__ == "__main__":
    main()
