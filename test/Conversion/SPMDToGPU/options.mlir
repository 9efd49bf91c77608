// Options that say nothing that can be.

// RUN: not llmc-opt %s --convert-spmd-to-gpu=target=x86_64-linux-gnu 2>&1 | FileCheck %s --check-prefix=KIND
// RUN: not llmc-opt %s --convert-spmd-to-gpu=target=cuda:sm_70 2>&1 | FileCheck %s --check-prefix=ARCHITECTURE
// RUN: not llmc-opt %s --convert-spmd-to-gpu=threads=48 2>&1 | FileCheck %s --check-prefix=THREADS
// RUN: not llmc-opt %s --convert-spmd-to-gpu=kernels=some 2>&1 | FileCheck %s --check-prefix=KERNELS

// KIND: error: target: expected cuda[:ARCHITECTURE], found 'x86_64-linux-gnu'
// ARCHITECTURE: error: target: expected an architecture among sm_80, {{.*}}, found 'sm_70'
// THREADS: error: threads: expected a multiple of 32 up to 1024, found 48
// KERNELS: error: kernels: expected
