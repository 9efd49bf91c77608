"""The demonstration: one model, compiled in several precisions, side by side.

Run by scripts/demo, which builds first. Prints what each program writes, and one table: bytes,
perplexity on held-out text, KL divergence to fp32, prefill and decode tokens per second, load time
and peak memory.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LLMC = ROOT / "build" / "bin" / "llmc"
COMPILER = LLMC.with_name("llmc-compile")


@dataclasses.dataclass(frozen=True)
class Program:
    """One row of the table: a name and the compression passes that make it."""

    name: str
    file: str
    passes: str


@dataclasses.dataclass(frozen=True)
class Model:
    """What is compiled and what it is measured on."""

    title: str
    onnx: pathlib.Path
    text: pathlib.Path
    context: int
    windows: int
    writing: list[str]  # options of llmc run
    calibration: str  # how many samples of llmc's own text, of what length
    output: pathlib.Path


GROUPED = "group-size=128 symmetric=false table=false"
PROGRAMS = [
    Program("fp32", "fp32", ""),
    Program("8 bits, groups of 128, RTN", "q8", "quantize-rtn{bits=8 group-size=128 table=false}"),
    Program(
        "4 bits, groups of 32, RTN",
        "q4",
        "quantize-rtn{bits=4 group-size=32 symmetric=false zero=float table=false}",
    ),
    Program("4 bits, groups of 128, RTN", "rtn4", f"quantize-rtn{{bits=4 {GROUPED}}}"),
    Program("4 bits, groups of 128, GPTQ", "gptq4", f"quantize-gptq{{bits=4 {GROUPED} CALIBRATION}}"),
    Program("3 bits, groups of 128, RTN", "rtn3", f"quantize-rtn{{bits=3 {GROUPED}}}"),
    Program("3 bits, groups of 128, GPTQ", "gptq3", f"quantize-gptq{{bits=3 {GROUPED} CALIBRATION}}"),
]


def run(*arguments: object) -> str:
    """Runs the driver and gives what it prints; ends the demonstration where it fails."""
    command = [str(LLMC), *map(str, arguments)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"demo: llmc {' '.join(map(str, arguments))} failed")
    return done.stdout


def choose_model(name: str) -> Model:
    """The model of that name; fetches it where it has to be fetched."""
    if name == "tiny":
        folder = ROOT / "models" / "tiny"
        return Model(
            title="the embedded model (models/tiny)",
            onnx=folder / "model.onnx",
            text=folder / "held-out.txt",
            context=256,
            windows=0,
            writing=["--prompt", "In those days", "--temperature", "0.7", "--seed", "1"],
            calibration="samples=32 sequence-length=128",
            output=ROOT / "out" / "demo" / "tiny",
        )
    subprocess.run([str(ROOT / "scripts" / "get-smollm2")], check=True)
    return Model(
        title="SmolLM2-135M-Instruct",
        onnx=ROOT / "out" / "smollm2" / "plain" / "model.onnx",
        text=ROOT / "models" / "tiny" / "held-out.txt",
        context=512,
        windows=8,
        writing=["--chat", "--prompt", "What is gravity?"],
        calibration="samples=32 sequence-length=256",
        output=ROOT / "out" / "demo" / "smollm2",
    )


def measure(model: Model, program: Program, reference: pathlib.Path, threads: list[str]) -> list[str]:
    """Compiles (unless it is there), lets it write, and measures: one row of the table."""
    artifact = model.output / f"{program.file}.llmc"
    newest = max(file.stat().st_mtime for file in (model.onnx, COMPILER, pathlib.Path(__file__)))
    if not artifact.exists() or artifact.stat().st_mtime < newest:
        pipeline = program.passes.replace("CALIBRATION", model.calibration)
        passes = [f"--passes={pipeline}"] if pipeline else []
        run("compile", model.onnx, *passes, "-o", artifact)
    print(f"\n--- {program.name} ---")
    print(run("run", artifact, *model.writing, "--max-tokens", 48, *threads).strip())
    evaluation = json.loads(
        run("eval", artifact, "--text", model.text, "--context", model.context,
            "--windows", model.windows, "--reference", reference, "--json", *threads)
    )  # fmt: skip
    speed = json.loads(run("bench", artifact, "--json", *threads))
    return [
        program.name,
        f"{speed['weight_bytes'] / 1e6:.1f} MB",
        f"{evaluation['perplexity']:.3f}",
        f"{evaluation['kl_mean']:.4f}",
        f"{speed['prefill_tokens_per_second']:.0f}",
        f"{speed['decode_tokens_per_second']:.1f}",
        f"{speed['load_seconds'] * 1000:.0f} ms",
        f"{speed['peak_rss_bytes'] / 1e6:.0f} MB",
    ]


def print_table(header: list[str], rows: list[list[str]]) -> None:
    """Prints columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    for row in [header, ["-" * width for width in widths], *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells))


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=["smollm2", "tiny"], default="smollm2")
    parser.add_argument("--threads", type=int, help="threads (default: all)")
    options = parser.parse_args()
    threads = ["--threads", str(options.threads)] if options.threads else []
    model = choose_model(options.model)
    model.output.mkdir(parents=True, exist_ok=True)
    reference = model.output / f"{PROGRAMS[0].file}.llmc"
    rows = [measure(model, program, reference, threads) for program in PROGRAMS]
    print(f"\n{model.title}, held-out text: {model.text.relative_to(ROOT)}\n")
    print_table(
        ["program", "weights", "perplexity", "KL to fp32", "prefill t/s", "decode t/s", "load", "memory"],
        rows,
    )


if __name__ == "__main__":
    main()
