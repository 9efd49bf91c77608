# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the file of weights that tiny.mlir names: 552 numbers between -1 and 1."""

import array
import sys

values = array.array("f", ((i * 37 % 101) / 50 - 1 for i in range(552)))
with open(sys.argv[1], "wb") as stream:
    values.tofile(stream)
