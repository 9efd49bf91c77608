# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Measures what pruned, cut and repaired programs gain over whole ones, one pair after the other.

Programs are of random weights in the shape of a language model, as many layers as do not fit in
caches. Every measurement is a process of its own; the two of a pair take turns. Reported are medians
over the pairs, medians of the pairs' ratios, and the bytes of weights that a token streams: `limit`
is what the ratio would be if the time were all theirs.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
from pathlib import Path

from decoder_module import Shape, write_decoder
from pairs import older, run

ROOT = Path(__file__).resolve().parents[1]
LLMC = ROOT / "build" / "bin" / "llmc"
SHAPES = {
    # TinyLlama-1.1B's layers; its head in proportion to their number (main).
    "1.1b": Shape(layers=10, width=2048, hidden=5632, heads=32, kv_heads=4, vocabulary=1455),
    "tiny": Shape(layers=5, width=128, hidden=256, heads=4, kv_heads=2, vocabulary=32),
}
INT4 = "quantize-rtn{bits=4 group-size=32 table=false IGNORE}"
WHOLE_FACTORS = INT4.replace("IGNORE", r"ignore=.*\.a,.*\.b")
ROUND = INT4.replace(" IGNORE", "")


@dataclasses.dataclass(frozen=True)
class Program:
    """Passes, over a module whose linears have branches of a rank or none."""

    passes: str
    rank: int = 0


PROGRAMS = {
    "int4": Program(ROUND),
    "f16": Program(""),
    "masked-int4": Program(f"prune-magnitude{{sparsity=0.5 table=false}},{ROUND}"),
    "sparse-int4": Program(f"prune-magnitude{{pattern=2:4 table=false}},{ROUND}"),
    "masked-f16": Program("prune-magnitude{sparsity=0.5 table=false}"),
    "channels-int4": Program(
        f"prune-channels{{score=magnitude compensate=false allocation=uniform ratio=0.25 table=false}},{ROUND}"
    ),
    "layers-int4": Program(f"drop-layers{{layers=LAYERS table=false}},{ROUND}"),
    "branch-int4": Program(ROUND, rank=64),
    "branch-f16": Program(WHOLE_FACTORS, rank=64),
}
# What is compared: the program that is whole, and what was made of it.
COMPARISONS = {
    "masked-int4": ("50 % masked, int4", "int4"),
    "sparse-int4": ("2:4, int4", "int4"),
    "masked-f16": ("50 % masked, f16", "f16"),
    "channels-int4": ("25 % fewer channels, int4", "int4"),
    "layers-int4": ("20 % fewer layers, int4", "int4"),
    "branch-int4": ("rank 64 in int4 beside int4", "int4"),
    "branch-f16": ("rank 64 in f16 beside int4", "int4"),
}


def prepare(name: str, shape: Shape, work: Path) -> Path:
    """Makes the artifact of a program, unless it is there."""
    program = PROGRAMS[name]
    module = work / f"rank-{program.rank}.mlir"
    if older(module, Path(__file__), Path(__file__).with_name("decoder_module.py")):
        write_decoder(dataclasses.replace(shape, rank=program.rank), module)
    # Every fifth layer, the first of them the second.
    dropped = ",".join(str(layer) for layer in range(1, shape.layers - 1, 5))
    passes = program.passes.replace("LAYERS", dropped)
    artifact = work / f"{name}.llmc"
    if not older(artifact, module, LLMC.with_name("llmc-compile")):
        return artifact
    print(f"compare-compression: compiling {name}", file=sys.stderr)
    run(LLMC, "compile", module, *([f"--passes={passes}"] if passes else []), "-o", artifact)
    return artifact


@dataclasses.dataclass(frozen=True)
class Measurement:
    """Seconds of a token that is decoded, and the bytes of weights that it streams."""

    seconds: float
    bytes: int


def bench(artifact: Path, options: argparse.Namespace) -> Measurement:
    variant = ["--variant", options.variant] if options.variant else []
    result = json.loads(
        run(LLMC, "bench", artifact, "--threads", options.threads, "--prompt-tokens", 1,
            "--generate-tokens", options.generate_tokens, "--repeat", options.repeat, *variant, "--json")
    )  # fmt: skip
    # The head is the embedding: a token reads every weight but the table's other rows, which the
    # head reads anyway.
    return Measurement(1 / result["decode_tokens_per_second"], result["weight_bytes"])


def compare(whole: Path, changed: Path, options: argparse.Namespace) -> dict[str, float]:
    pairs = [(bench(whole, options), bench(changed, options)) for _ in range(options.pairs)]
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    return {
        "whole_seconds": statistics.median(each.seconds for each in first),
        "whole_bytes": first[0].bytes,
        "seconds": statistics.median(each.seconds for each in second),
        "bytes": second[0].bytes,
        "speedup": statistics.median(a.seconds / b.seconds for a, b in pairs),
        "limit": first[0].bytes / second[0].bytes,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/compare-compression", description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="1.1b")
    parser.add_argument("--layers", type=int, help="default: those of the shape; a multiple of 5")
    parser.add_argument("--comparisons", nargs="+", choices=COMPARISONS, default=[*COMPARISONS])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--variant", help="instructions (default: the best of this machine)")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--generate-tokens", type=int, default=16)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the results to a file")
    options = parser.parse_args()
    shape = SHAPES[options.shape]
    layers = options.layers or shape.layers
    if layers < 5 or layers % 5:
        parser.error(f"--layers: expected a multiple of 5, found {layers}")
    vocabulary = (shape.vocabulary * layers + 63) // 64 * 64
    shape = dataclasses.replace(shape, layers=layers, vocabulary=vocabulary)
    work = ROOT / "out" / "bench" / f"compression-{options.shape}-{layers}"
    work.mkdir(parents=True, exist_ok=True)
    names = dict.fromkeys(name for key in options.comparisons for name in (COMPARISONS[key][1], key))
    artifacts = {name: prepare(name, shape, work) for name in names}
    print(f"{'':28}    whole: ms     MB   GB/s  changed: ms     MB   GB/s   speedup  limit")
    results = {}
    for key in options.comparisons:
        title, whole = COMPARISONS[key]
        result = results[key] = compare(artifacts[whole], artifacts[key], options)

        def spell(prefix: str) -> str:
            seconds, size = result[f"{prefix}seconds"], result[f"{prefix}bytes"]
            return f"{seconds * 1e3:9.2f} {size / 1e6:7.1f} {size / seconds / 1e9:6.1f}"

        print(f"{title:28}    {spell('whole_')}    {spell('')}    {result['speedup']:6.3f} {result['limit']:6.3f}",
              flush=True)  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
