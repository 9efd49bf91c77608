"""What goes wrong for users: each gets a message and a non-zero exit, and nothing is half-written."""

from __future__ import annotations

import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import numpy as np

from support import ALL_VARIANTS, TINY, compile_model, llmc, llmc_json, tool

MODEL = TINY / "model.onnx"


def setUpModule():
    global folder, tiny, ids, many
    temporary = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(temporary.cleanup)
    folder = pathlib.Path(temporary.name)
    tiny = compile_model(MODEL, folder / "tiny.llmc", "", ALL_VARIANTS)
    ids = folder / "ids.npy"
    np.save(ids, np.arange(1, 9))
    many = folder / "many.npy"
    np.save(many, np.arange(2000))


class BadInput(unittest.TestCase):
    def fails(self, *arguments, message, code=None, **options):
        """Runs the driver; demands a message and no crash."""
        done = llmc(*arguments, check=False, **options)
        shown = f"{done.returncode}: {done.stderr[-2000:]}"
        self.assertNotEqual(done.returncode, 0, arguments)
        self.assertGreater(done.returncode, 0, shown)
        if code is not None:
            self.assertEqual(done.returncode, code, shown)
        self.assertIn(message, done.stderr)
        self.assertNotIn("PLEASE submit a bug report", done.stderr)


