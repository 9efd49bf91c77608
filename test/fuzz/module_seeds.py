# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes first inputs of module_fuzzer into a folder: the modules that other tests are made of."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("LLMC_BUILD", TESTS.parent / "build"))


def collect() -> list[str]:
    """The modules inside the tests that are one file, or several behind marks."""
    modules = []
    for path in sorted([*TESTS.rglob("*.mlir"), *TESTS.rglob("*.test")]):
        text = path.read_text(encoding="utf-8")
        for part in re.split(r"^// -----$|^//--- .*$", text, flags=re.MULTILINE):
            lines = [line for line in part.splitlines() if not line.lstrip().startswith("//")]
            if path.suffix == ".mlir" or "func.func" in part or "llmc.parameter" in part:
                modules.append("\n".join(lines).strip() + "\n")
    return modules


def transform(text: str, *options: str) -> str:
    """What llmc-opt makes of a module; nothing where it refuses."""
    done = subprocess.run([str(BUILD / "bin" / "llmc-opt"), *options, "-"], input=text, capture_output=True,
                          text=True)
    return done.stdout if done.returncode == 0 else ""


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    for index, text in enumerate(collect()):
        forms = {"": text}
        # Other operations fit into the generic form, and planned modules are seldom written by hand.
        if "@step" in text:
            forms |= {"-generic": transform(text, "--mlir-print-op-generic"),
                      "-plan": transform(text, "--convert-llmc-to-spmd"),
                      "-planned": transform(text, "--convert-llmc-to-spmd",
                                            "--convert-spmd-to-cpu=target=x86_64-linux-gnu:x86-64"),
                      "-linalg": transform(text, "--convert-llmc-to-linalg")}
        for form, contents in forms.items():
            if 0 < len(contents) <= 65536:
                (folder / f"module-{index}{form}").write_text(contents, encoding="utf-8")


if __name__ == "__main__":
    main()
