//===- FragmentTest.cpp - a warp's matrix products against those of CPUs ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A small model, a chain of linears that each have an encoding of their own: integers of 2 to 8
// bits, with zero points, minima or neither, in groups or whole rows, of shapes that fill neither
// tiles nor blocks, and a tile longer than what is asked for before a stage. Sums of integers are
// exact, and what is done with them has one order, so logits have the bits of a CPU's.
//
//===----------------------------------------------------------------------===//

#include "TinyModelOnGrid.h"
#include "llmc/Conversion/EmitPTX/EmitCUDAImages.h"
#include "llmc/Support/TemporaryFile.h"
#include "llmc/cuda_image.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/Program.h"

#include <random>

using namespace llmc;
using namespace llmc::test;

namespace {

/// A linear, and how its weights and inputs are rounded.
struct Step {
  int64_t rows, columns;
  const char *options;
  bool bias = false, residual = false;
};

constexpr int64_t width = 80, wide = 800, tokens = 40;

const Step chain[] = {
    {wide, width, "bits=4 group-size=32", /*bias=*/true},
    {width, wide, "bits=8 group-size=32 scale=f32"},
    {width, width, "bits=3 group-size=64 symmetric=false", /*bias=*/false, /*residual=*/true},
    {wide, width, "bits=5 group-size=32 symmetric=false zero=float scale=bf16"},
    {width, wide, "bits=2 group-size=128", /*bias=*/true, /*residual=*/false},
    {width, width, "bits=6 group-size=channel activation-group=0", /*bias=*/true,
     /*residual=*/true},
    {width, width, "bits=7 group-size=channel symmetric=false activation-group=0"},
    {width, width, "bits=4 group-size=channel symmetric=false zero=float activation-group=0"},
};

class FragmentsOnGrid : public TinyModelOnGrid {
protected:
  void SetUp() override {
    llvm::cantFail(weightFile.create("bin"));
    std::string text = write();
    std::mt19937 random(1);
    std::uniform_real_distribution<float> numbers(-0.25f, 0.25f);
    std::vector<float> values(offset / sizeof(float));
    for (float &value : values)
      value = numbers(random);
    llvm::cantFail(
        weightFile.write(llvm::ArrayRef(reinterpret_cast<const char *>(values.data()), offset)));
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &*context);
    ASSERT_TRUE(static_cast<bool>(module));
    std::string passes;
    for (size_t i = 0; i < std::size(chain); ++i)
      passes += "quantize-rtn{only=w" + std::to_string(i) + " activation=i8 table=false " +
                chain[i].options + "},";
    transform(passes + "quantize-rtn{only=head head-format=int:8:32 activation=i8 table=false}");
  }

  /// Expects that linears multiply fragments, and that the start of every matrix is asked for, and
  /// nothing beyond them.
  void expectFragments() {
    for (auto function : kernel->getOps<mlir::func::FuncOp>())
      if (function.getName().starts_with("linear_"))
        EXPECT_TRUE(function.walk([](mlir::NVVM::MmaOp) { return mlir::WalkResult::interrupt(); })
                        .wasInterrupted())
            << function.getName().str();
    llvm::DenseSet<int64_t> asked;
    for (auto [address, bytes] : executor->getPrefetched()) {
      int64_t place = static_cast<const uint8_t *>(address) - weights.data();
      asked.insert(place);
      EXPECT_GE(place, 0);
      EXPECT_LE(place + bytes, static_cast<int64_t>(weights.size()));
    }
    getProgram(*kernel).walk([&](ParameterOp parameter) {
      auto place = parameter->getAttrOfType<mlir::IntegerAttr>(spmd::SPMDDialect::offsetAttrName);
      bool isMatrix = llvm::StringRef("wh").contains(parameter.getSymName().front());
      EXPECT_EQ(asked.contains(place.getInt()), isMatrix) << parameter.getSymName().str();
    });
  }

private:
  static std::string rowsOf(int64_t columns) {
    return "tensor<?x" + std::to_string(columns) + "xf32>";
  }
  /// Declares a parameter and reads it; gives its type.
  std::string read(const std::string &name, std::vector<int64_t> shape) {
    std::string type = "tensor<";
    int64_t count = 1;
    for (int64_t size : shape) {
      type += std::to_string(size) + "x";
      count *= size;
    }
    type += "f32>";
    parameters += "llmc.parameter @" + name + " : " + type + " = #llmc.file<\"" +
                  weightFile.path.str().str() + "\", offset = " + std::to_string(offset) + ">\n";
    body += "%" + name + " = llmc.parameter_value @" + name + " : " + type + "\n";
    offset += count * 4;
    return type;
  }