class CommandLine(BadInput):
    def test_commands_and_options(self):
        self.fails(message="A subcommand is required", code=2)
        self.fails("walk", message="expected a command among compile, run, eval", code=2)
        needed = {"run": (), "eval": ("--text", ids), "bench": (), "inspect": (),
                  "logits": ("--tokens", ids, "-o", folder / "l.npy")}
        for command, options in needed.items():
            self.fails(command, message="required", code=2)
            self.fails(command, tiny, *options, "--no-such-option", message="--no-such-option", code=2)
        self.fails("compile", message="Not enough positional command line arguments")
        self.fails("compile", MODEL, "--no-such-option", "-o", folder / "x", message="--no-such-option")
        self.fails("compile", MODEL, message="-o option: must be specified")

    def test_values(self):
        self.fails("run", tiny, "--prompt", "a", "--temperature", -1, message="--temperature", code=2)
        self.fails("run", tiny, "--prompt", "a", "--top-p", 1.5, message="--top-p", code=2)
        self.fails("run", tiny, "--prompt", "a", "--max-tokens", "many", message="--max-tokens", code=2)
        self.fails("run", tiny, "--prompt", "a", "--threads", 100000, message="threads")
        for value in ("nan", "inf", "warm"):
            self.fails("run", tiny, "--prompt", "a", "--temperature", value, message="from 0 to 100", code=2)
        self.fails("run", tiny, "--prompt", "a", "--top-p", 0, message="above 0 and at most 1", code=2)
        self.fails("run", tiny, "--prompt", "a", "--repetition-penalty", 0, message="from 0.01 to 100, found '0'", code=2)
        self.fails("run", tiny, "--prompt", "a", "--system", "b", message="--chat")
        for option, value in (("--depth", -1), ("--depth", 2**64), ("--prompt-tokens", -1), ("--repeat", "1e3")):
            self.fails("bench", tiny, option, value, message="expected a whole number", code=2)
        self.fails("bench", tiny, "--depth", 2**64 - 1, message="the model's context")
        self.fails("bench", tiny, "--repeat", 0, message="--repeat")
        self.fails("bench", tiny, "--prompt-tokens", 10**9, message="the model's context")
        self.fails("eval", tiny, "--text", MODEL.with_name("held-out.txt"), "--context", 1, message="--context")
        self.fails("eval", tiny, "--text", MODEL.with_name("held-out.txt"), "--context", 10**9,
                   message="--context")
        self.fails("logits", tiny, "--tokens", ids, "--prefill", 9, "-o", folder / "l.npy", message="--prefill")

    def test_values_given_twice(self):
        for command, twice in (("run", ("--seed", 1, "--seed", 2)), ("run", ("--prompt", "b")),
                               ("eval", ("--text", ids)), ("bench", ("--threads", 1, "--threads", 1)),
                               ("logits", ("--output", "a"))):
            needed = {"run": ("--prompt", "a"), "eval": ("--text", ids), "bench": (),
                      "logits": ("--tokens", ids, "-o", folder / "l.npy")}[command]
            self.fails(command, tiny, *needed, *twice,
                       message=f"{twice[0]}: expected it once, found it 2 times", code=2)
        for option, value in (("--passes", "cse"), ("--context", 64), ("--tokenizer", TINY), ("--max-rows", 1),
                              ("--activation", "keep"), ("--object", "true"), ("--symbol", "a"), ("--depfile", "a")):
            self.fails("compile", MODEL, f"{option}={value}", f"{option}={value}", "-o", folder / "x",
                       message=f"llmc compile: error: {option}: expected it once, found it 2 times")
        self.fails("compile", MODEL, "-o", folder / "x", "-o", folder / "x", message="-o: expected it once")
        self.assertFalse((folder / "x").exists())

    def test_variants(self):
        self.fails("bench", tiny, "--variant", "avx9", message="expected a variant among avx512vnni, avx2")
        for variant in llmc_json("inspect", tiny)["variants"]:
            if not variant["runs_here"]:
                self.fails("bench", tiny, "--variant", variant["name"], message="what this CPU lacks")
        environment = dict(os.environ, LLMC_VARIANT="avx9")
        self.fails("bench", tiny, message="found 'avx9'", env=environment)

    def test_targets(self):
        for target in ("riscv64-linux-gnu", "x86_64-linux-gnu:avx9", "x86_64-windows-msvc", "", "x86_64-linux-gnu:"):
            self.fails("compile", MODEL, f"--target={target}", "-o", folder / "x", message="expected")
        aarch64 = compile_model(MODEL, folder / "aarch64.llmc", "", "--target=aarch64-linux-gnu")
        if os.uname().machine == "x86_64":
            self.fails("run", aarch64, "--prompt", "a", message="was not compiled for x86_64")

    def test_passes(self):
        for passes, message in (("no-such-pass", "no-such-pass"), ("quantize-rtn{bits=9}", "bits"),
                                ("quantize-rtn{bats=4}", "bats"), ("quantize-rtn{bits=four}", "four"),
                                ("quantize-rtn{group-size=0}", "group"), ("quantize-rtn{", "quantize-rtn"),
                                ("quantize-rtn{ignore=(}", "ignore"),
                                ("quantize-rtn{activation-group=7}", "activation")):
            with self.subTest(passes):
                self.fails("compile", MODEL, f"--passes={passes}", "-o", folder / "x", message=message)
        self.assertFalse((folder / "x").exists())


