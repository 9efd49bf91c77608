# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests of other CPUs share: an application with a model linked in, built for a CPU's
architecture against the runtime alone, and the logits that it writes."""

import array
import math
import os
import platform
import shutil
import subprocess
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(FOLDER, ".."))
from tiny_model import write_tiny_model  # noqa: F401 (the tests' model)

SOURCE = os.environ["LLMC_SOURCE"]
BUILD = os.environ["LLMC_BUILD"]
TOKENS = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3, 8, 4]
PREFILL = 13


def require_avx2():
    """Skips the test where the bits of the AVX2 variant cannot be had to compare with."""
    with open("/proc/cpuinfo", encoding="utf-8") as stream:
        features = stream.read().split()
    if platform.machine() != "x86_64" or not {"avx2", "fma", "f16c", "bmi2"} <= set(features):
        print("skipped: needs an x86-64 with AVX2 to compare with")
        sys.exit(77)


def run(*command, variant="", fails=False):
    environment = {**os.environ, "LLMC_VARIANT": variant}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    if (result.returncode != 0) != fails:
        raise SystemExit(f"{' '.join(command)}: exit status {result.returncode}\n"
                         f"{result.stdout}\n{result.stderr}")
    return result.stderr if fails else result.stdout


def install_runtime(folder, architecture, *options):
    """Builds the runtime alone and installs it; gives the folder that it is installed in."""
    build, prefix = f"{folder}/runtime-{architecture}", f"{folder}/{architecture}"
    # The one header from outside, which is the same for all architectures.
    os.makedirs(f"{prefix}/xxhash")
    shutil.copy("/usr/include/xxhash.h", f"{prefix}/xxhash")
    run("cmake", "-S", SOURCE, "-B", build, "-G", "Ninja", "-DLLMC_BUILD_COMPILER=OFF",
        "-DLLMC_BUILD_TOKENIZER=OFF", "-DLLMC_BUILD_TESTS=OFF", f"-DCMAKE_C_FLAGS=-I{prefix}/xxhash",
        *options)
    run("cmake", "--build", build)
    run("cmake", "--install", build, "--prefix", prefix)
    return prefix


def build(folder, model, prefix, *options):
    """Builds this folder's project with `model` linked in; gives program and weights."""
    build = f"{folder}/logits-{os.path.basename(prefix)}"
    run("cmake", "-S", FOLDER, "-B", build, "-G", "Ninja",
        f"-DCMAKE_PREFIX_PATH={prefix}", f"-DLLMC_COMPILE={BUILD}/bin/llmc-compile",
        f"-DMODEL={model}", *options)
    run("cmake", "--build", build)
    return f"{build}/logits", f"{build}/model.llmc/model.weights"


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
