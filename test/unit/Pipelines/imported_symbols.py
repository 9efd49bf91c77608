# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Looks in the symbols that programs take from shared libraries for those of the JIT, of LLVM's code
generators and of LLVM's optimizer: a program that only imports models has none of them.
"""

import argparse
import re
import subprocess
import sys

PARTS = {
    "the JIT": re.compile(r"\bllvm::orc::"),
    "the code generator": re.compile(r"\bllvm::(TargetMachine|TargetRegistry|legacy::PassManager)\b"),
    "the optimizer": re.compile(r"\bllvm::PassBuilder\b"),
}


def get_symbols(program):
    listed = subprocess.run(["nm", "--demangle", "--undefined-only", program], check=True,
                            capture_output=True, text=True).stdout.splitlines()
    assert any("mlir::" in line for line in listed), f"expected {program} to link MLIR"
    return listed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without", required=True, help="program that has none of them")
    parser.add_argument("--with", required=True, dest="compiler", help="program that has all of them")
    arguments = parser.parse_args()
    problems = []
    for part, pattern in PARTS.items():
        found = [line for line in get_symbols(arguments.without) if pattern.search(line)]
        if found:
            problems.append(f"{arguments.without}: expected nothing of {part}, found "
                            f"{len(found)} symbols, such as {found[0].strip()}")
        if not any(pattern.search(line) for line in get_symbols(arguments.compiler)):
            problems.append(f"{arguments.compiler}: expected symbols of {part}, found none")
    sys.exit("\n".join(problems) or 0)


main()
