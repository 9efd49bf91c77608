// RUN: llmc-opt %s -split-input-file -verify-diagnostics

// expected-error @+1 {{expected at least one outlier in a row, found 0}}
func.func private @f(tensor<96x64xf32, #llmc.outliers<0 x f16, #llmc.nf4<group = 64, scale = f16>>>)

// -----

// expected-error @+1 {{expected outliers of f32, f16 or bf16, found 'i8'}}
func.func private @f(tensor<96x64xf32, #llmc.outliers<1 x i8, #llmc.nf4<group = 64, scale = f16>>>)

// -----

// expected-error @+1 {{expected outliers beside an encoding that decodes weights one by one, keeps all and has no outliers, found #llmc.sparse<2:4, f32>}}
func.func private @f(tensor<96x64xf32, #llmc.outliers<1 x f16, #llmc.sparse<2:4, f32>>>)

// -----

// expected-error @+1 {{expected outliers beside an encoding that decodes weights one by one, keeps all and has no outliers, found #llmc.masked<9, f32>}}
func.func private @f(tensor<96x64xf32, #llmc.outliers<1 x f16, #llmc.masked<9, f32>>>)

// -----

// expected-error @+1 {{expected outliers beside an encoding that decodes weights one by one, keeps all and has no outliers, found #llmc.outliers<2 x f16, #llmc.nf4<group = 64, scale = f16>>}}
func.func private @f(tensor<96x64xf32, #llmc.outliers<1 x f16, #llmc.outliers<2 x f16, #llmc.nf4<group = 64, scale = f16>>>>)

// -----

// expected-error @+1 {{expected outliers beside an encoding that decodes weights one by one, keeps all and has no outliers, found f32}}
func.func private @f(tensor<96x64xf32, #llmc.outliers<1 x f16, f32>>)

// -----

// expected-error @+1 {{expected at most as many outliers as a row has weights, found 65 of 64}}
func.func private @f(tensor<96x64xf32, #llmc.outliers<65 x f16, #llmc.nf4<group = 64, scale = f16>>>)

// -----

// expected-error @+1 {{expected at most 65536 columns for outliers, found 65537}}
func.func private @f(tensor<2x65537xf32, #llmc.outliers<1 x f16, #llmc.nf4<group = 64, scale = f16>>>)

// -----

// expected-error @+1 {{expected element type f32 for outliers, found 'f16'}}
func.func private @f(tensor<96x64xf16, #llmc.outliers<1 x f16, #llmc.nf4<group = 64, scale = f16>>>)

// -----

// expected-error @+1 {{expected a matrix of static shape for outliers}}
func.func private @f(tensor<96xf32, #llmc.outliers<1 x f16, #llmc.nf4<group = 64, scale = f16>>>)

// -----

// expected-error @+1 {{expected an encoding of weights, found #llmc.plain<f16>, which is one of caches}}
func.func private @f(tensor<96x64xf32, #llmc.outliers<1 x f16, #llmc.plain<f16>>>)
