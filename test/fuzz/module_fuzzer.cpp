//===- module_fuzzer.cpp - hostile modules ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parses text as a module of any dialect of llmc's and takes it through the passes. Mutations keep
// most modules well-formed: they replace names of operations, types, attributes and numbers by
// others of their kind, one or all that are alike, numbers also by those at the limits of types.
//
//===----------------------------------------------------------------------===//

#include "llmc/Conversion/CPUToLLVM/Passes.h"
#include "llmc/Conversion/LLMCToLinalg/LLMCToLinalg.h"
#include "llmc/Conversion/LLMCToSPMD/Passes.h"
#include "llmc/Conversion/ONNXToLLMC/ONNXToLLMC.h"
#include "llmc/Conversion/SPMDToCPU/Passes.h"
#include "llmc/Conversion/SPMDToCPU/SPMDToCPU.h"
#include "llmc/Conversion/SPMDToGPU/Passes.h"
#include "llmc/Pipelines/Dialects.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <random>

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

static void require(bool condition) {
  if (!condition)
    std::abort();
}

//===----------------------------------------------------------------------===//
// Mutations
//===----------------------------------------------------------------------===//

namespace {

enum class Kind { Operation, Type, Attribute, Number, Symbol, Value, Word, String };

/// A piece of the text that can be replaced by another of its kind.
struct Piece {
  Kind kind;
  size_t begin, size;
};

/// Finds pieces in a module's text. A type or an attribute with parameters is one piece, and so is
/// each of the numbers inside.
class Scanner {
public:
  explicit Scanner(llvm::StringRef text) : text(text) {}

  std::vector<Piece> scan() {
    for (size_t at = 0; at < text.size();)
      at = scanAt(at);
    return std::move(pieces);
  }

private:
  static bool isWord(char c) { return llvm::isAlnum(c) || c == '_' || c == '.' || c == '$'; }

  size_t skipWord(size_t at) const {
    while (at < text.size() && isWord(text[at]))
      ++at;
    return at;
  }

  /// The end of what `<` at `at` opens, or `at` where it does not.
  size_t skipParameters(size_t at) const {
    if (at >= text.size() || text[at] != '<')
      return at;
    int depth = 0;
    for (size_t i = at; i < text.size() && text[i] != '\n'; ++i) {
      depth += text[i] == '<';
      depth -= text[i] == '>' && text[i - 1] != '-';
      if (depth == 0)
        return i + 1;
    }
    return at;
  }

  void add(Kind kind, size_t begin, size_t end) {
    if (end > begin)
      pieces.push_back({kind, begin, end - begin});
  }

  size_t scanAt(size_t at) {
    char c = text[at];
    if (c == '"') {
      size_t end = text.find('"', at + 1);
      end = end == llvm::StringRef::npos ? text.size() : end + 1;
      // In the generic form names of operations are quoted.
      bool isName = end < text.size() && text[end] == '(';
      add(isName ? Kind::Operation : Kind::String, at, end);
      return end;
    }
    if (c == '!' || c == '#') {
      size_t end = skipWord(at + 1);
      add(c == '!' ? Kind::Type : Kind::Attribute, at, skipParameters(end));
      return end > at + 1 ? end : at + 1;
    }
    if (c == '%' || c == '@') {
      size_t end = skipWord(at + 1);
      add(c == '%' ? Kind::Value : Kind::Symbol, at, end);
      return end > at + 1 ? end : at + 1;
    }
    if (llvm::isDigit(c) || (c == '-' && at + 1 < text.size() && llvm::isDigit(text[at + 1]))) {
      size_t end = at + 1;
      while (end < text.size() && llvm::isDigit(text[end]))
        ++end;
      add(Kind::Number, at, end);
      // 8x16xf32: the letter is no part of a word.
      return end < text.size() && text[end] == 'x' ? end + 1 : end;
    }
    if (llvm::isAlpha(c)) {
      size_t end = skipWord(at);
      llvm::StringRef word = text.slice(at, end);
      size_t parameters = skipParameters(end);
      if (parameters > end)
        add(Kind::Type, at, parameters);
      else
        add(word.contains('.') ? Kind::Operation : Kind::Word, at, end);
      return end;
    }
    return at + 1;
  }

