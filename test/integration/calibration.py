# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares statistics that the calibrate pass saves with the inputs that ONNX Runtime gives the same
linears, and tries what must not change them: threads, memory, sources, saved files."""

import json
import pathlib
import struct
import subprocess
import tempfile

import numpy as np
import onnx
import onnxruntime

from support import BUILD, SOURCE, compile_model, compute_logits, encode, one_target

TINY = SOURCE / "models" / "tiny"
SAMPLES, LENGTH = 6, 100
# Sites by the name of their first weight, and the nodes that read the same value.
NODES = {"attention.query": "self_attn/q_proj", "attention.output": "self_attn/o_proj",
         "mlp.gate": "mlp/gate_proj", "mlp.down": "mlp/down_proj"}


def calibrate(model, check=True, **options):
    """Runs the pass; options are spelled with underscores."""
    text = " ".join(f"{key.replace('_', '-')}={value}" for key, value in options.items())
    done = subprocess.run([BUILD / "bin" / "llmc-opt", f"--calibrate={text}", model, "-o",
                           model.with_suffix(".out.mlir")], capture_output=True, text=True)
    assert not check or done.returncode == 0, done.stderr
    return done


def read_statistics(path):
    """The tensors of a safetensors file."""
    with open(path, "rb") as stream:
        contents = stream.read()
    size, = struct.unpack("<Q", contents[:8])
    header = json.loads(contents[8:8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        kind = {"F64": np.float64, "F32": np.float32}[entry["dtype"]]
        tensors[name] = np.frombuffer(contents[8 + size + begin:8 + size + end],
                                      kind).reshape(entry["shape"])
    return tensors


def reference_inputs(tokens):
    """The inputs of the linears at each site, rows × width, in double."""
    model = onnx.load(TINY / "model.onnx")
    nodes = {node.name: node.input[0] for node in model.graph.node if node.input}
    layers = sum(value.name.endswith(".key") for value in model.graph.input)
    sites = {f"layers.{layer}.{site}": nodes[f"/model/layers.{layer}/{node}/MatMul"]
             for layer in range(layers) for site, node in NODES.items()}
    sites["embedding"] = nodes["/lm_head/MatMul"]
    for value in sites.values():
        model.graph.output.append(onnx.helper.make_tensor_value_info(value, onnx.TensorProto.FLOAT,
                                                                     None))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    feeds = {"input_ids": tokens, "attention_mask": np.ones_like(tokens),
             "position_ids": np.tile(np.arange(tokens.shape[1]), (len(tokens), 1))}
    for value in session.get_inputs():
        if value.name.startswith("past"):
            heads, size = value.shape[1], value.shape[3]
            feeds[value.name] = np.zeros((len(tokens), heads, 0, size), np.float32)
    names = list(dict.fromkeys(sites.values()))
    found = dict(zip(names, session.run(names, feeds)))
    return {site: found[value].reshape(tokens.size, -1).astype(np.float64)
            for site, value in sites.items()}


def check(statistics, name, expected):
    found = statistics[name]
    error = np.abs(found - expected).max() / np.abs(expected).max()
    assert error < 2e-6, f"{name}: relative error {error:.2e}"


def check_texts(model, folder):
    """A sample of 300 tokens is three texts, of which each goes on from its own first token: as the
    first does in a sample of its own, and most likely tokens first."""
    long, short, artifact = folder / "long.npy", folder / "short.npy", folder / "model.llmc"
    calibrate(model, calibration="self", save_tokens=long, samples=1, sequence_length=300)
    calibrate(model, calibration="self", save_tokens=short, samples=1, sequence_length=128)
    tokens = np.load(long)[0]
    assert (tokens[:128] == np.load(short)[0]).all()
    compile_model(TINY / "model.onnx", artifact, "", f"--target={one_target()}")
    for begin in (0, 128, 256):
        logits = compute_logits(artifact, tokens[begin:begin + 4])
        assert (logits.argmax(1) == tokens[begin + 1:begin + 5]).all(), begin


def check_default_text(model, folder):
    """With no text given, samples are windows of the one in models/calibration, chosen by the seed."""
    text = (SOURCE / "models" / "calibration" / "text.txt").read_text(encoding="utf-8")
    whole = encode(TINY, text)
    windows = {tuple(whole[start:start + LENGTH]) for start in range(0, len(whole) - LENGTH + 1, LENGTH)}
    chosen = []
    for seed in (0, 0, 1):
        saved = folder / "default.npy"
        done = calibrate(model, tokenizer=TINY, save_tokens=saved, samples=40, sequence_length=LENGTH, seed=seed)
        assert "warning" not in done.stderr, done.stderr
        chosen.append(np.load(saved))
        assert len(set(map(tuple, chosen[-1])) & windows) == 40
    assert (chosen[0] == chosen[1]).all() and (chosen[0] != chosen[2]).any()


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        model = folder / "tiny.mlir"
        subprocess.run([BUILD / "bin" / "llmc-translate", "--import-onnx", TINY / "model.onnx", "-o",
                        model], check=True)
        random = np.random.default_rng(7)
        tokens = random.integers(0, 2048, (SAMPLES, LENGTH))
        np.save(folder / "tokens.npy", tokens.reshape(-1))
        common = dict(calibration=folder / "tokens.npy", samples=SAMPLES, sequence_length=LENGTH)
        saved = folder / "statistics.safetensors"
        calibrate(model, save_statistics=saved, **common)
        assert not (folder / "statistics.safetensors.partial").exists()
        statistics = read_statistics(saved)
        inputs = reference_inputs(tokens)
        assert len(statistics) == 5 * len(inputs), sorted(statistics)
        plain_file = folder / "plain.safetensors"
        calibrate(model, save_statistics=plain_file, first_token_weight=1, **common)
        plain = read_statistics(plain_file)
        # Sixteen times the first row of every sample.
        weights = np.where(np.arange(tokens.size) % LENGTH == 0, 16, 1)[:, None]
        for site, x in inputs.items():
            check(statistics, f"{site}.second_moment", (weights * x).T @ x)
            check(plain, f"{site}.second_moment", x.T @ x)
            check(statistics, f"{site}.mean", x.mean(0))
            check(statistics, f"{site}.variance", x.var(0))
            check(statistics, f"{site}.mean_magnitude", np.abs(x).mean(0))
            check(statistics, f"{site}.max_magnitude", np.abs(x).max(0))

        # Neither threads nor memory change a bit.
        for options in (dict(threads=1), dict(threads=3), dict(memory=0), dict(memory=1)):
            other = folder / "other.safetensors"
            calibrate(model, save_statistics=other, **common, **options)
            assert other.read_bytes() == saved.read_bytes(), options

        # The samples can be kept: those of a file, and those that the model writes.
        kept = folder / "kept.npy"
        calibrate(model, save_tokens=kept, **common)
        found = np.load(kept)
        assert found.dtype == np.int32 and sorted(map(tuple, found)) == sorted(map(tuple, tokens))
        own_text = dict(calibration="self", samples=SAMPLES, sequence_length=LENGTH)
        calibrate(model, save_statistics=saved, save_tokens=kept, **own_text)
        assert np.load(kept).shape == (SAMPLES, LENGTH)
        own = read_statistics(saved)
        check_texts(model, folder)
        # One after the other or side by side, they are the same.
        alone = folder / "alone.npy"
        calibrate(model, save_tokens=alone, memory=0, **own_text)
        assert alone.read_bytes() == kept.read_bytes(), "other text with less memory"
        calibrate(model, save_statistics=saved, **{**common, "calibration": kept})
        for name, values in read_statistics(saved).items():
            check(own, name, values)
        check_default_text(model, folder)
    print("calibration: as ONNX Runtime's")


if __name__ == "__main__":
    main()
