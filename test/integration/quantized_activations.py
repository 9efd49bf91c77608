# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models after ONNX Runtime's quantizers: 8-bit weights, and activations rounded as they come
(dynamic) or by scales that a calibration fixed (static).

Without rounding of activations llmc's logits are those that ONNX Runtime gives for the fp32 model with
the dequantized weights. With it they are no further from those than ONNX Runtime's own are, which
rounds all rows with one scale.
"""

from __future__ import annotations

import logging
import pathlib
import sys
import tempfile
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime.quantization import (CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic,
                                      quantize_static)

from support import compile_model, compute_logits, one_target, relative_difference, test_data
from raised_module import raise_model

PREFILL = 24
LIMIT = 1e-3
SAMPLES = ("llama/optimum", "qwen2/optimum", "gpt2/optimum", "llama/legacy-op17-nocache")


@dataclass
class Texts(CalibrationDataReader):
    """Random texts for a model, without a past."""

    path: pathlib.Path
    vocabulary: int
    left: int = 4

    def get_next(self) -> dict[str, np.ndarray] | None:
        from reference_logits import ReferenceModel

        if self.left == 0:
            return None
        self.left -= 1
        tokens = np.random.default_rng(self.left).integers(0, self.vocabulary, PREFILL)
        return ReferenceModel.load(self.path).feeds(tokens)


@dataclass(frozen=True)
class Quantizer:
    """What makes a quantized model of another."""

    name: str
    unsigned: bool = False
    per_channel: bool = False
    form: QuantFormat | None = None  # of a static model
    optimized: bool = False  # by ONNX Runtime, which writes fused operators

    def run(self, source: pathlib.Path, target: pathlib.Path, vocabulary: int) -> None:
        logging.getLogger().setLevel(logging.ERROR)
        weights = QuantType.QUInt8 if self.unsigned else QuantType.QInt8
        if self.form is None:
            quantize_dynamic(source, target, per_channel=self.per_channel, weight_type=weights)
        else:
            quantize_static(source, target, Texts(source, vocabulary), quant_format=self.form,
                            op_types_to_quantize=["MatMul", "Gemm"],
                            per_channel=self.per_channel, weight_type=weights)
        if self.optimized:
            options = onnxruntime.SessionOptions()
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
            options.optimized_model_filepath = str(target.with_suffix(".optimized"))
            onnxruntime.InferenceSession(str(target), options, providers=["CPUExecutionProvider"])
            target.with_suffix(".optimized").replace(target)


DYNAMIC = (Quantizer("u8", unsigned=True), Quantizer("s8 per channel", per_channel=True))
STATIC = (Quantizer("static", form=QuantFormat.QDQ),
          Quantizer("static per channel", per_channel=True, form=QuantFormat.QDQ),
          Quantizer("static operators", form=QuantFormat.QOperator))
OPTIMIZED = (Quantizer("u8 optimized", unsigned=True, optimized=True),)


def dequantize(source: pathlib.Path, quantized: pathlib.Path, target: pathlib.Path) -> int:
    """Writes the fp32 model with the weights that the quantized one stands for; gives their number."""
    arrays = {tensor.name: numpy_helper.to_array(tensor)
              for tensor in onnx.load(str(quantized)).graph.initializer}
    model = onnx.load(str(source))
    count = 0
    for tensor in model.graph.initializer:
        codes = arrays.get(tensor.name + "_quantized")
        if codes is None:
            continue
        scale, zero = arrays[tensor.name + "_scale"], arrays[tensor.name + "_zero_point"]
        values = (codes.astype(np.float64) - zero.astype(np.float64)) * scale.astype(np.float64)
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float32), tensor.name))
        count += 1
    onnx.save(model, str(target))
    return count


def reference(path: pathlib.Path, tokens: np.ndarray) -> np.ndarray:
    from reference_logits import ReferenceModel

    return ReferenceModel.load(path).all_logits(tokens, PREFILL)


def check(sample: pathlib.Path, quantizer: Quantizer, work: pathlib.Path) -> list[str]:
    """Quantizes and compares one model; gives what is wrong."""
    tokens = np.load(sample / "oracle.npz")["tokens"].reshape(-1)
    quantized, exact = work / "model.onnx", work / "exact.onnx"
    quantizer.run(sample / "model.onnx", quantized, int(tokens.max()) + 1)
    count = dequantize(sample / "model.onnx", quantized, exact)
    types = raise_model(quantized, work / "model.mlir").types.values()
    grouped = [kind for kind in types if "#llmc.grouped<bits = 8, " in kind]
    problems = []
    # A tied table has its own copy for each of its uses.
    if count == 0 or len(grouped) < count:
        problems.append(f"expected {count} matrices of integers, found {len(grouped)}")
    wanted = reference(exact, tokens)
    target = f"--target={one_target()}"
    artifact = compile_model(quantized, work / "exact.llmc", "", target, "--activation=none")
    difference = relative_difference(compute_logits(artifact, tokens, "--prefill", PREFILL), wanted)
    if not difference <= LIMIT:
        problems.append(f"differs from the dequantized model by {difference:.1e}")
    artifact = compile_model(quantized, work / "model.llmc", "", target)
    rounded = relative_difference(compute_logits(artifact, tokens, "--prefill", PREFILL), wanted)
    own = relative_difference(reference(quantized, tokens), wanted)
    if not rounded <= own:
        problems.append(f"rounding costs {rounded:.1e}, ONNX Runtime's {own:.1e}")
    if rounded == difference:
        problems.append("activations are not rounded")
    print(f"{sample.parent.name}/{sample.name} {quantizer.name}: {len(grouped)} matrices, "
          f"exact {difference:.1e}, rounded {rounded:.1e} (ONNX Runtime {own:.1e}) "
          f"{'; '.join(problems) or 'ok'}", flush=True)
    return problems


def main() -> int:
    data = test_data() / "exporters"
    chosen = {name: DYNAMIC for name in SAMPLES}
    chosen["llama/optimum"] += STATIC + OPTIMIZED
    chosen["llama/legacy-op17-nocache"] += STATIC
    problems = 0
    for name, quantizers in chosen.items():
        for quantizer in quantizers:
            with tempfile.TemporaryDirectory() as work:
                problems += len(check(data / name, quantizer, pathlib.Path(work)))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
