// RUN: llmc-opt %s --evict-kv-cache="budget=10 table=false" --split-input-file --verify-diagnostics
// RUN: not llmc-opt %s --evict-kv-cache="policy=oldest budget=10" 2>&1 | FileCheck %s
// CHECK: expected policy=window, policy=sinks, policy=h2o, policy=snapkv or policy=pyramid, found 'oldest'
// RUN: not llmc-opt %s --evict-kv-cache 2>&1 | FileCheck %s --check-prefix=BUDGET
// BUDGET: expected a budget of at least 1 position, found 0
// RUN: not llmc-opt %s --evict-kv-cache="budget=-3" 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: expected a budget of at least 1 position, found -3
// RUN: not llmc-opt %s --evict-kv-cache="budget=4" 2>&1 | FileCheck %s --check-prefix=SINKS
// SINKS: expected sinks of at least 0, and fewer than the budget of 4 positions, found 4
// RUN: not llmc-opt %s --evict-kv-cache="budget=4 sinks=-2" 2>&1 | FileCheck %s --check-prefix=FEWER
// FEWER: expected sinks of at least 0, and fewer than the budget of 4 positions, found -2
// RUN: not llmc-opt %s --evict-kv-cache="policy=window budget=4 sinks=2" 2>&1 | FileCheck %s --check-prefix=WINDOW
// WINDOW: expected no sinks with policy=window, found 2
// RUN: not llmc-opt %s --evict-kv-cache="budget=9 recent=3" 2>&1 | FileCheck %s --check-prefix=RECENT
// RECENT: expected recent with policy=h2o alone, found 3 with policy=sinks
// RUN: not llmc-opt %s --evict-kv-cache="policy=h2o budget=9 recent=5" 2>&1 | FileCheck %s --check-prefix=HEAVY
// HEAVY: expected at least 1 recent position, and at least 1 more of the budget of 9 beside 4 sinks and these, found 5
// RUN: not llmc-opt %s --evict-kv-cache="policy=h2o budget=9 recent=-5" 2>&1 | FileCheck %s --check-prefix=LESS
// LESS: expected at least 1 recent position, and at least 1 more of the budget of 9 beside 4 sinks and these, found -5
// RUN: not llmc-opt %s --evict-kv-cache="policy=snapkv budget=60 recent=3" 2>&1 | FileCheck %s --check-prefix=NEWEST
// NEWEST: expected recent with policy=h2o alone, found 3 with policy=snapkv
// RUN: not llmc-opt %s --evict-kv-cache="policy=h2o budget=60 observe=3" 2>&1 | FileCheck %s --check-prefix=OBSERVE
// OBSERVE: expected observe with policy=snapkv or policy=pyramid, found 3 with policy=h2o
// RUN: not llmc-opt %s --evict-kv-cache="policy=snapkv budget=60 observe=-2" 2>&1 | FileCheck %s --check-prefix=BACK
// BACK: expected observe of at least 1, and of at most half of the budget of 60 positions, found -2
// RUN: not llmc-opt %s --evict-kv-cache="policy=pyramid budget=9 observe=5" 2>&1 | FileCheck %s --check-prefix=HALF
// HALF: expected observe of at least 1, and of at most half of the budget of 9 positions, found 5
// RUN: not llmc-opt %s --evict-kv-cache="policy=snapkv budget=36" 2>&1 | FileCheck %s --check-prefix=CHOOSE
// CHOOSE: expected a budget of at least 37 positions, 4 sinks, twice 16 that observe and 1 to choose, found 36
// RUN: not llmc-opt %s --evict-kv-cache="policy=pyramid budget=37" 2>&1 | FileCheck %s --check-prefix=PYRAMID
// PYRAMID: expected a budget of at least 38 positions, 4 sinks, twice 16 that observe and 2 to choose, found 37
// RUN: not llmc-opt %S/evict-kv-cache.mlir --evict-kv-cache="policy=pyramid budget=9223372036854775807" 2>&1 | FileCheck %s --check-prefix=TALL
// TALL: '!llmc.kv_cache<2x8, capacity = 4096, keys = f32, values = f32>': expected budget of 0 to 2^31 positions, found 9223372036854775807
// RUN: not llmc-opt %S/evict-kv-cache.mlir --evict-kv-cache="policy=h2o budget=99999999" 2>&1 | FileCheck %s --check-prefix=MOST
// MOST: '!llmc.kv_cache<2x8, capacity = 4096, keys = f32, values = f32>': expected at most 2^24 heavy positions, found 49999996
// RUN: not llmc-opt %S/evict-kv-cache.mlir --quantize-kv-cache="keys=i8 keys-along=positions keys-group=16 values=f32 residual=1 sinks=0" --evict-kv-cache="policy=h2o budget=40" 2>&1 | FileCheck %s --check-prefix=ALONG
// ALONG: expected keys that share nothing along positions beside heavy positions, found #llmc.position_grouped
// RUN: not llmc-opt %S/evict-kv-cache.mlir --quantize-kv-cache="keys=f16 values=i8 residual=6" --evict-kv-cache="policy=h2o budget=40 sinks=2" 2>&1 | FileCheck %s --check-prefix=EXACTSINKS
// EXACTSINKS: expected sinks among the first 2 positions, which stay beside heavy ones, found 4
// RUN: not llmc-opt %S/evict-kv-cache.mlir --evict-kv-cache="budget=9999999999" 2>&1 | FileCheck %s --check-prefix=ABSURD
// ABSURD: '!llmc.kv_cache<2x8, capacity = 4096, keys = f32, values = f32>': expected budget of 0 to 2^31 positions, found 9999999999
// RUN: not llmc-opt %S/evict-kv-cache.mlir --quantize-kv-cache="keys=f16 values=i8" --evict-kv-cache="budget=20" 2>&1 | FileCheck %s --check-prefix=EXACT
// EXACT: expected a budget of at least 36 positions, the first 4 and the newest 32, which are read exactly, found 20

// expected-error @below {{expected a model with caches, found none}}
module {}
