//===- CalibrationTestSupport.cpp - small models with random weights ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CalibrationTestSupport.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace mlir;
using namespace llmc;
using namespace llmc::test;

namespace {

constexpr int width = 40, inner = 56, vocabulary = 64, rank = 12;
constexpr const char *cacheType = "!llmc.kv_cache<2x10, capacity = 32, keys = f32, values = f32>";

std::string rowsOf(int size) { return "tensor<?x" + std::to_string(size) + "xf32>"; }
std::string matrix(int rows, int columns) {
  return "tensor<" + std::to_string(rows) + "x" + std::to_string(columns) + "xf32>";
}

/// Writes a model as text.
class ModelWriter {
public:
  ModelWriter(Shape shape, int layers) : shape(shape), layers(layers) {}

  std::string write() {
    bool outlined = shape == Shape::Outlined;
    std::string h = "%h0";
    parameter("table", matrix(vocabulary, width));
    body += "%h0 = llmc.embedding %tokens, %table : (tensor<?xi32>, " + matrix(vocabulary, width) +
            ") -> " + rowsOf(width) + "\n";
    for (int i = 0; i < layers; ++i)
      h = outlined ? call(i, h) : layer(std::to_string(i), h, i);
    body += "%out = llmc.output_rows " + h + ", %rows : " + rowsOf(width) + " -> " + rowsOf(width) +
            "\n";
    norm("%n", "%out", "final_norm");
    linear("%logits", "%n", "head", width, vocabulary);
    std::string text = parameters + "func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows";
    for (int i = 0; i < layers; ++i)
      text += ", %cache" + std::to_string(i) + ": " + cacheType;
    text += ") -> " + rowsOf(vocabulary) + " {\n" + body +
            "return %logits : " + rowsOf(vocabulary) + "\n}\n";
    return text + (outlined ? writeBlock() : "");
  }

private:
  void parameter(const std::string &name, const std::string &type) {
    declare(name, type);
    if (!inBlock)
      body += "%" + name + " = llmc.parameter_value @" + name + " : " + type + "\n";
  }
  /// In a block parameters are arguments, which are declared with the calls.
  void declare(const std::string &name, const std::string &type) {
    if (inBlock)
      arguments.push_back({name, type});
    else
      parameters +=
          "llmc.parameter @" + name + " : " + type + " = #llmc.file<\"none\", offset = 0>\n";
  }
  void norm(const std::string &result, const std::string &x, const std::string &name) {
    std::string type = "tensor<" + std::to_string(width) + "xf32>";
    parameter(name, type);
    body += result + " = llmc.rms_norm " + x + ", %" + name + " : " + rowsOf(width) + ", " + type +
            " {epsilon = 1.0e-5 : f32}\n";
  }
  void linear(const std::string &result, const std::string &x, const std::string &name, int inputs,
              int outputs) {
    parameter(name, matrix(outputs, inputs));
    body += result + " = llmc.linear " + x + ", %" + name + " : (" + rowsOf(inputs) + ", " +
            matrix(outputs, inputs) + ") -> " + rowsOf(outputs) + "\n";
  }
  void add(const std::string &result, const std::string &a, const std::string &b) {
    body += result + " = arith.addf " + a + ", " + b + " : " + rowsOf(width) + "\n";
  }

  std::string layer(const std::string &i, const std::string &h, int index) {
    norm("%a" + i, h, "norm" + i);
    std::string query = "%a" + i;
    int queryWidth = width;
    if (shape == Shape::LowRankQuery) {
      linear("%ql" + i, query, "query_down" + i, width, rank);
      query = "%ql" + i;
      queryWidth = rank;
    }
    bool ownCache = shape != Shape::SharedCache || index % 2 == 0;
    if (ownCache) {
      linear("%k" + i, "%a" + i, "key" + i, width, 20);
      linear("%v" + i, "%a" + i, "value" + i, width, 20);
      rope("%kr" + i, "%k" + i, 2, 20);
      body += "%full" + i + " = llmc.cache_append %cache" + i + ", %kr" + i + ", %v" + i +
              ", %rows : " + cacheType + ", " + rowsOf(20) + ", " + rowsOf(20) + "\n";
    }
    linear("%q" + i, query, "query" + i, queryWidth, width);
    rope("%qr" + i, "%q" + i, 4, width);
    std::string cache = "%full" + (ownCache ? i : std::to_string(index - 1));
    body += "%at" + i + " = llmc.attention %qr" + i + ", " + cache + ", %rows : " + rowsOf(width) +
            ", " + cacheType + " {heads = 4 : i64, scale = 0.3 : f32}\n";
    linear("%o" + i, "%at" + i, "output" + i, width, width);
    add("%r" + i, h, "%o" + i);
    norm("%b" + i, shape == Shape::Parallel ? h : "%r" + i, "mlp_norm" + i);
    linear("%g" + i, "%b" + i, "gate" + i, width, inner);
    linear("%u" + i, "%b" + i, "up" + i, width, inner);
    body += "%m" + i + " = llmc.gate <silu> %g" + i + ", %u" + i + " : " + rowsOf(inner) + "\n";
    linear("%d" + i, "%m" + i, "down" + i, inner, width);
    std::string next = inBlock ? "%next" : "%h" + std::to_string(index + 1);
    add(next, "%r" + i, "%d" + i);
    return next;
  }
  void rope(const std::string &result, const std::string &x, int heads, int size) {
    body += result + " = llmc.rope " + x + ", %rows : " + rowsOf(size) +
            " {heads = " + std::to_string(heads) +
            " : i64, frequencies = array<f32: 1.0, 0.1, 0.01>}\n";
  }

