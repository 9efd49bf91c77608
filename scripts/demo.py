"""The demonstration: one model, compiled in several ways, side by side.

Run by scripts/demo, which builds first. Prints what each program writes, and one table: time to
compile, bytes of weights and of a session's state, perplexity on held-out text, KL divergence to
fp32, prefill and decode tokens per second, and peak memory.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import subprocess
import sys
import time

from demo_tables import REFERENCE, TABLES, Program

ROOT = pathlib.Path(__file__).resolve().parent.parent
LLMC = ROOT / "build" / "bin" / "llmc"
COMPILER = LLMC.with_name("llmc-compile")


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
    dropped: int  # layers, where some are left out
    output: pathlib.Path


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
            dropped=1,
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
        dropped=2,
        output=ROOT / "out" / "demo" / "smollm2",
    )


def compile_program(model: Model, program: Program, artifact: pathlib.Path) -> float:
    """Compiles (unless it is there, made by the same compiler with the same options) and gives the
    seconds that it took when it was made."""
    options = [
        option.replace("CALIBRATION", model.calibration).replace("LAYERS", str(model.dropped))
        for option in program.options
    ]
    made_from = {"options": options, "newest": max(file.stat().st_mtime for file in (model.onnx, COMPILER))}
    record = artifact.with_suffix(".json")
    if artifact.exists() and record.exists():
        made = json.loads(record.read_text())
        if made["from"] == made_from:
            return made["seconds"]
    begin = time.monotonic()
    run("compile", model.onnx, *options, "-o", artifact)
    seconds = time.monotonic() - begin
    record.write_text(json.dumps({"from": made_from, "seconds": seconds}))
    return seconds


HEADER = [
    "program", "compile", "weights", "state", "perplexity", "KL to fp32", "prefill t/s", "decode t/s", "memory",
]  # fmt: skip


def measure(model: Model, program: Program, reference: pathlib.Path, threads: list[str]) -> list[str]:
    """Compiles, lets the program write, and measures: one row of the table."""
    artifact = model.output / f"{program.file}.llmc"
    name = program.name.replace("LAYERS", str(model.dropped))
    seconds = compile_program(model, program, artifact)
    print(f"\n--- {name} ---")
    print(run("run", artifact, *model.writing, "--max-tokens", 48, *threads).strip())
    evaluation = json.loads(
        run("eval", artifact, "--text", model.text, "--context", model.context,
            "--windows", model.windows, "--reference", reference, "--json", *threads)
    )  # fmt: skip
    speed = json.loads(run("bench", artifact, "--json", *threads))
    description = json.loads(run("inspect", artifact, "--json"))
    return [
        name,
        f"{seconds:.0f} s",
        f"{speed['weight_bytes'] / 1e6:.1f} MB",
        f"{description['state_bytes'] / 1e6:.1f} MB",
        f"{evaluation['perplexity']:.3f}",
        f"{evaluation['kl_mean']:.4f}",
        f"{speed['prefill_tokens_per_second']:.0f}",
        f"{speed['decode_tokens_per_second']:.1f}",
        f"{speed['peak_rss_bytes'] / 1e6:.0f} MB",
    ]


def print_table(rows: list[list[str]]) -> None:
    """Prints columns as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(HEADER, *rows)]
    for row in [HEADER, ["-" * width for width in widths], *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells))


def print_markdown(rows: list[list[str]]) -> None:
    for row in [HEADER, ["---"] * len(HEADER), *rows]:
        print(f"| {' | '.join(row)} |")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=["smollm2", "tiny"], default="smollm2")
    parser.add_argument("--table", choices=list(TABLES), default="roundings", help="which programs")
    parser.add_argument("--text", type=pathlib.Path, metavar="FILE", help="text to evaluate on")
    parser.add_argument("--context", type=int, metavar="N", help="tokens of a window of it")
    parser.add_argument("--windows", type=int, metavar="N", help="how many windows of it, 0: all")
    parser.add_argument("--threads", type=int, metavar="N", help="threads (default: all)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    return parser.parse_args()


def main() -> None:
    options = parse_options()
    threads = ["--threads", str(options.threads)] if options.threads else []
    model = choose_model(options.model)
    for name in ("text", "context", "windows"):
        if (value := getattr(options, name)) is not None:
            model = dataclasses.replace(model, **{name: value})
    model.output.mkdir(parents=True, exist_ok=True)
    reference = model.output / f"{REFERENCE.file}.llmc"
    rows = [measure(model, program, reference, threads) for program in [REFERENCE, *TABLES[options.table]]]
    print(f"\n{model.title}, {model.text.name}, windows of {model.context} tokens\n")
    (print_markdown if options.markdown else print_table)(rows)


if __name__ == "__main__":
    main()
