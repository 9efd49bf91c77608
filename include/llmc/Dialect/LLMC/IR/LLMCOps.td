//===- LLMCOps.td - operations of the llmc dialect -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_LLMCOPS_TD
#define LLMC_DIALECT_LLMC_IR_LLMCOPS_TD

include "llmc/Dialect/LLMC/IR/LLMCDialect.td"
include "llmc/Dialect/LLMC/IR/LLMCEnums.td"
include "llmc/Dialect/LLMC/IR/LLMCAttrs.td"
include "llmc/Dialect/LLMC/IR/LLMCOpInterfaces.td"
include "llmc/Dialect/LLMC/IR/LLMCTypes.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

/// The sizes of a tensor from dimension `first` on are known and positive.
class LLMC_KnownSizes<int first> : CPred<
    "::llvm::all_of(::llvm::cast<::mlir::ShapedType>($_self).getShape().drop_front("
    # first # "), [](int64_t size) { return size > 0; })">;
class LLMC_Sized<Type type, int first, string what>
    : Type<And<[type.predicate, LLMC_KnownSizes<first>]>, type.summary # " with " # what,
           "::mlir::RankedTensorType">;

/// Activations: rows × width in fp32.
def LLMC_Activations : LLMC_Sized<2DTensorOf<[F32]>, 1, "a width that is known and positive">;
/// One integer per row.
def LLMC_RowIntegers : 1DTensorOf<[I32]>;
/// A matrix of weights, out × in.
def LLMC_Matrix
    : LLMC_Sized<2DTensorOf<[F32, F16, BF16]>, 0, "sizes that are known and positive">;
/// A vector of weights.
def LLMC_Vector
    : LLMC_Sized<1DTensorOf<[F32, F16, BF16]>, 0, "a size that is known and positive">;

class LLMC_Op<string mnemonic, list<Trait> traits = []> : Op<LLMC_Dialect, mnemonic, traits>;

/// An operation that takes part in a plan (StageOpInterface); `rows` are its row operands.
class LLMC_StageOp<string mnemonic, string rows, list<Trait> traits = []>
    : LLMC_Op<mnemonic, [LLMC_StageOpInterface] # traits> {
  string rowOperands = "::llvm::SmallVector<::mlir::Value> getRowOperands() { return {"
                       # rows # "}; }";
  code extraClassDeclaration = rowOperands;
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

def LLMC_ParameterOp : LLMC_Op<"parameter", [Symbol]> {
  let summary = "A weight tensor of the model";
  let description = [{
    Names a tensor whose bytes lie in a file (`#llmc.file`) or, when a pass has just made them, in
    memory (`dense_resource`, whose type is a vector of i8 with one element per byte of the canonical
    form). Tools move the latter to a file beside the module when they write one.

    ```mlir
    llmc.parameter @layers.0.up : tensor<1536x576xf32> = #llmc.file<"model.onnx.data", offset = 81920>
    ```

    Constraints:
    - C1. The type has a static shape, an element type of whole bytes, and no encoding or one that
      says how many bytes it takes.
    - C2. `data` is a `#llmc.file` or a dense resource of as many bytes as the type takes.
    - C3. `strides` stand only with a type without encoding, one per dimension.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<AnyRankedTensor>:$type, AnyAttr:$data);
  let assemblyFormat = "$sym_name `:` $type `=` $data attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getTensorType() {
      return ::llvm::cast<::mlir::RankedTensorType>(getType());
    }
  }];
}

def LLMC_ParameterValueOp : LLMC_Op<"parameter_value", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "The tensor that a parameter names";
  let description = [{
    Constraints:
    - C1. `parameter` names an `llmc.parameter` of the result's type. Where that is masked, as many
      weights as the result's type says are kept at most.
  }];
  let arguments = (ins FlatSymbolRefAttr:$parameter);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$parameter `:` type($result) attr-dict";
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

def LLMC_PositionsOp : LLMC_Op<"positions", [Pure]> {
  let summary = "The position of every row";
  let arguments = (ins LLMC_Rows:$rows);
  let results = (outs LLMC_RowIntegers:$result);
  let assemblyFormat = "$rows `:` type($result) attr-dict";
}

def LLMC_OutputRowsOp : LLMC_StageOp<"output_rows", "getInput()", [Pure]> {
  let summary = "The rows whose logits are wanted";
  let description = [{
    Keeps, in their order, the rows that the caller asked logits of. What follows (the final norm
    and the head) is computed for them alone.

    Constraints:
    - C1. The result has the input's width.
  }];
  let arguments = (ins LLMC_Activations:$input, LLMC_Rows:$rows);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = "$input `,` $rows `:` type($input) `->` type($result) attr-dict";
  let hasVerifier = 1;
  let hasFolder = 1;
  let extraClassDeclaration = rowOperands # [{
    bool choosesRows() { return true; }
  }];
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

