"""llmc inspect of everything that a user may hand it: each says what it is, or what was expected."""

from __future__ import annotations

import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

from support import BUILD, TINY, compile_model, llmc, llmc_json, tool

MODEL = TINY / "model.onnx"
Q4 = "quantize-rtn{bits=4 group-size=32 table=false}"
OPERATIONS = {"attention": 3, "cache_append": 3, "embedding": 1, "gate": 3, "linear": 22, "output_rows": 1,
              "rms_norm": 7, "rope": 6}
INPUTS = ["tokens: i32[rows]", "positions: i32[rows]", "sequences: i32[rows]", "output_rows: i32[output_rows]"]


def setUpModule():
    global folder, module
    temporary = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(temporary.cleanup)
    folder = pathlib.Path(temporary.name)
    module = folder / "m.mlir"
    run("llmc-translate", "--import-onnx", MODEL, "-o", module)


def run(name, *arguments):
    subprocess.run([tool(name), *map(str, arguments)], check=True, capture_output=True)


class Artifact(unittest.TestCase):
    def test_of_other_architectures(self):
        both = compile_model(MODEL, folder / "both.llmc", Q4, "--target=x86_64-linux-gnu:x86-64",
                             "--target=aarch64-linux-gnu")
        found = llmc_json("inspect", both)
        self.assertEqual([program["architecture"] for program in found["programs"]], ["x86_64", "aarch64"])
        self.assertEqual([variant["name"] for variant in found["variants"]], ["x86-64", "neon-dotprod", "neon"])
        self.assertEqual([file["name"] for file in found["files"]], ["tokenizer.json", "tokenizer_config.json", "config.json"])
        self.assertEqual((found["kind"], found["layers"], found["context"], found["vocabulary"], found["passes"]),
                         ("artifact", 3, 2048, 2048, Q4))
        self.assertEqual(found["operations"], OPERATIONS)
        self.assertEqual(found["inputs"], INPUTS)
        self.assertEqual(found["outputs"], ["logits: f32[output_rows, 2048]"])
        self.assertRegex(llmc("inspect", both).stdout, r"(?m)^inputs +positions: i32\[rows\]$")
        for target, other in (("x86_64", "aarch64"), ("aarch64", "x86_64")):
            alone = compile_model(MODEL, folder / f"{target}.llmc", Q4, f"--target={target}-linux-gnu")
            of_one = llmc_json("inspect", alone)
            self.assertEqual([program["architecture"] for program in of_one["programs"]], [target])
            self.assertEqual(of_one["parameters"], found["parameters"])
            self.assertEqual({variant["architecture"] for variant in of_one["variants"]}, {target})
            # What does not run here is shown all the same, and is said not to run.
            text = llmc("inspect", alone).stdout
            self.assertRegex(text, rf"(?m)^variant +{target}, ")
            self.assertNotIn(other, text)
            if llmc("bench", alone, "--repeat", 1, "--generate-tokens", 1, check=False).returncode:
                self.assertFalse(any(variant["runs_here"] for variant in of_one["variants"]))
            else:
                self.assertTrue(any(variant["runs_here"] for variant in of_one["variants"]))


