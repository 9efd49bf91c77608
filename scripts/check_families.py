# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which ONNX files llmc compiles: families of models × exporters × tools that rewrite files.

Run by scripts/check-families. Every family is a model of two layers with random weights, made from
its transformers configuration; every exporter writes it down in its own way, and what tools make of
one exporter's files is tried as well (EXPORTER+TOOL). The logits of 24 tokens, 16 at once and the
rest one by one, should be ONNX Runtime's of the same file: within 1e-4 of the largest, or 6e-2 where
the file rounds to fp16 or to integers. Files are kept in out/families. Succeeds where nothing is
wrong without a word and at least 95 % of all files agree. What the analysis of structure says of a file
(--print-structure) should be what the model's configuration says. Files that round activations by fixed
scales are compared without that, with and by the program that rounds none (--activation=none): the
compiler says that it takes finer scales.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
FAMILIES = ROOT / "scripts" / "families"
sys.path.insert(0, str(FAMILIES))
import models
import oracle
import structure
from exporters import EXPORTERS
from rewriters import REWRITERS

TOOLS = pathlib.Path(os.environ.get("LLMC_BUILD", ROOT / "build")) / "bin"
OUT = ROOT / "out" / "families"
TOKENS, PREFILL, EXACT, ROUNDED, SHARE = 24, 16, 1e-4, 6e-2, 0.95
SECONDS = 600  # that a command may take
ROUNDING = ("fp16", "int4", "int8", "blocks")
FIXED_SCALES = "static"
VARIANT = "neon" if platform.machine() == "aarch64" else "x86-64"
# Where exporters and tools run, and what their worker loads once.
ENVIRONMENTS = {"families-venv": ("torch", "transformers", "onnxscript", "onnxruntime", "oracle"),
                "optimum-venv": ("torch", "optimum.exporters.onnx")}
OF_THREAD = threading.local()
BASE = "optimum"  # the exporter whose files are rewritten
# What onnxruntime-genai writes: its builder knows no others.
GENAI = ("ernie4_5 gemma gemma2 gemma3_text granite hunyuan_v1_dense llama mistral nemotron olmo phi "
         "phi3 qwen2 qwen3 smollm3").split()


class Unavailable(Exception):
    """A file that an exporter, a tool or ONNX Runtime can't make or run."""


def get_worker(environment: str) -> subprocess.Popen[str]:
    """This thread's worker.py of an environment."""
    if not hasattr(OF_THREAD, environment):
        python = ROOT / "out" / environment / "bin" / "python"
        OUT.mkdir(parents=True, exist_ok=True)
        setattr(OF_THREAD, environment, subprocess.Popen(
            [str(python), str(FAMILIES / "worker.py"), *ENVIRONMENTS[environment]], text=True, cwd=OUT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL))
    worker: subprocess.Popen[str] = getattr(OF_THREAD, environment)
    return worker


def run_python(environment: str, *arguments: object) -> None:
    """Runs a script of scripts/families; raises its last line if it fails."""
    worker = get_worker(environment)
    assert worker.stdin and worker.stdout
    print(json.dumps([str(argument) for argument in arguments]), file=worker.stdin, flush=True)
    answer = worker.stdout.readline()
    if not answer:
        raise RuntimeError(f"{FAMILIES / 'worker.py'} in {environment} ended")
    if json.loads(answer):
        raise Unavailable(json.loads(answer))


def make_once(path: pathlib.Path, make: Callable[[pathlib.Path], None]) -> pathlib.Path:
    """What `make` writes into a folder, once and for all; and so its failure."""
    failure = path.with_name(path.name + ".failed")
    if failure.exists():
        raise Unavailable(failure.read_text().strip())
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as work:
        target = pathlib.Path(work) / path.name
        target.mkdir()
        try:
            make(target)
            if not (target / "model.onnx").exists() and not (target / "config.json").exists():
                raise Unavailable("no model.onnx was written")
        except Unavailable as error:
            failure.write_text(str(error) + "\n")
            raise Unavailable(str(error)) from error
        target.rename(path)
    return path


def make_model(family: str) -> pathlib.Path:
    """The folder of a family's model."""
    return make_once(OUT / "models" / family, lambda target: models.save_model(family, target))


def make_file(kind: str, family: str) -> pathlib.Path:
    """model.onnx of EXPORTER or EXPORTER+TOOL."""
    exporter, _, tool = kind.partition("+")
    if exporter.startswith("genai") and family not in GENAI:
        raise Unavailable("not a family of this exporter")
    environment = "optimum-venv" if exporter.startswith("optimum") else "families-venv"
    if tool:
        source = make_file(exporter, family)
        folder = make_once(OUT / kind / family, lambda target: run_python(
            "families-venv", "rewriters", tool, source, target / "model.onnx"))
        return folder / "model.onnx"
    folder = make_once(OUT / kind / family, lambda target: run_python(
        environment, "exporters", exporter, make_model(family), target))
    return folder / "model.onnx"


class Refused(Exception):
    """What a tool says it can't do."""


