# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a file of weights: make_weights.py FILE COUNT, numbers between -1 and 1."""

import array
import sys

count = int(sys.argv[2])
values = array.array("f", ((i * 37 % 101) / 50 - 1 for i in range(count)))
with open(sys.argv[1], "wb") as stream:
    values.tofile(stream)
