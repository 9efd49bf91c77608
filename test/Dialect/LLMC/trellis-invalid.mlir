// RUN: llmc-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{expected 2 to 5 bits a weight for a trellis, found 1}}
func.func private @f(tensor<96x64xf32, #llmc.trellis<bits = 1, scale = f16>>)

// -----

// expected-error @+1 {{expected 2 to 5 bits a weight for a trellis, found 6}}
func.func private @f(tensor<96x64xf32, #llmc.trellis<bits = 6, scale = f16>>)

// -----

// expected-error @+1 {{expected 2 to 5 bits a weight for a trellis, found 5.5}}
func.func private @f(tensor<96x64xf32, #llmc.trellis<bits = 5, alternates = true, scale = f16>>)

// -----

// expected-error @+1 {{expected scales of f32, f16 or bf16, found 'i8'}}
func.func private @f(tensor<96x64xf32, #llmc.trellis<bits = 3, scale = i8>>)

// -----

// expected-error @+1 {{expected element type f32 for a trellis, found 'f16'}}
func.func private @f(tensor<96x64xf16, #llmc.trellis<bits = 3, scale = f16>>)

// -----

// expected-error @+1 {{expected a matrix of static shape for a trellis}}
func.func private @f(tensor<?x96xf32, #llmc.trellis<bits = 3, scale = f16>>)

// -----

// expected-error @+1 {{expected kept weights of f32, f16 or bf16, or an encoding that decodes them one by one and keeps all, found #llmc.trellis<bits = 3, scale = f16>}}
func.func private @f(tensor<96x64xf32, #llmc.sparse<2:4, #llmc.trellis<bits = 3, scale = f16>>>)
