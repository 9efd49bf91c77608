//===- CompositionTest.cpp - compression passes, one after the other ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Structure, rewrites, factors, pruning, roundings, repairs and caches on several families: every
// combination verifies, compiles, and computes what it means, and the bytes that passes report are
// those that are stored. A run takes combinations in which every pass occurs; with
// LLMC_COMPOSITION=2 every pair, with 3 every triple.
//
//===----------------------------------------------------------------------===//

#include "../Conversion/MeaningTestSupport.h"
#include "Covering.h"
#include "Families.h"
#include "llmc/Dialect/LLMC/IR/CanonicalForm.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

#include <algorithm>
#include <cstdlib>
#include <unistd.h>

using namespace llmc;
using namespace llmc::test;

namespace {

struct Choice {
  const char *name;
  const char *pass; ///< with %data where options of calibration stand; empty: nothing is done
};

/// How calibrated passes get their tokens.
constexpr llvm::StringLiteral data = "calibration=self samples=2 sequence-length=8";

const Choice structures[] = {
    {"", ""},
    {"Channels", "prune-channels{ratio=0.3 table=false %data}"},
    {"Heads", "prune-heads{ratio=0.3 table=false %data}"},
    {"SharedLayers", "share-layers{table=false}"},
    {"SharedCaches", "share-kv-cache{table=false}"},
    {"ValueLatents", "factorize-kv-cache{table=false %data}"},
    {"Slice", "slice{keep=0.5 multiple=16 table=false %data}"},
};
const Choice rewrites[] = {
    {"", ""},
    {"FoldNorms", "fold-norms"},
    {"Rotate", "rotate{where=residual,values,down}"},
    {"RotateKeys", "rotate{where=values,keys}"},
    {"AWQ", "scale-awq{bits=3 group-size=32 search-samples=1 table=false %data}"},
    {"SmoothQuant", "scale-smoothquant{table=false %data}"},
};
const Choice prunings[] = {
    {"", ""},
    {"Magnitude2of4", "prune-magnitude{pattern=2:4 %report}"},
    {"Wanda", "prune-wanda{sparsity=0.5 %report %data}"},
    {"SparseGPT4of8", "prune-sparsegpt{pattern=4:8 %report %data}"},
};
const Choice roundings[] = {
    {"", ""},
    {"Int4", "quantize-rtn{bits=4 group-size=32 %report}"},
    {"Int3Exact", "quantize-rtn{bits=3 symmetric=false activation=none %report}"},
    {"NF4", "quantize-rtn{format=nf4 %report}"},
    {"MXFP4", "quantize-rtn{format=mxfp4 %report}"},
    {"NVFP4", "quantize-rtn{format=nvfp4 %report}"},
    {"FP8", "quantize-rtn{format=fp8 %report}"},
    {"MXINT8", "quantize-rtn{format=mxint8 %report}"},
    {"Trellis3", "quantize-rtn{format=trellis bits=3 %report}"},
    {"HQQ", "quantize-hqq{%report}"},
    {"GPTQInt4", "quantize-gptq{bits=4 symmetric=false group-size=32 %report %data}"},
    {"GPTQTrellis2AndAHalf",
     "quantize-gptq{format=trellis bits=2.5 activation=none %report %data}"},
    {"SpQR", "quantize-spqr{outliers=0.03 %report %data}"},
    {"GPTQMXFP6", "quantize-gptq{format=mxfp6 %report %data}"},
};
const Choice factorizations[] = {
    {"", ""},
    {"SVD", "factorize-svd{rank=24 table=false}"},
    {"ASVD", "factorize-asvd{rank=16 table=false %data}"},
    {"SVDLLM", "factorize-svd-llm{rank=16 type=f16 table=false %data}"},
};
const Choice repairs[] = {
    {"", ""},
    {"LQER", "repair-lqer{rank=3 scaling=none table=false}"},
    {"EoRA", "repair-eora{rank=4 table=false %data}"},
};
const Choice caches[] = {
    {"", ""},
    {"F16Caches", "quantize-kv-cache{keys=f16 values=f16 table=false}"},
    {"I8Caches", "quantize-kv-cache{keys=i8 values=i8 table=false}"},
};
constexpr std::pair<const char *, Family> families[] = {{"Llama", Family::Llama},
                                                        {"GPT2", Family::GPT2},
                                                        {"Gemma", Family::Gemma},
                                                        {"NeoX", Family::NeoX}};

/// A family and passes in their order.
struct Composition {
  Family family = Family::Llama;
  std::string name;
  std::vector<std::string> passes;
};

Composition make(const Combination &choice) {
  Composition made;
  made.name = families[choice[0]].first;
  made.family = families[choice[0]].second;
  // Pruned before or after rounding. Factors come before they are rounded, and make up for it
  // behind.
  const Choice *first = &prunings[choice[2]], *second = &roundings[choice[3]];
  if (choice[5])
    std::swap(first, second);
  const Choice *order[] = {
      &structures[choice[8]], &rewrites[choice[1]], &factorizations[choice[6]], first, second,
      &repairs[choice[7]],    &caches[choice[4]]};
  for (const Choice *each : order)
    if (*each->pass) {
      made.name += each->name;
      made.passes.emplace_back(each->pass);
    }
  return made;
}

/// Whether a pass leaves out single weights.
bool isPruning(llvm::StringRef pass) {
  return pass.starts_with("prune-") && !pass.contains("prune-channels") &&
         !pass.contains("prune-heads");
}

/// What is said where a pass can't do what it is asked for, after the passes before it.
llvm::StringRef getRefusal(const Composition &composition, size_t index) {
  llvm::StringRef pass = composition.passes[index];
  if (composition.family == Family::Gemma &&
      (pass.contains("where=residual") || pass.starts_with("slice")))
    return "expected no 'llmc.rms_norm' between what is added and the residual stream";
  if (pass.contains("where=residual") &&
      llvm::StringRef(composition.passes.front()).starts_with("slice"))
    return "expected one residual stream, found 0";
  if (pass.starts_with("rotate") &&
      llvm::StringRef(composition.passes.front()).starts_with("share-layers"))
    return "is used elsewhere too";
  if (pass.starts_with("rotate") &&
      llvm::StringRef(composition.passes.front()).starts_with("share-kv-cache"))
    return "its values' cache is used several times";
  if (pass.starts_with("repair-") && llvm::none_of(composition.passes, [](llvm::StringRef each) {
        return isPruning(each) || (each.starts_with("quantize-") && !each.contains("cache"));
      }))
    return "expected weights that were rounded or pruned before, found none";
  // A path through a trellis has a number for each weight. SparseGPT leaves rounded ones alone.
  auto isTrellis = [](llvm::StringRef each) { return each.contains("trellis"); };
  llvm::ArrayRef<std::string> before = llvm::ArrayRef(composition.passes).take_front(index);
  if ((isTrellis(pass) && llvm::any_of(before, isPruning)) ||
      (isPruning(pass) && !pass.contains("sparsegpt") && llvm::any_of(before, isTrellis)))
    return "or an encoding that decodes them one by one and keeps all, found #llmc.trellis";
  // Nor has a list of outliers anything to do with a mask.
  auto isSpQR = [](llvm::StringRef each) { return each.starts_with("quantize-spqr"); };
  if (isPruning(pass) && !pass.contains("sparsegpt") && llvm::any_of(before, isSpQR))
    return "or an encoding that decodes them one by one and keeps all, found #llmc.outliers";
  if (isSpQR(pass) && llvm::any_of(before, isPruning))
    return "expected outliers beside an encoding that decodes weights one by one, keeps all";
  return {};
}

std::vector<Composition> makeCompositions() {
  const char *asked = std::getenv("LLMC_COMPOSITION");
  int strength = asked ? std::clamp(std::atoi(asked), 1, 3) : 1;
  std::vector<Composition> compositions;
  llvm::StringMap<bool> names;
  for (const Combination &choice :
       cover({std::size(families), std::size(rewrites), std::size(prunings), std::size(roundings),
              std::size(caches), 2, std::size(factorizations), std::size(repairs),
              std::size(structures)},
             strength)) {
    Composition made = make(choice);
    // Without one of the two their order is none.
    if (names.try_emplace(made.name, true).second)
      compositions.push_back(std::move(made));
  }
  return compositions;
}

/// The bytes that a report says parameters take, by their names.
llvm::StringMap<int64_t> readReport(llvm::StringRef path) {
  auto file = llvm::MemoryBuffer::getFile(path);
  llvm::StringMap<int64_t> bytes;
  if (!file) {
    ADD_FAILURE() << path.str() << ": " << file.getError().message();
    return bytes;
  }
  llvm::Expected<llvm::json::Value> report = llvm::json::parse((*file)->getBuffer());
  if (!report) {
    ADD_FAILURE() << llvm::toString(report.takeError());
    return bytes;
  }
  for (const llvm::json::Value &each : *report->getAsObject()->getArray("parameters"))
    bytes[*each.getAsObject()->getString("name")] = *each.getAsObject()->getInteger("bytes");
  return bytes;
}

std::string replace(llvm::StringRef text, llvm::StringRef from, const std::string &to) {
  auto [before, after] = text.split(from);
  return text.contains(from) ? before.str() + to + after.str() : text.str();
}

class CompositionTest : public ::testing::TestWithParam<Composition> {
protected:
  void SetUp() override {
    static bool registered = (registerTransformsPasses(), true);
    (void)registered;
    report = ::testing::TempDir() + "report" + std::to_string(::getpid()) + ".json";
  }
  void TearDown() override { (void)llvm::sys::fs::remove(report); }

