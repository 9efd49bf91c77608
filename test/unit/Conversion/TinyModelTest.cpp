//===- TinyModelTest.cpp - what the embedded model means against what ships ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// models/tiny takes the whole way: its ONNX file imported and raised, and the steps of its text run
// as plain arithmetic and as they ship.
//
//===----------------------------------------------------------------------===//

#include "MeaningTestSupport.h"
#include "llmc/Conversion/ImportONNX/ImportONNX.h"
#include "llmc/Pipelines/Raise.h"
#include "llmc/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llmc;
using namespace llmc::test;

namespace {

/// Of a step's largest logit. A sum of up to 768 products in another order differs by some 768^½ ·
/// 2⁻²⁴ = 1.7e-6 of what is summed, where errors are of both signs; norms keep layers from adding
/// much.
constexpr double ofLargestLogit = 1e-5;

class TinyModel : public ::testing::Test {
protected:
  void SetUp() override {
    auto file = llvm::MemoryBuffer::getFile(TINY_MODEL, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
    ASSERT_TRUE(static_cast<bool>(file)) << file.getError().message();
    module = importONNX((*file)->getMemBufferRef(), context.get());
    ASSERT_TRUE(static_cast<bool>(module));
    RaiseOptions options;
    options.context = 32;
    ASSERT_TRUE(succeeded(raiseModel(*module, options)));
  }

  void run(std::unique_ptr<mlir::Pass> pass) {
    mlir::PassManager manager(context.get());
    manager.addPass(std::move(pass));
    ASSERT_TRUE(succeeded(manager.run(*module)));
  }

  void quantize(ActivationRounding activation, llvm::StringRef format = "int") {
    QuantizeRTNOptions options;
    options.format = format.str();
    options.activation = activation;
    options.table = false;
    run(createQuantizeRTN(options));
  }

  void calibrate(llvm::StringRef format, ActivationRounding activation) {
    QuantizeGPTQOptions options;
    options.format = format.str();
    options.activation = activation;
    options.calibration = "self";
    options.samples = 4;
    options.sequenceLength = 16;
    options.table = false;
    run(createQuantizeGPTQ(options));
  }

  void prune() {
    PruneMagnitudeOptions options;
    options.table = false;
    run(createPruneMagnitude(options));
  }

  /// Leaves out channels and heads, of each layer as many as one threshold says, and a layer.
  void pruneStructure() {
    PruneChannelsOptions channels;
    PruneHeadsOptions heads;
    DropLayersOptions layers;
    channels.ratio = heads.ratio = 0.25;
    channels.calibration = "self";
    channels.samples = 4;
    channels.sequenceLength = 16;
    heads.score = UnitScore::Magnitude;
    heads.compensate = false;
    layers.layers = {1};
    channels.table = heads.table = layers.table = false;
    run(createPruneHeads(heads));
    run(createPruneChannels(channels));
    run(createDropLayers(layers));
  }

  void shareLayers() {
    ShareLayersOptions options;
    options.table = false;
    run(createShareLayers(options));
  }

  void factorize() {
    FactorizeSVDOptions options;
    options.keep = "0.5";
    options.table = false;
    run(createFactorizeSVD(options));
  }

  void repair() {
    RepairLQEROptions options;
    options.rank = 8;
    options.scaling = ResidualScaling::None;
    options.table = false;
    run(createRepairLQER(options));
  }

  void compare(double allowed) {
    Comparison comparison(*module);
    // "Abraham took another wife, and her name was", then " K".
    comparison.step(StepRows::sequence({33, 66, 1388, 719, 976, 1012, 12, 270, 474, 669, 375}),
                    allowed);
    comparison.step(StepRows::sequence({694}, 11), allowed);
  }

  std::unique_ptr<mlir::MLIRContext> context = makeMeaningContext();
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

} // namespace

TEST_F(TinyModel, AsImported) { compare(ofLargestLogit); }

TEST_F(TinyModel, QuantizedTo4Bits) {
  quantize(ActivationRounding::None);
  compare(ofLargestLogit);
}

TEST_F(TinyModel, QuantizedToNF4) {
  quantize(ActivationRounding::Auto, "nf4");
  compare(ofLargestLogit);
}

TEST_F(TinyModel, QuantizedToNVFP4) {
  quantize(ActivationRounding::Auto, "nvfp4");
  compare(ofLargestLogit);
}

TEST_F(TinyModel, QuantizedToMXINT8WithActivationsIn8) {
  quantize(ActivationRounding::Auto, "mxint8");
  compare(1e-2);
}

TEST_F(TinyModel, CalibratedToMXFP6) {
  calibrate("mxfp6", ActivationRounding::Auto);
  compare(ofLargestLogit);
}

TEST_F(TinyModel, CalibratedToNF4) {
  calibrate("nf4", ActivationRounding::Auto);
  compare(ofLargestLogit);
}

TEST_F(TinyModel, QuantizedToATrellis) {
  quantize(ActivationRounding::None, "trellis");
  compare(ofLargestLogit);
}

TEST_F(TinyModel, CalibratedToATrellisWithActivationsIn8) {
  calibrate("trellis", ActivationRounding::Auto);
  compare(1e-2);
}

TEST_F(TinyModel, QuantizedToCodebooks) {
  quantize(ActivationRounding::None, "codebook");
  compare(ofLargestLogit);
}

// Pruned before and after weights are rounded, by a pass that calibrates and by one that does not.
TEST_F(TinyModel, PrunedAndQuantized) {
  prune();
  calibrate("int", ActivationRounding::None);
  compare(ofLargestLogit);
}

TEST_F(TinyModel, QuantizedAndPruned) {
  quantize(ActivationRounding::None);
  prune();
  compare(ofLargestLogit);
}

TEST_F(TinyModel, PrunedToNF4) {
  prune();
  quantize(ActivationRounding::Auto, "nf4");
  compare(ofLargestLogit);
}

TEST_F(TinyModel, PrunedAndQuantizedWithActivationsIn8) {
  prune();
  quantize(ActivationRounding::I8);
  compare(1e-2);
}

TEST_F(TinyModel, WithLessStructure) {
  pruneStructure();
  compare(ofLargestLogit);
}

TEST_F(TinyModel, WithSharedLayersAndActivationsIn8) {
  shareLayers();
  quantize(ActivationRounding::I8);
  compare(1e-2);
}

TEST_F(TinyModel, FactoredAndQuantized) {
  factorize();
  quantize(ActivationRounding::None);
  compare(ofLargestLogit);
}

TEST_F(TinyModel, PrunedQuantizedAndRepaired) {
  prune();
  quantize(ActivationRounding::None);
  repair();
  compare(ofLargestLogit);
}

// As in MeaningOfModel.RoundedActivations, an activation near a half may be a whole step apart.
TEST_F(TinyModel, QuantizedTo4BitsWithActivationsIn8) {
  quantize(ActivationRounding::I8);
  compare(1e-2);
}
