# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs scripts of this folder by an interpreter that has their packages loaded: worker.py PACKAGE….

Every line of its input is a JSON list, MODULE and its arguments. That module's main() runs in a
process of its own, and what was wrong, or nothing, is answered as a JSON string. Loading torch and
what stands on it takes longer than most exports.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import tempfile
import traceback
from typing import BinaryIO, NoReturn

SECONDS = 900  # that a script may take


def run_script(module: str, arguments: list[str], output: BinaryIO) -> NoReturn:
    """What the forked process does."""
    signal.alarm(SECONDS)
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    sys.argv = [module, *arguments]
    status = 1
    try:
        status = importlib.import_module(module).main()
    except SystemExit as end:
        status = 1 if end.code else 0
        print(end.code or "", file=sys.stderr)
    except BaseException:  # whatever an exporter raises
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def run_forked(module: str, arguments: list[str]) -> str:
    """The last line that a script wrote if it failed."""
    with tempfile.TemporaryFile() as output:
        process = os.fork()
        if process == 0:
            run_script(module, arguments, output)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        if status == 0:
            return ""
        output.seek(0)
        lines = output.read().decode(errors="replace").splitlines()
    written = [line.strip() for line in lines if line.strip()]
    return written[-1] if written and status > 0 else f"exit code {status}"


def main() -> int:
    for package in sys.argv[1:]:
        importlib.import_module(package)
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        module, *arguments = json.loads(line)
        print(json.dumps(run_forked(module, arguments)), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