  /// Runs a pass, and expects what it reports to be what the module has then. With `refusal` it is
  /// to fail with this message.
  void run(mlir::ModuleOp module, llvm::StringRef pass, llvm::StringRef refusal) {
    bool reports = pass.contains("%report");
    std::string text =
        replace(replace(pass, "%data", data.str()), "%report", "table=false report=" + report);
    SCOPED_TRACE(text);
    mlir::PassManager manager(module.getContext());
    ASSERT_TRUE(succeeded(mlir::parsePassPipeline(text, manager)));
    std::string errors;
    mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic &diagnostic) {
      if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
        errors += diagnostic.str() + "\n";
    });
    bool done = succeeded(manager.run(module));
    ASSERT_EQ(done, refusal.empty()) << errors;
    if (!done) {
      EXPECT_TRUE(llvm::StringRef(errors).contains(refusal)) << errors;
      return;
    }
    ASSERT_TRUE(succeeded(mlir::verify(module)));
    if (reports)
      expectReported(module, rounded && pass.starts_with("prune-sparsegpt"));
    rounded |= pass.starts_with("quantize-") && !pass.starts_with("quantize-kv-cache");
  }

  /// `nothing` where the pass is to leave all weights alone.
  void expectReported(mlir::ModuleOp module, bool nothing) {
    llvm::StringMap<int64_t> reported = readReport(report);
    EXPECT_EQ(reported.empty(), nothing);
    for (const auto &each : reported) {
      auto parameter = module.lookupSymbol<ParameterOp>(each.getKey());
      ASSERT_TRUE(parameter) << each.getKey().str();
      mlir::RankedTensorType type = parameter.getTensorType();
      auto encoding = llvm::dyn_cast_or_null<EncodingInterface>(type.getEncoding());
      ASSERT_TRUE(encoding) << each.getKey().str();
      EXPECT_EQ(CanonicalForm::get(encoding, type.getShape()).size, each.getValue())
          << each.getKey().str();
    }
  }

  std::string report;
  /// What weights make up for one another is not rounded again.
  bool rounded = false;
};

