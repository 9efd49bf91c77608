# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which families of models llmc compiles, and how far its logits are from PyTorch's.

Run by scripts/check-families. Every family is a model of two layers with random weights, made from
its transformers configuration and exported three ways: by TorchScript (opset 17) and by the dynamo
exporter (opsets 18 and 23). The logits of 24 tokens, 16 at once and the rest one by one, should be
PyTorch's within 1e-4 of the largest.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import pathlib
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnxruntime
import torch
from transformers import AutoConfig, AutoModelForCausalLM

ROOT = pathlib.Path(__file__).resolve().parent.parent
LLMC = pathlib.Path(os.environ.get("LLMC_BUILD", ROOT / "build")) / "bin" / "llmc"
TOKENS, PREFILL, LIMIT = 24, 16, 1e-4
VOCABULARY, CONTEXT = 320, 128
COMMON = {"vocab_size": VOCABULARY, "hidden_size": 64, "intermediate_size": 128,
          "num_hidden_layers": 2, "num_attention_heads": 4, "max_position_embeddings": CONTEXT}
GROUPED = {"num_key_value_heads": 2}
WIDE = {"num_key_value_heads": 2, "head_dim": 16}
PADDED = {"num_key_value_heads": 2, "pad_token_id": 0}
OLD = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_inner": 128, "n_positions": CONTEXT}
FAMILIES: dict[str, dict[str, Any]] = {
    "arcee": GROUPED,
    "bloom": {"n_layer": 2, "n_head": 4},
    "cohere": PADDED,
    "cohere2": PADDED | {"sliding_window": 16},
    "ernie4_5": WIDE,
    "exaone4": GROUPED,
    "falcon": {},
    "gemma": WIDE,
    "gemma2": WIDE | {"sliding_window": 16},
    "gemma3_text": WIDE | {"sliding_window": 16},
    "glm": WIDE | {"pad_token_id": 0},
    "glm4": WIDE | {"pad_token_id": 0},
    "gpt2": OLD,
    "gpt_bigcode": OLD,
    "gpt_neox": {},
    "gptj": OLD | {"rotary_dim": 8},
    "granite": GROUPED | {"embedding_multiplier": 12.0, "residual_multiplier": 0.22,
                          "attention_multiplier": 0.1, "logits_scaling": 8.0},
    "helium": WIDE,
    "hunyuan_v1_dense": WIDE,
    "llama": GROUPED,
    "ministral": WIDE,
    "mistral": GROUPED | {"sliding_window": 16},
    "mpt": {"max_seq_len": CONTEXT, "expansion_ratio": 2},
    "nemotron": GROUPED,
    "olmo": PADDED,
    "olmo2": PADDED,
    "olmo3": PADDED | {"sliding_window": 16},
    "opt": {"ffn_dim": 128, "word_embed_proj_dim": 64, "pad_token_id": 1},
    "phi": {},
    "phi3": GROUPED | {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2},
    "qwen2": GROUPED,
    "qwen3": WIDE,
    "seed_oss": WIDE,
    "smollm3": PADDED,
    "stablelm": GROUPED,
    "starcoder2": GROUPED | {"sliding_window": 16},
}
# What llmc says that it can't compile.
REFUSED: dict[str, dict[str, Any]] = {
    "apertus": GROUPED,  # an activation function with parameters
}
EXPORTERS = ("TorchScript", "dynamo 18", "dynamo 23")


class Logits(torch.nn.Module):
    """A model as a function of tokens and a mask."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=input_ids, attention_mask=attention_mask, use_cache=False).logits


def make_model(family: str, changes: dict[str, Any]) -> Logits:
    """A model with weights that make its layers matter."""
    torch.manual_seed(1)
    config = AutoConfig.for_model(family, **(COMMON | changes))
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            parameter.data *= 3
        elif parameter.std() == 0:
            parameter.data += torch.randn_like(parameter) * 0.1
    return Logits(model)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Lets nothing out that is written to standard output or error, by PyTorch's C++ code too."""
    sys.stdout.flush()
    kept = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in zip((1, 2), kept):
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)


