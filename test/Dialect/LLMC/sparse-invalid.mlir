// RUN: llmc-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{expected some of 2, 4, 8 or 16 weights to be kept, found some of 3}}
func.func private @f(tensor<96x64xf32, #llmc.sparse<1:3, f32>>)

// -----

// expected-error @+1 {{expected some of 2, 4, 8 or 16 weights to be kept, found some of 32}}
func.func private @f(tensor<96x64xf32, #llmc.sparse<1:32, f32>>)

// -----

// expected-error @+1 {{expected some of 2, 4, 8 or 16 weights to be kept, found some of -4}}
func.func private @f(tensor<96x64xf32, #llmc.sparse<2:-4, f32>>)

// -----

// expected-error @+1 {{expected a power of two below 4 weights to be kept of each 4, found 3}}
func.func private @f(tensor<96x64xf32, #llmc.sparse<3:4, f32>>)

// -----

// expected-error @+1 {{expected a power of two below 4 weights to be kept of each 4, found 4}}
func.func private @f(tensor<96x64xf32, #llmc.sparse<4:4, f32>>)

// -----

// expected-error @+1 {{expected a power of two below 4 weights to be kept of each 4, found 0}}
func.func private @f(tensor<96x64xf32, #llmc.sparse<0:4, f32>>)

// -----

// expected-error @+1 {{expected kept weights of f32, f16 or bf16, or an encoding of them, found 'i8'}}
func.func private @f(tensor<96x64xf32, #llmc.sparse<2:4, i8>>)

// -----

// expected-error @+1 {{expected kept weights of f32, f16 or bf16, or an encoding that decodes them one by one and keeps all, found #llmc.sparse<2:4, f32>}}
func.func private @f(tensor<96x64xf32, #llmc.sparse<2:4, #llmc.sparse<2:4, f32>>>)

// -----

// expected-error @+1 {{expected kept weights of f32, f16 or bf16, or an encoding that decodes them one by one and keeps all, found 5 : i32}}
func.func private @f(tensor<96x64xf32, #llmc.sparse<2:4, 5 : i32>>)

// -----

// expected-error @+1 {{expected groups of a multiple of 4 weights where some of each 2 are kept, found 6}}
func.func private @f(tensor<96x64xf32, #llmc.sparse<1:2, #llmc.nf4<group = 6, scale = f16>>>)

// -----

// expected-error @+1 {{expected groups of a multiple of 8 weights where some of each 8 are kept, found 4}}
func.func private @f(tensor<96x64xf32, #llmc.sparse<2:8, #llmc.nf4<group = 4, scale = f16>>>)

// -----

// expected-error @+1 {{expected a multiple of 4 columns for a sparse encoding of 2:4, found 66}}
func.func private @f(tensor<96x66xf32, #llmc.sparse<2:4, f32>>)

// -----

// expected-error @+1 {{expected a multiple of 4 columns for a sparse encoding of 1:2, found 66}}
func.func private @f(tensor<96x66xf32, #llmc.sparse<1:2, f32>>)

// -----

// expected-error @+1 {{expected element type f32 for a sparse encoding, found 'f16'}}
func.func private @f(tensor<96x64xf16, #llmc.sparse<2:4, f16>>)

// -----

// expected-error @+1 {{expected a matrix of static shape for a sparse encoding}}
func.func private @f(tensor<96xf32, #llmc.sparse<2:4, f32>>)

// -----

// expected-error @+1 {{expected a matrix of static shape for a sparse encoding}}
func.func private @f(tensor<?x96xf32, #llmc.sparse<2:4, f32>>)

// -----

// expected-error @+1 {{expected positions of at most 8 bits, found 4 of 3 bits each}}
func.func private @f(tensor<96x64xf32, #llmc.sparse<4:8, f32>>)

// -----

// expected-error @+1 {{expected kept weights of f32, f16 or bf16, or an encoding that decodes them one by one and keeps all, found #llmc.outliers<1 x f16, #llmc.nf4<group = 64, scale = f16>>}}
func.func private @f(tensor<96x64xf32, #llmc.sparse<2:4, #llmc.outliers<1 x f16, #llmc.nf4<group = 64, scale = f16>>>>)
