//===- MeaningFixture.h - what tests of meanings share ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Differences are roundings alone: sums of up to some hundred products in fp32 in another order,
// and exp, sin and cos by other means. Rounded activations are no exception as long as both sides
// round the same numbers: a sum over integers then differs as any other sum.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TEST_UNIT_CONVERSION_MEANINGFIXTURE_H
#define LLMC_TEST_UNIT_CONVERSION_MEANINGFIXTURE_H

#include "EncodingTestSupport.h"
#include "MeaningTestSupport.h"

#include <fstream>
#include <unistd.h>

namespace llmc::test {

/// Of a result's largest element.
inline constexpr double tolerance = 1e-5;

/// A file that is gone after the test, by a name of its own: files that are read stay mapped.
class ParameterFile {
public:
  template <typename T>
  explicit ParameterFile(const std::vector<T> &values) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T));
  }
  ~ParameterFile() { std::remove(path.c_str()); }

  const std::string path = ::testing::TempDir() + "parameters" + std::to_string(::getpid()) + "." +
                           std::to_string(count++) + ".bin";

private:
  static inline int count = 0;
};

class Meaning : public ::testing::Test {
protected:
  std::unique_ptr<mlir::MLIRContext> context = makeMeaningContext();

  /// Compares the results of a function on three rows.
  void compare(const std::string &text) {
    mlir::OwningOpRef<mlir::ModuleOp> module = parseModel(*context, text);
    step(*module, {StepRows::sequence({1, 2, 3})});
  }

  /// Compares the results of steps, whichever way operations run: by kernels, or by what they mean.
  void step(mlir::ModuleOp module, const std::vector<StepRows> &steps, double allowed = tolerance,
            int64_t sequences = 1) {
    for (auto [kernels, workers] : {std::pair("all", 1), std::pair("meaning", 3)}) {
      SCOPED_TRACE(kernels);
      Comparison comparison(module, sequences, kernels, workers);
      for (const StepRows &rows : steps)
        comparison.step(rows, allowed);
    }
  }

  /// The tensors that a function without arguments gives.
  std::vector<HostTensor> evaluate(const std::string &text) {
    mlir::OwningOpRef<mlir::ModuleOp> module = parseModel(*context, text);
    std::vector<HostTensor> inputs;
    return PlainProgram(*module).run(inputs);
  }

  /// Compares the values of a parameter with those that a matrix says it has.
  template <typename Matrix>
  void expectDecodes(const Matrix &matrix, int64_t rows, int64_t columns) {
    ParameterFile file(matrix.getCanonicalForm());
    std::string type;
    auto f32 = mlir::Float32Type::get(context.get());
    llvm::raw_string_ostream(type)
        << mlir::RankedTensorType::get({rows, columns}, f32, matrix.getAttr());
    std::vector<HostTensor> found =
        evaluate("llmc.parameter @w : " + type + " = #llmc.file<\"" + file.path +
                 "\", offset = 0>\nfunc.func @step() -> " + type +
                 " {\n%0 = llmc.parameter_value @w : " + type + "\nreturn %0 : " + type + "\n}");
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t column = 0; column < columns; ++column)
        EXPECT_EQ(found[0].as<float>()[row * columns + column],
                  static_cast<float>(matrix.getValue(row, column)));
  }
};

/// Declares a parameter of random values.
inline std::string parameter(const std::string &name, const std::string &type) {
  return "llmc.parameter @" + name + " : " + type + " = #llmc.file<\"random\", offset = 0>\n";
}

/// `size` rows of `prefix`, joined by commas: "%0, %1".
inline std::string list(const std::string &prefix, size_t size, bool numbered = true) {
  std::string text;
  for (size_t i = 0; i < size; ++i)
    text += (i ? ", " : "") + prefix + (numbered ? std::to_string(i) : "");
  return text;
}

} // namespace llmc::test

#endif // LLMC_TEST_UNIT_CONVERSION_MEANINGFIXTURE_H
