# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What surrounds a run and fails: closed descriptors, files that are cut short, outputs over inputs."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from support import TINY, compile_model, llmc, one_target, tool

COMMANDS = {
    "run": ["run", "MODEL", "--prompt", "In those days", "--max-tokens", "4"],
    "eval": ["eval", "MODEL", "--text", str(TINY / "held-out.txt"), "--context", "64", "--windows", "2"],
    "bench": ["bench", "MODEL", "--prompt-tokens", "4", "--generate-tokens", "4", "--repeat", "1"],
    "inspect": ["inspect", "MODEL"],
    "compare": ["compare", "MODEL", "MODEL", "--prompt-tokens", "4", "--generate-tokens", "4", "--repeat", "1"],
}


def check_closed_descriptors(model: pathlib.Path) -> None:
    """What can't be printed is an error; nothing is printed into another file."""
    contents = model.read_bytes()
    for name, command in COMMANDS.items():
        arguments = [str(model) if part == "MODEL" else part for part in command]
        for closed in ((1,), (0, 1), (0, 1, 2), (1, 2)):
            script = "exec \"$@\" " + " ".join(f"{number}>&-" for number in closed)
            done = subprocess.run(["bash", "-c", script, "bash", tool("llmc"), *arguments],
                                  stderr=None if 2 in closed else subprocess.PIPE, text=True)
            assert done.returncode == 1, f"{name} with {closed} closed: exit {done.returncode}"
            if 2 not in closed:
                assert "cannot write standard output" in done.stderr, f"{name}: {done.stderr}"
    assert model.read_bytes() == contents, "the model was written to"
    for program in ("llmc-opt", "llmc-translate"):
        done = subprocess.run(["bash", "-c", f"exec {tool(program)} - <&- >&-"], capture_output=True, text=True)
        assert done.returncode == 1 and "error: " in done.stderr, f"{program}: {done}"


def check_outputs(work: pathlib.Path, model: pathlib.Path) -> None:
    tokens = work / "tokens.npy"
    np.save(tokens, np.arange(4))
    for output, what in ((model, "which has the model"), (tokens, "which has the tokens")):
        contents = output.read_bytes()
        done = llmc("logits", model, "--tokens", tokens, "-o", output, check=False)
        assert done.returncode == 1 and what in done.stderr, done.stderr
        assert output.read_bytes() == contents
    # No name of a temporary file can be foretold.
    victim = work / "victim"
    victim.write_text("precious")
    done = subprocess.run(["bash", "-c", f"ln -s {victim} {work}/l.npy.tmp$$; exec {tool('llmc')} logits {model} "
                           f"--tokens {tokens} -o {work}/l.npy"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert victim.read_text() == "precious"


def check_cut_model(work: pathlib.Path, model: pathlib.Path) -> None:
    """A program whose file is cut short while it runs says so, and leaves nothing behind."""
    victim, tokens = work / "cut.llmc", work / "many.npy"
    victim.write_bytes(model.read_bytes())
    np.save(tokens, np.arange(400) % 64)
    run = subprocess.Popen([tool("llmc"), "bench", str(victim), "--repeat", "100000"],
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    # Once it runs, its memory has the file.
    limit = time.monotonic() + 60
    while str(victim) not in pathlib.Path(f"/proc/{run.pid}/maps").read_text():
        assert time.monotonic() < limit and run.poll() is None, "the program does not run"
        time.sleep(0.01)
    time.sleep(0.3)
    os.truncate(victim, 4096)
    message = run.communicate(timeout=60)[1]
    assert run.returncode == 1, f"exit {run.returncode}: {message}"
    assert f"llmc: error: cannot read '{victim}': it was cut short while it was in use" in message, message


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        model = compile_model(TINY / "model.onnx", work / "tiny.llmc",
                              "quantize-rtn{bits=4 table=false}", f"--target={one_target()}")
        check_closed_descriptors(model)
        check_outputs(work, model)
        check_cut_model(work, model)
        left = [path.name for path in work.iterdir() if ".tmp" in path.name and not path.is_symlink()]
        assert not left, f"left behind: {left}"
    return 0


if __name__ == "__main__":
    sys.exit(main())