  llvm::StringRef text;
  std::vector<Piece> pieces;
};

/// Changes pieces of a module.
class Mutator {
public:
  explicit Mutator(unsigned seed) : random(seed) {}

  unsigned pick(size_t count) { return static_cast<unsigned>(random() % count); }

  std::string mutate(llvm::StringRef text) {
    std::vector<Piece> pieces = Scanner(text).scan();
    if (pieces.empty())
      return text.str();
    if (pick(8) == 0)
      return mutateLines(text);
    Piece piece = pieces[pick(pieces.size())];
    llvm::StringRef old = text.substr(piece.begin, piece.size);
    std::string fresh = findOther(text, pieces, piece);
    // All that are alike stay alike: what is used in several places still fits together.
    bool all = pick(2);
    std::string result;
    size_t end = 0;
    for (const Piece &each : pieces) {
      bool chosen = each.begin == piece.begin && each.size == piece.size;
      bool alike = all && each.kind == piece.kind && text.substr(each.begin, each.size) == old;
      if (each.begin < end || !(chosen || alike))
        continue;
      result += text.slice(end, each.begin).str() + fresh;
      end = each.begin + each.size;
    }
    return result + text.substr(end).str();
  }

private:
  /// A value in place of `piece`.
  std::string findOther(llvm::StringRef text, const std::vector<Piece> &pieces,
                        const Piece &piece) {
    if (piece.kind == Kind::Number && pick(3))
      return changeNumber(text.substr(piece.begin, piece.size));
    if (piece.kind == Kind::Type && pick(3) == 0)
      return pickOf({"i1",
                     "i32",
                     "i64",
                     "index",
                     "f16",
                     "bf16",
                     "f32",
                     "f64",
                     "none",
                     "tensor<*xf32>",
                     "tensor<?x?xf32>",
                     "tensor<f32>",
                     "tensor<0xf32>",
                     "tensor<?xi32>",
                     "memref<?xf32>",
                     "vector<16xf32>",
                     "!llvm.ptr",
                     "!llvm.ptr<1>",
                     "!llvm.struct<(ptr, i64)>",
                     "!llmc.rows",
                     "!spmd.step",
                     "complex<f32>",
                     "tuple<>",
                     "tensor<4x4xf32, sparse>",
                     "(i32) -> i32"});
    if (piece.kind == Kind::Attribute && pick(3) == 0)
      return pickOf({"unit", "1 : i64", "-1 : i64", "1.0 : f32", "\"text\"", "[]", "{}", "@f",
                     "dense<1.0> : tensor<8xf32>", "dense<> : tensor<0xf32>", "array<i64>", "f32",
                     "#llmc.file<\"weights\", offset = 0>", "#llmc.dynamic<bits = 8, group = 32>"});
    std::vector<const Piece *> others;
    for (const Piece &each : pieces)
      if (each.kind == piece.kind)
        others.push_back(&each);
    const Piece &other = *others[pick(others.size())];
    return text.substr(other.begin, other.size).str();
  }

  std::string pickOf(llvm::ArrayRef<const char *> values) { return values[pick(values.size())]; }

  std::string changeNumber(llvm::StringRef old) {
    int64_t value = 0;
    if (old.getAsInteger(10, value) || pick(2))
      return pickOf({"0",
                     "1",
                     "-1",
                     "2",
                     "3",
                     "7",
                     "16",
                     "31",
                     "33",
                     "64",
                     "255",
                     "65536",
                     "2147483647",
                     "2147483648",
                     "-2147483648",
                     "4294967296",
                     "1099511627776",
                     "281474976710656",
                     "4611686018427387904",
                     "9223372036854775807",
                     "-9223372036854775808",
                     "18446744073709551615"});
    uint64_t bits = static_cast<uint64_t>(value);
    switch (pick(4)) {
    case 0:
      return std::to_string(static_cast<int64_t>(bits + 1));
    case 1:
      return std::to_string(static_cast<int64_t>(bits - 1));
    case 2:
      return std::to_string(static_cast<int64_t>(bits * 2));
    default:
      return std::to_string(static_cast<int64_t>(bits * 1024));
    }
  }

