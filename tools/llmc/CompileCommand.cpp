//===- CompileCommand.cpp - hands compiling over to llmc-compile ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "Process.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <unistd.h>

namespace llmc::driver {

int runCompiler(int argc, char **argv) {
  (void)argc;
  // The name under which the compiler speaks to the user.
  char name[] = "llmc compile";
  argv[0] = name;
  std::string path = getToolPath("llmc-compile");
  execv(path.c_str(), argv);
  std::fprintf(stderr, "llmc: error: cannot run '%s': %s\n", path.c_str(), std::strerror(errno));
  return 1;
}

} // namespace llmc::driver
