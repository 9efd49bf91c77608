// RUN: llmc-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{expected elements of f4E2M1FN, f6E2M3FN, f6E3M2FN, f8E4M3FN or f8E5M2, found 'f16'}}
func.func private @f(tensor<96x64xf32, #llmc.float<f16, group = 32, scale = f16>>)

// -----

// expected-error @+1 {{expected a positive group size, 'channel' or 'tensor', found 0}}
func.func private @f(tensor<96x64xf32, #llmc.float<f4E2M1FN, group = 0, scale = f16>>)

// -----

// expected-error @+1 {{expected scales of f32, f16, bf16, f8E8M0FNU or f8E4M3FN, found 'i8'}}
func.func private @f(tensor<96x64xf32, #llmc.float<f4E2M1FN, group = 32, scale = i8>>)

// -----

// expected-error @+1 {{expected a scale of the matrix of f32, found 'f16'}}
func.func private @f(tensor<96x64xf32, #llmc.float<f4E2M1FN, group = 32, scale = f8E4M3FN, matrix = f16>>)

// -----

// expected-error @+1 {{expected a scale of the matrix ('matrix = f32') beside scales of 'f8E4M3FN'}}
func.func private @f(tensor<96x64xf32, #llmc.float<f4E2M1FN, group = 32, scale = f8E4M3FN>>)

// -----

// expected-error @+1 {{expected scales of f8E4M3FN beside one of the matrix, found 'f16'}}
func.func private @f(tensor<96x64xf32, #llmc.float<f4E2M1FN, group = 32, scale = f16, matrix = f32>>)

// -----

// expected-error @+1 {{expected element type f32 for small floats, found 'f16'}}
func.func private @f(tensor<96x64xf16, #llmc.float<f4E2M1FN, group = 32, scale = f16>>)

// -----

// expected-error @+1 {{expected a matrix of static shape for small floats}}
func.func private @f(tensor<96xf32, #llmc.float<f4E2M1FN, group = 32, scale = f16>>)

// -----

// expected-error @+1 {{expected minima of f32, f16 or bf16, found 'f8E8M0FNU'}}
func.func private @f(tensor<96x64xf32, #llmc.grouped<bits = 8, group = 32, zero = float, scale = f8E8M0FNU>>)
