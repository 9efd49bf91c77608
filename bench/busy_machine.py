# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures what several threads are worth beside other work: busy loops, and jobs that come and go.

Each pair is one process with one thread and one with several, both beside the same kind of work.
Reported are medians over the pairs of tokens per second and of the pairs' ratios. The exit code says
whether several threads were slower than one by more than a tenth anywhere.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LLMC = ROOT / "build" / "bin" / "llmc"
RATES = {"prefill": "prefill_tokens_per_second", "decode": "decode_tokens_per_second"}


def spin(seed: int, longest: float) -> None:
    """Computes for ever, or, with `longest`, by turns with pauses of up to as many seconds each."""
    chance = random.Random(seed)
    while True:
        end = time.monotonic() + chance.uniform(0, longest) if longest else float("inf")
        while time.monotonic() < end:
            sum(range(1000))
        time.sleep(chance.uniform(0, longest))


@contextlib.contextmanager
def load(count: int, longest: float) -> Iterator[None]:
    """Runs `count` processes of other work meanwhile."""
    jobs = [multiprocessing.Process(target=spin, args=(seed, longest), daemon=True) for seed in range(count)]
    for job in jobs:
        job.start()
    try:
        yield
    finally:
        for job in jobs:
            job.kill()
            job.join()


def bench(model: Path, threads: int, options: argparse.Namespace) -> dict[str, float]:
    done = subprocess.run(
        [LLMC, "bench", model, "--threads", str(threads), "--prompt-tokens", str(options.prompt_tokens),
         "--generate-tokens", str(options.generate_tokens), "--repeat", str(options.repeat), "--json"],
        stdout=subprocess.PIPE, check=True)
    result = json.loads(done.stdout)
    return {name: result[key] for name, key in RATES.items()}


def main() -> int:
    cpus = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="what llmc compile wrote")
    parser.add_argument("--threads", type=int, default=cpus, help="against one (default: all CPUs)")
    parser.add_argument("--jobs", type=int, default=4 * cpus, help="processes of other work (default: four for a CPU)")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--prompt-tokens", type=int, default=128)
    parser.add_argument("--generate-tokens", type=int, default=128)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the results to a file")
    options = parser.parse_args()
    beside = {"nothing": (0, 0.0), "one busy loop": (1, 0.0), "busy loops": (options.jobs, 0.0),
              "jobs that come and go": (options.jobs, 0.5)}
    results: dict[str, dict[str, dict[str, float]]] = {}
    slower = False
    print(f"tokens per second with 1 / {options.threads} threads, and the ratio")
    for name, (count, longest) in beside.items():
        pairs = []
        with load(count, longest):
            for _ in range(options.pairs):
                pairs.append((bench(options.model, 1, options), bench(options.model, options.threads, options)))
        results[name] = {}
        for rate in RATES:
            one, many = (statistics.median(pair[side][rate] for pair in pairs) for side in (0, 1))
            ratio = statistics.median(pair[1][rate] / pair[0][rate] for pair in pairs)
            results[name][rate] = {"one": one, "many": many, "ratio": ratio}
            slower |= ratio < 0.9
            print(f"{name:24} {rate:8} {one:9.1f} / {many:9.1f}  {ratio:6.2f}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