def LLMC_EmbeddingOp : LLMC_StageOp<"embedding", "getIndices()", [Pure]> {
  let summary = "Rows of a table, chosen by index";
  let description = [{
    result[r, :] = table[indices[r], :], decoded exactly. Indices are tokens or positions; the
    runtime keeps both inside their ranges.

    Constraints:
    - C1. The result's width is the table's.
    - C2. The result has as many rows as there are indices.
  }];
  let arguments = (ins LLMC_RowIntegers:$indices, LLMC_Matrix:$table);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = [{
    $indices `,` $table `:` functional-type(operands, $result) attr-dict
  }];
  let hasVerifier = 1;
}

def LLMC_LinearOp : LLMC_StageOp<"linear", "getInput()", [Pure]> {
  let summary = "A matrix of weights applied to every row";
  let description = [{
    result[r, n] = Σ_k input[r, k] · weight[n, k] (+ bias[n]), where every weight is decoded exactly,
    the input is rounded as `activation` says (not at all without it), and the sum is taken in fp32.
    The input may be rounded already (`llmc.round`).

    Constraints:
    - C1. input is R × K, weight N × K, bias N, result R × N.
    - C2. `activation` is absent where the input is rounded already.
  }];
  let arguments = (ins LLMC_Activations:$input, LLMC_Matrix:$weight, Optional<LLMC_Vector>:$bias,
                       OptionalAttr<LLMC_DynamicAttr>:$activation);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = [{
    $input `,` $weight (`bias` $bias^)? (`activation` $activation^)? `:`
    functional-type(operands, $result) attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = rowOperands # [{
    bool isRowWise() { return false; }
    /// The rows that a layer adds to.
    bool absorbs(::mlir::Operation *user);
  }];
}

def LLMC_RMSNormOp : LLMC_StageOp<"rms_norm", "getInput()", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "Root-mean-square normalization of every row";
  let description = [{
    result[r, :] = input[r, :] / sqrt(mean(input[r, :]²) + epsilon) · gain
    (Zhang and Sennrich 2019). Where `groups` is given, the row is cut into that many equal parts
    that are normalized on their own with the same gain (a norm per attention head).

    Constraints:
    - C1. The gain is as wide as a part of a row.
    - C2. groups is positive and divides the width.
  }];
  let arguments = (ins LLMC_Activations:$input, LLMC_Vector:$gain, F32Attr:$epsilon,
                       DefaultValuedAttr<I64Attr, "1">:$groups);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = [{
    $input `,` $gain `:` type($input) `,` type($gain) attr-dict
  }];
  let hasVerifier = 1;
}

def LLMC_LayerNormOp : LLMC_StageOp<"layer_norm", "getInput()", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "Layer normalization of every row";
  let description = [{
    result[r, :] = (input[r, :] − mean) / sqrt(variance + epsilon) · gain + bias, mean and variance
    over the row (Ba, Kiros and Hinton 2016).

    Constraints:
    - C1. Gain and bias are as wide as a row.
  }];
  let arguments = (ins LLMC_Activations:$input, LLMC_Vector:$gain, Optional<LLMC_Vector>:$bias,
                       F32Attr:$epsilon);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = [{
    $input `,` $gain (`bias` $bias^)? `:` type($input) `,` type($gain) (`,` type($bias)^)? attr-dict
  }];
  let hasVerifier = 1;
}

def LLMC_ActivationOp : LLMC_StageOp<"activation", "getInput()", [Pure, SameOperandsAndResultType]> {
  let summary = "A nonlinear function of every element";
  let arguments = (ins LLMC_NonlinearityAttr:$function, LLMC_Activations:$input);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = "$function $input `:` type($input) attr-dict";
  let hasFolder = 1;
}

