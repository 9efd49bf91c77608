# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What ONNX Runtime computes of a decoder's file, whoever wrote it."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import numpy as np
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64,
         "tensor(int32)": np.int32, "tensor(bool)": np.bool_, "tensor(double)": np.float64}
HEADS, HEAD_SIZE = 2, 16


def open_session(path: pathlib.Path) -> onnxruntime.InferenceSession:
    """A session that leaves the graph as it stands."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    # Shapes that a file states of values are no promise for a graph that isn't optimized.
    options.enable_mem_pattern = options.enable_mem_reuse = False
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def is_cache(name: str) -> bool:
    return re.search(r"past|cache|key|value", name) is not None and "mask" not in name


def make_feeds(session: onnxruntime.InferenceSession, tokens: np.ndarray, past: int,
               caches: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The inputs of a step of `tokens` after `past` others."""
    rows, feeds = len(tokens), {}
    for value in session.get_inputs():
        kind, shape, name = TYPES[value.type], value.shape, value.name
        if name in caches:
            feeds[name] = caches[name]
        elif "mask" in name:
            feeds[name] = np.ones((1, past + rows), kind)
        elif "position" in name:
            feeds[name] = np.arange(past, past + rows, dtype=kind)[None]
        elif name == "use_cache_branch":
            feeds[name] = np.array([past > 0])
        elif len(shape) == 0 or (shape == [1] and "ids" not in name):
            feeds[name] = np.zeros(shape, kind)
        elif len(shape) == 4:
            heads = shape[1] if isinstance(shape[1], int) else HEADS
            size = shape[3] if isinstance(shape[3], int) else HEAD_SIZE
            feeds[name] = np.zeros((1, heads, 0, size), kind)
        elif len(shape) == 2:
            feeds[name] = np.asarray(tokens, kind)[None]
        else:
            raise ValueError(f"input {name} of shape {shape}")
    return feeds


def get_caches(session: onnxruntime.InferenceSession, outputs: list[Any]) -> dict[str, np.ndarray]:
    """Outputs as the inputs that they become: those of rank 4 in their order."""
    names = [value.name for value in session.get_inputs() if len(value.shape) == 4 and is_cache(value.name)]
    values = [output for output in outputs if output.ndim == 4]
    if len(names) != len(values):
        raise ValueError(f"{len(names)} inputs and {len(values)} outputs of caches")
    return dict(zip(names, values))


def compute_logits(path: pathlib.Path, tokens: np.ndarray, prefill: int) -> np.ndarray:
    """Logits [tokens, vocabulary]: `prefill` tokens at once and the rest one by one where there is a
    cache, all at once where there is none."""
    session = open_session(path)
    names = [value.name for value in session.get_outputs()]
    at = next((i for i, name in enumerate(names) if "logits" in name), 0)
    hasCache = any(len(value.shape) == 4 and is_cache(value.name) for value in session.get_inputs())
    if not hasCache:
        return session.run(None, make_feeds(session, tokens, 0, {}))[at].astype(np.float64)[0]
    parts, past, caches = [], 0, {}
    for count in [prefill] + [1] * (len(tokens) - prefill):
        outputs = session.run(None, make_feeds(session, tokens[past:past + count], past, caches))
        parts.append(outputs[at].astype(np.float64)[0])
        caches = get_caches(session, outputs)
        past += count
    return np.concatenate(parts)
