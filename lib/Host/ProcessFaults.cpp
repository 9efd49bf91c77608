//===- ProcessFaults.cpp - tools that end with a message where the machine fails them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Handlers of signals and of exhausted memory can reach nothing but what belongs to the process,
// and may call little: they allocate nothing and write with write(2).
//
//===----------------------------------------------------------------------===//

#include "llmc/Host/ProcessFaults.h"
#include "llmc/Host/FileReplacement.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <new>
#include <unistd.h>

using namespace llmc;

static const char *toolName = "llmc";
static void (*faultCleanup)() = nullptr;

/// Writes a text to standard error.
static void say(const char *text, size_t length) {
  while (length > 0) {
    ssize_t count = write(STDERR_FILENO, text, length);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return;
    text += count;
    length -= static_cast<size_t>(count);
  }
}

static void say(const char *text) { say(text, std::strlen(text)); }

/// Ends the process after a message that is written already.
[[noreturn]] static void end() {
  say("\n");
  // A fault in here, or in another thread, must not begin it again.
  static std::atomic_flag began = ATOMIC_FLAG_INIT;
  if (!began.test_and_set()) {
    FileReplacement::removeUnfinished();
    if (faultCleanup)
      faultCleanup();
  }
  _exit(1);
}

void llmc::endWithFault(const char *what) {
  say(toolName);
  say(": error: ");
  say(what);
  end();
}

//===----------------------------------------------------------------------===//
// Mapped files
//===----------------------------------------------------------------------===//

/// A line of /proc/self/maps, as far as it fits.
struct MapLine {
  char text[512];
  size_t length = 0;

  /// Whether the line is of the mapping that holds `address`: "begin-end …".
  bool holds(uintptr_t address) const {
    uintptr_t bounds[2] = {0, 0};
    size_t at = 0;
    for (uintptr_t &bound : bounds) {
      for (; at < length && text[at] != '-' && text[at] != ' '; ++at)
        bound = bound * 16 +
                static_cast<uintptr_t>(text[at] <= '9' ? text[at] - '0' : text[at] - 'a' + 10);
      ++at;
    }
    return address >= bounds[0] && address < bounds[1];
  }

  /// The file's path, which is the only thing in the line with a slash; null for other memory.
  const char *getPath() {
    text[length] = '\0';
    return std::strchr(text, '/');
  }
};

/// Finds the line of the mapping that holds `address`.
static bool findMapping(const void *address, MapLine &line) {
  int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (maps < 0)
    return false;
  char buffer[1024];
  bool found = false;
  for (ssize_t count; !found && (count = read(maps, buffer, sizeof buffer)) > 0;)
    for (ssize_t i = 0; !found && i < count; ++i) {
      if (buffer[i] != '\n') {
        if (line.length + 1 < sizeof line.text)
          line.text[line.length++] = buffer[i];
        continue;
      }
      found = line.holds(reinterpret_cast<uintptr_t>(address));
      line.length = found ? line.length : 0;
    }
  close(maps);
  return found;
}

static void handleBusError(int, siginfo_t *info, void *) {
  MapLine line;
  const char *path = findMapping(info->si_addr, line) ? line.getPath() : nullptr;
  if (!path)
    endWithFault("cannot read memory (SIGBUS)");
  say(toolName);
  say(": error: cannot read '");
  say(path);
  say("': it was cut short while it was in use, or its disk failed");
  end();
}

//===----------------------------------------------------------------------===//
// The stack
//===----------------------------------------------------------------------===//

/// What stood there before: a fault that has another cause is no business of ours.
static struct sigaction earlierSegmentationAction;

static void handleSegmentationFault(int signal, siginfo_t *info, void *context) {
  // The main thread's stack grows on use. Where it can't, the address lies close below it.
  auto address = reinterpret_cast<uintptr_t>(info->si_addr);
#if defined(__x86_64__)
  auto stack =
      static_cast<uintptr_t>(static_cast<const ucontext_t *>(context)->uc_mcontext.gregs[REG_RSP]);
#else
  auto stack = static_cast<uintptr_t>(static_cast<const ucontext_t *>(context)->uc_mcontext.sp);
#endif
  constexpr uintptr_t reach = 1 << 16;
  if (address + reach > stack && address < stack + reach)
    endWithFault("out of memory for the stack");
  sigaction(signal, &earlierSegmentationAction, nullptr);
}

//===----------------------------------------------------------------------===//
// The process
//===----------------------------------------------------------------------===//

static void openStandardDescriptors() {
  for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF)
      continue;
    // The lowest free number is this one. What was closed fails to be read and to be written;
    // messages alone are lost.
    int opened = open("/dev/null", descriptor == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
    if (opened >= 0 && opened != descriptor)
      close(opened);
  }
}

[[noreturn]] static void handleTermination() {
  if (std::exception_ptr current = std::current_exception()) {
    try {
      std::rethrow_exception(current);
    } catch (const std::bad_alloc &) {
      endWithFault("out of memory");
    } catch (const std::exception &error) {
      endWithFault(error.what());
    } catch (...) {
      endWithFault("an exception of no known type");
    }
  }
  endWithFault("an exception that nothing catches");
}

static void setAction(int signal, void (*handler)(int, siginfo_t *, void *),
                      struct sigaction *earlier) {
  struct sigaction action{};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, earlier);
}

void llmc::prepareProcess(const char *tool) {
  toolName = tool;
  openStandardDescriptors();
  std::set_terminate(handleTermination);
  std::signal(SIGXFSZ, SIG_IGN);
  setAction(SIGBUS, handleBusError, nullptr);
  // A handler can't run on the stack that is used up.
  alignas(16) static char stack[1 << 16];
  stack_t alternative{};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof stack;
  if (sigaltstack(&alternative, nullptr) != 0)
    return;
  struct sigaction earlier{};
  setAction(SIGSEGV, handleSegmentationFault, &earlier);
  if (earlier.sa_sigaction != handleSegmentationFault)
    earlierSegmentationAction = earlier;
}

void llmc::setFaultCleanup(void (*cleanup)()) { faultCleanup = cleanup; }
