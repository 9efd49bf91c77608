"""What GPTQ's gain at 4 bits rests on: SmolLM2 on WikiText-2.

Run by scripts/explain-gptq. One cell, 4 bits in asymmetric groups of 128, with one thing changed at a
time: the first token of a sample counted like all others; the same number of tokens in shorter samples;
less calibration text; text without the <unk> of WikiText's validation part; a model that computes
the same with weights that lie on no grid of 4 bits (its own were rounded to one once). Then the same
programs with the temperature at which each predicts the text best: a model that is surer of itself
than it should be on this text gains from being blurred, and rounding blurs.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile

import numpy as np
import onnx
from tokenizers import Tokenizer

from measurement import MODEL, run

CELL = "bits=4 group-size=128 symmetric=false activation=none table=false"
CONTEXT = 1024
# Windows of the test that scripts/measure-compression reads: no calibration text comes from them.
TEST_WINDOWS = 32
TEMPERATURES = np.arange(0.9, 1.6, 0.05)


def load_floats(folder: pathlib.Path, tensor: onnx.TensorProto, mode: str) -> np.memmap:
    """A tensor's numbers where they lie in the file of external data."""
    entry = {item.key: item.value for item in tensor.external_data}
    return np.memmap(folder / entry["location"], np.float32, mode, int(entry["offset"]), tuple(tensor.dims))


