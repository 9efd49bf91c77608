# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What calibration buys on the embedded model: quantize-gptq against quantize-rtn at equal encodings,
by the divergence from fp32 on held-out text; and interrupted work that ends with the same bytes."""

import json
import pathlib
import signal
import subprocess
import tempfile
import time

from support import BUILD, SOURCE, one_target

TINY = SOURCE / "models" / "tiny"
LLMC, OPT = BUILD / "bin" / "llmc", BUILD / "bin" / "llmc-opt"
# Held-out text calibrates here; what is compared are encodings on the same text, not models.
CALIBRATION = f"calibration={TINY / 'held-out.txt'} samples=24 sequence-length=128"


def compile_model(folder, name, passes):
    artifact = folder / f"{name}.llmc"
    command = [LLMC, "compile", TINY / "model.onnx", f"--target={one_target()}", "-o", artifact]
    subprocess.run([*command, f"--passes={passes}"] if passes else command, check=True)
    return artifact


def divergence(artifact, reference):
    """Mean KL divergence from the reference."""
    done = subprocess.run([LLMC, "eval", artifact, "--text", TINY / "held-out.txt", "--context", "256",
                           "--windows", "8", "--reference", reference, "--json"],
                          check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)["kl_mean"]


def compare_with_rtn(folder):
    reference = compile_model(folder, "fp32", "")
    for options, limit in [("bits=3 group-size=128 symmetric=false", 0.8),
                           ("bits=4 group-size=channel", 0.85)]:
        common = f"{options} activation=none table=false"
        rtn = divergence(compile_model(folder, "rtn", f"quantize-rtn{{{common}}}"), reference)
        gptq = divergence(compile_model(folder, "gptq", f"quantize-gptq{{{common} {CALIBRATION}}}"),
                          reference)
        print(f"{options}: KL of RTN {rtn:.5f}, of GPTQ {gptq:.5f}, ratio {gptq / rtn:.3f}")
        assert gptq < limit * rtn


def quantize(model, output, resume, options="bits=4"):
    return [OPT, model, "-o", output,
            f"--quantize-gptq={options} table=false {CALIBRATION} resume={resume}"]


def expect_refusals(folder, model):
    """Work goes on for the same model and options only."""
    other = folder / "other.mlir"
    subprocess.run([OPT, model, "-o", other, "--quantize-rtn=bits=8 ignore=down table=false"], check=True)
    for command, key in [(quantize(other, folder / "refused.mlir", folder / "work"), "model"),
                         (quantize(model, folder / "refused.mlir", folder / "work", "bits=3"), "pass"),
                         (quantize(model, folder / "refused.mlir", folder / "work",
                                   "bits=4 damp=0.02"), "pass")]:
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1, f"expected exit code 1, found {done.returncode}: {done.stderr}"
        assert f"expected work with {key} \"" in done.stderr and "\", found \"" in done.stderr, done.stderr
        assert not (folder / "refused.mlir").exists()


def survive_interruptions(folder):
    """Killed again and again, later each time, the pass ends with the bytes of a clean run, whatever
    the number of threads that each run has."""
    model = folder / "model.mlir"
    subprocess.run([BUILD / "bin" / "llmc-translate", "--import-onnx", TINY / "model.onnx", "-o",
                    model], check=True)
    start = time.monotonic()
    subprocess.run(quantize(model, folder / "clean.mlir", folder / "clean"), check=True)
    duration = time.monotonic() - start
    rows = folder / "work" / "rows"
    # Once as soon as a block is finished, whatever the machine's speed: what is there is of this job.
    process = subprocess.Popen(quantize(model, folder / "resumed.mlir", folder / "work"))
    while process.poll() is None and not rows.exists():
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert rows.exists(), "expected a folder of interrupted work"
    expect_refusals(folder, model)
    killed = 1
    for attempt in range(1, 11):
        process = subprocess.Popen(quantize(model, folder / "resumed.mlir", folder / "work",
                                            f"bits=4 threads={1 + attempt % 3}"))
        try:
            process.wait(timeout=duration * attempt / 10)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed += 1
        if process.returncode == 0:
            break
        assert not (folder / "resumed.mlir").exists(), "a killed run left an output"
    if process.returncode != 0:
        subprocess.run(quantize(model, folder / "resumed.mlir", folder / "work"), check=True)
    print(f"killed {killed} times")
    clean, resumed = ((folder / f"{name}.safetensors").read_bytes() for name in ("clean", "resumed"))
    assert clean == resumed, "interruptions changed the weights"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        compare_with_rtn(folder)
        survive_interruptions(folder)


if __name__ == "__main__":
    main()
