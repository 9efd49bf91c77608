# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the embedded model's folder from finished training: ONNX, tokenizer, text and card."""

from __future__ import annotations

import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from llama_model import LlamaConfig, LlamaModel, WeightStore, huggingface_config, save_model
from llama_model import store_llama
from llama_torchscript import export_plain
from reference_logits import ReferenceModel
from tiny_tokens import END_OF_TEXT, encode_chapters, end_of_text, validation_windows
from tokenizer_files import write_json

HELD_OUT_BYTES = 60_000
SIZE_LIMIT = 16_000_000
PROMPT = "In those days"
SAMPLE_TOKENS, TEMPERATURE, SAMPLE_SEED = 160, 0.7, 1
# The programs that trained and that measure differ in the order of sums alone.
PERPLEXITY_TOLERANCE = 1e-3


class Incomplete(RuntimeError):
    """The work folder holds no finished training, or the model does not behave as trained."""


def read_training(work: Path) -> tuple[LlamaModel, Tokenizer, dict[str, Any]]:
    """Reads weights.npz, tokenizer.json and training.json of a finished training."""
    for name in ("weights.npz", "tokenizer.json", "training.json"):
        if not (work / name).is_file():
            raise Incomplete(f"{work / name} is missing: no training has finished in {work}")
    report = json.loads((work / "training.json").read_text("utf-8"))
    with np.load(work / "weights.npz") as file:
        weights = {name: file[name] for name in file.files}
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    return LlamaModel(LlamaConfig(**report["config"]), weights), tokenizer, report


def tokenizer_config(context_length: int) -> dict[str, Any]:
    """Returns the contents of tokenizer_config.json."""
    return {
        "add_bos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": {
            "0": {
                "content": END_OF_TEXT,
                "lstrip": False,
                "normalized": False,
                "rstrip": False,
                "single_word": False,
                "special": True,
            }
        },
        "bos_token": END_OF_TEXT,
        "clean_up_tokenization_spaces": False,
        "eos_token": END_OF_TEXT,
        "model_max_length": context_length,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }


def held_out_text(chapters: list[str]) -> str:
    """Joins evenly spaced chapters, as many as the size allows, by empty lines."""
    for stride in range(1, len(chapters) + 1):
        text = "\n\n".join(chapters[::stride]) + "\n"
        if len(text.encode("utf-8")) <= HELD_OUT_BYTES:
            return text
    raise Incomplete(f"no held-out chapter is shorter than {HELD_OUT_BYTES} bytes")


def perplexity(model: ReferenceModel, row: np.ndarray, length: int) -> float:
    """Perplexity of a row in non-overlapping windows, whose first token is not predicted."""
    losses = []
    for window in validation_windows(row, length):
        logits = model.all_logits(window.astype(np.int64))[:-1].astype(np.float64)
        logits -= logits.max(axis=-1, keepdims=True)
        chosen = np.take_along_axis(logits, window[1:, None].astype(np.int64), axis=-1)[:, 0]
        losses.append(np.mean(np.log(np.exp(logits).sum(axis=-1)) - chosen))
    return math.exp(float(np.mean(losses)))


def sample(model: ReferenceModel, tokenizer: Tokenizer, prompt: str) -> str:
    """Writes on from a prompt at the start of a text, with a fixed seed."""
    rng = np.random.default_rng(SAMPLE_SEED)
    end = end_of_text(tokenizer)
    written = tokenizer.encode(prompt).ids
    model.reset()
    logits = model.evaluate(np.array([end, *written], np.int64))[-1]
    for _ in range(SAMPLE_TOKENS):
        weights = np.exp((logits.astype(np.float64) - logits.max()) / TEMPERATURE)
        token = int(rng.choice(len(weights), p=weights / weights.sum()))
        if token == end:
            break
        written.append(token)
        logits = model.evaluate(np.array([token], np.int64))[-1]
    return tokenizer.decode(written)


