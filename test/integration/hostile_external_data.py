# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Hostile ONNX files whose weights lie elsewhere: paths that escape the folder, links, pipes, wrong
places.
"""

from __future__ import annotations

import os
import subprocess
import sys

from hostile_support import case, run_cases
from onnx_models import decoder, save, set_external
from support import tool


def with_weight(location: str, offset: int | str = 0, length: int | None = None):
    """A decoder whose embedding lies at a place that hostile files name."""
    model = decoder()
    tensor = next(t for t in model.graph.initializer if t.name == "embedding")
    size = len(tensor.raw_data)
    tensor.ClearField("raw_data")
    set_external(tensor, location, 0, size if length is None else length)
    tensor.external_data[1].value = str(offset)
    return model


@case("tensor 'embedding': expected external data inside the model's folder, found location "
      "'/etc/passwd'")
def absolute_path(folder):
    return with_weight("/etc/passwd")


@case("expected external data inside the model's folder, found location '../secret'")
def parent_path(folder):
    (folder.parent / "secret").write_bytes(bytes(10000))
    return with_weight("../secret")


@case("expected external data inside the model's folder, found location 'sub/../../secret'")
def nested_parent_path(folder):
    (folder / "sub").mkdir()
    (folder.parent / "secret").write_bytes(bytes(10000))
    return with_weight("sub/../../secret")


@case("that links outside")
def link_outside(folder):
    (folder.parent / "secret").write_bytes(bytes(10000))
    (folder / "weights").symlink_to(folder.parent / "secret")
    return with_weight("weights")


@case("that links outside")
def linked_folder(folder):
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "secret").write_bytes(bytes(10000))
    (folder / "sub").symlink_to(folder.parent / "other")
    return with_weight("sub/secret")


@case("")
def link_inside(folder):
    (folder / "real").write_bytes(bytes(10000))
    (folder / "weights").symlink_to("real")
    return with_weight("weights")


@case("")
def linked_model(folder):
    """A cache of downloads: model and data both link to one folder elsewhere."""
    blobs = folder.parent / "blobs"
    blobs.mkdir()
    (blobs / "data").write_bytes(bytes(10000))
    (folder / "weights").symlink_to(blobs / "data")
    save(with_weight("weights"), blobs / "model")
    (folder / "model.onnx").symlink_to(blobs / "model")


@case("cannot read its external data")
def missing_file(folder):
    return with_weight("weights")


@case("to be a regular file")
def folder_as_data(folder):
    (folder / "weights").mkdir()
    return with_weight("weights")


@case("to be a regular file")
def pipe_as_data(folder):
    os.mkfifo(folder / "weights")
    return with_weight("weights")


@case("expected 5120 bytes at offset 0")
def short_data(folder):
    (folder / "weights").write_bytes(bytes(100))
    return with_weight("weights")


@case("expected 5120 bytes at offset 9223372036854775807")
def far_offset(folder):
    (folder / "weights").write_bytes(bytes(10000))
    return with_weight("weights", offset=2**63 - 1)


@case("expected an offset of 0 or more, found '-1'")
def negative_offset(folder):
    (folder / "weights").write_bytes(bytes(10000))
    return with_weight("weights", offset=-1)


@case("expected an offset of 0 or more, found '0x10'")
def odd_offset(folder):
    (folder / "weights").write_bytes(bytes(10000))
    return with_weight("weights", offset="0x10")


@case("expected external data of 5120 bytes, found a length of '5119'")
def wrong_length(folder):
    (folder / "weights").write_bytes(bytes(10000))
    return with_weight("weights", length=5119)


@case("expected a location of its external data")
def no_location(folder):
    return with_weight("")


def check_pipe() -> list[str]:
    """A model from a pipe has no folder for external data; with all its data inside it imports."""
    command = [tool("llmc-translate"), "--import-onnx", "-"]
    inside = subprocess.run(command, input=decoder().SerializeToString(), capture_output=True)
    beside = subprocess.run(command, input=with_weight("weights").SerializeToString(),
                            capture_output=True)
    problems = []
    if inside.returncode != 0 or b"func.func @step" not in inside.stdout:
        problems.append(f"exit {inside.returncode}: {inside.stderr.decode()}")
    if beside.returncode != 1 or b"with its external data beside it, found it in a pipe" \
            not in beside.stderr:
        problems.append(f"exit {beside.returncode}: {beside.stderr.decode()}")
    return problems


if __name__ == "__main__":
    sys.exit(run_cases(check_pipe))
