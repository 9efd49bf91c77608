//===- LLMCTypes.td - types of the llmc dialect -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_LLMCTYPES_TD
#define LLMC_DIALECT_LLMC_IR_LLMCTYPES_TD

include "llmc/Dialect/LLMC/IR/LLMCDialect.td"
include "mlir/IR/AttrTypeBase.td"

class LLMC_Type<string name, string typeMnemonic> : TypeDef<LLMC_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def LLMC_Rows : LLMC_Type<"Rows", "rows"> {
  let summary = "To which sequence and position each row of a step belongs";
  let description = [{
    Row r of a step is a token of some sequence at some position. Rows of one sequence stand side
    by side in ascending position. It also says which rows' logits are wanted.
  }];
}

def LLMC_KVCache : LLMC_Type<"KVCache", "kv_cache"> {
  let summary = "The keys and values of one attention layer, for every sequence";
  let description = [{
    For each sequence and each position below `capacity`, `heads` key vectors of `headSize` elements
    and `valueHeads` value vectors of `valueSize` elements, stored as the encodings `keys` and `values`
    say: attributes that implement CacheEncodingInterface, or a floating-point type alone, which stands
    for `#llmc.plain`. It is updated in place.

    Most caches have as many value vectors as keys, of the same size, and say so once: `3x64`. `3x64:1x144`
    has 3 keys of 64 elements and one value of 144, which all three read (a latent: Chang et al. 2024,
    "Palu: compressing KV-cache with low-rank projection", section 3).

    With `residual` = R and `sinks` = S, numbers that the encoding rounds (all but `#llmc.plain`) are
    kept as f16 too. A query at position p reads those of position t ≤ p as f16 where t < S or
    e(t) + R > p, with e(t) the last of the positions that share elements with t (t itself where none
    do), and as rounded elsewhere: the newest R positions and the first S are exact (Liu et al. 2024,
    "KIVI", section 3.3; Xiao et al. 2024, "Efficient streaming language models with attention
    sinks"). It depends on positions alone, so that a token gets the same logits alone as among
    others.

    `ring` is where a plan keeps them: f16 of the first S positions, rounded up to 16, and of the
    newest `ring` others, so that those needed by a step are still there; of all positions where it is
    0, which means the same.

    With `budget` = B and `first` = F, a query at position p reads no positions but those with t < F
    or t > p − (B − F): the first F and the newest others, B in all (Xiao et al. 2024, section 3.2).
    Each has been rotated for the position that it has in the text. It, too, depends on positions
    alone. `rolling` is where a plan keeps what is read: the first F positions, rounded up to 16 or to
    a group of positions, and the newest `rolling` others; all positions where it is 0, which means
    the same.

    With `heavy` = H beside them, H others are read that have had most weight (Zhang et al. 2023,
    "H2O: Heavy-hitter oracle", section 4), chosen for each key/value head: it reads the first F, the
    newest W = B − F − H and those H. A position's score is the sum of the weights that the softmax of
    the queries so far, itself the first, and of all query heads that read the head, has given it,
    added position by position. At the start they are those that follow the first F. When a query at
    position p ≥ F + H + W is to read, p − W leaves the newest: where the least score of the H is less
    than its own, it takes that one's place (of equal ones the first place's); else nothing reads it
    any more. What is read then depends on the text up to p and on nothing else. The attention over
    such a cache updates it (`llmc.attention`).

    With `observed` = O beside heavy ones, queries choose together, O by O, at the positions p = B + n · O
    for any integer n (Li et al. 2024, "SnapKV: LLM knows what you are looking for before generation",
    section 4). The score of a position is what the weights that the softmax of the queries p − O … p − 1
    has given it, of all query heads that read the head, sum up to, or what it was at an earlier such
    position if that was more. Before the query at p ≥ B reads, the H that were chosen (at the start
    those that follow the first F) and the O that leave the newest, the last of which is p − W + O − 1,
    are weighed: each weighs what its score and those of its two neighbours on either side, in the
    order of their positions, sum up to. The H that weigh most stay, of equal ones the later; nothing
    reads the others any more. So a query reads the first F, the H, and of the newest at least W − O + 1
    and at most W. (The paper chooses once, at the end of a prompt, by the last queries. A text of any
    length in so many positions needs choices on the way, and that scores last keeps what some queries
    looked for when others follow.)

    Constraints:
    - C1. heads, headSize, valueHeads, valueSize and capacity are positive, valueHeads divides heads, and
      the products of heads, size and capacity are at most 2^48.
    - C2. keys and values can store heads of their size: planes belong to one position; their
      elements are floats or integers of 1, 2, 3, 4 or 8 bits, each of one number, or floats or bytes
      of a group, all groups of one size. Where integers share bytes, heads and groups are multiples
      of 16 times as many numbers as a byte holds, of 3 bits of 16. Keys may share elements along positions, in groups
      of a multiple of 16; values may not.
    - C3. residual, sinks and ring are at least 0 and at most 2^31. Sinks, and keys that share
      elements along positions, need a residual of at least 1; a residual needs keys or values that
      are rounded.
    - C4. ring is a multiple of 16, and 0 or at least residual and the positions of a group.
    - C5. budget and first are at most 2^31; budget is 0, and first too, or larger than first, which
      is at least 0. What the newest residual positions and a group of positions are is among what
      is read: at most budget − first − heavy, less observed − 1 where there are observed ones.
    - C6. rolling is a multiple of 16 and of the positions of a group, and 0 or at least
      budget − first − heavy.
    - C7. heavy is at least 0 and at most 2^24, and less than budget − first. Where it is not 0, keys
      share no elements along positions, there are as many values as keys, each of which chooses for
      itself, and sinks are at most first: others are read as rounded when they leave the newest.
    - C8. observed is at least 0 and at most budget − first − heavy; where it is not 0, neither is heavy.

    Examples: `!llmc.kv_cache<3x64, capacity = 2048, keys = f16, values = f16>`,
    `!llmc.kv_cache<3x64:1x144, capacity = 2048, keys = f16, values = f16>`,
    `!llmc.kv_cache<3x64, capacity = 2048, keys = f16, values = #v, residual = 32, sinks = 4>`,
    `!llmc.kv_cache<3x64, capacity = 2048, keys = f16, values = f16, budget = 256, first = 4>`,
    `!llmc.kv_cache<3x64, capacity = 2048, keys = f16, values = f16, budget = 256, first = 4, heavy = 124>`,
    `!llmc.kv_cache<3x64, capacity = 2048, keys = f16, values = f16, budget = 256, first = 4, heavy = 220, observed = 16>`
  }];
  let parameters = (ins "int64_t":$heads, "int64_t":$headSize, "int64_t":$valueHeads,
                        "int64_t":$valueSize, "int64_t":$capacity,
                        "::llmc::CacheEncodingInterface":$keys,
                        "::llmc::CacheEncodingInterface":$values,
                        DefaultValuedParameter<"int64_t", "0">:$residual,
                        DefaultValuedParameter<"int64_t", "0">:$sinks,
                        DefaultValuedParameter<"int64_t", "0">:$ring,
                        DefaultValuedParameter<"int64_t", "0">:$budget,
                        DefaultValuedParameter<"int64_t", "0">:$first,
                        DefaultValuedParameter<"int64_t", "0">:$heavy,
                        DefaultValuedParameter<"int64_t", "0">:$observed,
                        DefaultValuedParameter<"int64_t", "0">:$rolling);
  let builders = [
    // Nothing is kept exactly beside what is rounded.
    TypeBuilder<(ins "int64_t":$heads, "int64_t":$headSize, "int64_t":$capacity,
                     "::llmc::CacheEncodingInterface":$keys,
                     "::llmc::CacheEncodingInterface":$values), [{
      return $_get($_ctxt, heads, headSize, heads, headSize, capacity, keys, values, 0, 0, 0, 0, 0, 0, 0, 0);
    }]>,
    // Keys and values as floating-point numbers.
    TypeBuilder<(ins "int64_t":$heads, "int64_t":$headSize, "int64_t":$capacity,
                     "::mlir::Type":$keys, "::mlir::Type":$values), [{
      return $_get($_ctxt, heads, headSize, heads, headSize, capacity,
                   ::llmc::PlainAttr::get($_ctxt, keys), ::llmc::PlainAttr::get($_ctxt, values), 0,
                   0, 0, 0, 0, 0, 0, 0);
    }]>
  ];
  let assemblyFormat = [{
    `<` custom<HeadShapes>($heads, $headSize, $valueHeads, $valueSize) `,` `capacity` `=` $capacity `,`
    `keys` `=` custom<CacheEncoding>($keys) `,` `values` `=` custom<CacheEncoding>($values) ``
    custom<PositionLaw>($residual, $sinks, $ring, $budget, $first, $heavy, $observed, $rolling) `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The keys, or the values, of a position.
    ::llmc::CacheVectors getKeyVectors() const { return {getHeads(), getHeadSize(), getKeys()}; }
    ::llmc::CacheVectors getValueVectors() const {
      return {getValueHeads(), getValueSize(), getValues()};
    }
    /// What a number at a position is stored as: the planes of keys or values, and behind them, where
    /// numbers are kept exactly beside, a plane `exact` of these.
    ::llvm::SmallVector<::llmc::Plane> getStoredPlanes(const ::llmc::CacheVectors &vectors) const;
    /// Whether numbers of this encoding, one of this cache's two, are kept as f16 too.
    bool keepsExact(::llmc::CacheEncodingInterface encoding) const;
    /// Positions up to the last that a query may read exactly: residual and a group of positions
    /// but one.
    int64_t getRecentPositions() const;
    /// Whether some positions are read no more.
    bool evicts() const { return getBudget() != 0; }
    /// Whether some of the positions that are read are chosen by what attention gives weight to.
    bool choosesPositions() const { return getHeavy() != 0; }
    /// What is known of each position for it, by the type of a number.
    ::llvm::SmallVector<::mlir::Type> getChoiceElements() const;
    /// The newest positions that a query reads beside the others, itself among them: at most.
    int64_t getWindow() const { return getBudget() - getFirst() - getHeavy(); }
    /// Of these, those that every query reads.
    int64_t getLeastWindow() const {
      return getObserved() == 0 ? getWindow() : getWindow() - getObserved() + 1;
    }
    /// The same, kept elsewhere.
    ::llmc::KVCacheType withPlaces(int64_t ring, int64_t rolling) const;
    /// The same of so many heads of keys, which as many share a value vector as do.
    ::llmc::KVCacheType withHeads(int64_t heads) const;
    /// The same with other value vectors. Reports why that can't be, if so.
    ::llmc::KVCacheType withValues(::llvm::function_ref<::mlir::InFlightDiagnostic()> emitError,
                                   int64_t heads, int64_t size) const;
    /// The same positions stored in another way. Reports why that can't be, if so.
    ::llmc::KVCacheType withEncodings(::llvm::function_ref<::mlir::InFlightDiagnostic()> emitError,
                                      ::llmc::CacheEncodingInterface keys,
                                      ::llmc::CacheEncodingInterface values, int64_t residual,
                                      int64_t sinks) const;
    /// The same of which other positions are read. Reports why that can't be, if so.
    ::llmc::KVCacheType withBudget(::llvm::function_ref<::mlir::InFlightDiagnostic()> emitError,
                                   int64_t budget, int64_t first, int64_t heavy,
                                   int64_t observed) const;
  }];
}

#endif // LLMC_DIALECT_LLMC_IR_LLMCTYPES_TD
