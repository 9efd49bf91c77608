//===- Raiser.h - from the carrier's graph to the language of models ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_LIB_CONVERSION_ONNXTOLLMC_RAISER_H
#define LLMC_LIB_CONVERSION_ONNXTOLLMC_RAISER_H

#include "Evaluate/Probe.h"
#include "Raise/Abstract.h"
#include "Raise/Masks.h"
#include "Raise/Parameters.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace llmc {

/// A factor of rotations: column `column` of a known tensor that varies with the position.
struct RowFactor {
  mlir::Value value;
  int64_t column;             ///< in its last axis
  std::vector<double> values; ///< at the probe's positions
  double roundoff = 0;        ///< of the values, as in HostTensor
  bool operator<(const RowFactor &other) const { return values < other.values; }
};

/// What has to hold at other lengths too, checked by a second probe.
struct LengthChecks {
  struct Angle { ///< scaling · cos(frequency · position) and scaling · sin(…)
    int32_t cosine, sine;
    double frequency, scaling;
  };
  struct MaskCheck {
    llvm::SmallVector<Scores::Mask> masks;
    MaskMeaning meaning;
    mlir::Location location;
  };
  struct Condition {
    mlir::Value value;
    bool taken;
    mlir::Location location;
  };
  struct Number {
    mlir::Value value;
    double number;
    mlir::Location location;
  };
  std::vector<Angle> angles;
  std::vector<Number> numbers;
  std::vector<Condition> conditions;
  std::vector<MaskCheck> masks;
};

/// Columns of one view: more than any vocabulary or width has.
inline constexpr int64_t maxColumns = int64_t(1) << 20;

/// Where functions of one variable are sampled.
std::vector<double> getSamplePoints();
/// The nonlinearity that has these samples, if it is one of the dialect's.
std::optional<Nonlinearity> recognizeFunction(const Function &function);

/// Raises one graph. Methods that raise a node return failure with `reason` set.
class Raiser {
public:
  Raiser(carrier::GraphOp graph, llvm::ArrayRef<ModelInput> inputs, Probe &probe,
         mlir::func::FuncOp step, int64_t capacity);

  /// Raises everything; problems are collected per node.
  void run();
  llvm::ArrayRef<ProbeProblem> getProblems() const { return problems; }
  const LengthChecks &getChecks() const { return checks; }
  mlir::func::FuncOp getStep() const { return step; }
  ProbeSizes getSizes() const { return probe.getSizes(); }
  llvm::ArrayRef<RowFactor> getFactors() const { return factors; }

  /// Ends the function with the model's logits.
  mlir::LogicalResult finish();

private:
  friend struct RaiseTable;
  using Method = mlir::LogicalResult (Raiser::*)(Node &);
  static Method find(llvm::StringRef type);

  // One method per group of operators.
  mlir::LogicalResult raiseMovement(Node &node);
  mlir::LogicalResult raiseConcat(Node &node);
  mlir::LogicalResult raiseGather(Node &node);
  mlir::LogicalResult raiseElementwise(Node &node);
  mlir::LogicalResult raiseReduction(Node &node);
  mlir::LogicalResult raiseSoftmax(Node &node);
  mlir::LogicalResult raiseIsNaN(Node &node);
  mlir::LogicalResult raiseMatMul(Node &node);
  mlir::LogicalResult raiseGemm(Node &node);
  mlir::LogicalResult raiseMatMulNBits(Node &node);
  mlir::LogicalResult raiseGatherBlockQuantized(Node &node);
  mlir::LogicalResult raiseDynamicQuantizeLinear(Node &node);
  mlir::LogicalResult raiseMatMulInteger(Node &node);
  mlir::LogicalResult raiseDequantizeLinear(Node &node);
  mlir::LogicalResult raiseRMSNorm(Node &node);
  mlir::LogicalResult raiseLayerNorm(Node &node);
  mlir::LogicalResult raiseSkipNorm(Node &node);
  mlir::LogicalResult raiseGelu(Node &node);
  mlir::LogicalResult raiseRotary(Node &node);
  mlir::LogicalResult raiseContribRotary(Node &node);
  mlir::LogicalResult raiseAttention(Node &node);
  mlir::LogicalResult raiseGroupQueryAttention(Node &node);

  // Elementwise operators, by what their operands are.
  mlir::LogicalResult raiseOnIntegers(Node &node);
  mlir::LogicalResult raiseOnScores(Node &node);
  mlir::LogicalResult raiseWhere(Node &node);
  mlir::LogicalResult raiseOnStatistic(Node &node);
  mlir::LogicalResult raiseOnNormal(Node &node, bool &handled);
  mlir::LogicalResult raiseAsFunction(Node &node, bool &handled);
  mlir::LogicalResult raiseWithConstant(Node &node, unsigned data);
  mlir::LogicalResult raiseBinary(Node &node);

  // Operands and results.
  mlir::Value operand(Node &node, unsigned i) const {
    return probe.resolve(node.op.getInputs()[i]);
  }
  bool has(Node &node, unsigned i) const;
  const Abstract &get(mlir::Value value) const;
  template <typename T>
  const T *getIf(Node &node, unsigned i) const {
    return has(node, i) ? std::get_if<T>(&get(operand(node, i))) : nullptr;
  }
  bool isData(Node &node, unsigned i) const;
  const HostTensor &tensor(mlir::Value value) const { return *probe.get(value); }
  std::optional<double> getScalar(Node &node, unsigned i);
  std::optional<ConstantView> getConstant(Node &node, unsigned i);
  void set(Node &node, unsigned result, Abstract value);
  void assign(mlir::Value value, Abstract abstract);
  void release(size_t index, Node &node);
  void findLastUses();
  void raiseNode(Node &node);
  mlir::LogicalResult fail(const llvm::Twine &why);