  std::string linear(const std::string &result, const std::string &input, const std::string &weight,
                     int64_t rows, int64_t columns, bool bias) {
    std::string matrix = read(weight, {rows, columns}), vector;
    if (bias)
      vector = read("b" + weight, {rows});
    body += "%" + result + " = llmc.linear %" + input + ", %" + weight;
    body += bias ? " bias %b" + weight : "";
    body += " : (" + rowsOf(columns) + ", " + matrix;
    return body += (bias ? ", " + vector : "") + ") -> " + rowsOf(rows) + "\n";
  }

  std::string write() {
    std::string table = read("table", {tokens, width}), last = "h";
    body += "%h = llmc.embedding %tokens, %table : (tensor<?xi32>, " + table + ") -> " +
            rowsOf(width) + "\n";
    for (auto [i, step] : llvm::enumerate(chain)) {
      std::string name = std::to_string(i);
      linear("l" + name, last, "w" + name, step.rows, step.columns, step.bias);
      if (step.residual)
        body +=
            "%r" + name + " = arith.addf %l" + name + ", %" + last + " : " + rowsOf(width) + "\n";
      last = (step.residual ? "r" : "l") + name;
    }
    body += "%kept = llmc.output_rows %" + last + ", %rows : " + rowsOf(width) + " -> " +
            rowsOf(width) + "\n";
    linear("logits", "kept", "head", tokens, width, /*bias=*/false);
    return "!cache = !llmc.kv_cache<1x16, capacity = 64, keys = f32, values = f32>\n" + parameters +
           "func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %cache: !cache) -> " +
           rowsOf(tokens) + " {\n" + body + "return %logits : " + rowsOf(tokens) + "\n}\n";
  }

  TemporaryFile weightFile;
  std::string parameters, body;
  size_t offset = 0;
};

Rows makeRows(int32_t count, int32_t first) {
  Rows rows;
  for (int32_t i = 0; i < count; ++i) {
    rows.tokens.push_back((first + 7 * i) % tokens);
    rows.positions.push_back(first + i);
    rows.sequences.push_back(0);
  }
  return rows;
}

} // namespace

// Fragments of 32 rows and of 8, whole ones and others.
TEST_F(FragmentsOnGrid, HaveTheSumsOfCPUs) {
  rowsAtOnce = 43;
  steps = {makeRows(43, 0), makeRows(8, 43), makeRows(3, 51), makeRows(1, 54)};
  compare({3});
  expectFragments();
}

// Weights are asked for by bulk copies.
TEST_F(FragmentsOnGrid, OnNewerArchitectures) {
  architecture = "sm_90a";
  steps = {makeRows(1, 0)};
  compare({2});
  expectFragments();
}

/// What nvdisasm makes of machine code, or nothing where there is none.
static std::string disassemble(llvm::ArrayRef<char> cubin) {
  llvm::ErrorOr<std::string> program = llvm::sys::findProgramByName("nvdisasm");
  if (!program)
    return "";
  TemporaryFile code, text;
  llvm::cantFail(code.create("cubin"));
  llvm::cantFail(text.create("txt"));
  llvm::cantFail(code.write(cubin));
  llvm::StringRef arguments[] = {*program, "-c", code.path.str()};
  std::optional<llvm::StringRef> streams[] = {llvm::StringRef(), text.path.str(), std::nullopt};
  EXPECT_EQ(llvm::sys::ExecuteAndWait(*program, arguments, std::nullopt, streams), 0);
  llvm::SmallVector<char, 0> said = llvm::cantFail(text.read());
  return std::string(said.begin(), said.end());
}

TEST_F(FragmentsOnGrid, AreAssembled) {
  Assembler assembler = llvm::cantFail(Assembler::find(""));
  if (!assembler.exists())
    GTEST_SKIP() << "no ptxas in PATH";
  plan();
  for (std::string name : {"sm_80", "sm_90a"}) {
    SCOPED_TRACE(name);
    GPUTarget target;
    target.architecture = name;
    kernel = std::move(*convertSPMDToGPU(*program, target));
    llvm::SmallVector<CUDAImage> images = llvm::cantFail(emitCUDAImages(*kernel, assembler));
    ASSERT_EQ(images.size(), 2u);
    EXPECT_EQ(images[1].name, name + " cubin");
    EXPECT_GT(images[1].facts.getInteger("registers").value_or(0), 0);
    EXPECT_EQ(images[1].facts.getInteger("spill_bytes"), 0);
    llmc_cuda_image header;
    std::memcpy(&header, images[1].bytes.data(), sizeof header);
    llvm::ArrayRef<char> cubin(images[1].bytes.data() + header.code_offset, header.code_bytes);
    EXPECT_EQ(llvm::StringRef(cubin.data(), 4), "\x7f"
                                                "ELF");
    if (std::string text = disassemble(cubin); !text.empty())
      EXPECT_NE(text.find("IMMA.16832.U8.S8"), std::string::npos);
  }
}
