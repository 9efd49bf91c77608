"""What measurements of SmolLM2 share: running what was built, and keeping what was measured."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("LLMC_BUILD", ROOT / "build"))
MODEL = ROOT / "out" / "smollm2" / "plain" / "model.onnx"


def run(program: str, *arguments: object) -> str:
    """What a built program prints; ends the measurement where it fails."""
    command = [str(BUILD / "bin" / program), *map(str, arguments)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace")
    if done.returncode != 0:
        sys.exit(f"{pathlib.Path(sys.argv[0]).stem.replace('_', '-')}: {' '.join(command)} failed")
    return done.stdout


def open_results(folder: pathlib.Path, fresh: bool) -> None:
    """Makes a folder for what is measured. What an interrupted run left stays, unless it is of another
    compiler or is not wanted."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "compiler"
    compiler = str(max((BUILD / "bin" / name).stat().st_mtime_ns for name in ("llmc", "llmc-compile")))
    if fresh or not stamp.exists() or stamp.read_text() != compiler:
        for file in folder.iterdir():
            file.unlink()
        stamp.write_text(compiler)
