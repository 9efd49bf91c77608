//===- CompileCommand.cpp - hands compiling over to llmc-compile ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"

#include <cerrno>
#include <climits>
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
  char self[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self);
  std::string path(self, length > 0 ? static_cast<size_t>(length) : 0);
  path = path.substr(0, path.find_last_of('/') + 1) + "llmc-compile";
  execv(path.c_str(), argv);
  std::fprintf(stderr, "llmc: error: cannot run '%s': %s\n", path.c_str(), std::strerror(errno));
  return 1;
}

} // namespace llmc::driver