def LLMC_ScaleOp : LLMC_StageOp<"scale", "getInput()", [Pure, SameOperandsAndResultType]> {
  let summary = "Every element times a number";
  let description = [{
    result = input · factor, rounded once. Models have it where embeddings, the rows that a block
    adds, or logits are scaled.

    Constraints:
    - C1. `factor` is finite.
  }];
  let arguments = (ins LLMC_Activations:$input, F32Attr:$factor);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = "$input `by` $factor `:` type($input) attr-dict";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def LLMC_GateOp : LLMC_StageOp<"gate", "getGate(), getUp()", [Pure, SameOperandsAndResultType]> {
  let summary = "The middle of a gated MLP";
  let description = [{
    result = f(gate) · up, elementwise (Shazeer 2020, "GLU variants improve transformer").
  }];
  let arguments = (ins LLMC_NonlinearityAttr:$function, LLMC_Activations:$gate,
                       LLMC_Activations:$up);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = "$function $gate `,` $up `:` type($gate) attr-dict";
}

def LLMC_HadamardOp : LLMC_StageOp<"hadamard", "getInput()", [Pure, SameOperandsAndResultType]> {
  let summary = "Blocks of every row rotated by a Hadamard matrix";
  let description = [{
    Each row is blocks of `order` elements side by side, and each block x becomes x · H / √order, or
    x · Hᵀ / √order if `transposed`, with H the matrix of `llmc/Support/Hadamard.h`. Elements then
    differ less in size, so that rounding what follows loses less (Ashkboos et al. 2024, "QuaRot:
    outlier-free 4-bit inference in rotated LLMs").

    Constraints:
    - C1. order is positive and divides the width.
    - C2. A Hadamard matrix of the order is known.
  }];
  let arguments = (ins LLMC_Activations:$input, I64Attr:$order, UnitAttr:$transposed);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = "$input `:` type($input) attr-dict";
  let hasVerifier = 1;
}

def LLMC_TakeColumnsOp : LLMC_StageOp<"take_columns", "getInput()", [Pure]> {
  let summary = "Some columns of every row";
  let description = [{
    result[r, i] = input[r, columns[i]]: the inputs of a linear whose magnitudes stand out, for one
    that takes them as they are (`activation-outliers` of the passes that round).

    Constraints:
    - C1. `columns` are ascending places of the input.
    - C2. The result is as wide as there are columns, of which there is at least one.
  }];
  let arguments = (ins LLMC_Activations:$input, DenseI32ArrayAttr:$columns);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = "$input $columns `:` type($input) `->` type($result) attr-dict";
  let hasVerifier = 1;
}

def LLMC_ClearColumnsOp : LLMC_StageOp<"clear_columns", "getInput()", [Pure, SameOperandsAndResultType]> {
  let summary = "Every row without some of its columns, which become zero";
  let description = [{
    result[r, c] = 0 where c is among `columns`, else input[r, c]: what is left where
    `llmc.take_columns` takes them, so that they are in no scale that the others are rounded by.

    Constraints:
    - C1. `columns` are ascending places of the input, of which there is at least one.
  }];
  let arguments = (ins LLMC_Activations:$input, DenseI32ArrayAttr:$columns);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = "$input $columns `:` type($input) attr-dict";
  let hasVerifier = 1;
}

def LLMC_RopeOp : LLMC_StageOp<"rope", "getInput()", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "Rotary position embedding";
  let description = [{
    Each row is `heads` vectors side by side. In each, the first 2·F elements are rotated in pairs,
    F = size of `frequencies`, and the rest is kept. With p the row's position, a_i = p ·
    frequencies[i], and the pair (x, y) at places (i, i + F), or (2i, 2i + 1) if `interleaved`:

      x' = scaling · (x · cos a_i − y · sin a_i),  y' = scaling · (y · cos a_i + x · sin a_i)

    (Su et al. 2021.) `frequencies` are fp32, `a_i` is rounded to fp32 before cos and sin.

    Constraints:
    - C1. heads is positive and divides the width.
    - C2. 0 < 2·F ≤ size of a head.
  }];
  let arguments = (ins LLMC_Activations:$input, LLMC_Rows:$rows, I64Attr:$heads,
                       DenseF32ArrayAttr:$frequencies,
                       DefaultValuedAttr<F32Attr, "1.0f">:$scaling, UnitAttr:$interleaved);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = "$input `,` $rows `:` type($input) attr-dict";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Values that several layers share
//===----------------------------------------------------------------------===//

def LLMC_RoundOp : LLMC_StageOp<"round", "getInput()", [Pure]> {
  let summary = "Activations rounded to integers, for the linears that read them";
  let description = [{
    The rows that `llmc.linear` would make of its input by its `activation`, which the result's
    encoding is: integers and their scales. `materialize-shared-values` makes one of them for all
    linears that round the same rows in the same way.

    Constraints:
    - C1. The result is the input with an encoding `#llmc.dynamic` of integers; the input has none.
  }];
  let arguments = (ins LLMC_Activations:$input);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = "$input `:` type($input) `->` type($result) attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = rowOperands # [{
    ::llmc::DynamicAttr getRounding();
  }];
}

