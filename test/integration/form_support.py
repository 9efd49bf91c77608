# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What tests of files' forms share: a form is a model that imports and agrees with ONNX Runtime."""

from __future__ import annotations

import pathlib
import sys
import tempfile
from typing import Callable

import numpy as np
import onnx
import onnxruntime

from onnx_models import MICROSOFT, Decoder, Spelling, save
from support import compute_logits, llmc, one_target, relative_difference

LIMIT = 2e-6
TOKENS = np.random.default_rng(7).integers(0, Decoder.vocabulary, 40)
PREFILL = 16

FORMS: list[tuple[str, Callable[[], onnx.ModelProto], list[str], str]] = []
PROVED = "the program computes what the graph says"


def add_form(name: str, make: Callable[[], onnx.ModelProto], warning: str = "",
             output: str = "") -> None:
    """Registers what makes a model; `warning` is what llmc says about it beside that it computes
    what the graph says. A graph may end in a Softmax or LogSoftmax, its `output`."""
    FORMS.append((name, make, [warning, PROVED], output))


def form(**choices):
    """Registers a function that makes a model, as add_form does."""

    def register(make: Callable[[], onnx.ModelProto]) -> Callable[[], onnx.ModelProto]:
        add_form(make.__name__, make, **choices)
        return make

    return register


class Fused(Decoder):
    """A decoder with parts that optimizers fuse."""

    def contrib(self, kind: str, *inputs: str, count: int = 1, **attributes) -> list[str]:
        return self.graph.ops(kind, *inputs, count=count, domain=MICROSOFT, **attributes)


def fused(kind: type[Decoder], layers: int = 2, **choices) -> onnx.ModelProto:
    return kind(Spelling(**choices), layers).model()


def run_whole(path: pathlib.Path) -> np.ndarray:
    """The logits of all tokens by ONNX Runtime, in one step without a past."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 4, 1
    session = onnxruntime.InferenceSession(str(path), options)
    lengths = {"batch": 1, "rows": len(TOKENS), "total": len(TOKENS), "past": 0,
               "heads_open": Decoder.kv_heads, "size_open": Decoder.size}
    feeds = {}
    for entry in session.get_inputs():
        shape = [lengths.get(dim, dim) for dim in entry.shape]
        if entry.name == "input_ids":
            value = TOKENS.reshape(shape)
        elif "mask" in entry.name and len(shape) == 4:
            value = np.triu(np.full(shape, -3.4e38, np.float32), 1)
        elif "mask" in entry.name or "use_cache" in entry.name:
            value = np.ones(shape)
        elif "position" in entry.name:
            value = np.arange(len(TOKENS)).reshape(shape)
        else:
            value = np.zeros(shape)
        kind = {"tensor(float)": np.float32, "tensor(bool)": bool}.get(entry.type, np.int64)
        feeds[entry.name] = value.astype(kind)
    logits, = session.run(["logits"], feeds)
    return logits.reshape(len(TOKENS), -1)


def normalize(logits: np.ndarray) -> np.ndarray:
    """The logarithms of probabilities."""
    largest = logits.max(axis=-1, keepdims=True)
    return logits - largest - np.log(np.exp(logits - largest).sum(axis=-1, keepdims=True))


def check(make: Callable[[], onnx.ModelProto], expected_messages: list[str], folder: pathlib.Path,
          output: str = "") -> str:
    """Runs one form; gives what is wrong with it."""
    path = save(make(), folder / "model.onnx")
    expected = run_whole(path)
    done = llmc("compile", path, f"--target={one_target()}", "-o", folder / "model.llmc",
                check=False)
    if done.returncode != 0:
        return done.stderr
    for message in expected_messages:
        if message not in done.stderr:
            return f"expected '{message}', found {done.stderr}"
    found = compute_logits(folder / "model.llmc", TOKENS, f"--prefill={PREFILL}")
    found = found.reshape(expected.shape)
    if output:
        found = normalize(found)
        expected = np.log(expected) if output == "Softmax" else expected
    difference = relative_difference(found, expected)
    return "" if difference < LIMIT else f"differs by {difference:.1e}"


def run_forms() -> int:
    """Runs all forms, or those that the command line names; gives the exit code."""
    problems = 0
    chosen = sys.argv[1:]
    for name, make, messages, output in FORMS:
        if chosen and name not in chosen:
            continue
        with tempfile.TemporaryDirectory() as folder:
            wrong = check(make, messages, pathlib.Path(folder), output)
        print(f"{name}: {wrong or 'ok'}", flush=True)
        problems += bool(wrong)
    print(f"{problems} problems")
    return 1 if problems else 0