def move_off_grid(source: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """A copy of the model that computes the same, with columns of weights scaled: by what the norm
    before them is divided by, or what the rows that feed them are."""
    shutil.copytree(source.parent, folder)
    model = onnx.load(folder / source.name, load_external_data=False)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    random = np.random.default_rng(0)
    weights = [node.input[1] for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in tensors]
    norms = [name for name in tensors if name.endswith("layernorm.weight")]
    layers = len(norms) // 2
    assert len(weights) >= 7 * layers and len(norms) == 2 * layers, (len(weights), len(norms))

    def scale(name: str, axis: int, factors: np.ndarray) -> None:
        # Matrices lie as [inputs, outputs].
        values = load_floats(folder, tensors[name], "r+")
        values *= factors if values.ndim == 1 or axis == 1 else factors[:, None]
        values.flush()

    def draw(count: int) -> np.ndarray:
        return random.uniform(0.8, 1.25, count).astype(np.float32)

    for layer in range(layers):
        query, key, value, output, gate, up, down = weights[7 * layer : 7 * layer + 7]
        width, inner = tensors[gate].dims
        for norm, readers in [(norms[2 * layer], (query, key, value)), (norms[2 * layer + 1], (gate, up))]:
            factors = draw(width)
            scale(norm, 0, 1 / factors)
            for reader in readers:
                scale(reader, 0, factors)
        factors = draw(inner)
        scale(up, 1, 1 / factors)
        scale(down, 0, factors)
        # A head of values feeds several of queries, side by side.
        heads = get_head_count()
        size = tensors[query].dims[1] // heads
        groups = tensors[query].dims[1] // tensors[value].dims[1]
        factors = draw(tensors[value].dims[1])
        scale(value, 1, 1 / factors)
        scale(output, 0, np.repeat(factors.reshape(-1, 1, size), groups, 1).reshape(-1))
    return folder / source.name


def get_head_count() -> int:
    """Heads of queries, from the configuration that lies beside every export."""
    return json.loads((MODEL.parent / "config.json").read_text())["num_attention_heads"]


class Programs:
    """fp32, RTN and GPTQ of one model, and what they make of the test's first windows."""

    def __init__(self, title: str, model: pathlib.Path, calibration: str, work: pathlib.Path):
        self.title = title
        self.files = {}
        for name, passes in [
            ("fp32", ""),
            ("RTN", f"quantize-rtn{{{CELL}}}"),
            ("GPTQ", f"quantize-gptq{{{CELL} {calibration}}}"),
        ]:
            self.files[name] = work / f"{title}-{name}.llmc".replace(" ", "_")
            run("llmc", "compile", model, *([f"--passes={passes}"] if passes else []), "-o", self.files[name])

    def compare(self, text: pathlib.Path, windows: int) -> None:
        found = {
            name: json.loads(
                run("llmc", "eval", file, "--text", text, "--context", CONTEXT, "--windows", windows,
                    "--reference", self.files["fp32"], "--json")
            )
            for name, file in self.files.items()
        }
        change = {name: row["perplexity"] - found["fp32"]["perplexity"] for name, row in found.items()}
        loss = {name: row["nll_per_token"] - found["fp32"]["nll_per_token"] for name, row in found.items()}
        print(f"{self.title:24}{found['fp32']['perplexity']:9.3f}{found['RTN']['perplexity']:9.3f}"
              f"{found['GPTQ']['perplexity']:9.3f}{found['RTN']['kl_mean']:9.4f}{found['GPTQ']['kl_mean']:9.4f}"
              f"{found['GPTQ']['kl_mean'] / found['RTN']['kl_mean']:10.3f}{loss['GPTQ'] / loss['RTN']:10.3f}"
              f"{change['GPTQ'] / change['RTN']:10.3f}", flush=True)

    def cool(self, tokens: np.ndarray, windows: int, work: pathlib.Path) -> None:
        """Prints each program's loss at the temperature that is best for it."""
        print("\nat the temperature that predicts best:\n"
              f"{'program':10}{'loss':>9}{'change':>9}{'T':>7}{'loss':>9}{'change':>9}{'perplexity':>12}")
        first: dict[str, tuple] = {}
        for name, file in self.files.items():
            losses = np.zeros(len(TEMPERATURES))
            plain = 0.0
            for window in tokens[: windows * CONTEXT].reshape(windows, CONTEXT):
                np.save(work / "window.npy", window)
                run("llmc", "logits", file, "--tokens", work / "window.npy", "-o", work / "logits.npy")
                logits = np.load(work / "logits.npy", mmap_mode="r")[:-1].astype(np.float32)
                chosen = logits[np.arange(len(logits)), window[1:]]
                peak = logits.max(1, keepdims=True)
                logits -= peak
                for index, temperature in enumerate(TEMPERATURES):
                    sums = np.log(np.exp(logits / np.float32(temperature)).sum(1, dtype=np.float64))
                    losses[index] += (sums - (chosen - peak[:, 0]) / temperature).mean() / windows
                plain += (np.log(np.exp(logits).sum(1, dtype=np.float64)) - chosen + peak[:, 0]).mean() / windows
            best = losses.argmin()
            first.setdefault("fp32", (plain, losses[best]))
            base, cooled = first["fp32"]
            print(f"{name:10}{plain:9.4f}{plain - base:9.4f}{TEMPERATURES[best]:7.2f}{losses[best]:9.4f}"
                  f"{losses[best] - cooled:9.4f}{np.exp(losses[best]):12.3f}", flush=True)
            first[name] = (plain, losses[best])
        for title, index in [("as they are", 0), ("at their best temperatures", 1)]:
            base = first["fp32"][index]
            gain = (first["GPTQ"][index] - base) / (first["RTN"][index] - base)
            growth = [np.exp(first[name][index]) - np.exp(base) for name in ("GPTQ", "RTN")]
            print(f"{title}: GPTQ / RTN, change of loss {gain:.3f}, of perplexity {growth[0] / growth[1]:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/explain-gptq", description=__doc__)
    parser.add_argument("--windows", type=int, default=8, help="of 1024 tokens (default: 8)")
    options = parser.parse_args()
    texts = pathlib.Path(os.environ.get("LLMC_TEST_DATA", "")) / "wikitext-2"
    if not (texts / "valid.txt").exists():
        sys.exit("explain-gptq: LLMC_TEST_DATA: expected a folder that holds wikitext-2/valid.txt")
    test = texts / "wiki.test.raw"
    tokenizer = Tokenizer.from_file(str(MODEL.parent / "tokenizer.json"))
    tokens = np.array(tokenizer.encode(test.read_text(encoding="utf-8"), add_special_tokens=False).ids, np.int32)
    print(f"4 bits asym g128, {options.windows} windows of {CONTEXT} tokens: perplexity of fp32, RTN and GPTQ, KL "
          f"of both,\nand GPTQ's KL, change of loss and change of perplexity over RTN's\n\n"
          f"{'changed':24}{'fp32':>9}{'RTN':>9}{'GPTQ':>9}{'KL RTN':>9}{'KL GPTQ':>9}{'KL':>10}{'loss':>10}{'ppl':>10}")
    with tempfile.TemporaryDirectory(dir=MODEL.parent.parent.parent) as folder:
        work = pathlib.Path(folder)
        raw = work / "raw.npy"
        np.save(raw, tokens[TEST_WINDOWS * CONTEXT :])
        wiki = f"calibration={texts / 'valid.txt'} sequence-length=512"
        base = Programs("nothing", MODEL, f"{wiki} samples=128", work)
        base.compare(test, options.windows)
        for title, model, calibration in [
            ("first token counts once", MODEL, f"{wiki} samples=128 first-token-weight=1"),
            ("512 samples of 128", MODEL, f"calibration={texts / 'valid.txt'} sequence-length=128 samples=512"),
            ("32 samples", MODEL, f"{wiki} samples=32"),
            ("text without <unk>", MODEL, f"calibration={raw} samples=128 sequence-length=512"),
            ("weights off their grid", move_off_grid(MODEL, work / "moved"), f"{wiki} samples=128"),
        ]:
            Programs(title, model, calibration, work).compare(test, options.windows)
        base.cool(tokens, options.windows, work)


if __name__ == "__main__":
    main()