def LLMC_RoundValuesOp : LLMC_StageOp<"round_values", "getInput()", [Pure, SameOperandsAndResultType]> {
  let summary = "Activations rounded to floats of few bits, as fp32";
  let description = [{
    The rows that `llmc.linear` would make of its input by its `activation`, `rounding`, where that
    rounds to floats: products with them are fp32, so that nothing else is stored of them.
    `materialize-shared-values` makes one of them for all linears that round the same rows in the
    same way.

    Constraints:
    - C1. `rounding` has `numbers`.
  }];
  let arguments = (ins LLMC_Activations:$input, LLMC_DynamicAttr:$rounding);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = "$input `to` $rounding `:` type($input) attr-dict";
  let hasVerifier = 1;
}

def LLMC_RotationTableOp : LLMC_StageOp<"rotation_table", "", [Pure]> {
  let summary = "The cosines and sines of the angles by which rows are rotated";
  let description = [{
    With p the position of row r, a_i = p · frequencies[i] and P half the result's width:

      result[r, i] = scaling · cos a_i,  result[r, P + i] = scaling · sin a_i

    and what stands past the frequencies in each half is of no account. `materialize-shared-values`
    makes one of them for all `llmc.rope` of the same frequencies and scaling.

    Constraints:
    - C1. The result's width is even, and at least twice the number of frequencies, which is positive.
  }];
  let arguments = (ins LLMC_Rows:$rows, DenseF32ArrayAttr:$frequencies, F32Attr:$scaling);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = "$rows `:` type($result) attr-dict";
  let hasVerifier = 1;
}

def LLMC_RotateOp : LLMC_StageOp<"rotate", "getInput(), getTable()", [
    Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "Rows rotated by the cosines and sines of a table";
  let description = [{
    What is left of `llmc.rope` once its angles are a table of their own: pair i of each of `heads`
    vectors, (x, y) at places (i, i + pairs), or (2i, 2i + 1) if `interleaved`, becomes

      x' = x · table[r, i] − y · table[r, P + i],  y' = y · table[r, i] + x · table[r, P + i]

    with P half the table's width; elements from 2 · pairs on are kept.

    Constraints:
    - C1. heads is positive and divides the width.
    - C2. 0 < 2 · pairs ≤ size of a head.
    - C3. The table's width is even and at least 2 · pairs.
  }];
  let arguments = (ins LLMC_Activations:$input, LLMC_Activations:$table, I64Attr:$heads,
                       I64Attr:$pairs, UnitAttr:$interleaved);
  let results = (outs LLMC_Activations:$result);
  let assemblyFormat = "$input `,` $table `:` type($input) `,` type($table) attr-dict";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

def LLMC_CacheAppendOp : LLMC_StageOp<"cache_append", "getKeys(), getValues()", [AllTypesMatch<["cache", "result"]>]> {
  let summary = "Stores the keys and values of the step's rows";
  let description = [{
    Writes row r of `keys` and `values` (heads side by side), rounded to the cache's types, and what
    its type says is kept exactly, at r's sequence and position, in place. The result is the cache afterwards: what reads it comes later.

    Constraints:
    - C1. keys are heads · headSize wide, values valueHeads · valueSize.
  }];
  let arguments = (ins Arg<LLMC_KVCache, "", [MemRead, MemWrite]>:$cache, LLMC_Activations:$keys,
                       LLMC_Activations:$values, LLMC_Rows:$rows);
  let results = (outs LLMC_KVCache:$result);
  let assemblyFormat = [{
    $cache `,` $keys `,` $values `,` $rows `:` type($cache) `,` type($keys) `,` type($values) attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = rowOperands # [{
    ::mlir::Value getUpdatedOperand() { return getCache(); }
  }];
}

def LLMC_CacheRoundOp : LLMC_StageOp<"cache_round", "", [AllTypesMatch<["cache", "result"]>]> {
  let summary = "Rounds the keys of groups of positions that the step's rows fill";
  let description = [{
    Where keys share elements along positions, they are rounded when the last position of a group is
    there: for each row at such a position, the group's exact keys are read, and written rounded, in
    place. A plan puts it behind every `llmc.cache_append` of such a cache; elsewhere attention means
    the same without it.

    Constraints:
    - C1. The cache's keys share elements along positions.
  }];
  let arguments = (ins Arg<LLMC_KVCache, "", [MemRead, MemWrite]>:$cache, LLMC_Rows:$rows);
  let results = (outs LLMC_KVCache:$result);
  let assemblyFormat = "$cache `,` $rows `:` type($cache) attr-dict";
  let hasVerifier = 1;
  let extraClassDeclaration = rowOperands # [{
    bool isRowWise() { return false; }
    ::mlir::Value getUpdatedOperand() { return getCache(); }
  }];
}