def run_tool(name: str, *arguments: object) -> str:
    """Runs a tool; gives what it writes to its standard error stream."""
    try:
        done = subprocess.run([str(TOOLS / name), *map(str, arguments)], capture_output=True, text=True,
                              errors="replace", timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise Refused(f"{arguments[0]} took more than {SECONDS} s") from error
    if done.returncode == 0:
        return done.stderr
    lines = [line for line in done.stderr.strip().splitlines() if "error" in line or "note" in line]
    raise Refused(" | ".join(line.split("model.onnx:0:0: ")[-1] for line in lines[:3])
                  or f"exit code {done.returncode}")


def find_structural_mistake(path: pathlib.Path, expected: structure.Expected, work: pathlib.Path) -> str:
    """What is said wrongly of a file's structure; empty where nothing is."""
    module = work / "module.mlir"
    run_tool("llmc-translate", "--import-onnx", path, "-o", module)
    said = run_tool("llmc-opt", "--print-structure", module, "-o", work / "same.mlir")
    return structure.find_mistake(said, expected)


def check(kind: str, family: str, expected_structure: structure.Expected) -> tuple[str, str]:
    """How a file fares (agrees, WRONG, refused or unavailable), and a figure or the reason."""
    options: tuple[str, ...] = (f"--target=host:{VARIANT}",)
    try:
        path = exact = make_file(kind, family)
        if FIXED_SCALES in kind:
            exact = make_once(OUT / (kind + "-exact") / family, lambda target: run_python(
                "families-venv", "rewriters", "without-roundings", path, target / "model.onnx")) / "model.onnx"
            options += ("--activation=none",)
        tokens = np.random.default_rng(7).integers(3, models.VOCABULARY, TOKENS)
        expected = oracle.compute_logits(exact, tokens, PREFILL)
    except Unavailable as error:
        return "unavailable", str(error)
    except Exception as error:  # whatever the runtime raises
        return "unavailable", f"ONNX Runtime: {str(error).splitlines()[0]}"
    if not np.isfinite(expected).all():
        return "unavailable", "ONNX Runtime: logits that are no numbers"
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        artifact, ids, output = (work / name for name in ("m.llmc", "ids.npy", "l.npy"))
        np.save(ids, tokens)
        try:
            run_tool("llmc", "compile", path, "-o", artifact, *options)
            run_tool("llmc", "logits", artifact, "--tokens", ids, "-o", output, "--prefill", PREFILL)
            mistake = find_structural_mistake(path, expected_structure, work)
        except Refused as error:
            return "refused", str(error)
        if mistake:
            return "WRONG", mistake
        found = np.load(output)
    difference = float(np.abs(found - expected).max() / np.abs(expected).max())
    limit = ROUNDED if any(word in kind for word in ROUNDING) else EXACT
    return "agrees" if difference <= limit else "WRONG", f"{difference:.1e}"


def main() -> int:
    kinds = [*EXPORTERS, *(f"{BASE}+{tool}" for tool in REWRITERS)]
    parser = argparse.ArgumentParser(prog="scripts/check-families", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help="those alone")
    parser.add_argument("--kinds", metavar="KIND,…", help=f"among {', '.join(kinds)}; "
                        "or EXPORTER+TOOL of any of them; default: all")
    parser.add_argument("--jobs", type=int, default=1, help="families at once (default: 1)")
    parser.add_argument("--json", type=pathlib.Path, help="write every result to this file")
    options = parser.parse_args()
    unknown = [family for family in options.families if family not in models.FAMILIES]
    if unknown:
        parser.error(f"expected families among {', '.join(models.FAMILIES)}, found {unknown[0]}")
    wanted = options.kinds.split(",") if options.kinds else kinds
    for kind in wanted:
        exporter, plus, tool = kind.partition("+")
        if exporter not in EXPORTERS or (plus and tool not in REWRITERS):
            parser.error(f"expected kinds among {', '.join(kinds)}, found {kind}")
    results: dict[str, dict[str, tuple[str, str]]] = {kind: {} for kind in wanted}

    def check_family(family: str) -> None:
        for kind in wanted:
            how, what = results[kind][family] = check(kind, family, expected[family])
            print(f"{family:18}{kind:26}{how}: {what}", flush=True)

    families = options.families or list(models.FAMILIES)
    # Random weights come from one generator, and what the kinds of a family share is made once, by one
    # thread: transformers' modules are loaded when they are first asked for.
    expected = {family: structure.get_expected(make_model(family)) for family in families}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(check_family, families))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    counts = collections.Counter(how for row in results.values() for how, _ in row.values())
    files = sum(counts.values()) - counts["unavailable"]
    print(f"of {files} files {counts['agrees']} agree, {counts['refused']} are refused and "
          f"{counts['WRONG']} are WRONG; {counts['unavailable']} can't be made or run")
    return 1 if counts["WRONG"] or counts["agrees"] < SHARE * files else 0


if __name__ == "__main__":
    sys.exit(main())
