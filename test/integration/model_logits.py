"""A whole model in fp32 and in 4 bits: its logits, on every variant and any number of threads.

The fp32 program agrees with ONNX Runtime on a prompt of 128 tokens and on decode steps after it.
Every program: decoding agrees with evaluating all at once, all thread counts give the same bits,
variants with fused multiply-add give the same bits, and all agree with the variant whose dot
products are plain arithmetic.
"""

from __future__ import annotations

import argparse
import pathlib
import re
import shutil
import sys
import tempfile

import numpy as np

from support import (ALL_VARIANTS, TINY, compile_model, compute_logits, encode, llmc, relative_difference,
                     runnable_variants, skip, smollm2)

PREFILL, DECODE = 128, 16
# The baseline has no fused multiply-add: its roundings differ from the others'.
BASELINE = "x86-64"
Q4 = "quantize-rtn{bits=4 group-size=32 symmetric=false zero=float activation=%s}"


class Check:
    """Collects what is wrong."""

    def __init__(self):
        self.problems = 0

    def limit(self, what: str, difference: float, limit: float) -> None:
        wrong = not difference <= limit
        self.problems += wrong
        print(f"  {what}: {difference:.1e}{f', expected at most {limit:.0e}' if wrong else ''}", flush=True)

    def exceed(self, what: str, difference: float, limit: float) -> None:
        wrong = not difference > limit
        self.problems += wrong
        print(f"  {what}: {difference:.1e}{f', expected more than {limit:.0e}' if wrong else ''}", flush=True)

    def equal(self, what: str, found: np.ndarray, expected: np.ndarray) -> None:
        if np.array_equal(found, expected):
            return
        self.problems += 1
        print(f"  {what}: expected the same bits, found {relative_difference(found, expected):.1e}")


def reference_logits(model: pathlib.Path, tokens: np.ndarray) -> np.ndarray:
    """ONNX Runtime's logits, the first PREFILL tokens at once and the rest one by one."""
    from reference_logits import ReferenceModel

    return ReferenceModel.load(model).all_logits(tokens, PREFILL)


