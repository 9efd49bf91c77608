"""llmc eval, bench, logits and inspect: what they print, against numbers computed here."""

from __future__ import annotations

import os
import pathlib
import pty
import signal
import subprocess
import tempfile
import unittest

import numpy as np

from support import TINY, compile_model, compute_logits, encode, llmc, llmc_json, tool
from tiny_model import write_tiny_model

CONTEXT = 64
Q4 = "quantize-rtn{bits=4 group-size=32 table=false}"


def setUpModule():
    global folder, fp32, q4, text, tokens
    temporary = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(temporary.cleanup)
    folder = pathlib.Path(temporary.name)
    fp32 = compile_model(TINY / "model.onnx", folder / "fp32.llmc")
    q4 = compile_model(TINY / "model.onnx", folder / "q4.llmc", Q4)
    text = folder / "text.txt"
    text.write_text((TINY / "held-out.txt").read_text(encoding="utf-8")[:1500], encoding="utf-8")
    tokens = encode(TINY, text.read_text(encoding="utf-8"))


def log_probabilities(artifact: pathlib.Path, window: np.ndarray) -> np.ndarray:
    """Of every token after each of the window's, in double precision."""
    logits = compute_logits(artifact, window).astype(np.float64)
    logits -= logits.max(axis=-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def windows():
    return [tokens[start : start + CONTEXT] for start in range(0, len(tokens), CONTEXT)]


class Eval(unittest.TestCase):
    def test_windows_fit_the_model(self):
        short = compile_model(TINY / "model.onnx", fp32.with_name("short.llmc"), "", "--context=64")
        self.assertEqual(llmc_json("eval", short, "--text", text, "--windows", 2),
                         llmc_json("eval", short, "--text", text, "--windows", 2, "--context", 64))

    def test_perplexity_is_that_of_the_logits(self):
        found = llmc_json("eval", fp32, "--text", text, "--context", CONTEXT)
        used = [window for window in windows() if len(window) > 1]
        losses = np.concatenate([
            -np.take_along_axis(log_probabilities(fp32, window)[:-1], window[1:, None], axis=-1)[:, 0]
            for window in used])
        self.assertEqual(found["tokens"], len(losses))
        self.assertEqual(found["windows"], len(used))
        self.assertAlmostEqual(found["nll_per_token"], losses.mean(), places=5)
        self.assertAlmostEqual(found["perplexity"] / np.exp(losses.mean()), 1, places=5)
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(TINY / "tokenizer.json"))
        size = sum(len(tokenizer.decode(window[1:], skip_special_tokens=False).encode()) for window in used)
        self.assertAlmostEqual(found["bits_per_byte"] / (losses.sum() / np.log(2) / size), 1, places=3)
        self.assertEqual(found["weight_bytes"], llmc_json("inspect", fp32)["weight_bytes"])
        self.assertNotIn("kl_mean", found)

    def test_divergence_is_that_of_the_logits(self):
        found = llmc_json("eval", q4, "--text", text, "--context", CONTEXT, "--windows", 3, "--reference", fp32)
        divergences, agreements = [], []
        for window in windows()[:3]:
            expected, model = (log_probabilities(program, window)[:-1] for program in (fp32, q4))
            divergences.append((np.exp(expected) * (expected - model)).sum(axis=-1))
            agreements.append(expected.argmax(axis=-1) == model.argmax(axis=-1))
        divergences, agreements = np.concatenate(divergences), np.concatenate(agreements)
        self.assertEqual(found["windows"], 3)
        self.assertAlmostEqual(found["kl_mean"] / divergences.mean(), 1, places=3)
        largest = np.sort(divergences)[len(divergences) * 99 // 100]
        self.assertAlmostEqual(found["kl_p99"] / largest, 1, places=3)
        self.assertAlmostEqual(found["top1_agreement"], agreements.mean(), places=6)
        self.assertGreater(found["kl_mean"], 1e-4)

    def test_program_against_itself(self):
        found = llmc_json("eval", fp32, "--text", text, "--context", CONTEXT, "--windows", 2, "--reference", fp32)
        self.assertEqual((found["kl_mean"], found["kl_p99"], found["top1_agreement"]), (0, 0, 1))

    def test_without_json_the_same_is_printed(self):
        found = llmc("eval", fp32, "--text", text, "--context", CONTEXT, "--windows", 1).stdout
        for key in ("perplexity", "nll_per_token", "bits_per_byte", "tokens", "weight_bytes"):
            self.assertRegex(found, rf"(?m)^{key} +\S")


class Bench(unittest.TestCase):
    FIELDS = ("prefill_tokens_per_second", "decode_tokens_per_second", "load_seconds", "peak_rss_bytes",
              "weight_bytes", "weight_gigabytes_per_second")

    def test_fields(self):
        found = llmc_json("bench", q4, "--prompt-tokens", 32, "--generate-tokens", 8, "--depth", 16,
                          "--threads", 1, "--repeat", 2)
        for field in self.FIELDS:
            self.assertGreater(found[field], 0, field)
        self.assertIn(found["variant"], [variant["name"] for variant in llmc_json("inspect", q4)["variants"]])
        self.assertEqual((found["threads"], found["depth"], found["repeat"]), (1, 16, 2))
        self.assertLess(found["load_seconds"], 5)
        self.assertAlmostEqual(found["weight_gigabytes_per_second"] * 1e9
                               / (found["weight_bytes"] * found["decode_tokens_per_second"]), 1, places=6)
        # A fp32 program has more weights than one of 4 bits.
        self.assertLess(found["weight_bytes"], llmc_json("inspect", fp32)["weight_bytes"])


class Compare(unittest.TestCase):
    SPEED = ("--prompt-tokens", 16, "--generate-tokens", 4, "--repeat", 1, "--threads", 1)

    def test_text_is_measured_as_eval_does(self):
        given = ("--text", text, "--context", CONTEXT)
        found = llmc_json("compare", fp32, q4, *given, *self.SPEED)
        reference = llmc_json("eval", fp32, *given)
        model = llmc_json("eval", q4, *given, "--reference", fp32)
        for key in ("perplexity", "nll_per_token", "bits_per_byte", "tokens", "windows", "weight_bytes"):
            self.assertAlmostEqual(found["a"][key] / reference[key], 1, places=9)
            self.assertAlmostEqual(found["b"][key] / model[key], 1, places=9)
        for key in ("kl_mean", "kl_p99", "top1_agreement"):
            self.assertAlmostEqual(found[key] / model[key], 1, places=9)

    def test_speed_and_memory_are_of_each(self):
        found = llmc_json("compare", fp32, q4, *self.SPEED)
        for program in (found["a"], found["b"]):
            for key in Bench.FIELDS:
                self.assertGreater(program[key], 0, key)
            # Nothing of the other program counts.
            self.assertLess(program["peak_rss_bytes"], program["weight_bytes"] + 12e6)
        self.assertNotIn("kl_mean", found)

    def test_parameters_that_differ(self):
        found = llmc_json("compare", fp32, q4, *self.SPEED)
        different = {parameter["name"]: parameter for parameter in found["different"]}
        self.assertEqual(len(different), 22)
        self.assertIn("bits = 8", different["embedding"]["b"]["encoding"])
        self.assertEqual(different["layers.0.mlp.up"]["a"]["encoding"], "f32")
        self.assertIn("bits = 4", different["layers.0.mlp.up"]["b"]["encoding"])
        self.assertEqual(llmc_json("compare", q4, q4, *self.SPEED)["different"], [])

    def test_roundings_of_activations_differ(self):
        exact = compile_model(TINY / "model.onnx", folder / "exact.llmc",
                              Q4.replace("table=false", "activation=none table=false"))
        different = llmc_json("compare", q4, exact, *self.SPEED)["different"]
        self.assertEqual(len(different), 22)
        self.assertIn("activation", different[0]["a"])
        self.assertNotIn("activation", different[0]["b"])

    def test_table(self):
        found = llmc("compare", fp32, q4, "--text", text, "--context", CONTEXT, *self.SPEED).stdout
        for row in ("weights", "perplexity", "prefill tokens/s", "decode tokens/s", "load", "peak memory"):
            self.assertRegex(found, rf"(?m)^{row} +\S")
        self.assertIn("22 parameters differ", found)
        self.assertIn("\n  layers.2.mlp.down ", found)

    def test_other_vocabulary(self):
        random = compile_model(pathlib.Path(write_tiny_model(str(folder))), folder / "random.llmc")
        speed = ("--prompt-tokens", 8, "--generate-tokens", 4, "--threads", 1)
        different = {parameter["name"]: parameter
                     for parameter in llmc_json("compare", fp32, random, *speed)["different"]}
        self.assertIsNone(different["embedding"]["b"])
        self.assertIsNone(different["table"]["a"])
        done = llmc("compare", random, fp32, "--text", text, "--context", 16, *speed, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("expected a reference with a vocabulary of 2048, found 32", done.stderr)

    def test_missing_program(self):
        for programs in ((fp32, folder / "none"), (folder / "none", fp32)):
            done = llmc("compare", *programs, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("cannot open", done.stderr)


class Logits(unittest.TestCase):
    def test_shape_and_type(self):
        found = compute_logits(fp32, tokens[:10])
        self.assertEqual((found.shape, found.dtype), ((10, 2048), np.float32))

    def test_prefill_then_decode(self):
        whole = compute_logits(fp32, tokens[:150])
        for prefill in (1, 127, 128, 129, 150):
            parts = compute_logits(fp32, tokens[:150], "--prefill", prefill)
            self.assertLess(np.abs(parts - whole).max(), 1e-4 * np.abs(whole).max(), prefill)

    def test_kinds_of_token_files(self):
        expected = compute_logits(fp32, tokens[:5])
        for given in (tokens[:5].astype(np.int32), tokens[None, :5]):
            self.assertTrue(np.array_equal(compute_logits(fp32, given), expected))


class Inspect(unittest.TestCase):
    def test_json_has_layers_and_encodings(self):
        found = llmc_json("inspect", q4)
        parameters = {parameter["name"]: parameter for parameter in found["parameters"]}
        up = parameters["layers.0.mlp.up"]
        self.assertEqual(up["shape"], [768, 256])
        self.assertIn("bits = 4", up["encoding"])
        self.assertAlmostEqual(up["bits_per_weight"], 4.5)
        self.assertEqual(up["bytes"], 768 * 256 * 4.5 / 8)
        self.assertEqual(up["activation"], "dynamic<bits = 8, group = 32>")
        self.assertIn("bits = 8", parameters["embedding"]["encoding"])
        self.assertAlmostEqual(parameters["embedding"]["bits_per_weight"], 8.5)
        self.assertEqual(found["passes"], Q4)
        self.assertEqual(found["vocabulary"], 2048)

    def test_text_has_a_line_a_layer(self):
        found = llmc("inspect", q4).stdout
        for parameter in llmc_json("inspect", q4)["parameters"]:
            self.assertIn(f"\n{parameter['name']} ", found)
        self.assertIn("110.6 kB", found)


class Progress(unittest.TestCase):
    """A bar is for eyes: on a terminal, after a second, and gone at the end."""

    ARGUMENTS = ("bench", "--prompt-tokens", "128", "--generate-tokens", "64", "--repeat", "100000")

    def start(self, **streams):
        return subprocess.Popen([tool("llmc"), self.ARGUMENTS[0], str(fp32), *self.ARGUMENTS[1:]],
                                stdout=subprocess.DEVNULL, **streams)

    def test_on_a_terminal(self):
        terminal, stream = pty.openpty()
        process = self.start(stderr=stream)
        os.close(stream)
        shown = b""
        while b"bench [" not in shown:
            shown += os.read(terminal, 4096)
        process.send_signal(signal.SIGTERM)
        try:
            while part := os.read(terminal, 4096):
                shown += part
        except OSError:  # the other end is closed
            pass
        os.close(terminal)
        self.assertEqual(process.wait(), 128 + signal.SIGTERM)
        self.assertIn(b" s left", shown)
        bar, message = shown.rsplit(b"\r\x1b[K", 1)
        self.assertEqual(message.strip(), b"llmc: interrupted")

    def test_not_in_a_pipe(self):
        process = self.start(stderr=subprocess.PIPE)
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(timeout=2.5)
        process.send_signal(signal.SIGTERM)
        _, shown = process.communicate()
        self.assertEqual(shown, b"llmc: interrupted\n")


if __name__ == "__main__":
    unittest.main()
