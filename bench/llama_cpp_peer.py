# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What compare_llama_cpp.py asks of llama.cpp: to quantize a file, and to measure one.

Runs in the environment of bench/requirements.txt. `bench` measures what `llmc bench` measures, in
the same way, and prints the same names as JSON.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import statistics
import sys
import time
from typing import Callable

import llama_cpp

FILE_TYPES = {
    "f32": llama_cpp.LLAMA_FTYPE_ALL_F32,
    "f16": llama_cpp.LLAMA_FTYPE_MOSTLY_F16,
    "q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
    "q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
}


def silence() -> object:
    """Turns llama.cpp's log off; the result must be kept alive."""
    callback = llama_cpp.llama_log_callback(lambda level, text, data: None)
    llama_cpp.llama_log_set(callback, ctypes.c_void_p(0))
    return callback


def quantize(source: str, target: str, file_type: str) -> None:
    """Writes a GGUF file again in another type."""
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.allow_requantize = True
    parameters.nthread = 2
    parameters.ftype = FILE_TYPES[file_type]
    failed = llama_cpp.llama_model_quantize(
        source.encode(), target.encode(), ctypes.byref(parameters)
    )
    if failed:
        sys.exit(f"llama.cpp cannot write {source} as {file_type}")


class Session:
    """A model and its context."""

    def __init__(self, path: str, context: int, batch: int, threads: int) -> None:
        llama_cpp.llama_backend_init()
        model_parameters = llama_cpp.llama_model_default_params()
        model_parameters.n_gpu_layers = 0
        self.model = llama_cpp.llama_model_load_from_file(path.encode(), model_parameters)
        if not self.model:
            sys.exit(f"llama.cpp cannot load {path}")
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = context
        parameters.n_batch = parameters.n_ubatch = batch
        parameters.n_threads = parameters.n_threads_batch = threads
        self.context = llama_cpp.llama_init_from_model(self.model, parameters)
        if not self.context:
            sys.exit("llama.cpp cannot make a context")
        self.batch = llama_cpp.llama_batch_init(batch, 0, 1)
        self.batch_size = batch
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(
            llama_cpp.llama_model_get_vocab(self.model)
        )

    def evaluate(self, tokens: list[int], position: int) -> None:
        """Evaluates tokens from a position on; asks for the last one's logits."""
        for begin in range(0, len(tokens), self.batch_size):
            part = tokens[begin : begin + self.batch_size]
            batch = self.batch
            batch.n_tokens = len(part)
            for i, token in enumerate(part):
                batch.token[i] = token
                batch.pos[i] = position + begin + i
                batch.n_seq_id[i] = 1
                batch.seq_id[i][0] = 0
                batch.logits[i] = begin + i + 1 == len(tokens)
            if llama_cpp.llama_decode(self.context, batch) != 0:
                sys.exit("llama.cpp cannot evaluate a batch")
        llama_cpp.llama_get_logits_ith(self.context, -1)

    def rewind(self, position: int) -> None:
        """Forgets what stands at a position and after it."""
        memory = llama_cpp.llama_get_memory(self.context)
        llama_cpp.llama_memory_seq_rm(memory, 0, position, -1)


def timed(action: Callable[[], None]) -> float:
    """Seconds that an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def bench(options: argparse.Namespace) -> dict[str, float]:
    """Measures like `llmc bench`: medians of repetitions, the first one not counted."""
    depth, prompt, generate = options.depth, options.prompt_tokens, options.generate_tokens
    total = depth + max(prompt, generate)
    start = time.perf_counter()
    # llama.cpp rounds contexts up to a multiple of 256.
    session = Session(options.model, total, 512, options.threads)
    load = time.perf_counter() - start
    tokens = [(i * 2654435761 + 12345) % session.vocabulary for i in range(total)]
    if depth:
        session.evaluate(tokens[:depth], 0)
    prefill, decode = [], []
    for repetition in range(options.repeat + 1):
        session.rewind(depth)
        prefill_seconds = timed(lambda: session.evaluate(tokens[depth : depth + prompt], depth))
        session.rewind(depth)

        def generate_all() -> None:
            for i in range(depth, depth + generate):
                session.evaluate(tokens[i : i + 1], i)

        decode_seconds = timed(generate_all)
        if repetition:
            prefill.append(prompt / prefill_seconds)
            decode.append(generate / decode_seconds)
    return {
        "prefill_tokens_per_second": statistics.median(prefill),
        "decode_tokens_per_second": statistics.median(decode),
        "load_seconds": load,
        "weight_bytes": llama_cpp.llama_model_size(session.model),
    }


def main() -> None:
    """Runs the program."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    convert = commands.add_parser("quantize")
    convert.add_argument("source")
    convert.add_argument("target")
    convert.add_argument("type", choices=sorted(FILE_TYPES))
    measure = commands.add_parser("bench")
    measure.add_argument("model")
    measure.add_argument("--threads", type=int, required=True)
    measure.add_argument("--prompt-tokens", type=int, required=True)
    measure.add_argument("--generate-tokens", type=int, required=True)
    measure.add_argument("--depth", type=int, required=True)
    measure.add_argument("--repeat", type=int, required=True)
    options = parser.parse_args()
    log = silence()
    if options.command == "quantize":
        quantize(options.source, options.target, options.type)
    else:
        print(json.dumps(bench(options)))
    del log


if __name__ == "__main__":
    main()
