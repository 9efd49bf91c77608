# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles models for AArch64, links them with the runtime, runs them in qemu-aarch64 on a CPU with
and one without dot product instructions, and demands the bits that x86-64 gives.

Variants with a fused multiply-add give the same bits on every architecture; the x86-64 variant has
none and is compared within rounding.
"""

import array
import glob
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile

from tiny_model import write_tiny_model

SOURCE = os.environ["LLMC_SOURCE"]
BUILD = os.environ["LLMC_BUILD"]
SYSROOT = "/usr/aarch64-linux-gnu"
TOKENS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4]
PREFILL = 13
# CPU: variants it runs, best first.
CPUS = {"max": ["neon-dotprod", "neon"], "cortex-a72": ["neon"]}


def run(*command, variant="", fails=False):
    environment = {**os.environ, "LLMC_VARIANT": variant}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if (result.returncode != 0) != fails:
        raise SystemExit(f"{' '.join(command)}: exit status {result.returncode}\n"
                         f"{result.stdout}\n{result.stderr}")
    return result.stderr if fails else result.stdout


def build(folder, model, target, compiler, *options):
    """Compiles and links `model` for `target` with Inputs/logits.c; gives program and weights."""
    base = os.path.join(folder, target.split("-")[0])
    os.makedirs(base + "/xxhash", exist_ok=True)
    # The only header from outside: it is the same for all architectures.
    shutil.copy(find_xxhash(), base + "/xxhash")
    run(f"{BUILD}/bin/llmc-translate", "--mlir-to-object", model, f"--target={target}", "-o",
        f"{base}/model.o")
    run(compiler, *options, "-O2", "-std=gnu11", f"-I{SOURCE}/runtime/include", f"-I{base}",
        f"-I{base}/xxhash", *sorted(glob.glob(f"{SOURCE}/runtime/core/*.c")),
        f"{SOURCE}/test/integration/Inputs/logits.c", f"{base}/model.o", "-o", f"{base}/logits",
        "-lpthread", "-ldl", "-lm")
    return f"{base}/logits", f"{base}/model.weights"


def find_xxhash():
    for folder in ("/usr/include", "/usr/local/include"):
        if os.path.exists(folder + "/xxhash.h"):
            return folder + "/xxhash.h"
    raise SystemExit("expected xxhash.h in /usr/include")


def evaluate(folder, program, weights, launcher=(), variant=""):
    """Gives the variant that ran, and the bytes of the logits."""
    output = os.path.join(folder, "logits.bin")
    name = run(*launcher, program, weights, output, str(PREFILL), *map(str, TOKENS),
               variant=variant)
    with open(output, "rb") as stream:
        return name.strip(), stream.read()


def check_near(found, expected):
    """Demands finite numbers that differ by rounding only."""
    found, expected = (array.array("f", contents) for contents in (found, expected))
    assert len(found) == len(expected) and all(map(math.isfinite, expected))
    bound = 1e-5 * max(map(abs, expected))
    assert 0 < bound and all(abs(a - b) <= bound for a, b in zip(found, expected))


def check(bits, clang):
    with tempfile.TemporaryDirectory() as folder:
        model = write_tiny_model(folder, bits=bits)
        x86, x86_weights = build(folder, model, "x86_64-linux-gnu:avx2,x86-64", clang)
        arm, arm_weights = build(folder, model, "aarch64-linux-gnu", clang,
                                 "--target=aarch64-linux-gnu", "-fuse-ld=lld")
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
                assert found == expected, f"bits={bits}, {cpu}, {variant}: other bits than avx2"
        message = run("qemu-aarch64", "-cpu", "cortex-a72", "-L", SYSROOT, arm, arm_weights,
                      os.path.join(folder, "logits.bin"), "1", "1", variant="neon-dotprod",
                      fails=True)
        assert "variant 'neon-dotprod' needs what this CPU lacks: dotprod" in message, message


def main():
    clang = shutil.which("clang-22") or shutil.which("clang")
    if not clang or not shutil.which("qemu-aarch64") or not os.path.isdir(SYSROOT):
        print("skipped: needs clang, qemu-aarch64 and the libraries in " + SYSROOT)
        sys.exit(77)
    with open("/proc/cpuinfo", encoding="utf-8") as stream:
        features = stream.read().split()
    if platform.machine() != "x86_64" or not {"avx2", "fma", "f16c", "bmi2"} <= set(features):
        print("skipped: needs an x86-64 with AVX2 to compare with")
        sys.exit(77)
    for bits in (0, 4, 8):
        check(bits, clang)


if __name__ == "__main__":
    main()