class NativeCode(unittest.TestCase):
    def test_object(self):
        run("llmc-translate", "--mlir-to-object", module, "--target=aarch64-linux-gnu:neon", "-o", folder / "q.o")
        found = llmc_json("inspect", folder / "q.o")
        self.assertEqual((found["kind"], found["model"], found["layers"]), ("native code", "m.mlir", 3))
        self.assertEqual(found["variants"], [{"name": "neon", "architecture": "aarch64",
                                              "runs_here": os.uname().machine == "aarch64"}])
        self.assertEqual(found["weight_bytes"], (folder / "q.weights").stat().st_size - 4096)
        self.assertEqual(len(found["parameters"]), 29)
        self.assertEqual(found["inputs"], INPUTS)
        done = llmc("inspect", folder / "q.weights", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("found the weights that belong to an object: inspect that", done.stderr)

    def test_program_with_two_models(self):
        found = llmc_json("inspect", BUILD / "bin" / "link_test")
        self.assertEqual([model["vocabulary"] for model in found["models"]], [32, 32])
        self.assertEqual([model["programs"][0]["max_rows"] for model in found["models"]], [64, 4])
        self.assertEqual(llmc("inspect", BUILD / "bin" / "link_test").stdout.count("native code"), 3)

    def test_damaged(self):
        run("llmc-translate", "--mlir-to-object", module, "--target=x86_64-linux-gnu:x86-64", "-o", folder / "d.o")
        contents = bytearray((folder / "d.o").read_bytes())
        damaged = folder / "damaged.o"
        chosen = random.Random(4)
        section_headers = int.from_bytes(contents[40:48], "little")
        for length in [4, 16, 63, 64, section_headers, *(chosen.randrange(len(contents)) for _ in range(20))]:
            damaged.write_bytes(contents[:length])
            done = llmc("inspect", damaged, check=False)
            self.assertEqual(done.returncode, 1, length)
            self.assertIn("damaged.o': expected", done.stderr)
        for _ in range(60):
            position = chosen.choice([chosen.randrange(64), chosen.randrange(section_headers, len(contents))])
            changed = bytearray(contents)
            changed[position] = chosen.randrange(256)
            damaged.write_bytes(changed)
            self.assertIn(llmc("inspect", damaged, check=False).returncode, (0, 1), position)

    def test_of_others(self):
        done = llmc("inspect", "/proc/self/exe", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("expected native code made by llmc, found other code", done.stderr)

    def test_with_a_description_that_is_none(self):
        run("llmc-translate", "--mlir-to-object", module, "--target=x86_64-linux-gnu:x86-64", "-o", folder / "j.o")
        contents = (folder / "j.o").read_bytes()
        (folder / "j.o").write_bytes(contents.replace(b'{"architecture"', b'["architecture"'))
        done = llmc("inspect", folder / "j.o", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the description is not a JSON object", done.stderr)


class Source(unittest.TestCase):
    def test_onnx_model(self):
        found = llmc_json("inspect", MODEL)
        self.assertEqual((found["kind"], found["opsets"], found["layers"]), ("ONNX model", {"ai.onnx": 17}, 3))
        self.assertEqual(found["nodes"]["Softmax"], 3)
        self.assertEqual(found["inputs"][0], "input_ids: i64[batch_size, sequence_length]")
        self.assertEqual(len(found["outputs"]), 7)
        self.assertEqual(found["operations"], OPERATIONS)
        # The names are those that passes use.
        self.assertIn("layers.2.mlp.down", [parameter["name"] for parameter in found["parameters"]])
        self.assertRegex(llmc("inspect", MODEL).stdout, r"(?m)^inputs +past_key_values\.\*\.key: .* \(3 times\)$")

    def test_onnx_model_that_is_not_raised(self):
        import onnx

        model = onnx.load(MODEL)
        model.graph.node[-1].op_type = "Strange"
        onnx.save(model, folder / "strange.onnx")
        found = llmc_json("inspect", folder / "strange.onnx")
        self.assertIn("Strange (domain ai.onnx, version 17), 1 node", found["not_raised"])
        self.assertIn("model.embed_tokens.weight", [parameter["name"] for parameter in found["parameters"]])
        self.assertEqual(sum(parameter["bytes"] for parameter in found["parameters"]), found["initializer_bytes"])

    def test_modules(self):
        run("llmc-opt", module, "-emit-bytecode", "-o", folder / "bytecode.mlir")
        shutil.copy(folder / "bytecode.mlir", folder / "bytecode")
        texts = [llmc_json("inspect", path) for path in (module, folder / "bytecode.mlir", folder / "bytecode")]
        for found in texts:
            self.assertEqual((found["kind"], found["layers"], found["context"]), ("module", 3, 2048))
            self.assertEqual(found["parameters"], texts[0]["parameters"])
        self.assertEqual(texts[0]["operations"], OPERATIONS)

    def test_carrier(self):
        run("llmc-translate", "--import-onnx", "--carrier", MODEL, "-o", folder / "carrier.mlir")
        found, expected = llmc_json("inspect", folder / "carrier.mlir"), llmc_json("inspect", MODEL)
        self.assertEqual(found.pop("kind"), "module of an ONNX model's carrier")
        for description in (found, expected):
            description.pop("model")
        expected.pop("kind")
        self.assertEqual(found, expected)

    def test_what_passes_make(self):
        run("llmc-opt", f"--quantize-rtn={Q4[13:-1]}", module, "-o", folder / "q4.mlir")
        parameters = {parameter["name"]: parameter for parameter in
                      llmc_json("inspect", folder / "q4.mlir")["parameters"]}
        self.assertAlmostEqual(parameters["layers.0.mlp.up"]["bits_per_weight"], 4.5)
        run("llmc-opt", "--convert-llmc-to-spmd", module, "-o", folder / "plan.mlir")
        plan = llmc_json("inspect", folder / "plan.mlir")
        self.assertEqual((plan["kind"], plan["architecture"], plan["variants"]), ("planned module", "", []))
        run("llmc-opt", "--convert-spmd-to-cpu", folder / "plan.mlir", "-o", folder / "stages.mlir")
        found = llmc_json("inspect", folder / "stages.mlir")
        self.assertEqual((found["kind"], found["context"]), ("planned module", 2048))
        self.assertEqual(found["parameters"], llmc_json("inspect", module)["parameters"])
        run("llmc-opt", "--convert-llmc-to-linalg", module, "-o", folder / "linalg.mlir")
        self.assertEqual(llmc_json("inspect", folder / "linalg.mlir")["kind"], "module")


class Refused(unittest.TestCase):
    def refuses(self, path, *messages, options=()):
        done = llmc("inspect", path, *options, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        for message in messages:
            self.assertIn(message, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("error:"), 1, done.stderr)

    def test_other_files(self):
        expected = "expected an artifact, a module (.mlir), an ONNX model (.onnx) or native code made by llmc, found "
        empty = folder / "empty.mlir"
        empty.write_bytes(b"")
        self.refuses(empty, str(empty), expected + "an empty file")
        self.refuses(folder, str(folder), expected + "a folder")
        self.refuses("/dev/null", expected + "what is no regular file")
        self.refuses(TINY / "tokenizer.json", "tokenizer.json", expected + "another file")
        self.refuses(folder / "none", "cannot open", "No such file")

    def test_source_with_errors(self):
        wrong = folder / "wrong.mlir"
        wrong.write_text("module {\n  llmc.nothing\n}\n")
        self.refuses(wrong, "wrong.mlir:2:3: error:")
        wrong = folder / "wrong.onnx"
        wrong.write_text("module")
        self.refuses(wrong, "wrong.onnx:0:0: error: expected an ONNX model")
        shutil.copy(MODEL, folder / "renamed.mlir")
        self.refuses(folder / "renamed.mlir", "renamed.mlir': expected an MLIR module, or an ONNX model")

    def test_verify(self):
        for path in (MODEL, module):
            self.refuses(path, "--verify: expected an artifact, found another file", options=["--verify"])

    def test_without_the_compiler(self):
        alone = folder / "alone"
        alone.mkdir()
        shutil.copy(tool("llmc"), alone)
        done = subprocess.run([alone / "llmc", "inspect", MODEL], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "cannot run '.*/alone/llmc-inspect': No such file")


if __name__ == "__main__":
    unittest.main()