  std::string call(int index, const std::string &h) {
    if (arguments.empty()) {
      inBlock = true;
      std::swap(body, block);
      layer("", "%h", 0);
      std::swap(body, block);
      inBlock = false;
    }
    std::string i = std::to_string(index), next = "%h" + std::to_string(index + 1);
    std::string operands, types;
    for (auto &[name, type] : arguments) {
      parameter(name + i, type);
      operands += ", %" + name + i;
      types += ", " + type;
    }
    body += next + " = call @block(" + h + ", %rows, %cache" + i + operands + ") : (" +
            rowsOf(width) + ", !llmc.rows, " + cacheType + types + ") -> " + rowsOf(width) + "\n";
    return next;
  }
  std::string writeBlock() const {
    std::string text = "func.func private @block(%h: " + rowsOf(width) +
                       ", %rows: !llmc.rows, %cache: " + cacheType;
    for (auto &[name, type] : arguments)
      text += ", %" + name + ": " + type;
    return text + ") -> " + rowsOf(width) + " {\n" + block + "return %next : " + rowsOf(width) +
           "\n}\n";
  }

  Shape shape;
  int layers;
  bool inBlock = false;
  std::string parameters, body, block;
  std::vector<std::pair<std::string, std::string>> arguments;
};

void setValues(ParameterOp parameter, const std::vector<float> &values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  parameter.setDataAttr(
      makeParameterData(parameter.getContext(), parameter.getSymName(), std::move(bytes)));
}

} // namespace

Messages::Messages() : context(MLIRContext::Threading::DISABLED) {
  context.loadDialect<LLMCDialect, arith::ArithDialect, func::FuncDialect>();
  context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
    llvm::raw_string_ostream(text) << diagnostic << "\n";
    return success();
  });
}

OwningOpRef<ModuleOp> llmc::test::makeModel(MLIRContext &context, Shape shape, int layers) {
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(ModelWriter(shape, layers).write(), &context);
  EXPECT_TRUE(module && succeeded(verify(*module)));
  for (auto parameter : module->getOps<ParameterOp>()) {
    // The same values under the same name, in whatever order they stand.
    std::mt19937 random(std::hash<std::string>()(parameter.getSymName().str()));
    std::vector<float> values(parameter.getTensorType().getNumElements());
    for (float &value : values)
      value = (static_cast<float>(random() % 2001) - 1000) / 2500 +
              (parameter.getTensorType().getRank() == 1 ? 1.0f : 0.0f);
    setValues(parameter, values);
  }
  return module;
}

void llmc::test::changeWeights(ParameterOp parameter) {
  ArrayRef<uint8_t> bytes = *getParameterBytes(parameter);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  for (float &value : values)
    value = std::round(value * 8) / 8;
  setValues(parameter, values);
}

TokenFile::TokenFile(int64_t samples, int64_t length) {
  llvm::SmallString<128> name;
  int descriptor = -1;
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("llmc-tokens", "npy", descriptor, name));
  llvm::raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
  std::string header = "{'descr': '<i4', 'fortran_order': False, 'shape': (" +
                       std::to_string(samples * length) + ",), }\n";
  stream << StringRef("\x93NUMPY\x01\x00", 8) << static_cast<char>(header.size()) << '\0' << header;
  std::mt19937 random(3);
  for (int64_t i = 0; i < samples * length; ++i) {
    int32_t token = random() % vocabulary;
    stream.write(reinterpret_cast<const char *>(&token), sizeof token);
  }
  path = name.str().str();
}

TokenFile::~TokenFile() { llvm::sys::fs::remove(path); }

Folder::Folder() {
  llvm::SmallString<128> name;
  EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("llmc-calibration", name));
  path = name.str().str();
}

Folder::~Folder() { llvm::sys::fs::remove_directories(path); }

void llmc::test::writeFile(const std::string &path, StringRef contents) {
  std::error_code error;
  llvm::raw_fd_ostream(path, error) << contents;
  EXPECT_FALSE(error);
}

CalibrationOptions llmc::test::makeOptions(const TokenFile &tokens) {
  CalibrationOptions options;
  options.calibration = tokens.path;
  options.samples = 5;
  options.sequenceLength = 19;
  options.threads = 2;
  return options;
}

Moments llmc::test::collect(ModuleOp module, const CalibrationOptions &options,
                            std::function<bool(StringRef)> select,
                            std::function<void(CalibrationSite &)> visit) {
  Moments moments;
  CalibrationRequest request;
  request.key = "test";
  request.select = [&](LinearOp, ParameterOp parameter) {
    return !select || select(parameter.getSymName());
  };
  request.visit = [&](CalibrationSite &site) -> LogicalResult {
    moments[site.parameters.front().getSymName().str()] = site.statistics.secondMoment;
    if (visit)
      visit(site);
    return success();
  };
  EXPECT_TRUE(succeeded(calibrate(module, options, request)));
  return moments;
}
