"""Models that mean something else than what exporters write are refused, or compute what ONNX Runtime does.

Small decoders in several spellings are changed in one place: an attribute, two inputs that change
places, an element of a small constant, a row of a table, an operator and its variant. What still runs in
ONNX Runtime must be refused by llmc with a message, or give the same logits: of a prompt, of one token
first, and of single steps after either.

`--count` says how many changes are tried, `--seed` where the choices begin, `--check-import` how much
the compiler itself compares, and `--keep FOLDER` where models that differ are left.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import random
import sys
import tempfile

import numpy as np
import onnx
from onnx import helper, numpy_helper

from onnx_models import decoder, save
from sample_decoders import DECODERS
from support import llmc, one_target, relative_difference

import reference_logits  # of scripts/models, which support puts on the path

TOKENS = np.random.default_rng(1).integers(0, 40, 20)
LIMIT = 1e-3

# Operators that take the same inputs and attributes.
VARIANTS = [("Less", "LessOrEqual"), ("Greater", "GreaterOrEqual"), ("Less", "Greater"), ("Add", "Sub"),
            ("Mul", "Div"), ("Add", "Mul"), ("Cos", "Sin"), ("Sigmoid", "Tanh"), ("Sqrt", "Exp"), ("And", "Or"),
            ("ReduceMean", "ReduceSum"), ("ReduceMean", "ReduceMax"), ("Max", "Min"), ("Reciprocal", "Neg"),
            ("Gelu", "QuickGelu"), ("Equal", "LessOrEqual"), ("Softmax", "LogSoftmax")]
# Attributes that a node may get which it does not have.
ADDED = {
    "GroupQueryAttention": {"local_window_size": 3, "softcap": 2.0, "rotary_interleaved": 1, "scale": 0.2, "do_rotary": 0,
                            "smooth_softmax": 1},
    "Attention": {"is_causal": 1, "softcap": 2.0, "scale": 0.2},
    "RotaryEmbedding": {"interleaved": 1}, "Softmax": {"axis": 2}, "Gelu": {"approximate": "tanh"},
    "LayerNormalization": {"epsilon": 0.1}, "RMSNormalization": {"epsilon": 0.1},
    "SimplifiedLayerNormalization": {"epsilon": 0.1}, "SkipSimplifiedLayerNormalization": {"epsilon": 0.1},
    "Gemm": {"alpha": 0.5, "beta": 0.5}, "Trilu": {"upper": 1}, "CumSum": {"exclusive": 1, "reverse": 1},
    "Gather": {"axis": 1}, "Shape": {"start": 1}, "ReduceMean": {"keepdims": 0},
    "MatMulNBits": {"bits": 8},
}


def change_attribute(model: onnx.ModelProto, choice: random.Random) -> str:
    """A number or a name of a variant becomes another."""
    nodes = [node for node in model.graph.node if node.op_type != "Constant" and node.attribute]
    if not nodes:
        return ""
    node = choice.choice(nodes)
    attribute = choice.choice(list(node.attribute))
    value = helper.get_attribute_value(attribute)
    if isinstance(value, int):
        value = choice.choice((value + 1, value - 1, 0, 1, -1, 2 * value))
    elif isinstance(value, float):
        value = value * choice.choice((0.5, 1.1, 2.0, 1000.0))
    elif isinstance(value, list) and all(isinstance(element, int) for element in value):
        value = choice.sample(value, len(value))
    else:
        return ""
    name = attribute.name
    node.attribute.remove(attribute)
    node.attribute.append(helper.make_attribute(name, value))
    return f"{node.name}: {name} = {value}"


def add_attribute(model: onnx.ModelProto, choice: random.Random) -> str:
    nodes = [node for node in model.graph.node if node.op_type in ADDED]
    if not nodes:
        return ""
    node = choice.choice(nodes)
    name, value = choice.choice(sorted(ADDED[node.op_type].items()))
    kept = [attribute for attribute in node.attribute if attribute.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, value)])
    return f"{node.name}: {name} = {value}"


def swap_inputs(model: onnx.ModelProto, choice: random.Random) -> str:
    nodes = [node for node in model.graph.node if len(node.input) >= 2]
    node = choice.choice(nodes)
    i, j = choice.sample(range(len(node.input)), 2)
    node.input[i], node.input[j] = node.input[j], node.input[i]
    return f"{node.name}: inputs {i} and {j} change places"


def change_operator(model: onnx.ModelProto, choice: random.Random) -> str:
    variants = VARIANTS + [(b, a) for a, b in VARIANTS]
    nodes = [(node, b) for node in model.graph.node for a, b in variants if node.op_type == a]
    # As likely for rare operators as for common ones.
    kinds = sorted({(node.op_type, b) for node, b in nodes})
    if not kinds:
        return ""
    old, new = choice.choice(kinds)
    node = choice.choice([node for node, b in nodes if (node.op_type, b) == (old, new)])
    node.op_type = new
    node.domain = "com.microsoft" if new == "QuickGelu" else "" if new == "Gelu" else node.domain
    return f"{node.name}: {old} becomes {new}"


def find_tensors(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    return [*model.graph.initializer,
            *(attribute.t for node in model.graph.node if node.op_type == "Constant"
              for attribute in node.attribute if attribute.name == "value")]


def change_constant(model: onnx.ModelProto, choice: random.Random) -> str:
    """One element of a small constant, or one row of a table."""
    tensors = [tensor for tensor in find_tensors(model) if np.prod(tensor.dims) <= 16]
    tables = [tensor for tensor in model.graph.initializer if len(tensor.dims) == 2 and tensor.dims[0] == 64]
    tensor = choice.choice(tables if tables and choice.random() < 0.3 else tensors)
    array = np.array(numpy_helper.to_array(tensor))
    if array.size == 0:
        return ""
    if tensor in tables:
        row = choice.randrange(min(len(array), len(TOKENS)))
        array[row] = array[row] * np.asarray(choice.choice((0.5, -1, 1.25)), array.dtype) if choice.random() < 0.5 else array[0]
        what = f"row {row}"
    else:
        place = choice.randrange(array.size)
        old = array.flat[place]
        if array.dtype == bool:
            new = not old
        elif np.issubdtype(array.dtype, np.floating):
            new = old * choice.choice((0.5, 1.1, 2, -1, 0))
        else:
            new = max(min(int(old) + choice.choice((-1, 1, 2)), np.iinfo(array.dtype).max), 0 if old >= 0 else -(2**31))
        array.flat[place] = new
        what = f"element {place}: {old} becomes {new}"
    name = tensor.name
    tensor.CopyFrom(numpy_helper.from_array(array, name))
    return f"constant {name or 'of a node'} {list(array.shape)}, {what}"


CHANGES = (change_attribute, add_attribute, swap_inputs, change_operator, change_constant, change_constant)


@contextlib.contextmanager
def muted():
    """ONNX Runtime writes what it has against a model to the standard error too."""
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def run_reference(path: pathlib.Path) -> dict[int, np.ndarray] | None:
    """ONNX Runtime's logits by the tokens of the first step; nothing where it does not run."""
    try:
        with muted():
            model = reference_logits.ReferenceModel.load(path, threads=1)
            logits = {prefill: model.all_logits(TOKENS, prefill) for prefill in
                      ((len(TOKENS), 1, 7) if model.has_past else (len(TOKENS),))}
    except Exception:  # whatever it has against the model
        return None
    fits = all(np.isfinite(values).all() and values.shape == (len(TOKENS), 40) for values in logits.values())
    return logits if fits else None


