# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Computes an exported model's logits with ONNX Runtime, as the reference for llmc's programs.

Understands decoders with or without past inputs, under the names that exporters give them, and
feeds attention_mask (ones) and position_ids (counting from 0) where the model asks for them.
A model without past inputs gets all tokens at once, whatever the prefill.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

try:
    import numpy as np
    import onnx
    import onnxruntime as ort
except ImportError as missing:
    sys.exit(f"reference-logits: the Python package {missing.name} is missing (run scripts/setup)")

ELEMENT_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}


class UnsupportedModel(ValueError):
    """The model has an input or output that this program does not understand."""


def state_key(name: str) -> tuple[int, str] | None:
    """Returns (layer, 'key', 'value' or 'both') for a cache input or output, else None."""
    if not re.search(r"past|present", name):
        return None
    numbers = re.findall(r"\d+", name)
    if len(numbers) != 1:
        return None
    kind = "key" if "key" in re.split(r"[._]", name)[-1] else "both"
    kind = "value" if "value" in re.split(r"[._]", name)[-1] else kind
    return int(numbers[0]), kind


def symbolic_head_size(model: onnx.ModelProto) -> int | None:
    """Finds the head size where a model with GroupQueryAttention leaves it symbolic."""
    dims = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "GroupQueryAttention" and len(node.input) > 7:
            if node.input[7] in dims:
                return 2 * dims[node.input[7]][1]
    return None


@dataclass
class ReferenceModel:
    """An ONNX Runtime session with what is needed to feed it token by token."""

    session: ort.InferenceSession
    head_size: int | None
    state: dict[tuple[int, str], np.ndarray] = field(default_factory=dict)
    position: int = 0

    @staticmethod
    def load(path: Path, threads: int = 0) -> "ReferenceModel":
        """Opens a model on the CPU; 0 threads means as many as there are cores."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        proto = onnx.load(str(path), load_external_data=False)
        model = ReferenceModel(session, symbolic_head_size(proto))
        model.reset()
        return model

    def reset(self) -> None:
        """Empties the cache."""
        self.position, self.state = 0, {}
        for entry in self.session.get_inputs():
            key = state_key(entry.name)
            if key is not None:
                self.state[key] = np.zeros(self.empty_shape(entry), ELEMENT_TYPES[entry.type])

    def empty_shape(self, entry: Any) -> list[int]:
        """Returns the shape of an empty cache input: batch 1, no positions."""
        fixed = [int(size) if str(size).isdigit() else None for size in entry.shape]
        places = len(fixed)
        if places == 5 and fixed[0] != 2 or places not in (4, 5):
            raise UnsupportedModel(f"cannot read the cache shape {entry.shape} of {entry.name}")
        head, width = fixed[places - 3], fixed[places - 1] or self.head_size
        if head is None or width is None:
            raise UnsupportedModel(f"sizes of {entry.name} are not known: {entry.shape}")
        return [2] * (places - 4) + [1, head, 0, width]

    @property
    def has_past(self) -> bool:
        """Whether the model takes a cache."""
        return bool(self.state)

    def feeds(self, tokens: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the inputs for the next tokens."""
        count, total = len(tokens), self.position + len(tokens)
        feeds: dict[str, np.ndarray] = {}
        for entry in self.session.get_inputs():
            kind = ELEMENT_TYPES[entry.type]
            key = state_key(entry.name)
            if key is not None:
                feeds[entry.name] = self.state[key]
            elif entry.name in ("input_ids", "input1", "tokens"):
                feeds[entry.name] = tokens[None].astype(kind)
            elif entry.name == "attention_mask":
                feeds[entry.name] = np.ones((1, total), kind)
            elif entry.name == "position_ids":
                feeds[entry.name] = np.arange(self.position, total, dtype=kind)[None]
            else:
                raise UnsupportedModel(f"unexpected input {entry.name} {entry.type} {entry.shape}")
        if count == 0:
            raise UnsupportedModel("expected at least one token, found none")
        return feeds

    def evaluate(self, tokens: np.ndarray) -> np.ndarray:
        """Appends tokens; returns their logits [tokens, vocabulary] in fp32."""
        if self.position and not self.has_past:
            raise UnsupportedModel("this model has no cache and cannot continue")
        names = [entry.name for entry in self.session.get_outputs()]
        values = self.session.run(names, self.feeds(tokens))
        logits = None
        for name, value in zip(names, values):
            key = state_key(name)
            if key in self.state:
                self.state[key] = value
            elif logits is None and value.ndim == 3:
                logits = value[0].astype(np.float32)
        if logits is None:
            raise UnsupportedModel(f"no output holds logits: {names}")
        self.position += len(tokens)
        return logits

    def all_logits(self, tokens: np.ndarray, prefill: int | None = None) -> np.ndarray:
        """Returns the logits of all positions, decoding one by one after `prefill` tokens."""
        self.reset()
        if not self.has_past or prefill is None or prefill >= len(tokens):
            return self.evaluate(tokens)
        parts = [self.evaluate(tokens[:prefill])]
        parts += [self.evaluate(tokens[index : index + 1]) for index in range(prefill, len(tokens))]
        return np.concatenate(parts)


def load_tokens(path: Path) -> np.ndarray:
    """Reads token numbers from .npy, or the entry 'tokens' of .npz; [tokens] or [1, tokens]."""
    loaded = np.load(path)
    tokens = loaded["tokens"] if isinstance(loaded, np.lib.npyio.NpzFile) else loaded
    if not np.issubdtype(tokens.dtype, np.integer) or tokens.size == 0:
        raise UnsupportedModel(f"{path}: expected integers, found {tokens.dtype} {tokens.shape}")
    if tokens.ndim == 2 and tokens.shape[0] == 1:
        tokens = tokens[0]
    if tokens.ndim != 1:
        raise UnsupportedModel(f"{path}: expected shape [tokens], found {tokens.shape}")
    return tokens.astype(np.int64)


def main(arguments: list[str]) -> int:
    """Runs the program; returns its exit status."""
    parser = argparse.ArgumentParser(prog="reference-logits", description=__doc__)
    parser.add_argument("model", type=Path, help="an ONNX file")
    parser.add_argument("--tokens", type=Path, required=True, help="token numbers, .npy or .npz")
    parser.add_argument("-o", "--output", type=Path, required=True, help="logits.npy, fp32")
    parser.add_argument("--prefill", type=int, metavar="P", help="tokens in the first run (all)")
    parser.add_argument("--threads", type=int, default=0, help="0: one per core (default)")
    options = parser.parse_args(arguments)
    if options.prefill is not None and options.prefill < 1:
        parser.error(f"--prefill must be at least 1, found {options.prefill}")
    try:
        model = ReferenceModel.load(options.model, options.threads)
        logits = model.all_logits(load_tokens(options.tokens), options.prefill)
        partial = options.output.with_name(options.output.name + ".partial.npy")
        np.save(partial, logits)
        os.replace(partial, options.output)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        print(f"reference-logits: {error}", file=sys.stderr)
        return 1
    except Exception as error:  # ONNX Runtime's own exceptions share no narrower base class.
        if type(error).__module__.startswith("onnxruntime"):
            print(f"reference-logits: {options.model}: {error}", file=sys.stderr)
            return 1
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