/// Whether something is rounded while the model runs: then an element may lie on either side of a
/// half, and is a whole step apart.
bool roundsWhileRunning(mlir::ModuleOp module) {
  bool rounds = false;
  module.walk([&](LinearOp linear) { rounds |= linear.getActivation().has_value(); });
  module.walk([&](mlir::func::FuncOp function) {
    for (mlir::Type type : function.getArgumentTypes())
      if (auto cache = llvm::dyn_cast<KVCacheType>(type))
        rounds |= !llvm::isa<PlainAttr>(cache.getKeys()) ||
                  !llvm::cast<PlainAttr>(cache.getKeys()).getElement().isF32();
  });
  return rounds;
}

} // namespace

TEST_P(CompositionTest, ComputesWhatItMeans) {
  std::unique_ptr<mlir::MLIRContext> context = makeMeaningContext();
  mlir::OwningOpRef<mlir::ModuleOp> module = parseModel(*context, writeModel(GetParam().family));
  for (auto [index, pass] : llvm::enumerate(GetParam().passes)) {
    llvm::StringRef refusal = getRefusal(GetParam(), index);
    run(*module, pass, refusal);
    if (HasFatalFailure() || !refusal.empty())
      return;
  }
  double tolerance = roundsWhileRunning(*module) ? 2e-2 : 2e-5;
  Comparison comparison(*module);
  comparison.step(StepRows::sequence({17, 4, 23, 9, 9, 3}), tolerance);
  comparison.step(StepRows::sequence({41}, 6), tolerance);
}

INSTANTIATE_TEST_SUITE_P(Covering, CompositionTest, ::testing::ValuesIn(makeCompositions()),
                         [](const ::testing::TestParamInfo<Composition> &info) {
                           return info.param.name;
                         });

TEST(Covering, HasEveryTuple) {
  const std::vector<int> choices = {3, 2, 4, 2};
  for (int strength : {2, 3}) {
    std::vector<Combination> found = cover(choices, strength);
    auto has = [&](int a, int x, int b, int y) {
      return llvm::any_of(found, [&](const Combination &c) { return c[a] == x && c[b] == y; });
    };
    for (int a = 0; a < 4; ++a)
      for (int b = a + 1; b < 4; ++b)
        for (int x = 0; x < choices[a]; ++x)
          for (int y = 0; y < choices[b]; ++y)
            EXPECT_TRUE(has(a, x, b, y)) << a << x << b << y;
    EXPECT_LT(found.size(), strength == 2 ? 17u : 36u);
  }
}
