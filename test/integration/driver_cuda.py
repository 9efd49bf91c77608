"""Code for GPUs beside code for CPUs: compiled, shown, run on the CPU, and what is said where there is no GPU."""

from __future__ import annotations

import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

import numpy as np

from support import SOURCE, TINY, compile_model, compute_logits, llmc, llmc_json, one_target, tool

MODEL = TINY / "model.onnx"
TOKENS = np.array([33, 66, 1388, 719], np.int32)
Q4 = "quantize-rtn{bits=4 group-size=32 table=false}"

# What answers as NVIDIA's assembler does, and makes no code.
ASSEMBLER = """#!/bin/sh
if [ "$FAIL" ]; then echo "ptxas fatal   : Unknown option" >&2; exit 255; fi
while [ $# -gt 0 ]; do
  case "$1" in --output-file) shift; printf 'machine code' > "$1";; esac
  shift
done
echo "ptxas info    : Used 40 registers, 64 bytes smem" >&2
echo "    8 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads" >&2
"""


def setUpModule():
    global folder, host, both, alone, small
    temporary = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(temporary.cleanup)
    folder = pathlib.Path(temporary.name)
    host = one_target().removeprefix("--target=")
    # Targets in one option, in any order, and in several.
    both = compile_model(MODEL, folder / "both.llmc", Q4, f"--target=cuda:sm_80,sm_90a,{host}", "--ptxas=none")
    alone = compile_model(MODEL, folder / "alone.llmc", Q4, f"--target={host}")
    # What is not run needs no model that takes long to compile.
    small = folder / "small.mlir"
    inputs = SOURCE / "test" / "Translate" / "Inputs"
    small.write_bytes((inputs / "tiny.mlir").read_bytes())
    subprocess.run([sys.executable, inputs / "make_weights.py", folder / "weights.bin"], check=True)


def environment(**values):
    return {**{key: value for key, value in os.environ.items() if key != "LLMC_CUDA_LIBRARY"}, **values}


class Images(unittest.TestCase):
    def test_are_shown(self):
        found = llmc_json("inspect", both)
        self.assertEqual([(image["name"], image["code"], image["threads"]) for image in found["images"]],
                         [("sm_80", "ptx", 256), ("sm_90a", "ptx", 256)])
        self.assertEqual([program["architecture"] for program in found["programs"]], [os.uname().machine])
        self.assertEqual(found["inputs"][0], "tokens: i32[rows]")
        self.assertRegex(llmc("inspect", both).stdout,
                         r"(?m)^image +sm_90a, ptx, code .*, blocks of 256 threads, scratch .* a block$")
        self.assertNotIn("images", llmc_json("inspect", alone))

    def test_leave_the_rest_as_it_was(self):
        self.assertEqual(compute_logits(both, TOKENS).tobytes(), compute_logits(alone, TOKENS).tobytes())
        self.assertEqual(llmc_json("bench", both, "--device", "cpu", "--repeat", 1, "--generate-tokens", 1)["driver"], "cpu")

    def test_without_code_for_cpus(self):
        gpu = compile_model(small, folder / "gpu.llmc", "", "--target=cuda", "--ptxas=none")
        self.assertEqual([image["name"] for image in llmc_json("inspect", gpu)["images"]], ["sm_80"])
        self.fails("run", gpu, "--prompt", "a", message=f"the model was not compiled for {os.uname().machine}")

    def test_machine_code_where_there_is_an_assembler(self):
        ptxas = folder / "ptxas"
        ptxas.write_text(ASSEMBLER)
        ptxas.chmod(ptxas.stat().st_mode | stat.S_IXUSR)
        model = compile_model(small, folder / "cubin.llmc", "", "--target=cuda:sm_86", f"--ptxas={ptxas}")
        image = llmc_json("inspect", model)["images"][1]
        self.assertEqual({key: image[key] for key in ("name", "code", "code_bytes", "registers", "shared_bytes", "spill_bytes")},
                         {"name": "sm_86", "code": "cubin", "code_bytes": 12, "registers": 40, "shared_bytes": 64,
                          "spill_bytes": 8})
        self.assertIn("40 registers, 64 B shared memory, 8 B stack, 8 B spills", llmc("inspect", model).stdout)
        result = subprocess.run([tool("llmc"), "compile", small, "--target=cuda", f"--ptxas={ptxas}", "-o",
                                 folder / "x"], env=environment(FAIL="1"), capture_output=True, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn("makes no code for sm_80 of the kernel (--ptxas=none leaves machine code out): ptxas fatal", result.stderr)

    def test_in_objects(self):
        compile_model(small, folder / "q.o", "", f"--target=cuda,{host}", "--ptxas=none", "--object")
        found = llmc_json("inspect", folder / "q.o")
        self.assertEqual([image["name"] for image in found["images"]], ["sm_80"])
        self.assertIn(b".target sm_80", (folder / "q.o").read_bytes())

    def fails(self, *arguments, message, **values):
        result = subprocess.run([tool("llmc"), *map(str, arguments)], env=environment(**values), capture_output=True,
                                text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(message, result.stderr)

    def test_targets_that_do_not_go_together(self):
        for arguments, message in (
                (["--target=cuda:sm_75"], "expected an architecture among sm_80, "),
                (["--target=cuda,sm_80"], "expected cuda[:ARCHITECTURE], found 'cuda,sm_80'"),
                (["--target=cuda:sm_80,sm_80"], "expected one target for each architecture, found two for sm_80"),
                (["--target=cuda,cuda:sm_80"], "expected one target for each architecture, found two for sm_80"),
                (["--target=host,cuda,host"], "expected one target for each architecture, found two for "),
                (["--target=cuda", "--object"], "--object: expected one --target of a CPU, found 0"),
                (["--ptxas=none"], "--ptxas: expected --target=cuda with it"),
                (["--target=cuda", "--ptxas=/nonexistent"], "--ptxas: expected a program, or none, found '/nonexistent'")):
            with self.subTest(arguments):
                self.fails("compile", MODEL, *arguments, "-o", folder / "x.o", message=message)

    def test_machines_without_a_gpu(self):
        tokens = folder / "tokens.npy"
        np.save(tokens, TOKENS)
        absent = {"LLMC_CUDA_LIBRARY": "/nonexistent/libcuda.so"}
        for command in (["run", "--prompt", "a"], ["eval", "--text", TINY / "held-out.txt"], ["bench"],
                        ["logits", "--tokens", tokens, "-o", folder / "x.npy"]):
            with self.subTest(command[0]):
                self.fails(command[0], both, *command[1:], "--device", "cuda",
                           message=f"{both}: cuda: no CUDA driver on this machine: /nonexistent/libcuda.so", **absent)
        self.fails("bench", both, "--device", "gpu", message="expected a device cpu, cuda or cuda:NUMBER, found 'gpu'")
        self.fails("bench", both, "--step-timeout", 5, message="expected a step_timeout_ms of 0")


if __name__ == "__main__":
    unittest.main()
