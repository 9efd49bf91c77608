//===- Process.h - other programs that the driver runs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TOOLS_PROCESS_H
#define LLMC_TOOLS_PROCESS_H

#include <exception>
#include <string>
#include <sys/types.h>
#include <vector>

namespace llmc::driver {

/// Thrown where a program that the driver ran has failed and has said why itself.
class ProgramFailed : public std::exception {
public:
  explicit ProgramFailed(int code) : code(code) {}

  int getExitCode() const { return code; }

private:
  int code;
};

/// A child process that does not outlive this object.
class Child {
public:
  explicit Child(pid_t id) : id(id) {}
  ~Child();
  Child(const Child &) = delete;
  Child &operator=(const Child &) = delete;

  /// Waits for its end; gives its exit code, or 128 and the signal that ended it.
  int wait();

private:
  pid_t id;
};

/// A pipe of this process; both ends are closed in the end.
class Pipe {
public:
  /// Throws std::runtime_error.
  Pipe();
  ~Pipe();
  Pipe(const Pipe &) = delete;
  Pipe &operator=(const Pipe &) = delete;

  int getWritingEnd() const { return ends[1]; }
  /// Closes this process's writing end and reads to the end; throws Interrupted where a signal
  /// comes first.
  std::string readAll();

private:
  int ends[2];
};

/// Forks; throws std::runtime_error. The child gets 0. To be called while this process has no other
/// threads.
pid_t startChild();

/// The path of a tool that is installed beside this program.
std::string getToolPath(const std::string &name);

/// Runs a tool that is installed beside this program; gives what it wrote to standard output.
/// Throws ProgramFailed, or std::runtime_error where it cannot be run.
std::string runTool(const std::string &name, std::vector<std::string> arguments);

} // namespace llmc::driver

#endif // LLMC_TOOLS_PROCESS_H
