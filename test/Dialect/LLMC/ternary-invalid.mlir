// RUN: llmc-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{expected a positive group size or 'channel' for ternary weights, found 'tensor'}}
func.func private @f(tensor<96x64xf32, #llmc.ternary<group = tensor, scale = f16>>)

// -----

// expected-error @+1 {{expected scales of f32, f16 or bf16, found 'i8'}}
func.func private @f(tensor<96x64xf32, #llmc.ternary<group = 32, scale = i8>>)

// -----

// expected-error @+1 {{expected element type f32 for ternary weights, found 'f16'}}
func.func private @f(tensor<96x64xf16, #llmc.ternary<group = 32, scale = f16>>)

// -----

// expected-error @+1 {{expected a matrix of static shape for ternary weights}}
func.func private @f(tensor<?x96xf32, #llmc.ternary<group = 32, scale = f16>>)
