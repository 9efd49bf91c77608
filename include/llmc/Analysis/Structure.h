//===- Structure.h - what the parts of a model are for ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Passes that change several weights together ask here which ones belong together, and know no
// architecture themselves:
//
//   Structure structure(step);
//   for (const ChannelGroup &group : structure.getGroups()) …      // what is pruned together
//   if (const InputScale *scale = structure.getScale(linear)) …    // where a scale can go
//
// All answers follow from the operations and the flow of values between them, never from names.
// What is not understood is said (getUnknowns()) and is part of no group.
//
// A structure is of one function in the flat form (see llmc/Transforms/Blocks.h) and points into
// it: it is valid until the function changes.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_ANALYSIS_STRUCTURE_H
#define LLMC_ANALYSIS_STRUCTURE_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"

namespace llmc {

//===----------------------------------------------------------------------===//
// Roles
//===----------------------------------------------------------------------===//

/// What the weights of an embedding, a linear or a norm do.
enum class Role {
  Unknown,
  Embedding,         ///< of tokens
  PositionEmbedding, ///< of positions
  EmbeddingNorm,     ///< of what the embeddings give, before the first block
  AttentionNorm,     ///< before queries, keys and values
  Query,
  Key,
  Value,
  QueryNorm,
  KeyNorm,
  ValueNorm,
  AttentionInnerNorm, ///< between attention and its output projection
  Output,             ///< behind attention
  AttentionPostNorm,  ///< of what attention adds
  MLPNorm,            ///< before the gate and what it gates
  Gate,               ///< what goes through the nonlinear function of a gated MLP
  Up,                 ///< the other input of the gate, or what goes into a plain MLP's function
  MLPInnerNorm,       ///< between the middle of an MLP and `Down`
  Down,
  MLPPostNorm, ///< of what an MLP adds
  FinalNorm,   ///< before the head
  Head,        ///< what computes logits
};

/// Whether it is a norm, of whichever kind.
inline bool isNorm(mlir::Operation *op) {
  return mlir::isa_and_nonnull<RMSNormOp, LayerNormOp>(op);
}

/// The rows of which an operation computes a function, element by element, where it does: an
/// ActivationOp, or a linalg.generic that reads one tensor and nothing of another place; else null.
mlir::Value getFunctionInput(mlir::Operation *op);

/// "query", "mlp_norm", …
llvm::StringRef stringifyRole(Role role);

/// Outputs `begin` to `begin + size` of a linear, and what they are for.
struct LinearPart {
  Role role = Role::Unknown;
  int64_t begin = 0, size = 0;
};

//===----------------------------------------------------------------------===//
// The residual stream
//===----------------------------------------------------------------------===//

/// Something that becomes a part of a residual stream's sum.
struct StreamWrite {
  /// The linear or embedding that computes it, or what else does; null where `from` is given.
  mlir::Operation *source = nullptr;
  /// The value of another stream that goes on in this one, behind a norm.
  mlir::Value from;
  /// The scales, norms and rotations between the source and the stream, in the order of the
  /// program.
  llvm::SmallVector<mlir::Operation *> through;
};

/// Readers of one value of a residual stream, behind one norm.
struct StreamRead {
  mlir::Operation *norm = nullptr; ///< null where they read the value as it is
  llvm::SmallVector<mlir::Operation *> readers;
};

/// Values that are sums of one start and of what the blocks have added so far. Models that have a
/// norm between blocks, instead of before what a block does, have a stream for each part.
struct ResidualStream {
  /// In the order of the program. Scales and choices of rows of a value count as the stream too.
  llvm::SmallVector<mlir::Value> values;
  llvm::SmallVector<StreamWrite> writes; ///< in the order of the program, first what it starts with
  llvm::SmallVector<StreamRead> reads;
};

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

/// A part of a parameter's axis that runs over the channels of a group: unit i is elements begin +
/// i · perUnit to begin + (i + 1) · perUnit.
struct ChannelMember {
  ParameterOp parameter;
  unsigned axis = 0; ///< of a matrix 0: outputs, 1: inputs
  int64_t begin = 0, perUnit = 1;
};

/// Channels that belong together across weights: unit i of all members can only be removed,
/// reordered or scaled together.
struct ChannelGroup {
  enum class Kind {
    Residual, ///< the channels of the residual stream
    Hidden,   ///< others between linears, such as those in the middle of an MLP; a unit is one
    Heads     ///< a unit is a key/value head with the query heads that share it
  };
  Kind kind = Kind::Hidden;
  int64_t count = 0; ///< units
  llvm::SmallVector<ChannelMember> members;
  /// Of Kind::Heads: the attentions. Their attributes, those of `headed` and the caches' types
  /// count heads, and their slopes have one element per query head.
  llvm::SmallVector<AttentionOp> attentions;
  llvm::SmallVector<mlir::Operation *> headed; ///< rotations and norms that go by heads
  /// Norms over all channels: removing one changes the others' statistic.
  llvm::SmallVector<mlir::Operation *> norms;
};

//===----------------------------------------------------------------------===//
// Scales
//===----------------------------------------------------------------------===//

/// Rows of a matrix (or elements of a vector) that a scale multiplies.
struct ScaledRows {
  ParameterOp parameter;
  int64_t begin = 0;
};

/// Whether the columns of an input can be divided by factors without a change of the results: the
/// factors multiply the columns of all `readers`, and what makes the input is divided by them.
struct InputScale {
  mlir::Value input;
  llvm::SmallVector<LinearOp> readers; ///< all linears that read it, in the order of the program
  /// The norm or linear that can be divided; null where none can, for `reason`.
  mlir::Operation *producer = nullptr;
  llvm::SmallVector<ScaledRows> rows; ///< its parameters: gain or weight, and bias
  int64_t count = 0;                  ///< factors
  /// Columns that share a factor where query heads share a value head; see getFactor().
  int64_t sharing = 1, headSize = 0;
  bool positiveOnly = false; ///< a relu lies between: the factors have to be positive
  std::string reason;

