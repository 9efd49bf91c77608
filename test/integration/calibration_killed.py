# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kills a calibration again and again, at random moments, and expects what one run that nobody
disturbs gives, bit for bit."""

import argparse
import pathlib
import random
import signal
import subprocess
import tempfile
import time

from support import BUILD, SOURCE


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    generator = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        model = folder / "tiny.mlir"
        subprocess.run([BUILD / "bin" / "llmc-translate", "--import-onnx",
                        SOURCE / "models" / "tiny" / "model.onnx", "-o", model], check=True)

        def command(name, extra=""):
            # The model writes its own text, so that this is interrupted too.
            return [BUILD / "bin" / "llmc-opt", model, "-o", folder / f"{name}.mlir",
                    f"--calibrate=calibration=self samples=40 sequence-length=96 memory=2 "
                    f"save-statistics={folder / name} {extra}"]

        start = time.monotonic()
        subprocess.run(command("clean"), check=True, stderr=subprocess.DEVNULL)
        seconds = time.monotonic() - start
        resumed = command("killed", f"resume={folder / 'work'}")
        killed = finished = 0
        while killed < options.kills:
            process = subprocess.Popen(resumed, stderr=subprocess.DEVNULL)
            try:
                assert process.wait(timeout=generator.uniform(0.05, 0.6) * seconds) == 0
                finished += 1
                assert (folder / "killed").read_bytes() == (folder / "clean").read_bytes()
                (folder / "killed").unlink()
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
        subprocess.run(resumed, check=True, stderr=subprocess.DEVNULL)
        assert (folder / "killed").read_bytes() == (folder / "clean").read_bytes()
        assert not (folder / "work").exists()
    print(f"calibration_killed: the same bits, killed {killed} times, {finished} walks finished "
          "between")


if __name__ == "__main__":
    main()