  /// Removes, repeats or moves a line.
  std::string mutateLines(llvm::StringRef text) {
    llvm::SmallVector<llvm::StringRef> lines;
    text.split(lines, '\n');
    size_t from = pick(lines.size()), to = pick(lines.size());
    llvm::StringRef line = lines[from];
    unsigned kind = pick(3);
    if (kind != 1)
      lines.erase(lines.begin() + from);
    if (kind != 0)
      lines.insert(lines.begin() + std::min(to, lines.size()), line);
    return llvm::join(lines, "\n");
  }

  std::minstd_rand random;
};

} // namespace

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize,
                                          unsigned seed) {
  Mutator mutator(seed);
  if (mutator.pick(32) == 0)
    return LLVMFuzzerMutate(data, size, maxSize);
  std::string text(reinterpret_cast<const char *>(data), size);
  for (unsigned i = 0, e = 1 + mutator.pick(2); i < e; ++i)
    text = mutator.mutate(text);
  if (text.empty() || text.size() > maxSize)
    return size;
  std::memcpy(data, text.data(), text.size());
  return text.size();
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

static void registerPasses() {
  mlir::registerTransformsPasses();
  llmc::registerConvertLLMCToLinalg();
  llmc::registerRaiseONNX();
  llmc::registerLLMCToSPMDPasses();
  llmc::registerConvertSPMDToCPU();
  llmc::registerConvertSPMDToGPU();
  llmc::registerConvertCPUToLLVM();
  llmc::registerTransformsPasses();
}

/// What every module is taken through, each from its beginning; a target's code is made of a plan.
static constexpr const char *pipelines[] = {
    "canonicalize,cse",
    "outline-blocks",
    "inline-blocks",
    "raise-onnx",
    "print-structure",
    "fold-norms",
    "rotate{where=free}",
    "rotate{where=keys,down}",
    "quantize-rtn{bits=4 table=false}",
    "quantize-hqq{bits=3 table=false}",
    "prune-magnitude{sparsity=0.5 table=false},quantize-rtn{format=nf4 table=false}",
    "prune-heads{score=magnitude ratio=0.5 table=false}",
    "prune-channels{score=magnitude ratio=0.5 table=false}",
    "drop-layers{layers=0 table=false}",
    "share-layers{table=false}",
    "factorize-svd{rank=1 table=false}",
    "quantize-kv-cache,convert-llmc-to-linalg",
    "share-kv-cache{table=false},convert-llmc-to-linalg",
    "evict-kv-cache{policy=h2o budget=8 sinks=1 recent=2},convert-llmc-to-linalg",
    "convert-llmc-to-linalg",
    "convert-llmc-to-spmd{max-rows=4}",
    "materialize-shared-values",
    "convert-spmd-to-cpu{target=x86_64-linux-gnu:x86-64}",
    "convert-spmd-to-gpu",
    "convert-llmc-to-spmd{max-rows=4},convert-spmd-to-cpu{target=x86_64-linux-gnu:x86-64},"
    "convert-cpu-to-llvm",
    "convert-llmc-to-spmd{max-rows=4},convert-spmd-to-gpu",
    "convert-cpu-to-llvm",
};

/// Modules that were parsed so far; `LLMC_FUZZ_COUNT` in the environment shows them at the end.
static size_t parsedModules = 0;

extern "C" int LLVMFuzzerInitialize(int *, char ***) {
  registerPasses();
  if (std::getenv("LLMC_FUZZ_COUNT"))
    std::atexit([] { llvm::errs() << "modules parsed: " << parsedModules << "\n"; });
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef text(reinterpret_cast<const char *>(data), size);
  mlir::DialectRegistry registry;
  llmc::insertAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  unsigned errors = 0;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &diagnostic) {
    errors += diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error;
    require(!diagnostic.str().empty());
    return mlir::success();
  });
  mlir::OwningOpRef<mlir::ModuleOp> module =
      mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  require(bool(module) == (errors == 0));
  if (!module)
    return -1; // not for the corpus
  ++parsedModules;
  module->print(llvm::nulls());
  for (const char *pipeline : pipelines) {
    errors = 0;
    mlir::OwningOpRef<mlir::ModuleOp> copy(module->clone());
    mlir::PassManager manager(&context);
    require(mlir::succeeded(mlir::parsePassPipeline(pipeline, manager)));
    bool good = mlir::succeeded(manager.run(*copy));
    // What is refused says why.
    require(good || errors > 0);
    copy->print(llvm::nulls());
  }
  return 0;
}