def compare(path: pathlib.Path, expected: dict[int, np.ndarray], check: str) -> str:
    """'refused', 'refused by the comparison', 'agrees', or how it differs."""
    artifact, tokens = path.with_suffix(".llmc"), path.with_suffix(".npy")
    done = llmc("compile", path, f"--target={one_target()}", "-o", artifact, f"--check-import={check}", check=False)
    if done.returncode != 0:
        assert "error: " in done.stderr, done.stderr
        return "refused by the comparison" if "computes something else" in done.stderr else "refused"
    np.save(tokens, TOKENS)
    for prefill, logits in expected.items():
        output = path.with_suffix(".out.npy")
        llmc("logits", artifact, "--tokens", tokens, "-o", output, "--prefill", prefill)
        difference = relative_difference(np.load(output), logits)
        if difference > LIMIT:
            return f"differs by {difference:.1e} with {prefill} tokens first"
    return "agrees"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check-import", default="quick")
    parser.add_argument("--keep", type=pathlib.Path)
    arguments = parser.parse_args()
    choice = random.Random(arguments.seed)
    models = {name: decoder(**spelling) for name, spelling in DECODERS.items()}
    outcomes: dict[str, int] = {}
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.onnx"
        while sum(outcomes.values()) < arguments.count:
            name = choice.choice(sorted(models))
            model = onnx.ModelProto()
            model.CopyFrom(models[name])
            said = choice.choice(CHANGES)(model, choice)
            expected = run_reference(save(model, path)) if said else None
            if expected is None:
                continue
            outcome = compare(path, expected, arguments.check_import)
            differs = outcome.startswith("differs")
            kind = "differ" if differs else outcome
            outcomes[kind] = outcomes.get(kind, 0) + 1
            print(f"{name}: {said}: {outcome}", flush=True)
            if differs:
                problems.append(said)
                if arguments.keep:
                    arguments.keep.mkdir(parents=True, exist_ok=True)
                    save(model, arguments.keep / f"{len(problems)}.onnx")
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