def model_card(
    config: LlamaConfig, report: dict[str, Any], count: int, measured: dict[str, Any]
) -> str:
    """Returns the README of the folder."""
    lines = [line for line in measured["sample"].split("\n") if line]
    quoted = "\n>\n".join(f"> {line}" for line in lines)
    passes = report["tokens_seen"] / report["training_tokens"]
    return f"""# tiny: a small language model for tests and demonstrations

A decoder of the Llama family (RMSNorm, rotary positions, grouped-query attention, SwiGLU, tied
embedding), trained from nothing on prose in the public domain. It is embedded so that llmc can
be tried and tested without a download. It writes in the manner of its text and knows nothing else.

| | |
|---|---|
| parameters | {count:,}, fp32 |
| layers, width, MLP width | {config.num_layers}, {config.hidden_size}, {config.intermediate_size} |
| query heads, key/value heads, head size | {config.num_heads}, {config.num_kv_heads}, \
{config.head_dim} |
| vocabulary | {config.vocab_size} (byte-level BPE; token 0 is `{END_OF_TEXT}`) |
| context | {config.context_length} tokens |
| training | {report["steps"]} steps, {report["tokens_seen"]:,} tokens (\
{passes:.1f} passes over {report["training_tokens"]:,}), \
{report["seconds"] / 60:.0f} minutes on one core |
| loss of the last 100 steps | {report["final_training_loss"]:.3f} |
| held-out perplexity | {measured["held_out"]:.3f} over {report["held_out_tokens"]:,} tokens |
| perplexity of held-out.txt | {measured["file"]:.3f} |

## Files
- `model.onnx`: plain operators of opset 17 with past and present keys and values, weights inside.
- `tokenizer.json`, `tokenizer_config.json`, `config.json`: in the form of Hugging Face.
- `held-out.txt`: chapters that the training did not see.

## Data
The World English Bible, a modern English translation dedicated to the public domain, from the
Debian package `sword-text-web` (module engWEB2015eb). Notes and titles are dropped, and quotation
marks and dashes are spelled as they are typed, so the text here is a changed one. Each 25th
chapter is held out. "World English Bible" is a trademark of eBible.org.

## Licence
The text is in the public domain. The weights are distributed under llmc's licence, the Apache
License v2.0 with LLVM Exceptions.

## How it was made
    scripts/train-tiny --steps {report["steps"]} --batch {report["batch"]} \
--rate {report["rate"]} --seed {report["seed"]}

writes this folder anew; `--from-checkpoint` writes it from the last training's weights. The exact
weights depend on the version of JAX and on the processor.

## How it was measured
By ONNX Runtime on `model.onnx`, in non-overlapping windows of {config.context_length} tokens; the \
first token of a
window is not predicted and an incomplete last window is dropped. Held-out perplexity takes all
held-out chapters, each after an `{END_OF_TEXT}`; the perplexity of held-out.txt takes the
file as it is, without special tokens.

## A sample
From "{PROMPT}" at the start of a text, temperature {TEMPERATURE}, seed {SAMPLE_SEED}:

{quoted}
"""


def write_files(
    folder: Path, trained: tuple[LlamaModel, Tokenizer, dict[str, Any]], chapters: list[str]
) -> None:
    """Writes all files of the folder and checks the model against the training's report."""
    model, tokenizer, report = trained
    config, end = model.config, end_of_text(tokenizer)
    store = WeightStore()
    store_llama(store, model)
    save_model(export_plain(config, store), folder / "model.onnx")
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", tokenizer_config(config.context_length))
    write_json(folder / "config.json", huggingface_config(config, end, end))
    text = held_out_text(chapters)
    (folder / "held-out.txt").write_text(text, "utf-8", newline="\n")

    runner = ReferenceModel.load(folder / "model.onnx", threads=1)
    row = np.array(tokenizer.encode(text).ids, np.int32)
    measured = {
        "held_out": perplexity(runner, encode_chapters(tokenizer, chapters), config.context_length),
        "file": perplexity(runner, row, config.context_length),
        "sample": sample(runner, tokenizer, PROMPT),
    }
    expected = report["held_out_perplexity"]
    if abs(measured["held_out"] / expected - 1) > PERPLEXITY_TOLERANCE:
        found = measured["held_out"]
        raise Incomplete(f"expected held-out perplexity {expected:.3f}, found {found:.3f}")
    count = sum(weight.size for weight in model.weights.values())
    card = model_card(config, report, count, measured)
    (folder / "README.md").write_text(card, "utf-8", newline="\n")
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size > SIZE_LIMIT:
        raise Incomplete(f"expected at most {SIZE_LIMIT} bytes, found {size}")


def write_folder(work: Path, output: Path, chapters: list[str]) -> None:
    """Writes the folder from a finished training's files; `chapters` are the held-out ones."""
    trained = read_training(work)
    partial = output.with_name(output.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        write_files(partial, trained, chapters)
        shutil.rmtree(output, ignore_errors=True)
        os.rename(partial, output)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    print(f"train-tiny: wrote {output}")
