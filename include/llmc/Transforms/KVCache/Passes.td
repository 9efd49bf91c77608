//===- Passes.td - passes that make caches smaller -*- tablegen -*-===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_TRANSFORMS_KVCACHE_PASSES_TD
#define LLMC_TRANSFORMS_KVCACHE_PASSES_TD

include "llmc/Calibration/CalibrationOptions.td"
include "llmc/Transforms/CompressionOptions.td"
include "llmc/Transforms/LowRank/LowRankOptions.td"

def QuantizeKVCache : Pass<"quantize-kv-cache", "::mlir::ModuleOp"> {
  let summary = "Store keys and values in fewer bits";
  let description = [{
    Gives all caches of a model other encodings of keys and values. What the step's rows append is
    rounded; attention reads it exactly and computes in fp32 as before.

    | name | encoding | of a head of 64, bytes | |
    |------|----------|-----|---|
    | `f32` | `#llmc.plain<f32>` | 256 | as the model computes them |
    | `f16` | `#llmc.plain<f16>` | 128 | numbers up to 65504, which keys and values of models in half precision keep to |
    | `bf16` | `#llmc.plain<bf16>` | 128 | the range of f32, and 8 bits less of it than f16 keeps |
    | `i8`  | `#llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>` | 66 | integers up to 127 times a scale that each head has at each position: the largest magnitude / 127 |
    | `i4`  | `#llmc.grouped<bits = 4, group = 64, zero = none, scale = f16>` | 34 | integers up to 7 times a scale of every 64 numbers: the largest magnitude / 7 |
    | `i3`  | `#llmc.grouped<bits = 3, group = 64, zero = float, scale = f16>` | 28 | integers up to 7 times a scale, above a minimum, of every 64 numbers |
    | `i2`  | `#llmc.grouped<bits = 2, group = 64, zero = float, scale = f16>` | 20 | integers up to 3 times a scale, above a minimum, of every 64 numbers |
    | `fp8` | `#llmc.float<f8E4M3FN, group = channel, scale = f16>` | 66 | floats up to 448 times a scale that each head has at each position |
    | `nf4` | `#llmc.nf4<group = 64, scale = f16>` | 34 | quantiles of the normal distribution times the largest magnitude of every 64 numbers |
    | `lloydmax4`, `lloydmax3`, `lloydmax2`, `lloydmax1` | `#llmc.lloyd_max<bits = 4, group = 64, scale = f16>` … | 34, 26, 18, 10 | levels of least error for the normal distribution times a scale of every 64 numbers |

    An attribute that is an encoding of caches may stand for a name. With `keys-along=positions` keys
    of `i8`, `i4`, `i3` and `i2` share a scale and a minimum with those of the same channel at `keys-group`
    positions (`#llmc.position_grouped`): some channels of keys are large everywhere (Liu et al. 2024,
    "KIVI", section 3.2). Each is kept in f16 until its group is full.

    The newest `residual` positions, and the first `sinks`, are read as f16 where they are rounded
    otherwise: most of what rounding loses is lost there. Which they are depends on positions alone,
    so that decode and prefill agree to the bit, and so do sessions that were taken back or forked
    (`!llmc.kv_cache`). Numbers that are stored as floats are not kept twice.

    `keys-formats` and `values-formats` name the formats of some caches: those whose number, as
    `llmc inspect` counts them from 0 on, is what an expression matches, the first that does:
    `keys-formats=0|1=f16,2.=i4:32` gives the first two f16, and those from 20 to 29 i4 with a scale
    for 32 numbers.

    By default keys become i8 and values i4, 100 bytes for a head of 64 at a position where f32 takes
    512. Keys and values round better behind `rotate{where=keys,values}`, which is a pass of its own
    and stands before this one; i4 keys need it, or `keys-along=positions`.

    Before:
    ```mlir
    func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                    %cache: !llmc.kv_cache<3x64, capacity = 2048, keys = f32, values = f32>) …
    ```
    After `quantize-kv-cache{keys=f16}`:
    ```mlir
    func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows,
                    %cache: !llmc.kv_cache<3x64, capacity = 2048, keys = f16,
                        values = #llmc.grouped<bits = 4, group = 64, zero = none, scale = f16>,
                        residual = 32, sinks = 4>) …
    ```

    The report is a line on the standard error stream (`table`) and one remark `quantize-kv-cache`:
    what a position takes, and the state of a session, which is that of all positions, with what is
    kept exactly for steps of up to 128 tokens (`--max-rows`).
  }];
  let options = [
    Option<"keys", "keys", "std::string", /*default=*/"\"i8\"",
           "How keys are stored: a name or an attribute">,
    Option<"values", "values", "std::string", /*default=*/"\"i4\"",
           "How values are stored: a name or an attribute">,
    Option<"keysGroup", "keys-group", "int64_t", /*default=*/"0",
           "With keys of formats that have scales: numbers of a head that share one; 0: all for i8 "
           "and fp8, 64 for others, 32 along positions">,
    Option<"valuesGroup", "values-group", "int64_t", /*default=*/"0",
           "With values of formats that have scales: numbers of a head that share one; 0: all for "
           "i8 and fp8, 64 for others">,
    ListOption<"keysFormats", "keys-formats", "std::string",
               "Pairs REGEX=FORMAT[:GROUP]: how the keys of caches are stored whose number is what an "
               "expression matches, the first that does. With keys-along=positions formats of "
               "integers share scales along positions">,
    ListOption<"valuesFormats", "values-formats", "std::string",
               "The same of values">,
    Option<"keysAlong", "keys-along", "std::string", /*default=*/"\"channels\"",
           "What keys of integers share a scale with: channels of their position, or positions of "
           "their channel">,
    Option<"residual", "residual", "int64_t", /*default=*/"32",
           "The newest positions, which are read as f16">,
    Option<"sinks", "sinks", "int64_t", /*default=*/"4",
           "The first positions, which are read as f16">,
    Option<"table", "table", "bool", /*default=*/"true",
           "Print what a position takes to the standard error stream">
  ];
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def EvictKVCache : Pass<"evict-kv-cache", "::mlir::ModuleOp"> {
  let summary = "Keep fewer positions of keys and values";
  let description = [{
    Lets attention read `budget` positions and no others, so that a session's state does not grow with
    the text: it has room for these and for the rows of a step (`--max-rows`), and how many bytes that
    is is known when the model is compiled.

    | policy | positions that a token reads | source |
    |--------|------------------------------|--------|
    | `window` | the newest `budget`, itself among them | sliding windows, as Beltagy et al. 2020, "Longformer", section 3.1 |
    | `sinks` | the first `sinks` and the newest `budget − sinks` | Xiao et al. 2024, "Efficient streaming language models with attention sinks", section 3.2 |
    | `h2o` | the first `sinks`, the newest `recent`, and of all others those, `budget` together, that attention has given most weight so far | Zhang et al. 2023, "H2O: Heavy-hitter oracle for efficient generative inference of large language models", section 4 |
    | `snapkv` | the first `sinks`, the newest `observe` to twice as many, and of all others those, `budget` together, that attention has given most weight during any `observe` queries | Li et al. 2024, "SnapKV: LLM knows what you are looking for before generation", section 4 |
    | `pyramid` | as `snapkv`, with budgets that fall from layer to layer and are `budget` on average | Cai et al. 2024, "PyramidKV: Dynamic KV cache compression based on pyramidal information funneling", section 3 |

    Most models give much weight to the first positions, whatever stands there, and fail without them:
    `window` is for models that were trained so. A position keeps the rotation of its place in the text
    (the paper counts places in the cache instead), so that keys are stored as they are read, and what
    a token reads depends on positions alone (with policies that choose positions on the text before
    it, too). Decode gives the bits of prefill however tokens are cut into steps, and a text of at most
    `budget` tokens (with `pyramid` of the last layer's budget) gives the bits of a model that keeps
    all. The text is still bounded by the positions that the model has been trained for, its context.

    With `h2o` each head of keys and values chooses its own (`!llmc.kv_cache`): a token that leaves the
    newest takes the place of the chosen one with the least score, unless its own is less, and a score
    is the sum of the weights that all queries so far have given. This is decided token by token, in
    prompts too, whose tokens attention therefore takes one after the other. Keys that share a scale
    along positions, and attention with slopes (ALiBi), which needs places in the text, are refused.

    With `snapkv` it is decided at every `observe`th token, for the positions before the last
    `observe`: each has a score, what the last `observe` queries have given it or what it scored at an
    earlier choice, whichever is more, and those stay whose scores are the most, with those of two
    neighbours on either side. The paper decides once, when a prompt ends and its question has been
    read. Here a text is as long as it likes in a state of `budget` positions, so that what a question
    asks for must have stayed before it is asked: what some queries looked for stays, as long as others
    have not been looked for more. Sums over all queries (`h2o`) are largest where many queries have
    been, and lose what is new.

    With `pyramid` the positions that a layer chooses fall from one and a half times as many in the
    first layer as `snapkv` chooses to half as many in the last, in equal steps: lower layers look at
    more of a text (section 3.1 of the paper). Layers with other budgets are compiled one by one.

    Sessions fork as they do otherwise. They go back as far as the state has room for, at least the
    rows of a step less one; after going back further, or at all where positions are chosen, the next
    evaluation starts with all tokens that are left.

    A layer whose attention has a window of its own keeps the positions of that window, no others, and
    at most `budget`: with a budget above it the bits stay the same, in less memory.

    Before:
    ```mlir
    %cache: !llmc.kv_cache<3x64, capacity = 2048, keys = f16, values = f16>
    ```
    After `evict-kv-cache{budget=256}`:
    ```mlir
    %cache: !llmc.kv_cache<3x64, capacity = 2048, keys = f16, values = f16, budget = 256, first = 4>
    ```

    The report is a line on the standard error stream (`table`) and one remark `evict-kv-cache`: the
    state of a session, for steps of up to 128 tokens.
  }];
  let options = [
    Option<"policy", "policy", "std::string", /*default=*/"\"sinks\"",
           "Which positions stay: window, sinks, h2o, snapkv or pyramid">,
    Option<"budget", "budget", "int64_t", /*default=*/"0",
           "Positions that a token reads; has to be given">,
    Option<"sinks", "sinks", "int64_t", /*default=*/"-1",
           "The first positions, which stay; -1: 4, and there are none with policy=window">,
    Option<"recent", "recent", "int64_t", /*default=*/"0",
           "With policy=h2o: the newest positions, which are read whatever their score; 0: half of "
           "the budget">,
    Option<"observe", "observe", "int64_t", /*default=*/"0",
           "With policy=snapkv and policy=pyramid: queries whose weights choose positions together; "
           "0: 16">,
    Option<"table", "table", "bool", /*default=*/"true",
           "Print what the state takes to the standard error stream">
  ];
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def ShareKVCache : Pass<"share-kv-cache", "::mlir::ModuleOp"> {
  let summary = "Let neighbouring layers read one cache";
  let description = [{
    Lets each of some layers that follow each other read the keys and values of the first of them
    (Brandon et al. 2024, "Reducing transformer key-value cache size with cross-layer attention", section
    3.1). The others lose their cache, and with it the weights that made keys and values for it; queries
    and what comes behind attention stay as they are. A group of n layers has 1 / n of the state, and a
    decode step reads each cache once for every layer, as before.

    `layers` says which: one number groups all layers by so many, the last group having fewer where
    their number is no multiple; ranges FIRST-LAST, each a group, leave the others as they are. Layers
    are counted from 0 on.

    Layers share what they would store alike: their caches have one type, and their keys go through the
    same rotation of the same angles, norms of the same kind and so on, else they are refused. So are
    caches whose positions attention chooses (`evict-kv-cache` with `h2o`, `snapkv` and `pyramid`), since
    two layers would choose from one. `evict-kv-cache{policy=sinks}` and `quantize-kv-cache` come before or
    after; `rotate`, where it is of keys and values, before.

    It needs no data. A layer's queries and its output projection were made for keys and values of its
    own: the model is another one afterwards and has to be trained again, if it was not made to share.
    (Untrained, SmolLM2-135M's perplexity on four windows of WikiText-2 is 23.24; 25.22 where the last two
    layers share, 36.0 where two in the middle do, and nothing is left of it where all do in pairs.)

    Before:
    ```mlir
    %c0 = llmc.cache_append %cache0, %k0, %v0, %rows
    %a0 = llmc.attention %q0, %c0, %rows
    …
    %c1 = llmc.cache_append %cache1, %k1, %v1, %rows
    %a1 = llmc.attention %q1, %c1, %rows
    ```
    After, without `%cache1`, `%k1` and `%v1`:
    ```mlir
    %c0 = llmc.cache_append %cache0, %k0, %v0, %rows
    %a0 = llmc.attention %q0, %c0, %rows
    …
    %a1 = llmc.attention %q1, %c0, %rows
    ```

    The report has a line for each group, the model's size before and after as with `drop-layers`, and
    the state of a session, for steps of up to 128 tokens.
  }];
  let options = !listconcat([
    ListOption<"layers", "layers", "std::string",
               "Which layers share a cache: a number, of neighbours, or ranges FIRST-LAST; none: 2">
  ], structureReportOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

def FactorizeKVCache : Pass<"factorize-kv-cache", "::mlir::ModuleOp"> {
  let summary = "Cache latents of fewer numbers in the place of values";
  let description = [{
    Has the cache keep z = A·x where it kept v = W·x, with B·A of low rank in the place of the weights W
    of values (Chang et al. 2024, "Palu: compressing KV-cache with low-rank projection", section 3).
    What attention makes of values is linear in them, so that B becomes a part of the output
    projection, which then reads `rank` numbers for each query head: nothing is rebuilt, and the cache
    and the projections of values are smaller.

    One latent stands for `heads` heads of values, all of them by default (J-LRD; with `heads=1` each
    has its own, M-LRD; between the two lies G-LRD). The fewer heads have one, the less the output
    projection has to read; the more, the less is lost at the same size. `keep` says how many of the
    numbers of values latents have.

    B·A is what changes the output of the projection behind attention least on calibration tokens. What
    counts is what attention makes of values, which varies much less than values do: with S a root of
    the second moment of the sums a of values by the weights of query heads, S·Sᵀ = Σ a·aᵀ, and R one of
    the output projection's columns, R·Rᵀ = Σ Oᵀ·O over the query heads that read a head of values, Rᵀ·S
    is cut off behind its largest singular values. (The paper has W·S with S of the inputs x, as
    `factorize-svd-llm`.) B is then corrected for each query head by its own second moment. `damp` is as
    with `factorize-svd-llm`. Sums are seen in a copy of the model whose output projections read them for
    all heads that have one latent, of as many layers at a time as take `memory`; nothing of it is kept,
    so that there is nothing to resume. More than 4096 rows are seen as 4096 of them, spread evenly.

    How much is lost depends on the text: SmolLM2-135M's perplexity on four windows of WikiText-2, 23.24,
    becomes 25.06 at three quarters by llmc's own text (25.64 by the second moment of inputs), and 23.94 by
    other text of WikiText-2. Its 3 heads of values are few to begin with.

    Keys stay as they are: where they are rotated (RoPE) they would have to be rebuilt from latents
    whenever they are read.

    A bias of values moves behind the output projection; beside attention sinks it is refused. So are
    values that something else than linears reads behind attention, and caches that layers share
    (`share-kv-cache` comes after). Weights have to be floats and are fp32 afterwards: passes that round
    come after, `quantize-kv-cache` too.

    Before:
    ```mlir
    %v = llmc.linear %x, %value : (tensor<?x576xf32>, tensor<192x576xf32>) -> tensor<?x192xf32>
    %c = llmc.cache_append %cache, %k, %v, %rows : !llmc.kv_cache<3x64, …>, …
    %a = llmc.attention %q, %c, %rows : tensor<?x576xf32>, !llmc.kv_cache<3x64, …> {heads = 9 : i64, …}
    %o = llmc.linear %a, %output : (tensor<?x576xf32>, tensor<576x576xf32>) -> tensor<?x576xf32>
    ```
    After `factorize-kv-cache{rank=48 heads=1}`:
    ```mlir
    %z = llmc.linear %x, %value : (tensor<?x576xf32>, tensor<144x576xf32>) -> tensor<?x144xf32>
    %c = llmc.cache_append %cache, %k, %z, %rows : !llmc.kv_cache<3x64:3x48, …>, …
    %a = llmc.attention %q, %c, %rows : tensor<?x576xf32>, !llmc.kv_cache<3x64:3x48, …> {heads = 9 : i64, …}
    %o = llmc.linear %a, %output : (tensor<?x432xf32>, tensor<576x432xf32>) -> tensor<?x576xf32>
    ```

    The report has a line for each cache, with the share of the outputs' sizes that is lost, the
    model's size before and after as with `drop-layers`, and the state of a session.
  }];
  let options = !listconcat([
    Option<"rank", "rank", "int64_t", /*default=*/"0", "Numbers of a latent; 0: as `keep` says">,
    Option<"keep", "keep", "std::string", /*default=*/"\"\"",
           "In place of a rank: the share of the values' numbers that latents have; default: 0.75">,
    Option<"heads", "heads", "int64_t", /*default=*/"0",
           "Heads of values that have one latent; 0: all">,
    Option<"multiple", "multiple", "int64_t", /*default=*/"16",
           "With `keep`: what ranks are multiples of, but for those that would be less">
  ], dampOption, calibrationOptions, structureReportOptions);
  let dependentDialects = ["::llmc::LLMCDialect", "::mlir::func::FuncDialect"];
}

#endif // LLMC_TRANSFORMS_KVCACHE_PASSES_TD
