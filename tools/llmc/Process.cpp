//===- Process.cpp - other programs that the driver runs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Process.h"
#include "Interrupt.h"

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace llmc::driver {

Child::~Child() {
  if (id < 0)
    return;
  kill(id, SIGKILL);
  wait();
}

int Child::wait() {
  int status = 0;
  while (waitpid(id, &status, 0) < 0 && errno == EINTR)
    ;
  id = -1;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Pipe::Pipe() {
  if (pipe2(ends, O_CLOEXEC) != 0)
    throw std::runtime_error(std::string("cannot make a pipe: ") + std::strerror(errno));
}

Pipe::~Pipe() {
  for (int end : ends)
    if (end >= 0)
      close(end);
}

std::string Pipe::readAll() {
  close(ends[1]);
  ends[1] = -1;
  std::string text;
  char buffer[4096];
  pollfd waiting = {ends[0], POLLIN, 0};
  while (true) {
    checkInterrupts();
    if (poll(&waiting, 1, /*milliseconds=*/100) <= 0)
      continue;
    ssize_t count = read(ends[0], buffer, sizeof buffer);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return text;
    text.append(buffer, static_cast<size_t>(count));
  }
}

pid_t startChild() {
  pid_t id = fork();
  if (id < 0)
    throw std::runtime_error(std::string("cannot start a process: ") + std::strerror(errno));
  return id;
}

std::string getToolPath(const std::string &name) {
  char self[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self);
  std::string path(self, length > 0 ? static_cast<size_t>(length) : 0);
  return path.substr(0, path.find_last_of('/') + 1) + name;
}

std::string runTool(const std::string &name, std::vector<std::string> arguments) {
  std::string path = getToolPath(name);
  if (access(path.c_str(), X_OK) != 0)
    throw std::runtime_error("cannot run '" + path + "': " + std::strerror(errno));
  std::vector<char *> argv{path.data()};
  for (std::string &argument : arguments)
    argv.push_back(argument.data());
  argv.push_back(nullptr);
  Pipe pipe;
  pid_t id = startChild();
  if (id == 0) {
    endOnInterrupts();
    if (dup2(pipe.getWritingEnd(), STDOUT_FILENO) >= 0)
      execv(path.c_str(), argv.data());
    _exit(127);
  }
  Child child(id);
  std::string output = pipe.readAll();
  if (int code = child.wait())
    throw ProgramFailed(code);
  return output;
}

} // namespace llmc::driver
