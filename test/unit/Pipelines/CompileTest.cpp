//===- CompileTest.cpp - models compiled by the library ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Pipelines/Compile.h"
#include "llmc/Pipelines/Dialects.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace llmc;

namespace {

/// Compiles the tiny model in a folder of its own.
class CompileTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("llmc-compile", folder));
    insertAllDialects(registry);
  }
  void TearDown() override { (void)llvm::sys::fs::remove_directories(folder); }

  std::string getPath(StringRef name) const {
    SmallString<128> path(folder);
    llvm::sys::path::append(path, name);
    return path.str().str();
  }

  std::string readFile(StringRef name) const {
    auto file = llvm::MemoryBuffer::getFile(getPath(name));
    return file ? (*file)->getBuffer().str() : "";
  }

  /// Compiles for one target; gives the errors.
  std::string compile(CompileOptions options) {
    MLIRContext context(registry);
    context.loadAllAvailableDialects();
    std::string messages;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
        messages += diagnostic.str();
    });
    options.lower = {{"x86_64-linux-gnu:avx2", 4}};
    options.emit.object = options.last == Phase::Emit;
    options.emit.symbol = "tiny";
    llvm::SourceMgr sources;
    Compilation compilation(std::move(options), context);
    bool worked = succeeded(compilation.read(sources)) && succeeded(compilation.run());
    EXPECT_EQ(worked, messages.empty());
    return messages;
  }

  CompileOptions getOptions(StringRef input, StringRef output, Phase last) const {
    CompileOptions options;
    options.input = input;
    options.output = getPath(output);
    options.last = last;
    return options;
  }

  DialectRegistry registry;
  SmallString<128> folder;
};

} // namespace

TEST_F(CompileTest, GoesOnFromEachPhase) {
  ASSERT_EQ(compile(getOptions(TINY_MODEL, "whole.o", Phase::Emit)), "");
  std::string input = TINY_MODEL;
  for (Phase phase : {Phase::Import, Phase::Raise, Phase::Compress, Phase::Lower}) {
    std::string output = getName(phase).str() + ".mlir";
    ASSERT_EQ(compile(getOptions(input, output, phase)), "");
    input = getPath(output);
  }
  ASSERT_EQ(compile(getOptions(input, "steps.o", Phase::Emit)), "");
  EXPECT_FALSE(readFile("whole.weights").empty());
  EXPECT_EQ(readFile("whole.weights"), readFile("steps.weights"));
}

TEST_F(CompileTest, PassesThatAreNone) {
  CompileOptions options = getOptions(TINY_MODEL, "model.mlir", Phase::Compress);
  options.compress.passes = "no-such-pass";
  EXPECT_TRUE(StringRef(compile(options)).starts_with("--passes: ")) << readFile("model.mlir");
  EXPECT_EQ(readFile("model.mlir"), "");
}

TEST_F(CompileTest, ModelThatIsNotThere) {
  EXPECT_TRUE(StringRef(compile(getOptions(getPath("none.onnx"), "model.mlir", Phase::Raise)))
                  .starts_with("cannot read '"));
}
