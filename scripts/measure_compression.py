"""Methods of compression, side by side: SmolLM2 on WikiText-2, in windows of 1024 tokens.

Run by scripts/measure-compression. Each program of a suite is compiled and evaluated; then the suite's
claims are judged by what was found. The suites are in compression_suites.py.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import sys
import time

from compression_suites import SUITES, Found, Program
from measurement import MODEL, ROOT, open_results, run

RESULTS = ROOT / "out" / "measure-compression"


class Bench:
    """Where programs are made and measured, and what is known of them."""

    def __init__(self, texts: pathlib.Path, windows: int, fresh: bool) -> None:
        self.calibration = f"calibration={texts / 'valid.txt'} samples=128 sequence-length=512"
        self.test = texts / "wiki.test.raw"
        self.windows = windows
        open_results(RESULTS, fresh)
        self.reference = RESULTS / "fp32.llmc"
        if not self.reference.exists():
            run("llmc", "compile", MODEL, "-o", self.reference)
        self.base = self.remember("fp32", lambda: self.evaluate(self.reference))

    def measure(self, program: Program, seed: int) -> dict:
        """Compiles and evaluates a program, unless an earlier run did."""

        def make() -> dict:
            artifact = RESULTS / f"{program.name}.llmc"
            passes = program.passes.replace("CALIBRATED", f"{self.calibration} seed={seed}")
            caches = [] if program.caches is None else [f"--caches={program.caches}"]
            started = time.monotonic()
            run("llmc", "compile", MODEL, f"--passes={passes}", *caches, "-o", artifact)
            seconds = time.monotonic() - started
            found = self.evaluate(artifact, "--reference", self.reference)
            found.update(bytes=artifact.stat().st_size, seconds=seconds)
            artifact.unlink()
            return found

        return self.remember(f"{program.name}-{seed}", make)

    def evaluate(self, artifact: pathlib.Path, *options: object) -> dict:
        command = ("llmc", "eval", artifact, "--text", self.test, "--context", 1024, "--windows", self.windows)
        return json.loads(run(*command, *options, "--json"))

    def remember(self, name: str, make) -> dict:
        known = RESULTS / f"{name}-{self.windows}.json"
        if not known.exists():
            known.write_text(json.dumps(make()))
        return json.loads(known.read_text())


def print_program(found: Found) -> None:
    spread = f"  KL of the seeds {', '.join(f'{kl:.4f}' for kl in found.divergences)}" if found.divergences[1:] else ""
    print(f"  {found.name:28}{found.perplexity:12.3f}{found.change:+10.2%}{found.kl:9.4f}{found.bytes / 1e6:9.1f} MB"
          f"{found.seconds:7.0f} s{spread}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/measure-compression", description=__doc__)
    parser.add_argument("--suite", nargs="+", choices=SUITES, default=list(SUITES), help="default: all of them")
    parser.add_argument("--windows", type=int, default=32, help="of 1024 tokens (default: 32)")
    parser.add_argument("--seeds", type=int, default=3, help="of programs that are made with several (default: 3)")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs measured")
    options = parser.parse_args()
    texts = pathlib.Path(os.environ.get("LLMC_TEST_DATA", "")) / "wikitext-2"
    if not (texts / "valid.txt").exists():
        sys.exit("measure-compression: LLMC_TEST_DATA: expected a folder that holds wikitext-2/valid.txt")
    bench = Bench(texts, options.windows, options.fresh)
    fp32 = bench.base["perplexity"]
    print(f"fp32: perplexity {fp32:.3f} over {options.windows} windows", flush=True)
    broken = 0
    for name in options.suite:
        suite = SUITES[name]
        print(f"\n{name}: {suite.title}\n  {'':28}{'perplexity':>12}{'change':>10}{'KL':>9}{'file':>12}{'made in':>9}")
        figures = {}
        for program in suite.programs:
            seeds = range(options.seeds if program.seeded else 1)
            runs = [bench.measure(program, seed) for seed in seeds]
            figures[program.name] = Found(
                name=program.name,
                fp32=fp32,
                perplexity=statistics.mean(found["perplexity"] for found in runs),
                divergences=[found["kl_mean"] for found in runs],
                bytes=runs[0]["bytes"],
                seconds=statistics.mean(found["seconds"] for found in runs),
            )
            print_program(figures[program.name])
        for claim in suite.claims:
            value = claim.value(figures)
            wrong = not value <= claim.bound
            broken += wrong
            print(f"  {claim.text}: {value:.4g}, at most {claim.bound:g}{' MISSED' if wrong else ''}", flush=True)
    print(f"\n{broken} bounds are missed")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
