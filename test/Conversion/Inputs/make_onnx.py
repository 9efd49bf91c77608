"""Writes a small model: make_onnx.py FILE WHAT [CHOICE=VALUE…], a decoder or what the fuzzer uses."""

from __future__ import annotations

import pathlib
import sys

TEST = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TEST / "integration"), str(TEST / "fuzz")]

import onnx_models
import onnx_seeds


def parse(text: str):
    """A choice's value: a truth value, a number or a word."""
    return {"true": True, "false": False}.get(text, int(text) if text.isdigit() else text)


def main() -> int:
    path, what, *choices = sys.argv[1:]
    if what == "decoder":
        pairs = (choice.split("=", 1) for choice in choices)
        model = onnx_models.decoder(**{name: parse(value) for name, value in pairs})
    else:
        model = {"branches": onnx_seeds.branches, "tensors": onnx_seeds.tensors, "texts": onnx_seeds.texts}[what]()
    onnx_models.save(model, pathlib.Path(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
