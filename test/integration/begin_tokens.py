"""The token that texts begin with stands before prompts, windows of eval and compare, and calibration samples."""

from __future__ import annotations

import json
import pathlib
import shutil
import tempfile
import unittest

import numpy as np
from support import TINY, compile_model, encode, llmc, llmc_json
from reference_logits import ReferenceModel  # which support makes known

CONTEXT = 64
WINDOWS = 6
BOS = 0


def setUpModule():
    global folder, text, with_bos, configured, without
    temporary = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(temporary.cleanup)
    folder = pathlib.Path(temporary.name)
    text = folder / "text.txt"
    text.write_text((TINY / "held-out.txt").read_text(encoding="utf-8")[:4000], encoding="utf-8")
    without = compile_model(TINY / "model.onnx", folder / "without.llmc")
    tokenizer = json.loads((TINY / "tokenizer.json").read_text())
    special = {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}
    sequences = [{"Sequence": {"id": name, "type_id": 0}} for name in "AB"]
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing", "single": [special, sequences[0]], "pair": [special, *sequences],
        "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [BOS], "tokens": ["<|endoftext|>"]}}}
    with_bos = compile_with("processor", tokenizer=tokenizer)
    config = json.loads((TINY / "tokenizer_config.json").read_text())
    configured = compile_with("configured", tokenizer_config={**config, "add_bos_token": True})


def compile_with(name, **files):
    """Compiles the embedded model beside other files."""
    source = folder / name
    source.mkdir()
    for file in TINY.iterdir():
        shutil.copy(file, source)
    for file, content in files.items():
        (source / f"{file}.json").write_text(json.dumps(content))
    return compile_model(source / "model.onnx", folder / f"{name}.llmc")


def losses(begin):
    """−log p of each predicted token, by ONNX Runtime."""
    model = ReferenceModel.load(TINY / "model.onnx")
    tokens = encode(TINY, text.read_text(encoding="utf-8"))
    length = CONTEXT - len(begin)
    result = []
    for start in range(0, WINDOWS * length, length):
        window = np.concatenate([np.array(begin, np.int64), tokens[start:start + length]])
        model.reset()
        logits = model.all_logits(window).astype(np.float64)
        maxima = logits.max(axis=-1, keepdims=True)
        logits -= maxima + np.log(np.exp(logits - maxima).sum(axis=-1, keepdims=True))
        result.extend(-logits[np.arange(len(window) - 1), window[1:]])
    return np.array(result)


def evaluate(program, *options):
    return llmc_json("eval", program, "--text", text, "--context", CONTEXT, "--windows", WINDOWS, *options)


class BeginTokens(unittest.TestCase):
    def test_perplexity_is_that_of_windows_that_begin_with_it(self):
        expected = losses([BOS])
        self.assertEqual(len(expected), WINDOWS * (CONTEXT - 1))
        for program in (with_bos, configured):
            found = evaluate(program)
            self.assertIs(found["bos"], True)
            self.assertEqual(found["tokens"], len(expected))
            self.assertAlmostEqual(found["perplexity"] / np.exp(expected.mean()), 1, delta=1e-5)

    def test_perplexity_without_it(self):
        expected = losses([])
        for found in (evaluate(without), evaluate(with_bos, "--bos=off"), evaluate(without, "--bos=auto")):
            self.assertIs(found["bos"], False)
            self.assertEqual(found["tokens"], len(expected))
            self.assertAlmostEqual(found["perplexity"] / np.exp(expected.mean()), 1, delta=1e-5)
        self.assertGreater(abs(losses([BOS]).mean() - expected.mean()), 1e-3)

    def test_it_can_be_asked_for(self):
        self.assertEqual(evaluate(without, "--bos=on")["perplexity"], evaluate(with_bos)["perplexity"])

    def test_compare_does_as_eval(self):
        options = ("--text", text, "--context", CONTEXT, "--windows", 2, "--prompt-tokens", 8, "--generate-tokens", 2)
        # The second program's tokenizer reads the text.
        found = llmc_json("compare", without, with_bos, *options)
        expected = llmc_json("eval", with_bos, *options[:6])
        self.assertAlmostEqual(found["b"]["perplexity"] / expected["perplexity"], 1, places=9)
        off = llmc_json("compare", without, with_bos, *options, "--bos=off")
        self.assertNotEqual(found["b"]["perplexity"], off["b"]["perplexity"])

    def test_prompts_begin_with_it(self):
        def write(program, *options):
            return llmc("run", program, "--prompt", "In those days", "--max-tokens", 12, *options).stdout

        self.assertEqual(write(with_bos), write(configured))
        # The same token, written out.
        plain = llmc("run", without, "--prompt", "<|endoftext|>In those days", "--max-tokens", 12).stdout
        self.assertEqual("<|endoftext|>" + write(with_bos), plain)
        self.assertNotEqual(write(with_bos), write(without))

    def test_values_of_the_option(self):
        done = llmc("eval", without, "--text", text, "--bos=maybe", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--bos", done.stderr)
        bare = folder / "bare"
        bare.mkdir()
        for name in ("model.onnx", "tokenizer.json"):
            shutil.copy(TINY / name, bare)
        program = compile_model(bare / "model.onnx", folder / "bare.llmc")
        done = llmc("eval", program, "--text", text, "--bos=on", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--bos=on: expected a tokenizer with a bos_token, found none", done.stderr)

    def test_calibration_samples_begin_with_it(self):
        for given in (f"calibration={text}", "calibration=self", ""):
            saved = folder / "tokens.npy"
            passes = f"calibrate{{{given} samples=3 sequence-length=40 save-tokens={saved} save-statistics={folder}/s.safetensors}}"
            llmc("compile", folder / "processor" / "model.onnx", f"--passes={passes}", "-o", folder / "c.llmc")
            tokens = np.load(saved)
            self.assertEqual(tokens.shape, (3, 40))
            self.assertTrue((tokens[:, 0] == BOS).all())
            source = {f"calibration={text}": text, "": TINY.parent / "calibration" / "text.txt"}.get(given)
            if source:
                length = 39
                expected = encode(TINY, source.read_text(encoding="utf-8"))
                pieces = {tuple(expected[i:i + length]) for i in range(0, len(expected) - length + 1, length)}
                for sample in tokens:
                    self.assertIn(tuple(sample[1:]), pieces)
        # Token ids of a file are what the samples are: nothing is put before them.
        given = np.arange(1, 121, dtype=np.int32)
        np.save(folder / "ids.npy", given)
        saved = folder / "again.npy"
        passes = f"calibrate{{calibration={folder}/ids.npy samples=3 sequence-length=40 save-tokens={saved}}}"
        llmc("compile", folder / "processor" / "model.onnx", f"--passes={passes}", "-o", folder / "c.llmc")
        self.assertEqual(sorted(np.load(saved).ravel()), sorted(given))


if __name__ == "__main__":
    unittest.main()
