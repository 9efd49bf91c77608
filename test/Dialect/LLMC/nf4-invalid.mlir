// RUN: llmc-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{expected a positive group size, 'channel' or 'tensor', found 0}}
func.func private @f(tensor<96x64xf32, #llmc.nf4<group = 0, scale = f16>>)

// -----

// expected-error @+1 {{expected a positive group size or 'channel' for nf4, found 'tensor'}}
func.func private @f(tensor<96x64xf32, #llmc.nf4<group = tensor, scale = f16>>)

// -----

// expected-error @+1 {{expected scales of f32, f16 or bf16, found 'i8'}}
func.func private @f(tensor<96x64xf32, #llmc.nf4<group = 64, scale = i8>>)

// -----

// expected-error @+1 {{expected element type f32 for nf4, found 'f16'}}
func.func private @f(tensor<96x64xf16, #llmc.nf4<group = 64, scale = f16>>)

// -----

// expected-error @+1 {{expected a matrix of static shape for nf4}}
func.func private @f(tensor<96xf32, #llmc.nf4<group = 64, scale = f16>>)

// -----

// expected-error @+1 {{expected a matrix of static shape for nf4}}
func.func private @f(tensor<?x96xf32, #llmc.nf4<group = 64, scale = f16>>)
