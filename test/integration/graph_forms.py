# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Forms that files have beyond what exporters write: fused operators as optimizers leave them,
unsorted nodes, repeated and sparse initializers, overloads. Each imports and agrees with ONNX Runtime."""

from __future__ import annotations

import pathlib
import sys
import tempfile
from typing import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from onnx_models import FLOAT, MICROSOFT, Decoder, Spelling, decoder, save
from support import baseline_target, compute_logits, llmc, relative_difference

from reference_logits import ReferenceModel

LIMIT = 2e-6
TOKENS = np.random.default_rng(7).integers(0, Decoder.vocabulary, 40)
PREFILL = 16

FORMS: list[tuple[str, Callable[[], onnx.ModelProto], str]] = []


def form(warning: str = ""):
    """Registers a function that makes a model; `warning` is what llmc says about it."""

    def register(make: Callable[[], onnx.ModelProto]) -> Callable[[], onnx.ModelProto]:
        FORMS.append((make.__name__, make, warning))
        return make

    return register


# Order and structure ------------------------------------------------------------


@form()
def reversed_nodes() -> onnx.ModelProto:
    model = decoder(layers=2)
    nodes = list(model.graph.node)[::-1]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


@form("initializer 'layers.0.up' stands twice, with the same contents")
def repeated_initializer() -> onnx.ModelProto:
    model = decoder()
    model.graph.initializer.append(next(t for t in model.graph.initializer
                                        if t.name == "layers.0.up"))
    return model


def make_sparse(tensor: TensorProto, flat: bool) -> onnx.SparseTensorProto:
    """A tensor's values that are not zero, with one index each or one for every dimension."""
    array = numpy_helper.to_array(tensor)
    places = np.flatnonzero(array) if flat else np.argwhere(array)
    values = numpy_helper.from_array(array[array != 0], tensor.name)
    return helper.make_sparse_tensor(values, numpy_helper.from_array(places.astype(np.int64)),
                                     array.shape)


@form()
def sparse_initializers() -> onnx.ModelProto:
    model = decoder()
    for name, flat in (("layers.0.up", True), ("layers.0.down", False)):
        tensor = next(t for t in model.graph.initializer if t.name == name)
        array = numpy_helper.to_array(tensor).copy()
        array[np.abs(array) < 0.1] = 0
        tensor.CopyFrom(numpy_helper.from_array(array, name))
        model.graph.sparse_initializer.append(make_sparse(tensor, flat))
        model.graph.initializer.remove(tensor)
    return model


@form()
def overloads() -> onnx.ModelProto:
    """Two overloads of one function: which one is called is told by the node."""
    model = decoder(activation="relu")
    opsets = [helper.make_opsetid("", 17)]
    for overload, kind in (("positive", "Relu"), ("negative", "Neg")):
        function = helper.make_function("local", "Turn", ["x"], ["y"],
                                        [helper.make_node(kind, ["x"], ["y"])], opsets)
        function.overload = overload
        model.functions.append(function)
    for node in model.graph.node:
        if node.op_type == "Relu":
            node.op_type, node.domain, node.overload = "Turn", "local", "positive"
    model.opset_import.append(helper.make_opsetid("local", 1))
    model.ir_version = 10
    return model


# Fused operators ----------------------------------------------------------------


class Fused(Decoder):
    """A decoder with parts that optimizers fuse."""

    def contrib(self, kind: str, *inputs: str, count: int = 1, **attributes) -> list[str]:
        return self.graph.ops(kind, *inputs, count=count, domain=MICROSOFT, **attributes)


def fused(kind: type[Decoder], layers: int = 2, **choices) -> onnx.ModelProto:
    return kind(Spelling(**choices), layers).model()


