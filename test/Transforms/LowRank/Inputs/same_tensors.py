# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""same_tensors.py A B: fails where a tensor that both files of safetensors have is not the same, or where they
have none in common."""

import json
import sys


def read(path: str) -> dict[str, bytes]:
    with open(path, "rb") as file:
        data = file.read()
    begin = 8 + int.from_bytes(data[:8], "little")
    entries = {name: entry for name, entry in json.loads(data[8:begin]).items() if not name.startswith("__")}
    return {name: data[begin + entry["data_offsets"][0]:begin + entry["data_offsets"][1]]
            for name, entry in entries.items()}


first, second = read(sys.argv[1]), read(sys.argv[2])
common = first.keys() & second.keys()
sys.exit(0 if common and all(first[name] == second[name] for name in common) else 1)
