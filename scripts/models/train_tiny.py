# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains the embedded model from nothing and writes its folder: ONNX, tokenizer, text, card."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

try:
    import numpy as np
except ImportError as missing:
    sys.exit(f"train-tiny: the Python package {missing.name} is missing")

ROOT = Path(__file__).resolve().parents[2]


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="train-tiny", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "models" / "tiny",
                        metavar="DIR", help="default: models/tiny in the checkout")
    parser.add_argument("--work", type=Path, default=ROOT / "out" / "tiny", metavar="DIR",
                        help="downloads and the trained weights (default: out/tiny)")
    parser.add_argument("--steps", type=int, default=3000, help="default: %(default)s")
    parser.add_argument("--batch", type=int, default=4, help="rows of 512 tokens in a step")
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--from-checkpoint", action="store_true",
                        help="do not train; write the folder from the last finished training")
    return parser.parse_args(arguments)


def train(options: argparse.Namespace, chapters: tuple[list[str], list[str]]) -> None:
    """Trains and leaves weights.npz, tokenizer.json and training.json in the work folder."""
    if options.threads == 1:
        os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    os.environ["NPROC"] = str(options.threads)
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax

    from tiny_model import Schedule, TinyConfig, initial_weights, make_step, mean_nll
    from tiny_tokens import encode_chapters, train_tokenizer, validation_windows

    config = TinyConfig()
    training, held_out = chapters
    tokenizer = train_tokenizer(training, config.vocab_size)
    tokens = encode_chapters(tokenizer, training)
    windows = validation_windows(encode_chapters(tokenizer, held_out), config.context_length)
    print(f"{len(tokens)} training tokens, {windows.size} held out", flush=True)

    weights = {name: jax.numpy.asarray(value)
               for name, value in initial_weights(config, options.seed).items()}
    moments = {name: (0.0 * value, 0.0 * value) for name, value in weights.items()}
    step = make_step(config, Schedule(options.rate, 100, options.steps))
    evaluate = jax.jit(lambda values, rows: mean_nll(values, rows, config))
    rng = np.random.default_rng(options.seed)

    def held_out_perplexity(rows: np.ndarray) -> float:
        losses = [float(evaluate(weights, row[None])) for row in rows]
        return math.exp(float(np.mean(losses)))

    length = config.context_length + 1
    start, losses = time.monotonic(), []
    for index in range(options.steps):
        places = rng.integers(0, len(tokens) - length, options.batch)
        batch = np.stack([tokens[place : place + length] for place in places])
        weights, moments, loss = step(weights, moments, batch, np.float32(index))
        losses.append(float(loss))
        if (index + 1) % 20 == 0:
            seconds = time.monotonic() - start
            left = seconds / (index + 1) * (options.steps - index - 1)
            print(f"step {index + 1}/{options.steps} loss {np.mean(losses[-20:]):.3f} "
                  f"{seconds:.0f} s, {left:.0f} s left", flush=True)
        if (index + 1) % 200 == 0:
            perplexity = held_out_perplexity(windows[::8])
            print(f"held-out perplexity (each 8th window) {perplexity:.2f}", flush=True)

    perplexity = held_out_perplexity(windows)
    print(f"held-out perplexity {perplexity:.3f}", flush=True)
    report = {
        "config": asdict(config),
        "steps": options.steps,
        "tokens_seen": options.steps * options.batch * config.context_length,
        "training_tokens": len(tokens),
        "held_out_tokens": int(windows.size),
        "held_out_perplexity": perplexity,
        "final_training_loss": float(np.mean(losses[-100:])),
        "seconds": time.monotonic() - start,
        "batch": options.batch,
        "rate": options.rate,
        "seed": options.seed,
    }
    options.work.mkdir(parents=True, exist_ok=True)
    partial = options.work / "weights.partial.npz"
    np.savez(partial, **{name: np.asarray(value) for name, value in weights.items()})
    tokenizer.save(str(options.work / "tokenizer.json"))
    (options.work / "training.json").write_text(json.dumps(report, indent=2) + "\n")
    partial.rename(options.work / "weights.npz")


def missing_package(error: ImportError) -> int:
    """Reports a package that is not installed; returns the exit status."""
    print(f"train-tiny: the Python package {error.name} is missing "
          "(scripts/models/train-requirements.txt lists what it takes)", file=sys.stderr)
    return 1


def main(arguments: list[str]) -> int:
    """Runs the program; returns its exit status."""
    options = parse_arguments(arguments)
    try:
        import prose
        from tiny_folder import Incomplete, write_folder
    except ImportError as error:
        return missing_package(error)
    try:
        chapters = prose.split_chapters(prose.read_chapters(options.work / "cache"))
        if not options.from_checkpoint:
            train(options, chapters)
        write_folder(options.work, options.output, chapters[1])
    except ImportError as error:
        return missing_package(error)
    except (prose.TextUnavailable, Incomplete, OSError) as error:
        print(f"train-tiny: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
