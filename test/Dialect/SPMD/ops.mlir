// Every operation, attribute and type of spmd is read and written.

// RUN: llmc-opt %s | llmc-opt | FileCheck %s

!cache = !llmc.kv_cache<1x8, capacity = 8, keys = f32, values = f32>
!rows = !spmd.buffer<tensor<?x8xf32>, rows>

// CHECK: func.func private @block_rows(%[[STEP:.*]]: !spmd.step, %[[FRAME:.*]]: !spmd.frame, %[[X:.*]]: !spmd.buffer<tensor<?x8xf32>, rows>, %[[CACHE:.*]]: !spmd.buffer<!llmc.kv_cache<1x8, capacity = 8, keys = f32, values = f32>>)
func.func private @block_rows(%step: !spmd.step, %frame: !spmd.frame, %x: !rows, %cache: !spmd.buffer<!cache>) {
  // CHECK-NEXT: %[[W:.*]] = spmd.weight %[[STEP]] @norm : <tensor<8xf32>>
  %w = spmd.weight %step @norm : !spmd.buffer<tensor<8xf32>>
  // CHECK-NEXT: %[[ROWS:.*]] = spmd.input %[[STEP]] rows : <!llmc.rows>
  %rows = spmd.input %step rows : !spmd.buffer<!llmc.rows>
  // CHECK-NEXT: %[[Y:.*]] = spmd.buffer %[[FRAME]][128] : <tensor<?x8xf32>, rows>
  %y = spmd.buffer %frame[128] : !rows
  // CHECK-NEXT: spmd.stage "rms_norm" reads(%[[X]], %[[W]] : !spmd.buffer<tensor<?x8xf32>, rows>, !spmd.buffer<tensor<8xf32>>) writes(%[[Y]] : !spmd.buffer<tensor<?x8xf32>, rows>) {
  // CHECK-NEXT: ^bb0(%[[A:.*]]: tensor<?x8xf32>, %[[B:.*]]: tensor<8xf32>):
  // CHECK-NEXT: %[[N:.*]] = llmc.rms_norm %[[A]], %[[B]]
  // CHECK-NEXT: spmd.yield %[[N]] : tensor<?x8xf32>
  spmd.stage "rms_norm" reads(%x, %w : !rows, !spmd.buffer<tensor<8xf32>>) writes(%y : !rows) {
  ^bb0(%a: tensor<?x8xf32>, %b: tensor<8xf32>):
    %n = llmc.rms_norm %a, %b : tensor<?x8xf32>, tensor<8xf32> {epsilon = 1.0e-5 : f32}
    spmd.yield %n : tensor<?x8xf32>
  }
  // CHECK: spmd.barrier %[[STEP]]
  spmd.barrier %step
  // CHECK-NEXT: spmd.stage "cache_append" reads(%[[CACHE]], %[[Y]], %[[ROWS]] : {{.*}}) writes(%[[CACHE]] : {{.*}}) {
  spmd.stage "cache_append" reads(%cache, %y, %rows : !spmd.buffer<!cache>, !rows, !spmd.buffer<!llmc.rows>) writes(%cache : !spmd.buffer<!cache>) {
  ^bb0(%c: !cache, %k: tensor<?x8xf32>, %r: !llmc.rows):
    %after = llmc.cache_append %c, %k, %k, %r : !cache, tensor<?x8xf32>, tensor<?x8xf32>
    spmd.yield %after : !cache
  }
  // CHECK: spmd.stage "nothing" reads() writes() {
  spmd.stage "nothing" reads() writes() {
  }
  return
}

// CHECK: func.func private @step_rows(%[[STEP:.*]]: !spmd.step) attributes {spmd.one_row}
func.func private @step_rows(%step: !spmd.step) attributes {spmd.one_row} {
  // CHECK-NEXT: %[[ARENA:.*]] = spmd.arena %[[STEP]]
  %arena = spmd.arena %step
  // CHECK-NEXT: spmd.input %[[STEP]] tokens : <tensor<?xi32>, rows>
  %tokens = spmd.input %step tokens : !spmd.buffer<tensor<?xi32>, rows>
  // CHECK-NEXT: spmd.input %[[STEP]] logits : <tensor<?x8xf32>, output_rows>
  %logits = spmd.input %step logits : !spmd.buffer<tensor<?x8xf32>, output_rows>
  // CHECK-NEXT: %[[CACHE:.*]] = spmd.state %[[STEP]][256] : <!llmc.kv_cache<{{.*}}>>
  %cache = spmd.state %step[256] : !spmd.buffer<!cache>
  // CHECK-NEXT: %[[X:.*]] = spmd.activations %[[STEP]][1] : <tensor<?x8xf32>, rows>
  %x = spmd.activations %step[1] : !rows
  // CHECK-NEXT: %[[FRAME:.*]] = spmd.frame %[[ARENA]][64]
  %frame = spmd.frame %arena[64]
  call @block_rows(%step, %frame, %x, %cache) : (!spmd.step, !spmd.frame, !rows, !spmd.buffer<!cache>) -> ()
  return
}

// CHECK: spmd.program <vocabulary = 32, positions = 8, max_rows = 16, weight_bytes = 128, arena_bytes = 4096, worker_arena_bytes = 0, state_bytes = 1024> state [] description "{}" {
// CHECK-NEXT: llmc.parameter @norm : tensor<8xf32> = #llmc.file<"{{.*}}w", offset = 0> {spmd.offset = 0 : i64}
spmd.program
    <vocabulary = 32, positions = 8, max_rows = 16, weight_bytes = 128, arena_bytes = 4096,
     worker_arena_bytes = 0, state_bytes = 1024>
    state [] description "{}" {
  llmc.parameter @norm : tensor<8xf32> = #llmc.file<"w", offset = 0> {spmd.offset = 0 : i64}
}

// CHECK: spmd.entry @step row @step_rows rows @step_rows{{$}}
spmd.entry @step row @step_rows rows @step_rows