  bool isPossible() const { return producer != nullptr; }
  /// The factor that column `column` of the input has.
  int64_t getFactor(int64_t column) const {
    return sharing == 1 ? column : column / (sharing * headSize) * headSize + column % headSize;
  }
};

//===----------------------------------------------------------------------===//
// All of it
//===----------------------------------------------------------------------===//

/// Something that the analysis does not understand and leaves out.
struct UnknownPart {
  mlir::Operation *op;
  std::string reason;
};

class Structure {
public:
  /// Analyzes a function in the flat form.
  explicit Structure(mlir::func::FuncOp function);

  mlir::func::FuncOp getFunction() const { return function; }

  /// Of an embedding, linear or norm. Unknown for a linear whose outputs have several roles.
  Role getRole(mlir::Operation *op) const { return roles.lookup(op); }
  /// What the outputs of a linear are for: one part, or those that slices cut them into; two of the
  /// same outputs where they are, say, both keys and values.
  llvm::ArrayRef<LinearPart> getParts(LinearOp linear) const;
  /// The block that an attention, linear or norm belongs to, counted from the first attention on;
  /// nothing for embeddings, the head, and what has no role.
  std::optional<int64_t> getBlock(mlir::Operation *op) const;
  int64_t getNumBlocks() const { return numBlocks; }
  /// Whether it is computed only for the rows whose logits are wanted.
  bool isOfOutputRows(mlir::Operation *op) const { return ofOutputRows.contains(op); }

  llvm::ArrayRef<ResidualStream> getStreams() const { return streams; }

  llvm::ArrayRef<ChannelGroup> getGroups() const { return groups; }
  /// The group that element `index` of an axis of a parameter belongs to, or null.
  const ChannelGroup *getGroup(ParameterOp parameter, unsigned axis, int64_t index = 0) const;

  /// One for each value that linears read, in the order of the program.
  llvm::ArrayRef<InputScale> getScales() const { return scales; }
  /// That of a linear's input.
  const InputScale *getScale(LinearOp linear) const;

  llvm::ArrayRef<UnknownPart> getUnknowns() const { return unknowns; }

  /// Writes all of it as text, one fact a line, the same for the same function.
  void print(llvm::raw_ostream &stream) const;

private:
  friend class RoleFinder;
  friend class StreamFinder;
  friend class ChannelFinder;
  friend class ScaleFinder;

  /// The parameter that a value reads, or null.
  ParameterOp getParameter(mlir::Value value) const;

  mlir::func::FuncOp function;
  llvm::DenseMap<mlir::StringAttr, ParameterOp> parameters;
  llvm::DenseMap<mlir::Operation *, Role> roles;
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<LinearPart, 1>> parts;
  llvm::DenseMap<mlir::Operation *, int64_t> blocks;
  int64_t numBlocks = 0;
  llvm::DenseSet<mlir::Operation *> ofOutputRows;
  std::vector<ResidualStream> streams;
  std::vector<ChannelGroup> groups;
  std::vector<InputScale> scales;
  llvm::DenseMap<mlir::Value, size_t> scaleOfInput;
  std::vector<UnknownPart> unknowns;
};

} // namespace llmc

#endif // LLMC_ANALYSIS_STRUCTURE_H