  // Views.
  int64_t getRowCount(const View &view) const;
  std::optional<View> separate(const HostTensor &indices, std::shared_ptr<Base> base, int past,
                               int64_t rows, const std::vector<Column> &table) const;
  HostTensor getIndices(const View &view, int64_t first) const;
  std::optional<View> getView(Node &node, unsigned i);
  std::optional<View> getRows(Node &node, unsigned i);
  std::optional<View> toView(const Abstract &value);
  View makeView(mlir::Value value, llvm::ArrayRef<int64_t> shape);
  View makeView(std::shared_ptr<Base> base, llvm::ArrayRef<int64_t> shape);
  /// Whether two views are the same columns of the same rows, times factors that are equal but for
  /// rounding.
  static bool sameColumns(const View &a, const View &b);
  std::optional<View> applyMovement(const View &view, llvm::ArrayRef<int64_t> newShape,
                                    llvm::ArrayRef<int64_t> permutation);

  mlir::FailureOr<View> findLogits();

  // Emission.
  struct Matrix {
    mlir::Value value;
    double coefficient = 1;
  };
  mlir::Value selectOutputRows(mlir::Value logits);
  mlir::FailureOr<Matrix> materialize(const View &view);
  mlir::FailureOr<mlir::Value> materializeExactly(const View &view);
  mlir::FailureOr<mlir::Value> emitColumns(Base &base, std::vector<int64_t> columns);
  mlir::FailureOr<Matrix> emitRotation(const View &view);
  mlir::Value emitSum(mlir::Value a, mlir::Value b);
  mlir::FailureOr<View> emitNormal(const Normal &normal);
  mlir::FailureOr<mlir::Value> emitFunctionOf(mlir::Value input, const Function &function);
  mlir::FailureOr<View> emitFunction(const Function &function);
  mlir::LogicalResult emitLinear(Node &node, const View &input, Weight weight,
                                 std::optional<Weight> bias, DynamicAttr activation);
  mlir::LogicalResult emitIntegerLinear(Node &node, const IntegerProduct &product);
  mlir::LogicalResult emitEmbedding(Node &node, Weight table);
  mlir::FailureOr<View> emitAttention(View query, View keys, View values, const Scores &scores,
                                      llvm::ArrayRef<int64_t> shape);
  mlir::FailureOr<View> makeHeads(const View &view, llvm::ArrayRef<int64_t> batch, int64_t size);
  mlir::FailureOr<View> makeCachedHeads(const View &heads);
  mlir::FailureOr<View> concatPast(const PastValue &past, const View &view);
  mlir::FailureOr<View> splitHeads(const View &view, int64_t heads);
  mlir::FailureOr<MaskMeaning> classifyMasks(const Scores &scores);
  mlir::FailureOr<mlir::DenseF32ArrayAttr> makeSlopes(llvm::ArrayRef<double> slopes, int64_t heads);
  mlir::Value getCache(int keyPast, int valuePast, int64_t heads, int64_t size);
  mlir::FailureOr<View> rotate(const View &view, const HostTensor &cosine, const HostTensor &sine,
                               mlir::Value cosineValue, mlir::Value sineValue, int64_t heads,
                               int64_t rotated, bool interleaved);
  std::optional<std::vector<float>> getTableFrequencies(const HostTensor &cosine,
                                                        const HostTensor &sine, double &scaling);
  mlir::FailureOr<std::pair<HostTensor, HostTensor>>
  getTableAngles(mlir::Value cosine, mlir::Value sine, mlir::ArrayRef<double> places);
  mlir::FailureOr<mlir::Value> emitPositionEmbedding(mlir::Value known);
  std::optional<Weight> getVector(Node &node, unsigned i, int64_t size);
  std::optional<Weight> getMatrix(Node &node, unsigned i);
  std::optional<Dequantized> getDequantized(mlir::Value value);
  std::optional<Weight> getScaledTable(Node &node, ConstantView codes);
  mlir::LogicalResult settle(Weight &weight);
  int32_t addFactor(RowFactor factor);

  carrier::GraphOp graph;
  llvm::ArrayRef<ModelInput> inputs;
  Probe &probe;
  mlir::func::FuncOp step;
  int64_t capacity;
  mlir::OpBuilder builder;
  mlir::Location location;
  Parameters parameters;
  mlir::Value tokens, rows, positions;
  llvm::DenseMap<mlir::Value, Abstract> abstracts;
  llvm::DenseMap<mlir::Value, size_t> lastUses; ///< by the index of the node
  llvm::DenseMap<std::pair<mlir::Value, uint32_t>, mlir::Value> scaled; ///< by a factor's bits
  std::vector<RowFactor> factors;
  std::map<std::vector<double>, int32_t> factorIds;
  std::map<std::pair<int, int>, unsigned> slots; ///< past inputs of keys and values → argument
  LengthChecks checks;
  std::vector<ProbeProblem> problems;
  std::string reason;
  int64_t liveColumns = 0;  ///< of everything in `abstracts`
  mutable int64_t work = 0; ///< elements that views were moved, compared and made of
};

} // namespace llmc

#endif // LLMC_LIB_CONVERSION_ONNXTOLLMC_RAISER_H
