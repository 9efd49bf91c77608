# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Copies a folder, and replaces the first occurrence of a text in one of its files by another of
the same length: damage.py FROM TO FILE OLD NEW."""

import os
import shutil
import sys

source, target, name, old, new = sys.argv[1:]
shutil.rmtree(target, ignore_errors=True)
shutil.copytree(source, target)
path = os.path.join(target, name)
with open(path, "rb") as stream:
    contents = stream.read()
before, found, after = contents.partition(old.encode())
assert found and len(old) == len(new), f"expected '{old}' in {name}, and as long a text instead"
with open(path, "wb") as stream:
    stream.write(before + new.encode() + after)
