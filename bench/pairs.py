# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What comparisons of programs have in common: they run commands, and make what is not there yet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run(*command: object) -> str:
    """Runs a command and returns what it prints; ends the program where it fails."""
    done = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{Path(sys.argv[0]).stem}: {' '.join(map(str, command))} failed")
    return done.stdout


def older(path: Path, *sources: Path) -> bool:
    """Whether a file is missing or older than what it is made from."""
    return not path.exists() or any(path.stat().st_mtime < source.stat().st_mtime for source in sources)
