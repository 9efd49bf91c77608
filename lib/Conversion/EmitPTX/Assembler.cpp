//===- Assembler.cpp - machine code for GPUs by NVIDIA's assembler ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/EmitPTX/EmitCUDAImages.h"
#include "llmc/Support/TemporaryFile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Program.h"

using namespace llmc;

llvm::Expected<Assembler> Assembler::find(llvm::StringRef path) {
  Assembler assembler;
  if (path == "none")
    return assembler;
  llvm::ErrorOr<std::string> found = llvm::sys::findProgramByName(path.empty() ? "ptxas" : path);
  // A path is taken as it is, whether or not there is something.
  if (found && !llvm::sys::fs::can_execute(*found))
    found = std::make_error_code(std::errc::no_such_file_or_directory);
  if (found)
    assembler.program = *found;
  else if (!path.empty())
    return llvm::createStringError("--ptxas: expected a program, or none, found '%s': %s",
                                   path.str().c_str(), found.getError().message().c_str());
  return assembler;
}

/// The number that stands before `unit` in a line, or nothing.
static std::optional<int64_t> findNumber(llvm::StringRef line, llvm::StringRef unit) {
  size_t end = line.find((" " + unit).str());
  if (end == llvm::StringRef::npos)
    return std::nullopt;
  llvm::StringRef before = line.take_front(end);
  int64_t number = 0;
  if (before.take_back(before.size() - before.find_last_not_of("0123456789") - 1)
          .getAsInteger(10, number))
    return std::nullopt;
  return number;
}

llvm::json::Object llmc::readAssemblerFacts(llvm::StringRef messages) {
  std::optional<int64_t> registers, shared, stack, spills;
  auto add = [](std::optional<int64_t> &sum, std::optional<int64_t> more) {
    if (more)
      sum = sum.value_or(0) + *more;
  };
  for (llvm::StringRef line : llvm::split(messages, '\n')) {
    if (std::optional<int64_t> used = findNumber(line, "registers")) {
      registers = std::max(*used, registers.value_or(0));
      // Where it has none, it does not say so.
      shared = std::max(findNumber(line, "bytes smem").value_or(0), shared.value_or(0));
    }
    add(stack, findNumber(line, "bytes stack frame"));
    add(spills, findNumber(line, "bytes spill stores"));
    add(spills, findNumber(line, "bytes spill loads"));
  }
  llvm::json::Object facts;
  auto say = [&](const char *name, std::optional<int64_t> number) {
    if (number)
      facts[name] = *number;
  };
  say("registers", registers);
  say("shared_bytes", shared);
  say("stack_bytes", stack);
  say("spill_bytes", spills);
  return facts;
}

llvm::Expected<Assembler::Code> Assembler::assemble(llvm::ArrayRef<char> ptx,
                                                    llvm::StringRef architecture) const {
  TemporaryFile source, cubin, messages;
  for (auto [file, suffix] : {std::pair(&source, "ptx"), {&cubin, "cubin"}, {&messages, "txt"}})
    if (llvm::Error error = file->create(suffix))
      return std::move(error);
  if (llvm::Error error = source.write(ptx))
    return std::move(error);
  std::string target = ("--gpu-name=" + architecture).str(), problem;
  llvm::StringRef arguments[] = {program,         target,           "--verbose",
                                 "--output-file", cubin.path.str(), source.path.str()};
  std::optional<llvm::StringRef> streams[] = {llvm::StringRef(), messages.path.str(),
                                              messages.path.str()};
  int status = llvm::sys::ExecuteAndWait(program, arguments, std::nullopt, streams,
                                         /*SecondsToWait=*/0, /*MemoryLimit=*/0, &problem);
  llvm::Expected<llvm::SmallVector<char, 0>> said = messages.read();
  if (!said)
    return said.takeError();
  llvm::StringRef text(said->data(), said->size());
  if (status != 0)
    return llvm::createStringError(
        "'%s' makes no code for %s of the kernel (--ptxas=none leaves machine code out): %s",
        program.c_str(), architecture.str().c_str(),
        (problem.empty() ? text.trim().str() : problem).c_str());
  llvm::Expected<llvm::SmallVector<char, 0>> code = cubin.read();
  if (!code)
    return code.takeError();
  return Code{std::move(*code), readAssemblerFacts(text)};
}
