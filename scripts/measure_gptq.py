"""What GPTQ gains over rounding to nearest: SmolLM2 on WikiText-2, in windows of 1024 tokens.

Run by scripts/measure-gptq. Every cell (bits and groups) is rounded to nearest, calibrated on text of
the same kind as the test's, and calibrated on what the model writes itself; two cells with three
seeds. The ratio of the mean KL divergences from fp32 is set against the bound that the cell should
keep; that of the changes of perplexity is printed beside it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import sys
import tempfile

from measurement import MODEL, ROOT, open_results, run

RESULTS = ROOT / "out" / "measure-gptq"
CALIBRATION = "samples=128 sequence-length=512"


@dataclasses.dataclass(frozen=True)
class Cell:
    """A way to spell weights, and the largest ratio of divergences, GPTQ's to RTN's."""

    name: str
    options: str
    bound: float
    seeds: int = 1


CELLS = [
    Cell("4 bits asym g128", "bits=4 group-size=128 symmetric=false", 0.80, seeds=3),
    Cell("4 bits sym g32", "bits=4 group-size=32", 0.80),
    Cell("4 bits sym g128", "bits=4 group-size=128", 0.87),
    Cell("4 bits sym channel", "bits=4 group-size=channel", 0.90),
    Cell("3 bits asym g128", "bits=3 group-size=128 symmetric=false", 0.80, seeds=3),
    Cell("3 bits sym g64", "bits=3 group-size=64", 0.70),
]


@dataclasses.dataclass(frozen=True)
class Experiment:
    """One program to make and measure."""

    cell: Cell
    method: str
    passes: str


def list_experiments(texts: pathlib.Path, written: pathlib.Path) -> list[Experiment]:
    """All programs, cell by cell: RTN first."""
    experiments = []
    for cell in CELLS:
        common = f"{cell.options} head-format=none mse=false activation=none table=false"
        experiments.append(Experiment(cell, "RTN", f"quantize-rtn{{{common}}}"))
        for source, file in [("WikiText", texts / "valid.txt"), ("own text", written)]:
            for seed in range(cell.seeds if source == "WikiText" else 1):
                experiments.append(
                    Experiment(
                        cell,
                        f"GPTQ, {source}" + (f", seed {seed}" if seed else ""),
                        f"quantize-gptq{{{common} {CALIBRATION} calibration={file} seed={seed}}}",
                    )
                )
    return experiments


def write_own_text(file: pathlib.Path) -> None:
    """Lets the model write its calibration text, once for all cells."""
    if file.exists():
        return
    with tempfile.TemporaryDirectory() as work:
        module = pathlib.Path(work) / "model.mlir"
        run("llmc-translate", "--import-onnx", MODEL, "-o", module)
        options = f"calibration=self {CALIBRATION} save-tokens={file} kinds=mean"
        run("llmc-opt", f"--calibrate={options}", module, "-o", module)


def measure(experiment: Experiment, windows: int, text: pathlib.Path, reference: pathlib.Path) -> dict:
    """Compiles and evaluates a program, unless an earlier run did."""
    name = f"{experiment.cell.name}, {experiment.method}, {windows}".replace(", ", "-").replace(" ", "_")
    known = RESULTS / f"{name}.json"
    if known.exists():
        return json.loads(known.read_text())
    artifact = RESULTS / "program.llmc"
    run("llmc", "compile", MODEL, f"--passes={experiment.passes}", "-o", artifact)
    found = evaluate(artifact, windows, text, reference)
    artifact.unlink()
    known.write_text(json.dumps(found))
    return found


def evaluate(artifact: pathlib.Path, windows: int, text: pathlib.Path, reference: pathlib.Path) -> dict:
    options = ("--text", text, "--context", 1024, "--windows", windows, "--reference", reference)
    return json.loads(run("llmc", "eval", artifact, *options, "--json"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/measure-gptq", description=__doc__)
    parser.add_argument("--windows", type=int, default=32, help="of 1024 tokens (default: 32)")
    parser.add_argument("--only", default="", help="experiments whose cell and method hold this text")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs measured")
    options = parser.parse_args()
    texts = pathlib.Path(os.environ.get("LLMC_TEST_DATA", "")) / "wikitext-2"
    if not (texts / "valid.txt").exists():
        sys.exit("measure-gptq: LLMC_TEST_DATA: expected a folder that holds wikitext-2/valid.txt")
    open_results(RESULTS, options.fresh)
    test, written = texts / "wiki.test.raw", RESULTS / "written.npy"
    reference = RESULTS / "fp32.llmc"
    if not reference.exists():
        run("llmc", "compile", MODEL, "-o", reference)
    known = RESULTS / f"fp32-{options.windows}.json"
    if not known.exists():
        known.write_text(json.dumps(evaluate(reference, options.windows, test, reference)))
    base = json.loads(known.read_text())
    print(f"fp32: perplexity {base['perplexity']:.3f} over {options.windows} windows\n")
    print(f"{'cell':20}{'method':24}{'perplexity':>11}{'change':>9}{'KL':>8}{'KL ratio':>10}{'bound':>7}"
          f"{'change ratio':>14}", flush=True)
    broken = 0
    rounded: dict[str, dict] = {}
    for experiment in list_experiments(texts, written):
        cell = experiment.cell
        if experiment.method != "RTN" and options.only not in f"{cell.name} {experiment.method}":
            continue
        if "own text" in experiment.method:
            write_own_text(written)
        found = measure(experiment, options.windows, test, reference)
        line = (f"{cell.name:20}{experiment.method:24}{found['perplexity']:11.3f}"
                f"{found['perplexity'] - base['perplexity']:9.3f}{found['kl_mean']:8.4f}")
        if experiment.method == "RTN":
            rounded[cell.name] = found
        else:
            before = rounded[cell.name]
            ratio = found["kl_mean"] / before["kl_mean"]
            change = (found["perplexity"] - base["perplexity"]) / (before["perplexity"] - base["perplexity"])
            wrong = "WikiText" in experiment.method and ratio > cell.bound
            broken += wrong
            line += f"{ratio:10.3f}{cell.bound:7.2f}{change:14.3f}{' WRONG' if wrong else ''}"
        print(line, flush=True)
    print(f"\n{broken} bounds are broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
