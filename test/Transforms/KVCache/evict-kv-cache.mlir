// RUN: llmc-opt %s --evict-kv-cache="budget=10" 2>%t.table | FileCheck %s --check-prefixes=CHECK,SINKS
// RUN: FileCheck %s --check-prefix=TABLE < %t.table
// RUN: llmc-opt %s --evict-kv-cache="policy=window budget=10 table=false" | FileCheck %s --check-prefixes=CHECK,WINDOW
// RUN: llmc-opt %s --evict-kv-cache="budget=10 table=false" --evict-kv-cache="budget=12 sinks=1 table=false" | FileCheck %s --check-prefixes=CHECK,AGAIN
// RUN: llmc-opt %s --evict-kv-cache="budget=10 table=false" --quantize-kv-cache="keys=f16 values=i8 residual=6 table=false" | FileCheck %s --check-prefixes=CHECK,BOTH
// RUN: llmc-opt %s --quantize-kv-cache="keys=f16 values=i8 residual=6 table=false" --evict-kv-cache="budget=10 table=false" | FileCheck %s --check-prefixes=CHECK,BOTH
// RUN: llmc-opt %s --evict-kv-cache="policy=h2o budget=10 sinks=1" 2>&1 | FileCheck %s --check-prefix=HEAVY
// RUN: llmc-opt %s --evict-kv-cache="policy=h2o budget=10 recent=2 table=false" --evict-kv-cache="budget=10 table=false" | FileCheck %s --check-prefixes=CHECK,SINKS
// RUN: llmc-opt %s --evict-kv-cache="policy=snapkv budget=26 sinks=1 observe=4" 2>&1 | FileCheck %s --check-prefix=OBSERVED
// RUN: llmc-opt %s --evict-kv-cache="policy=pyramid budget=26 sinks=1 observe=4" 2>&1 | FileCheck %s --check-prefix=PYRAMID
// RUN: llmc-opt %s --evict-kv-cache="policy=snapkv budget=100 table=false" | FileCheck %s --check-prefix=USUAL
// RUN: sed 's/scale = 0.5 : f32}/scale = 0.5 : f32, window = 7 : i64}/' %s | llmc-opt --evict-kv-cache="budget=10" 2>&1 | FileCheck %s --check-prefix=OWN

// Every cache of the model, those of blocks too; blocks stay blocks. The last pass decides. Passes
// that say how keys and values are stored leave the positions.

// A text of 4096 positions, of which steps of 128 rows need 16 and 144.
// TABLE: evict-kv-cache: 2 caches, the first 4 and the newest 6 positions: 40960 bytes of state per session, 1048576 before
// CHECK: func.func private @block
// SINKS-SAME: keys = f32, values = f32, budget = 10, first = 4>
// WINDOW-SAME: keys = f32, values = f32, budget = 10>
// AGAIN-SAME: keys = f32, values = f32, budget = 12, first = 1>
// BOTH-SAME: keys = f16, values = #llmc.grouped<bits = 8, group = channel, zero = none, scale = f16>, residual = 6, sinks = 4, budget = 10, first = 4>
// CHECK: func.func @step
// CHECK: call @block
// CHECK: call @block

// Attention gives the cache whose positions it chooses, as long as it does. Scores take a number for
// each of 160 places.
// HEAVY: evict-kv-cache: 2 caches, the first 1, 4 of most weight and the newest 5 positions: 43520 bytes of state per session, 1048576 before
// HEAVY: func.func private @block
// HEAVY-SAME: keys = f32, values = f32, budget = 10, first = 1, heavy = 4>
// HEAVY: llmc.attention {{.*}} updates {{.*}}<2x8, capacity = 4096, keys = f32, values = f32, budget = 10, first = 1, heavy = 4> {heads
// SINKS-NOT: updates

// Of those that choose together two numbers for each place.
// OBSERVED: evict-kv-cache: 2 caches, the first 1, 17 of most weight by 4 queries and the newest 8 positions: 50688 bytes of state per session, 1048576 before
// OBSERVED: func.func private @block
// OBSERVED-SAME: keys = f32, values = f32, budget = 26, first = 1, heavy = 17, observed = 4>
// OBSERVED: llmc.attention {{.*}} updates
// USUAL: budget = 100, first = 4, heavy = 64, observed = 16>

// As many on average, fewer in later layers, which are no longer alike.
// PYRAMID: 1 cache, the first 1, 26 of most weight by 4 queries and the newest 8 positions; 1 cache, the first 1, 8 of most weight by 4 queries and the newest 8 positions:
// PYRAMID: func.func @step
// PYRAMID-SAME: budget = 35, first = 1, heavy = 26, observed = 4>
// PYRAMID-SAME: budget = 17, first = 1, heavy = 8, observed = 4>

// A layer with a window of its own keeps that.
// OWN: evict-kv-cache: 2 caches, the newest 7 positions:
// OWN: keys = f32, values = f32, budget = 7>

!cache = !llmc.kv_cache<2x8, capacity = 4096, keys = f32, values = f32>
llmc.parameter @table : tensor<64x16xf32> = #llmc.file<"w", offset = 0>
func.func private @block(%h: tensor<?x16xf32>, %rows: !llmc.rows, %cache: !cache) -> tensor<?x16xf32> {
  %c = llmc.cache_append %cache, %h, %h, %rows : !cache, tensor<?x16xf32>, tensor<?x16xf32>
  %a = llmc.attention %h, %c, %rows : tensor<?x16xf32>, !cache {heads = 2 : i64, scale = 0.5 : f32}
  %s = llmc.scale %a by 0.5 : tensor<?x16xf32>
  %y = arith.addf %h, %s : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
func.func @step(%tokens: tensor<?xi32>, %rows: !llmc.rows, %c0: !cache, %c1: !cache) -> tensor<?x16xf32> {
  %table = llmc.parameter_value @table : tensor<64x16xf32>
  %h0 = llmc.embedding %tokens, %table : (tensor<?xi32>, tensor<64x16xf32>) -> tensor<?x16xf32>
  %h1 = call @block(%h0, %rows, %c0) : (tensor<?x16xf32>, !llmc.rows, !cache) -> tensor<?x16xf32>
  %h2 = call @block(%h1, %rows, %c1) : (tensor<?x16xf32>, !llmc.rows, !cache) -> tensor<?x16xf32>
  %out = llmc.output_rows %h2, %rows : tensor<?x16xf32> -> tensor<?x16xf32>
  return %out : tensor<?x16xf32>
}