@form()
def fused_matmul() -> onnx.ModelProto:
    """Scores and head: a transpose and a factor in one operator."""

    class Model(Fused):
        def mix(self, query, key, value):
            scores, = self.contrib("FusedMatMul", query, self.repeat(key), transB=1,
                                   alpha=float(self.size**-0.5))
            rows = self.graph.op("Softmax", self.masked(scores), axis=-1)
            return self.graph.op("MatMul", rows, self.repeat(value))

        def linear(self, name, value, inputs, outputs, bias=False):
            weight = self.weight(name, self.array(name, outputs, inputs))
            return self.contrib("FusedMatMul", value, weight, transB=1, alpha=1.5)[0]

    return fused(Model)


@form()
def fused_matmul_of_batches() -> onnx.ModelProto:
    """Heads stay behind rows, and the product moves them: batch axes are transposed too."""

    class Model(Fused):
        def mix(self, query, key, value):
            query, key = (self.graph.op("Transpose", x, perm=[2, 0, 1, 3])
                          for x in (query, self.repeat(key)))
            scores, = self.contrib("FusedMatMul", query, key, transBatchA=1, transBatchB=1,
                                   transB=1, alpha=float(self.size**-0.5))
            rows = self.graph.op("Softmax", self.masked(scores), axis=-1)
            return self.graph.op("MatMul", rows, self.repeat(value))

    return fused(Model)


class Gemm(Fused):
    """Linears as Gemm of flat rows."""

    attributes: dict = {}
    kind, domain = "Gemm", ""

    def linear(self, name, value, inputs, outputs, bias=False):
        graph = self.graph
        flat = graph.op("Reshape", value, graph.constant([-1, inputs]))
        matrix = self.array(name, outputs, inputs)
        attributes = {"transB": 1, **self.attributes}
        if attributes.get("transA"):
            flat = graph.op("Transpose", flat, perm=[1, 0])
        weight = self.weight(name, matrix if attributes["transB"] else matrix.T)
        flat = graph.op(self.kind, flat, weight, *self.added(name, outputs), domain=self.domain,
                        **attributes)
        return graph.op("Reshape", flat, graph.constant([1, -1, outputs]))

    def added(self, name, outputs):
        return [self.weight(name + ".bias", self.array(name + ".bias", outputs))]


@form()
def gemm_factors() -> onnx.ModelProto:
    class Model(Gemm):
        attributes = {"alpha": 0.75, "beta": -2.0}

    return fused(Model)


@form()
def gemm_transposed_rows() -> onnx.ModelProto:
    class Model(Gemm):
        attributes = {"transA": 1, "transB": 0, "alpha": 1.25}

    return fused(Model)


@form()
def gemm_scalar_bias() -> onnx.ModelProto:
    class Model(Gemm):
        attributes = {"beta": 0.5}

        def added(self, name, outputs):
            return [self.weight(name + ".bias", np.full(1, 0.25, np.float32))]

    return fused(Model)


@form()
def gemm_without_its_bias() -> onnx.ModelProto:
    class Model(Gemm):
        attributes = {"beta": 0.0}

    return fused(Model)


def fused_gemm(activation: str, **more):
    class Model(Gemm):
        def mlp(self, path, value):
            self.kind, self.domain = "FusedGemm", MICROSOFT
            self.attributes = {"activation": activation, **more}
            up = self.linear(f"{path}.up", value, self.hidden, self.inner)
            self.kind, self.domain, self.attributes = "Gemm", "", {}
            return self.linear(f"{path}.down", up, self.inner, self.hidden)

    return fused(Model)


for name, choices in (("Relu", {}), ("Tanh", {})):
    FORMS.append((f"fused_gemm_{name}", lambda n=name, c=choices: fused_gemm(n, **c), ""))


class BiasedActivation(Fused):
    """A layer without gate, whose activation adds the bias of the linear before it."""

    kind = ""

    def mlp(self, path, value):
        width = self.inner * 2 if self.kind == "BiasSplitGelu" else self.inner
        up = self.linear(f"{path}.up", value, self.hidden, width)
        bias = self.weight(f"{path}.up.bias", self.array(f"{path}.up.bias", width))
        return self.linear(f"{path}.down", self.contrib(self.kind, up, bias)[0], self.inner,
                           self.hidden)


