"""Reads a raised module: its function as text, its parameters as numbers."""

from __future__ import annotations

import pathlib
import re
import subprocess

import numpy as np

from support import BUILD

PARAMETER = re.compile(
    r'llmc\.parameter @(?P<name>[\w.]+) : tensor<(?P<shape>(?:\d+x)*)(?P<type>\w+)(?P<rest>, .*)?> = '
    r'#llmc\.file<"(?P<file>[^"]*)", offset = (?P<offset>\d+)(?:, strides = \[(?P<strides>[^\]]*)\])?>')

# Which file has which bytes differs from exporter to exporter, as do the files.
FILE_HASHES = re.compile(r"llmc\.file_hashes = \{[^}]*\}(, )?")


class Module:
    """A module that was written to a file."""

    def __init__(self, path: pathlib.Path) -> None:
        self.text = path.read_text()
        self.function = "\n".join(FILE_HASHES.sub("", line) for line in self.text.splitlines()
                                  if "llmc.parameter @" not in line)
        self.parameters: dict[str, np.ndarray] = {}
        self.types: dict[str, str] = {}
        self.files: dict[str, pathlib.Path] = {}
        for line in self.text.splitlines():
            if "llmc.parameter @" not in line:
                continue
            found = PARAMETER.search(line)
            assert found, f"not understood: {line}"
            self.types[found["name"]] = f"{found['shape']}{found['type']}{found['rest'] or ''}"
            self.files[found["name"]] = path.parent / found["file"]
            if not found["rest"]:
                self.parameters[found["name"]] = self.read(path.parent, found)

    @staticmethod
    def read(folder: pathlib.Path, found: re.Match) -> np.ndarray:
        """A parameter's numbers as fp32."""
        shape = tuple(int(dim) for dim in found["shape"].split("x")[:-1])
        kind = {"f32": np.float32, "f16": np.float16, "bf16": np.uint16}[found["type"]]
        strides = np.cumprod((1, *shape[:0:-1]))[::-1]
        if found["strides"]:
            strides = np.array([int(stride) for stride in found["strides"].split(",")])
        reach = 1 + int(sum((size - 1) * step for size, step in zip(shape, strides)))
        data = np.fromfile(folder / found["file"], kind, reach, offset=int(found["offset"]))
        array = np.lib.stride_tricks.as_strided(data, shape, strides * data.itemsize)
        if found["type"] == "bf16":
            return (array.astype(np.uint32) << 16).view(np.float32)
        return array.astype(np.float32)

    def difference(self, other: "Module") -> str:
        """How another module differs from this one; empty where it is the same."""
        mine, theirs = self.function.splitlines(), other.function.splitlines()
        for a, b in zip(mine, theirs):
            if a != b:
                return f"expected '{a.strip()[:300]}', found '{b.strip()[:300]}'"
        if len(mine) != len(theirs):
            return f"expected {len(mine)} lines, found {len(theirs)}"
        if self.types != other.types:
            return f"expected parameters {self.types}, found {other.types}"
        for name, array in self.parameters.items():
            if not np.array_equal(array, other.parameters[name]):
                return f"parameter {name} has other values"
        return ""


def raise_model(model: pathlib.Path, output: pathlib.Path, *arguments: str) -> Module:
    """Imports and raises an ONNX file."""
    command = [str(BUILD / "bin" / "llmc-translate"), "--import-onnx", str(model), "-o",
               str(output), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stderr[:3000]}"
    return Module(output)