class Files(BadInput):
    def test_missing(self):
        self.fails("run", folder / "none", "--prompt", "a", message="cannot open")
        self.fails("compile", folder / "none.onnx", "-o", folder / "x", message="none.onnx")
        self.fails("compile", MODEL, "--tokenizer", folder / "none", "-o", folder / "x", message="cannot read")
        self.fails("eval", tiny, "--text", folder / "none", message="cannot read")
        self.fails("eval", tiny, "--text", tiny.parent, message="Is a directory")
        self.fails("eval", tiny, "--text", MODEL.with_name("held-out.txt"), "--reference", folder / "none",
                   message="cannot open")
        self.fails("logits", tiny, "--tokens", folder / "none", "-o", folder / "l.npy", message="none")

    def test_of_another_kind(self):
        empty = folder / "empty"
        empty.write_bytes(b"")
        for artifact, message in ((MODEL, "model.onnx: expected a model compiled by llmc, found another file"),
                                  (empty, f"'{empty}': expected a file that is not empty, found an empty one"),
                                  (folder, f"'{folder}': expected a file that is not empty, found a folder"),
                                  ("/dev/null", "found what is no regular file")):
            for command in (("run", artifact, "--prompt", "a"), ("bench", artifact), ("compare", artifact, tiny),
                            ("logits", artifact, "--tokens", ids, "-o", folder / "x")):
                self.fails(*command, message=message)
        self.fails("compile", empty, "-o", folder / "x",
                   message=f"llmc compile: error: '{empty}': expected an MLIR module, found an empty file")
        self.fails("compile", folder, "-o", folder / "x", message=f"cannot read '{folder}': Is a directory")
        self.fails("logits", tiny, "--tokens", folder, "-o", folder / "x",
                   message=f"'{folder}': expected a .npy file, found another")
        self.fails("eval", tiny, "--text", empty, message="at least 2 tokens")
        binary = folder / "binary"
        binary.write_bytes(bytes(range(256)) * 10)
        self.fails("eval", tiny, "--text", binary, message="UTF-8")
        for model, message in ((tiny, "found what llmc compiled from one"),
                               (binary, "expected an MLIR module, or an ONNX model")):
            self.fails("compile", model, "-o", folder / "x", message=message)
            renamed = folder / "renamed.onnx"
            shutil.copy(model, renamed)
            self.fails("compile", renamed, "-o", folder / "x", message="renamed.onnx")
        self.assertFalse((folder / "x").exists())

    def test_carrier_is_raised(self):
        carrier, raised = folder / "carrier.mlir", folder / "raised.llmc"
        subprocess.run([tool("llmc-translate"), "--import-onnx", "--carrier", MODEL, "-o", carrier], check=True)
        self.fails("compile", carrier, "--context=0x", "-o", raised, message="--context")
        llmc("compile", carrier, "--tokenizer", TINY, "--context=128", "-o", raised)
        self.assertEqual(llmc_json("inspect", raised)["context"], 128)
        module = folder / "module.mlir"
        subprocess.run([tool("llmc-translate"), "--import-onnx", MODEL, "-o", module], check=True)
        self.fails("compile", module, "--context=128", "-o", raised,
                   message=f"--context: expected a model before the phase 'raise', which '{module}' is past")

    def test_tokenizer_that_cannot_be_read(self):
        alone = folder / "unreadable"
        alone.mkdir()
        shutil.copy(MODEL, alone)
        tokenizer = json.loads((TINY / "tokenizer.json").read_text())
        tokenizer["normalizer"] = {"type": "Unheard"}
        artifact = alone / "model.llmc"
        reason = "tokenizer.json: normalizer.type: a normalizer of type 'Unheard' is not supported"
        for name, content, message in (("tokenizer.json", json.dumps(tokenizer), reason),
                                       ("other.json", "{}", "tokenizer.json: model: expected an object, found nothing")):
            (alone / name).write_text(content)
            named = () if name == "tokenizer.json" else ("--tokenizer", alone / name)
            done = llmc("compile", alone / "model.onnx", *named, "-o", artifact)
            self.assertIn(f"warning: '{alone / name}': {message}: the artifact is written without a tokenizer",
                          done.stderr)
            self.assertEqual(llmc_json("inspect", artifact)["files"], [])
        # Without what tokenizer_config.json adds a tokenizer is still one.
        shutil.copy(TINY / "tokenizer.json", alone)
        (alone / "tokenizer_config.json").write_text("[]")
        done = llmc("compile", alone / "model.onnx", "-o", artifact)
        self.assertIn("tokenizer_config.json: expected an object, found an array", done.stderr)
        self.assertEqual([file["name"] for file in llmc_json("inspect", artifact)["files"]], ["tokenizer.json"])

    def test_tokenizer_beside_the_weights(self):
        elsewhere = folder / "elsewhere"
        elsewhere.mkdir()
        subprocess.run([tool("llmc-translate"), "--import-onnx", MODEL, "-o", elsewhere / "m.mlir"], check=True)
        done = llmc("compile", elsewhere / "m.mlir", "-o", elsewhere / "m.llmc")
        self.assertEqual(done.stderr, "")
        self.assertEqual(llmc("run", elsewhere / "m.llmc", "--prompt", "a", "--max-tokens", 1).returncode, 0)

    def test_model_without_tokenizer(self):
        alone = folder / "alone"
        alone.mkdir()
        shutil.copy(MODEL, alone)
        artifact = alone / "alone.llmc"
        self.assertIn(f"warning: no tokenizer.json beside '{alone / 'model.onnx'}'",
                      llmc("compile", alone / "model.onnx", "-o", artifact).stderr)
        text = ("--text", TINY / "held-out.txt", "--windows", 1, "--context", 32)
        message = f"'{artifact}': the model carries no tokenizer.json"
        self.fails("run", artifact, "--prompt", "a", message=message)
        self.fails("eval", artifact, *text, message=message)
        # A reference is given the other's tokens.
        self.fails("compare", tiny, artifact, *text, message=message)
        llmc("compare", artifact, tiny, *text, "--repeat", 1, "--generate-tokens", 1)

    def test_named_tokenizer_reads_calibration_texts(self):
        alone = folder / "apart"
        alone.mkdir()
        shutil.copy(MODEL, alone)
        passes = ("quantize-gptq{samples=2 sequence-length=32 table=false "
                  f"calibration={TINY / 'held-out.txt'}}}")
        self.fails("compile", alone / "model.onnx", f"--passes={passes}", "-o", folder / "x",
                   message="apart/tokenizer.json': No such file")
        named = compile_model(alone / "model.onnx", alone / "named.llmc", passes, "--tokenizer", TINY)
        beside = compile_model(MODEL, alone / "beside.llmc", passes)
        self.assertEqual(named.read_bytes(), beside.read_bytes())
        # What the pass itself is told is stronger.
        self.fails("compile", alone / "model.onnx", f"--passes={passes[:-1]} tokenizer={folder / 'none'}}}",
                   "--tokenizer", TINY, "-o", folder / "x", message="cannot read '" + str(folder / "none"))

    def test_token_files(self):
        bad = folder / "bad.npy"
        for values, message in ((np.array([1.5]), "<f8"), (np.array([[1], [2]]), "shape"),
                                (np.array([-1]), "-1"), (np.array([2048]), "below 2048"),
                                (np.array([], np.int64), "at least one token"), (np.array([1], ">i4"), ">i4"),
                                (np.arange(3000) % 9, "the model's context")):
            np.save(bad, values)
            self.fails("logits", tiny, "--tokens", bad, "-o", folder / "l.npy", message=message)
        whole = ids.read_bytes()
        for length, message in ((0, "expected a .npy file"), (5, "expected a .npy file"),
                                (9, "the .npy header is cut short"), (40, "the .npy header is cut short"),
                                (len(whole) - 1, "bad.npy")):
            bad.write_bytes(whole[:length])
            self.fails("logits", tiny, "--tokens", bad, "-o", folder / "l.npy", message=message)
        bad.write_bytes(whole[:6] + b"\2\0" + (1 << 16 | 1).to_bytes(4, "little") + whole[12:])
        self.fails("logits", tiny, "--tokens", bad, "-o", folder / "l.npy",
                   message="expected a .npy header of at most 65536 bytes, found 65537")
        self.assertFalse((folder / "l.npy").exists())