def LLMC_AttentionOp : LLMC_StageOp<"attention", "getQuery()", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Causal attention over the cache";
  let description = [{
    For row r at position p of a sequence and query head h, which reads key head h · kvHeads / heads
    and value head h · valueHeads / heads (grouped-query attention, Ainslie et al. 2023):

      s_t = scale · ⟨query[r, h], key_t⟩ for positions t ≤ p of the same sequence
      (s_t = softcap · tanh(s_t / softcap) where softcap is given)
      (s_t = s_t + slopes[h] · (t − p) where slopes are given: ALiBi, Press et al. 2021)
      result[r, h] = Σ_t exp(s_t) / (Σ_u exp(s_u) + exp(sinks[h])) · value_t

    With `window` = w only positions t > p − w are read. The last term of the denominator stands where
    `sinks` are given: a score of each head's own to which no value belongs, so that a head can look
    at nothing (Xiao et al. 2023, section 3.3; as gpt-oss has it).

    Which of those positions are read, the type of the cache says (`!llmc.kv_cache`). Where it chooses
    some by what they are given weight, rows of a sequence read it in the order of their positions,
    and it is updated in place: `updated` is the cache afterwards.

    Constraints:
    - C1. The width of the query is heads · headSize, that of the result heads · valueSize; kvHeads
      divides heads. The result has the query's rows.
    - C2. window is positive, and there is none where the cache keeps its first positions, or others
      that it chooses.
    - C3. slopes are finite, one per head. There are none where the cache chooses positions, as it
      does not say which they are.
    - C4. There is one sink per head.
    - C5. There is `updated`, of the cache's type, where the cache chooses positions, and only there.
    - C6. No other attention reads a cache that chooses positions, nor `updated`; others several may
      read (Brandon et al. 2024, "Reducing transformer key-value cache size with cross-layer
      attention").
  }];
  let arguments = (ins LLMC_Activations:$query, LLMC_KVCache:$cache,
                       LLMC_Rows:$rows, Optional<LLMC_Vector>:$sinks, I64Attr:$heads,
                       F32Attr:$scale,
                       OptionalAttr<I64Attr>:$window, OptionalAttr<F32Attr>:$softcap,
                       OptionalAttr<DenseF32ArrayAttr>:$slopes);
  let results = (outs LLMC_Activations:$result, Optional<LLMC_KVCache>:$updated);
  let assemblyFormat = [{
    $query `,` $cache `,` $rows (`sinks` $sinks^)? `:` type($query) `,` type($cache)
    (`,` type($sinks)^)? (`updates` type($updated)^)?
    custom<AttentionResult>(ref(type($query)), ref(type($cache)), type($result)) attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = rowOperands # [{
    bool isRowWise() { return false; }
    ::mlir::Value getUpdatedOperand() { return getUpdated() ? getCache() : ::mlir::Value(); }
    /// What queries of this type make of values of a cache, whose heads they have as many of.
    static ::mlir::RankedTensorType getResultType(::mlir::RankedTensorType query,
                                                  ::llmc::KVCacheType cache);
  }];
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

def LLMC_GroupDotOp : LLMC_Op<"group_dot", [Pure, SameVariadicOperandSize]> {
  let summary = "The dot products of 16 rows of unsigned codes with one row of signed integers";
  let description = [{
    result[r] = Σ_s Σ_j weights_s[4r + j] · activations_s[4r + j] over all steps s and j = 0 … 3,
    exactly. `weights` are unsigned and at most `max_weight`; `activations` are signed and at least
    -127. With `cpu.table_lookup` and `cpu.take_bytes` this is the seam between kernels and
    instruction sets: it lowers to vpdpbusd, to vpmaddubsw and vpmaddwd, to sdot, or to plain
    arithmetic, which is its meaning.

    Constraints:
    - C1. There are 1 to 64 steps, each with weights and activations.
    - C2. 1 ≤ max_weight ≤ 255.
  }];
  let arguments = (ins Variadic<VectorOfLengthAndType<[64], [I8]>>:$weights,
                       Variadic<VectorOfLengthAndType<[64], [I8]>>:$activations,
                       I64Attr:$max_weight);
  let results = (outs VectorOfLengthAndType<[16], [I32]>:$result);
  let assemblyFormat = [{
    `(` $weights `)` `,` `(` $activations `)` attr-dict `:` `(` type($weights) `)` `,` `(`
    type($activations) `)` `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // LLMC_DIALECT_LLMC_IR_LLMCOPS_TD
