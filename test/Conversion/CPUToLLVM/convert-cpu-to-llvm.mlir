// Stages, barriers and entries become the LLVM dialect.

// RUN: llmc-opt %s --convert-cpu-to-llvm | FileCheck %s

// CHECK: llvm.func internal @row(%[[STEP:.*]]: !llvm.struct<(ptr, i64, i64)>)
// CHECK-SAME: no_inline
// CHECK-SAME: target_cpu = "haswell", target_features = #llvm.target_features<["+avx2", "+fma"]>
func.func private @row(%step: !spmd.step) attributes {
    cpu.target = #cpu.target<"avx2", cpu = "haswell", features = "+avx2,+fma", dot = maddubs>} {
  // The worker's own part of a pointer of the step.
  // CHECK: %[[STRIDE:.*]] = llvm.mlir.constant(4096 : i64)
  // CHECK: %[[ADDRESS:.*]] = llvm.extractvalue %[[STEP]][0]
  // CHECK: %[[ALL:.*]] = llvm.load %{{.*}} : !llvm.ptr -> !llvm.ptr
  // CHECK: %[[WORKER:.*]] = llvm.extractvalue %[[STEP]][1]
  // CHECK: %[[OFFSET:.*]] = llvm.mul %[[WORKER]], %[[STRIDE]]
  // CHECK: %[[OWN:.*]] = llvm.getelementptr %[[ALL]][%[[OFFSET]]]
  %own = cpu.field %step worker_arena {stride = 4096 : i64} : !llvm.ptr
  // CHECK: %[[ROWS:.*]] = llvm.load %{{.*}} : !llvm.ptr -> i64
  %rows = cpu.count %step rows
  // CHECK: %[[X:.*]] = llvm.getelementptr %[[OWN]][128]
  %x = cpu.address %own[128] : !llvm.ptr -> !llvm.ptr
  // The worker's share of the pieces.
  // CHECK: %[[WORKERS:.*]] = llvm.extractvalue %[[STEP]][2]
  // CHECK: %[[NEXT:.*]] = llvm.add %[[WORKER]]
  // CHECK: %[[FIRST:.*]] = llvm.mul %[[ROWS]], %[[WORKER]]
  // CHECK: %[[BEGIN:.*]] = llvm.udiv %[[FIRST]], %[[WORKERS]]
  // CHECK: %[[LAST:.*]] = llvm.mul %[[ROWS]], %[[NEXT]]
  // CHECK: %[[END:.*]] = llvm.udiv %[[LAST]], %[[WORKERS]]
  // CHECK: %[[ANY:.*]] = llvm.icmp "ult" %[[BEGIN]], %[[END]]
  // CHECK: llvm.cond_br %[[ANY]], ^[[BODY:.*]], ^[[AFTER:.*]]
  // CHECK: ^[[BODY]]:
  // CHECK: llvm.call @kernel(%[[BEGIN]], %[[END]], %[[X]])
  // CHECK: ^[[AFTER]]:
  cpu.stage "up" %step, %rows {
  ^bb0(%begin: i64, %end: i64):
    func.call @kernel(%begin, %end, %x) : (i64, i64, !llvm.ptr) -> ()
  }
  // The step's own barrier.
  // CHECK: llvm.call %{{.*}}(%{{.*}}, %{{.*}}) : !llvm.ptr, (!llvm.ptr, i32) -> ()
  spmd.barrier %step
  return
}

func.func private @kernel(i64, i64, !llvm.ptr)

// CHECK: llvm.func internal @step(%[[GIVEN:.*]]: !llvm.ptr, %{{.*}}: i32, %{{.*}}: i32)
// CHECK-NOT: no_inline
// CHECK-SAME: target_cpu = "cortex-a72"
// CHECK: %[[ONE:.*]] = llvm.icmp "eq"
// CHECK: llvm.cond_br %[[ONE]], ^[[ROW:.*]], ^[[MANY:.*]]
// CHECK: ^[[ROW]]:
// CHECK: llvm.call @row
// CHECK: ^[[MANY]]:
// CHECK: llvm.call @other
spmd.entry @step row @row rows @other target #cpu.target<"neon", cpu = "cortex-a72", features = "", dot = plain>

// CHECK: llvm.func @other(%{{.*}}: !llvm.struct<(ptr, i64, i64)>)
func.func @other(%step: !spmd.step) {
  return
}
