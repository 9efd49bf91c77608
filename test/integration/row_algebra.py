# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What layers have in their middle that llmc has no operation for: softmaxes of columns, products of
matrices that each row has for itself. Each runs by its meaning and agrees with ONNX Runtime."""

from __future__ import annotations

import pathlib
import sys
import tempfile

import numpy as np

from form_support import PROVED, TOKENS, check
from onnx_models import Decoder, Spelling, save
from support import compile_model, compute_logits, one_target, relative_difference


class Chosen(Decoder):
    """Weighs what a layer adds by a softmax of all its columns."""

    def mlp(self, path: str, value: str) -> str:
        scores = self.linear(f"{path}.scores", value, self.hidden, self.inner)
        weights = self.graph.op("Softmax", scores, axis=-1)
        return self.linear(f"{path}.down", weights, self.inner, self.hidden)


class Mixed(Decoder):
    """Adds the products of heads with each other, of which one is a softmax, to the MLP."""

    equation = "bshd,bsgd->bshg"

    def heads_side_by_side(self, name: str, value: str) -> str:
        rows = self.linear(name, value, self.hidden, self.heads * self.size)
        return self.graph.op("Reshape", rows,
                             self.graph.constant([0, 0, self.heads, self.size]))

    def mlp(self, path: str, value: str) -> str:
        graph = self.graph
        weights = graph.op("Softmax", self.heads_side_by_side(f"{path}.asked", value), axis=3)
        others = self.heads_side_by_side(f"{path}.given", value)
        products = graph.op("Einsum", weights, others, equation=self.equation)
        products = graph.op("Reshape", products, graph.constant([0, 0, self.heads * self.heads]))
        mixed = self.linear(f"{path}.mixed", products, self.heads * self.heads, self.hidden)
        return graph.op("Add", super().mlp(path, value), mixed)


class Turned(Mixed):
    """The same with the result's axes the other way round."""

    equation = "bshd,bsgd->bsgh"


class Weighed(Decoder):
    """Multiplies, divides and subtracts rows that no function made."""

    def mlp(self, path: str, value: str) -> str:
        a, b, c = (self.linear(f"{path}.{name}", value, self.hidden, self.inner) for name in "abc")
        graph = self.graph
        weights = graph.op("Softmax", graph.op("Sub", a, b), axis=-1)
        scaled = graph.op("Div", c, graph.op("Softmax", b, axis=-1))
        return self.linear(f"{path}.down", graph.op("Mul", weights, scaled), self.inner,
                           self.hidden)


MODELS = {"softmax": (Chosen, {}), "softmax before a bias": (Chosen, dict(linear="gemm", bias=True)),
          "softmax and einsum": (Mixed, {}), "einsum, turned": (Turned, dict(positions="split")),
          "products and quotients": (Weighed, {})}


ROUND = "{bits=8 group-size=16 activation=none head-format=same table=false}"


def check_calibrated(kind: type[Decoder], choices: dict, folder: pathlib.Path) -> str:
    """What is wrong with a model that was rounded to 8 bits by calibration; the last layer's linears
    have inputs of their own side by side."""
    model = save(kind(Spelling(**choices), 2).model(), folder / "model.onnx")
    np.save(folder / "ids.npy", np.random.default_rng(3).integers(0, Decoder.vocabulary, (8, 64)))
    calibrated = ROUND.replace("}", f" calibration={folder / 'ids.npy'} sequence-length=64 samples=8}}")
    logits = [compute_logits(compile_model(model, folder / f"{index}.llmc", passes,
                                           f"--target={one_target()}"), TOKENS)
              for index, passes in enumerate(("", f"quantize-gptq{calibrated}"))]
    difference = relative_difference(logits[1], logits[0])
    return "" if 0 < difference < 1e-1 else f"rounding costs {difference:.1e}"


def main() -> int:
    problems = 0
    for name, (kind, choices) in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            wrong = (check(kind(Spelling(**choices), 2).model, [PROVED], pathlib.Path(folder))
                     or check_calibrated(kind, choices, pathlib.Path(folder)))
        print(f"{name}: {wrong or 'ok'}", flush=True)
        problems += bool(wrong)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