def keep_activations(model: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Writes the model with MatMulNBits that round no activations (accuracy_level 1)."""
    import onnx

    proto = onnx.load(str(model), load_external_data=False)
    for node in proto.graph.node:
        for attribute in node.attribute:
            if attribute.name == "accuracy_level":
                attribute.i = 1
    for name in {entry.value for tensor in proto.graph.initializer for entry in tensor.external_data
                 if entry.key == "location"}:
        shutil.copy(model.parent / name, folder / name)
    onnx.save(proto, str(folder / "model.onnx"))
    return folder / "model.onnx"


def check_program(check: Check, artifact: pathlib.Path, tokens: np.ndarray, rounding: float) -> np.ndarray:
    """Compares a program with itself; gives its logits. `rounding` is how far different roundings
    of sums may carry."""
    prefill = ("--prefill", PREFILL)
    found = compute_logits(artifact, tokens, *prefill, "--threads", 1)
    whole = compute_logits(artifact, tokens, "--threads", 1)
    check.limit("decode against prefill", relative_difference(found, whole), rounding)
    for threads in (2, 3):
        again = compute_logits(artifact, tokens, *prefill, "--threads", threads)
        check.equal(f"{threads} threads against 1", again, found)
    for variant in runnable_variants(artifact):
        other = compute_logits(artifact, tokens, *prefill, "--variant", variant)
        if variant == BASELINE:
            check.limit(f"variant {variant}", relative_difference(other, found), rounding)
        else:
            print(f"  variant {variant}")
            check.equal(f"variant {variant}", other, found)
    return found


def check_model(check: Check, model: pathlib.Path, text: str, limit: float, programs: list[str]) -> None:
    """Compiles and checks one model."""
    tokens = encode(model.parent, text)[: PREFILL + DECODE]
    assert len(tokens) == PREFILL + DECODE, f"expected a longer text, found {len(tokens)} tokens"
    expected = reference_logits(model, tokens)
    with tempfile.TemporaryDirectory() as work:
        artifact = pathlib.Path(work) / "model.llmc"
        if "as-is" in programs:
            print(f"{model}: as it is", flush=True)
            compile_model(model, artifact, "", ALL_VARIANTS)
            found = check_program(check, artifact, tokens, 1e-4 if limit < 1e-2 else 5e-2)
            check.limit("against ONNX Runtime", relative_difference(found, expected), limit)
        if "planted" in programs:
            print(f"{model}: with planted errors", flush=True)
            check_planted(check, model, tokens, expected, limit, pathlib.Path(work))
        if "exact" in programs:
            print(f"{model}: activations as they are", flush=True)
            compile_model(model, artifact, "", "--activation=none", ALL_VARIANTS)
            found = check_program(check, artifact, tokens, 1e-4)
            exact = reference_logits(keep_activations(model, pathlib.Path(work)), tokens)
            check.limit("against ONNX Runtime", relative_difference(found, exact), 1e-3)
        if "w4" in programs:
            print(f"{model}: 4 bits", flush=True)
            compile_model(model, artifact, Q4 % "none", ALL_VARIANTS)
            exact = check_program(check, artifact, tokens, 1e-4)
            print(f"{model}: 4 bits, activations in 8", flush=True)
            compile_model(model, artifact, Q4 % "i8", ALL_VARIANTS)
            rounded = compute_logits(artifact, tokens)
            # Where a value lies between two integers the last bit of a sum decides, and all that
            # follows is rounded otherwise: that may carry as far as the rounding itself.
            effect = relative_difference(rounded, exact)
            check.limit("effect of rounding activations", effect, 0.5)
            check_program(check, artifact, tokens, 1.5 * effect)


def scale_number(name: str, factor: float):
    """A change of the first number that is called `name` in a module."""
    def change(text: str) -> str:
        return re.sub(rf"(\b{name} = (?:array<f32: )?)([-+.\deE]+)",
                      lambda found: f"{found[1]}{float(found[2]) * factor:.9e}", text, count=1)
    return change


# Errors as small as a wrong constant is, each in one place of a raised module.
PLANTED = {
    "scores scaled by 1.001": scale_number("scale", 1.001),
    "an epsilon of 3e-5 for 1e-5": scale_number("epsilon", 3),
    "a frequency of 1.001 for 1": scale_number("frequencies", 1.001),
    "gate and up exchanged": lambda text: re.sub(r"(llmc.gate <\w+>) (%\w+), (%\w+)", r"\1 \3, \2", text,
                                                 count=1),
}


def check_planted(check: Check, model: pathlib.Path, tokens: np.ndarray, expected: np.ndarray,
                  limit: float, work: pathlib.Path) -> None:
    """Demands that the comparison with ONNX Runtime sees each planted error."""
    raised, planted, artifact = work / "raised.mlir", work / "planted.mlir", work / "planted.llmc"
    llmc("compile", model, "--compile-to=raise", "--check-import=off", "-o", raised)
    text = raised.read_text(encoding="utf-8")
    for what, change in PLANTED.items():
        changed = change(text)
        assert changed != text, f"{what}: expected it to change the module"
        planted.write_text(changed, encoding="utf-8")
        compile_model(planted, artifact, "", "--target=host")
        found = compute_logits(artifact, tokens, "--prefill", PREFILL)
        check.exceed(what, relative_difference(found, expected), limit)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--smollm2", metavar="FLAVOUR", help="a flavour of SmolLM2 instead of models/tiny")
    parser.add_argument("--program", action="append", choices=["as-is", "exact", "planted", "w4"],
                        required=True, help="what to compile it to")
    parser.add_argument("--limit", type=float, default=1e-3,
                        help="largest difference from ONNX Runtime, relative to the largest logit")
    options = parser.parse_args()
    model = (smollm2() / options.smollm2 if options.smollm2 else TINY) / "model.onnx"
    if not model.exists():
        skip(f"no {model}")
    check = Check()
    text = (TINY / "held-out.txt").read_text(encoding="utf-8")[:4000]
    check_model(check, model, text, options.limit, options.program)
    return 1 if check.problems else 0


if __name__ == "__main__":
    sys.exit(main())