class Processes(BadInput):
    """What the driver has others do."""

    def test_no_compiler_beside_it(self):
        alone = folder / "driver"
        alone.mkdir()
        shutil.copy(tool("llmc"), alone)
        done = subprocess.run([alone / "llmc", "compile", MODEL, "-o", folder / "x"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "cannot run '.*/driver/llmc-compile': No such file")

    def test_no_files_left(self):
        self.fails("compare", tiny, tiny, message="cannot make a pipe: Too many open files",
                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4)))

    def test_measuring_ends_early(self):
        process = subprocess.Popen([tool("llmc"), "compare", str(tiny), str(tiny), "--repeat", "100000"],
                                   stderr=subprocess.PIPE, text=True)
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not (found := children.read_text().split()):
            time.sleep(0.01)
        os.kill(int(found[0]), signal.SIGKILL)
        _, shown = process.communicate()
        self.assertEqual(process.returncode, 1)
        self.assertIn(f"'{tiny}': measuring it in a process of its own failed", shown)


class Damage(BadInput):
    """Artifacts that a disk or a network has changed."""

    def test_cut_short(self):
        contents = tiny.read_bytes()
        damaged = folder / "damaged.llmc"
        chosen = random.Random(1)
        lengths = [0, 1, 63, 64, 65, 1000, 4096, len(contents) - 1]
        for length in lengths + [chosen.randrange(len(contents)) for _ in range(12)]:
            damaged.write_bytes(contents[:length])
            self.fails("inspect", damaged, message="damaged.llmc", code=1)
        damaged.write_bytes(contents + b"x")
        self.fails("inspect", damaged, message="damaged.llmc", code=1)

    def test_weights_are_verified_on_demand(self):
        contents = bytearray(tiny.read_bytes())
        damaged = folder / "damaged.llmc"
        contents[4096 + llmc_json("inspect", tiny)["weight_bytes"] // 2] ^= 1
        damaged.write_bytes(contents)
        self.fails("inspect", damaged, "--verify", message="checksum of the weights", code=1)
        self.fails("run", damaged, "--prompt", "a", "--verify", message="checksum of the weights", code=1)
        llmc("inspect", tiny, "--verify")

    def test_flipped_bits(self):
        contents = bytearray(tiny.read_bytes())
        damaged = folder / "damaged.llmc"
        chosen = random.Random(2)
        inside = llmc_json("inspect", tiny)["weight_bytes"]
        # The header, its table, and what lies behind the weights are guarded; weights are not read.
        header = [chosen.randrange(64 + 4 * 128) for _ in range(20)]
        behind = [chosen.randrange(4096 + inside + 64, len(contents)) for _ in range(20)]
        refused = 0
        for position in header + behind:
            contents[position] ^= 1 << chosen.randrange(8)
            damaged.write_bytes(contents)
            done = llmc("inspect", damaged, check=False)
            self.assertIn(done.returncode, (0, 1), position)
            refused += done.returncode
            # Between sections lie bytes that mean nothing.
            if done.returncode:
                self.assertIn("damaged.llmc", done.stderr)
            contents[position] = tiny.read_bytes()[position]
        self.assertGreater(refused, 35)


class Descriptions(BadInput):
    """What native code says of itself, which no checksum guards."""

    def test_members_of_other_types(self):
        code = folder / "described.o"
        llmc("compile", MODEL, "--object", "-o", code)
        data = code.read_bytes()
        begin = data.rindex(b"\0", 0, data.index(b'"architecture"')) + 1
        size = data.index(b"\0", begin) - begin
        description = json.loads(data[begin:begin + size])
        for member, value, message in (
                ("architecture", 1, "architecture: expected a string, found number"),
                ("variants", {"a": 1}, "variants: expected an array, found object"),
                ("variants", [1], "variants[0]: expected an object, found number"),
                ("variants", [{"features": "all"}], "variants[0].features: expected a number from 0 on, found string"),
                ("variants", [{"features": -1}], "variants[0].features: expected a number from 0 on, found number"),
                ("parameters", [{"name": None}], "parameters[0].name: expected a string, found null"),
                ("parameters", [{"shape": {}}], "parameters[0].shape: expected an array, found object"),
                ("parameters", [{"bytes": "many"}], "parameters[0].bytes: expected a number, found string"),
                ("arena_bytes", [], "arena_bytes: expected a number, found array"),
                ("x", json.loads("[" * 40 + "]" * 40), "expected JSON nested at most 16 deep")):
            with self.subTest(member, value=value):
                changed = {**description, "parameters": [], member: value}
                text = json.dumps(changed).encode()
                self.assertLessEqual(len(text), size)
                code.write_bytes(data[:begin] + text.ljust(size) + data[begin + size:])
                for options in ((), ("--json",)):
                    self.fails("inspect", code, *options, message="the description is malformed: " + message, code=1)


class Outputs(BadInput):
    """Outputs appear whole or not at all."""

    def setUp(self):
        self.output = pathlib.Path(tempfile.mkdtemp(dir=folder))

    def assert_empty(self):
        self.assertEqual(os.listdir(self.output), [])

    @staticmethod
    def limit_files(size):
        """For a child: its files may grow to `size` bytes, then writing fails as on a full disk."""
        return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))}

    def test_full_disk(self):
        self.fails("compile", MODEL, "-o", self.output / "x.llmc", message="cannot write", **self.limit_files(1 << 20))
        self.assert_empty()
        self.fails("compile", MODEL, "--object", "-o", self.output / "x.o", message="cannot write",
                   **self.limit_files(1 << 20))
        self.assert_empty()
        self.fails("logits", tiny, "--tokens", many, "-o", self.output / "x.npy", message="x.npy",
                   **self.limit_files(1 << 20))
        self.assert_empty()

    def test_full_disk_of_the_other_tools(self):
        for command in ((tool("llmc-translate"), "--import-onnx", str(MODEL), "-o", str(self.output / "m.mlir")),
                        (tool("llmc-opt"), "--quantize-rtn", str(self.module()), "-o", str(self.output / "q.mlir"))):
            done = subprocess.run(command, capture_output=True, text=True, **self.limit_files(1 << 12))
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("cannot write", done.stderr)
            self.assert_empty()

    def test_full_disk_while_statistics_are_saved(self):
        options = f"samples=1 sequence-length=8 save-statistics={self.output / 's'}"
        done = subprocess.run([tool("llmc-opt"), f"--calibrate={options}", str(self.module())], capture_output=True,
                              text=True, **self.limit_files(1 << 12))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("File too large", done.stderr)
        self.assertNotIn("func.func", done.stderr)  # no module follows the message
        self.assert_empty()

    def module(self):
        module = folder / "m.mlir"
        if not module.exists():
            subprocess.run([tool("llmc-translate"), "--import-onnx", str(MODEL), "-o", str(module)], check=True)
        return module

    def test_full_disk_behind_standard_output(self):
        for command in (("inspect", tiny), ("bench", tiny, "--repeat", 1),
                        ("run", tiny, "--prompt", "a", "--max-tokens", 4),
                        ("eval", tiny, "--text", TINY / "held-out.txt", "--windows", 1, "--context", 32)):
            with open("/dev/full", "w") as full:
                done = subprocess.run([tool("llmc"), *map(str, command)], stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 1, command)
            self.assertIn("cannot write standard output", done.stderr)

    def test_full_disk_behind_standard_output_of_the_other_tools(self):
        for command in ((tool("llmc-translate"), "--import-onnx", str(MODEL)), (tool("llmc-opt"), str(self.module())),
                        (tool("llmc-opt"), "-emit-bytecode", str(self.module())),
                        (tool("llmc-inspect"), str(self.module()))):
            with open("/dev/full", "w") as full:
                done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 1, command)
            self.assertRegex(done.stderr, r"\Allmc[- ]\w+: error: cannot write standard output: No space left on device\n\Z")
            if command[0] != tool("llmc-inspect"):
                done = subprocess.run([*command, "-o", "/dev/full"], capture_output=True, text=True)
                self.assertEqual(done.returncode, 1, command)
                self.assertIn("cannot write '/dev/full': expected a regular file", done.stderr)

    def test_pipe_that_nobody_reads(self):
        for command in ((tool("llmc-translate"), "--import-onnx", "--carrier", str(MODEL)),
                        (tool("llmc-opt"), str(self.module()))):
            reading, writing = os.pipe()
            os.close(reading)
            done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, restore_signals=False)
            os.close(writing)
            self.assertNotEqual(done.returncode, 0)
            self.assertNotIn("LLVM ERROR", done.stderr)

    def test_places_that_cannot_be_written(self):
        missing = self.output / "none" / "file"
        for options in ((f"--passes=quantize-rtn{{report={missing} table=false}}",), ("--depfile", missing)):
            self.fails("compile", MODEL, *options, "-o", self.output / "x.llmc",
                       message=f"cannot write '{missing}': No such file or directory")
        for output in (self.output / "none" / "x.llmc", self.output, "/proc/x.llmc"):
            # Before passes run, which may take long.
            self.fails("compile", MODEL, "-o", output, "--passes=quantize-rtn{bits=9}", message="cannot write")
        self.fails("logits", tiny, "--tokens", ids, "-o", self.output / "none" / "x.npy", message="x.npy")
        self.fails("logits", tiny, "--tokens", ids, "-o", self.output, message="expected a regular file")
        self.assert_empty()

    def test_devices_and_links_stay(self):
        link, target = self.output / "link", self.output / "target"
        device = self.output / "device"
        os.mkfifo(device)
        self.fails("compile", MODEL, "-o", device, message="expected a regular file")
        self.fails("logits", tiny, "--tokens", ids, "-o", device, message="expected a regular file")
        self.assertTrue(device.is_fifo())
        target.write_text("old")
        link.symlink_to(target)
        compile_model(MODEL, link, "", ALL_VARIANTS)
        self.assertTrue(link.is_symlink())
        self.assertEqual(target.stat().st_size, tiny.stat().st_size)

    def test_an_older_output_survives_a_failure(self):
        old = self.output / "x.llmc"
        old.write_text("old")
        self.fails("compile", MODEL, "-o", old, message="cannot write", **self.limit_files(1 << 20))
        self.assertEqual(old.read_text(), "old")

    def test_interrupted_compile(self):
        start = time.monotonic()
        compile_model(MODEL, self.output / "x.llmc", "quantize-rtn{table=false}")
        whole = time.monotonic() - start
        (self.output / "x.llmc").unlink()
        chosen = random.Random(3)
        interrupted = 0
        for attempt in range(10):
            process = subprocess.Popen([tool("llmc"), "compile", str(MODEL), "--passes=quantize-rtn{table=false}",
                                        "-o", str(self.output / "x.llmc")], stderr=subprocess.PIPE)
            time.sleep(chosen.uniform(0, whole))
            process.send_signal((signal.SIGINT, signal.SIGTERM)[attempt % 2])
            process.communicate()
            if process.returncode == 0:
                self.assertEqual(os.listdir(self.output), ["x.llmc"])
                (self.output / "x.llmc").unlink()
            else:
                interrupted += 1
                self.assert_empty()
        self.assertGreater(interrupted, 0)

    def test_interrupted_logits(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen([tool("llmc"), "logits", str(tiny), "--tokens", str(many), "--prefill", "1",
                                        "--threads", "1", "-o", str(self.output / "x.npy")], stderr=subprocess.PIPE)
            while not os.listdir(self.output) and process.poll() is None:
                time.sleep(0.001)
            process.send_signal(number)
            _, shown = process.communicate()
            self.assertEqual(process.returncode, 128 + number)
            self.assertEqual(shown, b"llmc: interrupted\n")
            self.assert_empty()


if __name__ == "__main__":
    unittest.main()
