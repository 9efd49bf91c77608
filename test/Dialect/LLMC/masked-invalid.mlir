// RUN: llmc-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{expected at least one weight to be kept, found 0}}
func.func private @f(tensor<96x64xf32, #llmc.masked<0, f32>>)

// -----

// expected-error @+1 {{expected at most as many kept weights as there are, found 6145 of 96 x 64}}
func.func private @f(tensor<96x64xf32, #llmc.masked<6145, f32>>)

// -----

// expected-error @+1 {{expected at most as many kept weights as there are, found 1 of 96 x 0}}
func.func private @f(tensor<96x0xf32, #llmc.masked<1, f32>>)

// -----

// expected-error @+1 {{expected kept weights of f32, f16 or bf16, or an encoding of them, found 'i8'}}
func.func private @f(tensor<96x64xf32, #llmc.masked<9, i8>>)

// -----

// expected-error @+1 {{expected kept weights of f32, f16 or bf16, or an encoding that decodes them one by one and keeps all, found #llmc.sparse<2:4, f32>}}
func.func private @f(tensor<96x64xf32, #llmc.masked<9, #llmc.sparse<2:4, f32>>>)

// -----

// expected-error @+1 {{expected kept weights of f32, f16 or bf16, or an encoding that decodes them one by one and keeps all, found 5 : i32}}
func.func private @f(tensor<96x64xf32, #llmc.masked<9, 5 : i32>>)

// -----

// expected-error @+1 {{expected element type f32 for a masked encoding, found 'f16'}}
func.func private @f(tensor<96x64xf16, #llmc.masked<9, f16>>)

// -----

// expected-note @+1 {{the parameter is declared here}}
llmc.parameter @w : tensor<96x64xf32, #llmc.masked<9, f32>> = #llmc.file<"w", offset = 0>
func.func @f() {
  // expected-error @+1 {{expected the parameter's type 'tensor<96x64xf32, #llmc.masked<9, f32>>', found 'tensor<96x64xf32, #llmc.masked<8, f32>>'}}
  %0 = llmc.parameter_value @w : tensor<96x64xf32, #llmc.masked<8, f32>>
  return
}

// -----

// expected-note @+1 {{the parameter is declared here}}
llmc.parameter @w : tensor<96x64xf32, #llmc.masked<9, f32>> = #llmc.file<"w", offset = 0>
func.func @f() {
  // expected-error @+1 {{expected the parameter's type 'tensor<96x64xf32, #llmc.masked<9, f32>>', found 'tensor<96x64xf32, #llmc.masked<10, f16>>'}}
  %0 = llmc.parameter_value @w : tensor<96x64xf32, #llmc.masked<10, f16>>
  return
}

// -----

// expected-error @+1 {{expected a matrix of static shape for a masked encoding}}
func.func private @f(tensor<96xf32, #llmc.masked<9, f32>>)

// -----

// expected-error @+1 {{expected a matrix of static shape for a masked encoding}}
func.func private @f(tensor<?x96xf32, #llmc.masked<9, f32>>)

// -----

// expected-error @+1 {{expected kept weights of f32, f16 or bf16, or an encoding that decodes them one by one and keeps all, found #llmc.outliers<1 x f16, #llmc.nf4<group = 64, scale = f16>>}}
func.func private @f(tensor<96x64xf32, #llmc.masked<9, #llmc.outliers<1 x f16, #llmc.nf4<group = 64, scale = f16>>>>)
