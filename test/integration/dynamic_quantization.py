"""Models after ONNX Runtime's dynamic quantization: 8-bit weights, activations rounded as they come.

Without rounding of activations llmc's logits are those that ONNX Runtime gives for the fp32 model with
the dequantized weights. With it they are no further from those than ONNX Runtime's own are, which
rounds all rows with one scale.
"""

from __future__ import annotations

import logging
import pathlib
import sys
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper

from support import baseline_target, compile_model, compute_logits, relative_difference, test_data
from raised_module import raise_model

PREFILL = 24
LIMIT = 1e-3
SAMPLES = ("llama/optimum", "qwen2/optimum", "gpt2/optimum", "llama/legacy-op17-nocache")


def quantize(source: pathlib.Path, target: pathlib.Path, unsigned: bool, per_channel: bool) -> None:
    """Writes what the quantizer makes of a model."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logging.getLogger().setLevel(logging.ERROR)
    quantize_dynamic(source, target, per_channel=per_channel,
                     weight_type=QuantType.QUInt8 if unsigned else QuantType.QInt8)


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


def check(sample: pathlib.Path, unsigned: bool, per_channel: bool, work: pathlib.Path) -> list[str]:
    """Quantizes and compares one model; gives what is wrong."""
    tokens = np.load(sample / "oracle.npz")["tokens"].reshape(-1)
    quantized, exact = work / "model.onnx", work / "exact.onnx"
    quantize(sample / "model.onnx", quantized, unsigned, per_channel)
    count = dequantize(sample / "model.onnx", quantized, exact)
    types = raise_model(quantized, work / "model.mlir").types.values()
    grouped = [kind for kind in types if "#llmc.grouped<bits = 8, " in kind]
    problems = []
    # A tied table has its own copy for each of its uses.
    if len(grouped) < count:
        problems.append(f"expected {count} matrices of integers, found {len(grouped)}")
    wanted = reference(exact, tokens)
    target = f"--target={baseline_target()}"
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
    print(f"{sample.parent.name}/{sample.name} {'u8' if unsigned else 's8'}"
          f"{' per channel' if per_channel else ''}: {len(grouped)} matrices, exact {difference:.1e}, "
          f"rounded {rounded:.1e} (ONNX Runtime {own:.1e}) {'; '.join(problems) or 'ok'}", flush=True)
    return problems


def main() -> int:
    data = test_data() / "exporters"
    problems = 0
    for name in SAMPLES:
        for unsigned, per_channel in ((True, False), (False, True)):
            with tempfile.TemporaryDirectory() as work:
                problems += len(check(data / name, unsigned, per_channel, pathlib.Path(work)))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
