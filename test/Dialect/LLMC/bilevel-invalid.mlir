// RUN: llmc-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{expected bits and bits of scales of at least 1 each and at most 8 together, found 0 and 3}}
func.func private @f(tensor<96x64xf32, #llmc.bilevel<bits = 0, group = 16, scale_bits = 3, scale_group = 16, scale = f16>>)

// -----

// expected-error @+1 {{expected bits and bits of scales of at least 1 each and at most 8 together, found 3 and 0}}
func.func private @f(tensor<96x64xf32, #llmc.bilevel<bits = 3, group = 16, scale_bits = 0, scale_group = 16, scale = f16>>)

// -----

// expected-error @+1 {{expected bits and bits of scales of at least 1 each and at most 8 together, found 5 and 4}}
func.func private @f(tensor<96x64xf32, #llmc.bilevel<bits = 5, group = 16, scale_bits = 4, scale_group = 16, scale = f16>>)

// -----

// expected-error @+1 {{expected a positive group size, found 0}}
func.func private @f(tensor<96x64xf32, #llmc.bilevel<bits = 3, group = 0, scale_bits = 3, scale_group = 16, scale = f16>>)

// -----

// expected-error @+1 {{expected a positive number of groups in a group, found 0}}
func.func private @f(tensor<96x64xf32, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 0, scale = f16>>)

// -----

// expected-error @+1 {{expected scales of f32, f16 or bf16, found 'f64'}}
func.func private @f(tensor<96x64xf32, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 16, scale = f64>>)

// -----

// expected-error @+1 {{expected element type f32 for a bilevel encoding, found 'f16'}}
func.func private @f(tensor<96x64xf16, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 16, scale = f16>>)

// -----

// expected-error @+1 {{expected a matrix of static shape for a bilevel encoding}}
func.func private @f(tensor<96xf32, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 16, scale = f16>>)

// -----

// expected-error @+1 {{expected a matrix of static shape for a bilevel encoding}}
func.func private @f(tensor<?x64xf32, #llmc.bilevel<bits = 3, group = 16, scale_bits = 3, scale_group = 16, scale = f16>>)