def export(model: Logits, tokens: torch.Tensor, exporter: str, path: pathlib.Path) -> None:
    inputs = (tokens, torch.ones_like(tokens))
    names = {"input_names": ["input_ids", "attention_mask"], "output_names": ["logits"]}
    if exporter == "TorchScript":
        axes = {name: {0: "batch", 1: "rows"} for name in ("input_ids", "attention_mask", "logits")}
        torch.onnx.export(model, inputs, str(path), dynamic_axes=axes, opset_version=17, dynamo=False,
                          **names)
        return
    rows = torch.export.Dim("rows", min=2, max=CONTEXT)
    torch.onnx.export(model, inputs, str(path), opset_version=int(exporter.split()[1]), dynamo=True,
                      dynamic_shapes={"input_ids": {1: rows}, "attention_mask": {1: rows}},
                      external_data=False, verbose=False, **names)


def run_llmc(*arguments: object) -> str:
    """Runs the driver; gives what is wrong, its last line, or nothing."""
    done = subprocess.run([str(LLMC), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return lines[-1].split(": ", 2)[-1]


def compare(path: pathlib.Path, tokens: torch.Tensor, expected: np.ndarray) -> tuple[float, str]:
    """The largest difference relative to the largest logit, and what went wrong."""
    artifact, ids, output = (path.with_name(name) for name in ("m.llmc", "ids.npy", "logits.npy"))
    wrong = run_llmc("compile", path, f"--context={CONTEXT}", "-o", artifact)
    np.save(ids, tokens.numpy().reshape(-1))
    wrong = wrong or run_llmc("logits", artifact, "--tokens", ids, "-o", output, "--prefill", PREFILL)
    if wrong:
        return np.nan, wrong
    difference = float(np.abs(np.load(output) - expected).max() / np.abs(expected).max())
    return difference, "" if difference <= LIMIT else f"expected at most {LIMIT:.0e}"


def is_sound(path: pathlib.Path, tokens: torch.Tensor, expected: np.ndarray) -> bool:
    """Whether the file itself computes what the model does: some exports do not."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(path), options)
        ids = tokens.numpy()
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        wanted = {value.name for value in session.get_inputs()}
        found = session.run(None, {name: feeds[name] for name in wanted})[0][0]
    except Exception:  # whatever the runtime raises
        return False
    return float(np.abs(found - expected).max()) <= LIMIT * float(np.abs(expected).max())


def check(family: str, changes: dict[str, Any], exporter: str) -> tuple[str, bool]:
    """What to print of an export, and whether llmc computes what it should."""
    model = make_model(family, changes)
    tokens = torch.randint(3, VOCABULARY, (1, TOKENS))
    with torch.no_grad():
        expected = model(tokens, torch.ones_like(tokens)).numpy()[0]
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.onnx"
        try:
            with silence():
                export(model, tokens, exporter, path)
        except Exception:  # whatever an exporter raises
            return "not exported", True
        if not is_sound(path, tokens, expected):
            return "export is wrong", True
        difference, wrong = compare(path, tokens, expected)
    return wrong or f"{difference:.1e}", not wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/check-families", description=__doc__)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help="those alone")
    options = parser.parse_args()
    known = FAMILIES | REFUSED
    unknown = [family for family in options.families if family not in known]
    if unknown:
        parser.error(f"expected families among {', '.join(sorted(known))}, found {unknown[0]}")
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    print(f"{'family':18}" + "".join(f"{exporter:18}" for exporter in EXPORTERS))
    problems = 0
    for family in options.families or sorted(known):
        results = [check(family, known[family], exporter) for exporter in EXPORTERS]
        texts = [text for text, _ in results]
        if family in REFUSED:
            # What all exporters' files work for belongs into the other table.
            refusals = [text for text, right in results if not right]
            print(f"{family:18}refused: {refusals[-1] if refusals else 'WRONG, all work'}", flush=True)
            problems += not refusals
            continue
        wrong = not all(right for _, right in results)
        print(f"{family:18}" + "".join(f"{text:18}" for text in texts) + (" WRONG" if wrong else ""),
              flush=True)
        problems += wrong
    print(f"{problems} families are not as expected")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
