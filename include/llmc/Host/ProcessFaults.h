//===- ProcessFaults.h - tools that end with a message where the machine fails them ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_HOST_PROCESSFAULTS_H
#define LLMC_HOST_PROCESSFAULTS_H

namespace llmc {

/// Makes the process ready for what can go wrong around it. To be called first in main(), and where
/// another library has taken signals for itself once more after that. `tool` begins every message
/// and must stay.
/// - Standard descriptors that are closed are opened, so that no file gets their numbers; what is
///   read from or written to one still fails, except messages.
/// - A file that is cut short while it is mapped ends the process with its name, as do a stack that
///   can't grow and an exception that nothing catches.
/// - A limit on the size of files fails like a full disk.
void prepareProcess(const char *tool);

/// Adds what removes unfinished files before a fault ends the process. It may run in a signal
/// handler.
void setFaultCleanup(void (*cleanup)());

/// Ends the process with exit code 1, unfinished files removed, and "TOOL: error: WHAT" as the last
/// message. Allocates nothing.
[[noreturn]] void endWithFault(const char *what);

} // namespace llmc

#endif // LLMC_HOST_PROCESSFAULTS_H