def biased(kind: str) -> onnx.ModelProto:
    return fused(type("Model", (BiasedActivation,), {"kind": kind}))


for name in ("BiasGelu", "FastGelu"):
    FORMS.append((f"bias_of_{name}", lambda n=name: biased(n), ""))


class SkipNorms(Fused):
    """Residual sums inside the norms that follow them, with the bias of the layer before."""

    kind = "SkipLayerNormalization"

    def skip(self, name, branch, residual):
        gain = self.weight(name, 1 + self.array(name, self.hidden))
        offset = [self.weight(name + ".bias", self.array(name + ".bias", self.hidden))]
        offset = offset if self.kind == "SkipLayerNormalization" else []
        bias = self.weight(name + ".sum", self.array(name + ".sum", self.hidden))
        found = self.contrib(self.kind, branch, residual, gain, *offset, bias, count=4,
                             epsilon=self.epsilon)
        return found[0], found[3]

    def model(self):
        # A sum of a branch and the residual waits for the norm that follows it.
        self.pending: dict[str, tuple[str, str]] = {}
        self.branches: set[str] = set()
        make = self.graph.op

        def op(kind, *inputs, **attributes):
            if kind == "Add" and len(inputs) == 2 and inputs[1] in self.branches:
                sum_ = self.graph.fresh()
                self.pending[sum_] = inputs
                return sum_
            return make(kind, *inputs, **attributes)

        self.graph.op = op
        return super().model()

    def attention(self, index, value):
        result = super().attention(index, value)
        self.branches.add(result)
        return result

    def mlp(self, path, value):
        result = super().mlp(path, value)
        self.branches.add(result)
        return result

    def norm(self, name, value, width=Decoder.hidden):
        if value not in self.pending:
            return super().norm(name, value, width)
        residual, branch = self.pending[value]
        gain = self.weight(name, 1 + self.array(name, self.hidden))
        bias = self.weight(name + ".sum", self.array(name + ".sum", self.hidden))
        offset = [self.weight(name + ".bias", self.array(name + ".bias", self.hidden))]
        offset = offset if self.kind == "SkipLayerNormalization" else []
        outputs = [self.graph.fresh(), "", "", value]
        self.graph.nodes.append(helper.make_node(
            self.kind, [branch, residual, gain, *offset, bias], outputs, name, domain=MICROSOFT,
            epsilon=self.epsilon))
        return outputs[0]


for name in ("SkipLayerNormalization", "SkipSimplifiedLayerNormalization"):
    FORMS.append((f"bias_of_{name}",
                  lambda n=name: fused(type("Model", (SkipNorms,), {"kind": n})), ""))


def check(name: str, make: Callable[[], onnx.ModelProto], warning: str,
          folder: pathlib.Path) -> str:
    """Runs one form; gives what is wrong with it."""
    path = save(make(), folder / "model.onnx")
    expected = ReferenceModel.load(path, 1).all_logits(TOKENS)
    done = llmc("compile", path, f"--target={baseline_target()}", "--context=64", "-o",
                folder / "model.llmc", check=False)
    if done.returncode != 0:
        return done.stderr
    if warning not in done.stderr:
        return f"expected '{warning}', found {done.stderr}"
    found = compute_logits(folder / "model.llmc", TOKENS, f"--prefill={PREFILL}")
    difference = relative_difference(found.reshape(expected.shape), expected)
    return "" if difference < LIMIT else f"differs by {difference:.1e}"


def main() -> int:
    problems = 0
    chosen = sys.argv[1:]
    for name, make, warning in FORMS:
        if chosen and name not in chosen:
            continue
        with tempfile.TemporaryDirectory() as folder:
            wrong = check(name, make, warning, pathlib.Path(folder))
        print(f"{name}: {wrong or 'ok'}", flush=True)
        problems += bool(wrong)
    print(f"{problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
