//===- OriginalWeightsTest.cpp - weights as they were before they were rounded ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Transforms/LowRank/OriginalWeights.h"
#include "TransformsTestSupport.h"
#include "llmc/Dialect/LLMC/IR/Original.h"
#include "llmc/Dialect/LLMC/IR/ParameterData.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace llmc;

namespace {

class OriginalWeightsTest : public test::WeightsTest {
protected:
  /// Rounds a parameter to 8 bits, all of which are zero, and remembers what it was.
  void round(ParameterOp parameter) {
    auto type = RankedTensorType::get(parameter.getTensorType().getShape(), builder.getF32Type(),
                                      GroupedAttr::get(&context, 8, GroupedAttr::channelGroup,
                                                       ZeroPoint::None, builder.getF16Type()));
    auto size = getParameterByteSize(type, [&] { return parameter.emitError(); });
    ASSERT_TRUE(succeeded(size));
    compressParameter(parameter, type,
                      makeParameterData(&context, parameter.getSymName(),
                                        std::vector<uint8_t>(static_cast<size_t>(*size), 0)));
  }
};

TEST_F(OriginalWeightsTest, AreThoseBeforeRounding) {
  ParameterOp parameter = makeParameter({1, 2, 3, 4, 5, 7}, 2);
  SmallVector<SelectedWeight> weights{{parameter, {}, false}};
  round(parameter);
  ASSERT_TRUE(succeeded(findOriginals(*module, "", weights)));
  ASSERT_EQ(weights.size(), 1U);
  FailureOr<WeightValues> values = readOriginal(parameter);
  ASSERT_TRUE(succeeded(values));
  EXPECT_EQ(std::vector<float>(values->data.begin(), values->data.end()),
            (std::vector<float>{1, 2, 3, 4, 5, 7}));
}

TEST_F(OriginalWeightsTest, HashesTellThemApart) {
  std::vector<std::string> hashes;
  for (float last : {7.0F, 8.0F, 7.0F}) {
    module->getBody()->clear();
    ParameterOp parameter = makeParameter({1, 2, 3, 4, 5, last}, 2);
    round(parameter);
    FailureOr<std::string> hash = hashOriginals({{parameter, {}, false}});
    ASSERT_TRUE(succeeded(hash));
    hashes.push_back(*hash);
  }
  EXPECT_NE(hashes[0], hashes[1]);
  EXPECT_EQ(hashes[0], hashes[2]);
}

TEST_F(OriginalWeightsTest, WeightsThatAreWholeHaveNone) {
  SmallVector<SelectedWeight> weights{{makeParameter({1, 2, 3, 4, 5, 7}, 2), {}, false}};
  std::string message;
  ScopedDiagnosticHandler handler(&context,
                                  [&](Diagnostic &diagnostic) { message += diagnostic.str(); });
  EXPECT_TRUE(failed(findOriginals(*module, "", weights)));
  EXPECT_NE(message.find("expected weights that were rounded or pruned before, found none"),
            std::string::npos)
      << message;
}

} // namespace
