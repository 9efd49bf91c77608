// RUN: llmc-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{expected 2 to 8 bits a weight for a codebook, found 1}}
func.func private @f(tensor<96x64xf32, #llmc.codebook<bits = 1, rows = 1, scale = f16>>)

// -----

// expected-error @+1 {{expected 2 to 8 bits a weight for a codebook, found 9}}
func.func private @f(tensor<96x64xf32, #llmc.codebook<bits = 9, rows = 1, scale = f16>>)

// -----

// expected-error @+1 {{expected 1 row, a multiple of 16 or 'all' to share a table, found 8}}
func.func private @f(tensor<96x64xf32, #llmc.codebook<bits = 4, rows = 8, scale = f16>>)

// -----

// expected-error @+1 {{expected 1 row, a multiple of 16 or 'all' to share a table, found 0}}
func.func private @f(tensor<96x64xf32, #llmc.codebook<bits = 4, rows = 0, scale = f16>>)

// -----

// expected-error @+1 {{expected scales of f32, f16 or bf16, found 'i8'}}
func.func private @f(tensor<96x64xf32, #llmc.codebook<bits = 4, rows = 1, scale = i8>>)

// -----

// expected-error @+1 {{expected element type f32 for a codebook, found 'f16'}}
func.func private @f(tensor<96x64xf16, #llmc.codebook<bits = 4, rows = 1, scale = f16>>)

// -----

// expected-error @+1 {{expected a matrix of static shape for a codebook}}
func.func private @f(tensor<?x96xf32, #llmc.codebook<bits = 4, rows = 1, scale = f16>>)
