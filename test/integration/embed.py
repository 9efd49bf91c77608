# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Installs llmc, builds examples/embed against it as a user would, and compares what it writes with
`llmc run`: once with the weights in a file, once with them linked in. Then changes the weights and
demands that the model is compiled again, and damages them and demands the error.
"""

import argparse
import os
import shutil
import subprocess
import tempfile

from tiny_model import write_tiny_model

SOURCE = os.environ["LLMC_SOURCE"]
BUILD = os.environ["LLMC_BUILD"]


def run(*command, fails=False):
    """Runs a command and gives its standard output, or with `fails` its standard error."""
    result = subprocess.run(command, capture_output=True, text=True)
    if (result.returncode != 0) != fails:
        raise SystemExit(f"{' '.join(command)}: exit status {result.returncode}\n"
                         f"{result.stdout}\n{result.stderr}")
    return result.stderr if fails else result.stdout


def write_with_driver(prefix, model, passes, folder, tokens):
    artifact = os.path.join(folder, "model.llmc")
    run(f"{prefix}/bin/llmc", "compile", model, "-o", artifact,
        *([f"--passes={passes}"] if passes else []))
    return run(f"{prefix}/bin/llmc", "run", artifact, "--prompt", "abc", "--max-tokens", str(tokens))


def check(prefix, model, passes, folder, tokens):
    expected = write_with_driver(prefix, model, passes, folder, tokens)
    for embed in ("OFF", "ON"):
        build = os.path.join(folder, f"build-{embed}")
        run("cmake", "-S", f"{SOURCE}/examples/embed", "-B", build, "-G", "Ninja",
            f"-DCMAKE_PREFIX_PATH={prefix}", f"-DMODEL={model}", f"-DPASSES={passes}",
            f"-DEMBED={embed}", "-DCMAKE_BUILD_TYPE=Release")
        run("cmake", "--build", build)
        found = run(os.path.join(build, "embed"), "abc", str(tokens))
        assert found == expected, f"EMBED={embed}: expected {expected!r}, found {found!r}"
        assert "no work to do" in run("cmake", "--build", build)


def check_changes(prefix, model, folder, tokens):
    """New weights are noticed by the build; other weights are refused by the program."""
    build = os.path.join(folder, "build-OFF")
    weights = os.path.join(build, "model.llmc", "model.weights")
    before = run(os.path.join(build, "embed"), "abc", str(tokens))
    shutil.copy(weights, folder + "/old.weights")
    write_tiny_model(os.path.dirname(model), seed=5)
    run("cmake", "--build", build)
    after = run(os.path.join(build, "embed"), "abc", str(tokens))
    assert after != before, "the model was not compiled again when its weights changed"
    assert after == write_with_driver(prefix, model, "", folder, tokens)
    shutil.copy(folder + "/old.weights", weights)
    message = run(os.path.join(build, "embed"), fails=True)
    assert "the weights belong to another program" in message, message


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="", help="a model to link in instead of the tiny one")
    parser.add_argument("--passes", default="")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prefix = os.path.join(folder, "prefix")
        run("cmake", "--install", BUILD, "--prefix", prefix)
        if arguments.model:
            check(prefix, os.path.abspath(arguments.model), arguments.passes, folder, 16)
            return
        source = os.path.join(folder, "a model")
        os.mkdir(source)
        model = write_tiny_model(source)
        check(prefix, model, "", folder, 10)
        check_changes(prefix, model, folder, 10)


if __name__ == "__main__":
    main()
