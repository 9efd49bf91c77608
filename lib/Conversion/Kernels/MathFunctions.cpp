//===- MathFunctions.cpp - functions of floats, the same bits on every machine with fma ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>

using namespace mlir;
using namespace llmc;

/// ((c0 · x + c1) · x + …) + cn.
static Value polynomial(KernelBuilder &k, Value x, ArrayRef<double> coefficients) {
  Value result = k.real(x.getType(), coefficients.front());
  for (double coefficient : coefficients.drop_front())
    result = k.fma(result, x, k.real(x.getType(), coefficient));
  return result;
}

static Type integersLike(KernelBuilder &k, Value value) {
  if (auto shaped = dyn_cast<VectorType>(value.getType()))
    return shaped.clone(k.i32());
  return k.i32();
}

/// Rounds to the nearest integer, half to even, for |x| < 2^22: adding 1.5 · 2^23 leaves no bits
/// for a fraction.
static Value roundToInteger(KernelBuilder &k, Value x) {
  Value magic = k.real(x.getType(), 0x1.8p23);
  return k.fsub(k.fadd(x, magic), magic);
}

Value KernelBuilder::exp(Value x) {
  Type type = x.getType();
  // Outside this range the result is 0 or the largest float, near enough.
  x = fmax(x, real(type, -87.33654));
  x = select(less(real(type, 88.37626), x), real(type, 88.37626), x);
  // x = n · ln 2 + r. The first part of ln 2 has nine trailing zero bits: n times it is exact.
  Value n = roundToInteger(*this, fmul(x, real(type, 1.44269504088896341)));
  Value r = fma(n, real(type, -0.693359375), x);
  r = fma(n, real(type, 2.12194440e-4), r);
  // Minimax polynomial of Cephes' expf (Moshier).
  Value p = polynomial(*this, r,
                       {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2,
                        1.6666665459e-1, 5.0000001201e-1});
  p = fadd(fma(p, fmul(r, r), r), real(type, 1.0));
  // 2^n by its exponent.
  Type integers = integersLike(*this, x);
  Value scale = shl(add(toInteger(n), integer(integers, 127)), 23);
  return fmul(p, bitcast(scale, type));
}

Value KernelBuilder::sigmoid(Value x) {
  Value one = real(x.getType(), 1.0);
  return fdiv(one, fadd(one, exp(fneg(x))));
}

Value KernelBuilder::tanh(Value x) {
  Type type = x.getType();
  Value one = real(type, 1.0), two = real(type, 2.0), square = fmul(x, x);
  Value large = fsub(one, fdiv(two, fadd(exp(fmul(two, x)), one)));
  // That loses digits near 0: there, the minimax polynomial of Cephes' tanhf (Moshier).
  Value p = polynomial(*this, square,
                       {-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1,
                        -3.33332819422e-1});
  Value small = fma(fmul(p, square), x, x);
  return select(less(fabs(x), real(type, 0.625)), small, large);
}

Value KernelBuilder::erf(Value x) {
  // Abramowitz and Stegun 7.1.26.
  Type type = x.getType();
  Value one = real(type, 1.0), magnitude = fabs(x);
  Value t = fdiv(one, fma(magnitude, real(type, 0.3275911), one));
  Value p =
      polynomial(*this, t, {1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592});
  Value tail = fmul(fmul(p, t), exp(fneg(fmul(magnitude, magnitude))));
  Value result = fsub(one, tail);
  return select(less(x, real(type, 0.0)), fneg(result), result);
}

std::pair<Value, Value> KernelBuilder::sincos(Value x) {
  // The argument is reduced in double precision: x = n · π/2 + r, |r| ≤ π/4.
  Type type = x.getType();
  auto shaped = dyn_cast<VectorType>(type);
  Type wide = shaped ? Type(shaped.clone(f64())) : f64();
  Type integers = integersLike(*this, x);
  Value exact = arith::ExtFOp::create(builder, location, wide, x);
  Value magic = real(wide, 0x1.8p52);
  Value n = fsub(fadd(fmul(exact, real(wide, M_2_PI)), magic), magic);
  Value reduced = fsub(exact, fmul(n, real(wide, M_PI_2)));
  Value r = arith::TruncFOp::create(builder, location, type, reduced);
  Value quadrant = arith::FPToSIOp::create(builder, location, integers, n);

  // Minimax polynomials of Cephes' sinf and cosf (Moshier).
  Value square = fmul(r, r);
  Value sine = polynomial(*this, square, {-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1});
  sine = fma(fmul(sine, square), r, r);
  Value cosine = polynomial(*this, square,
                            {2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2});
  cosine = fma(fmul(cosine, square), square, fma(square, real(type, -0.5), real(type, 1.0)));

  // Quadrants 1 and 3 swap the two; 2 and 3 negate the sine, 1 and 2 the cosine.
  Value swap = equal(bitAnd(quadrant, integer(integers, 1)), integer(integers, 1));
  Value resultSine = select(swap, cosine, sine), resultCosine = select(swap, sine, cosine);
  auto negateIf = [&](Value value, Value bits) {
    Value sign = shl(bitAnd(bits, integer(integers, 2)), 30);
    return bitcast(arith::XOrIOp::create(builder, location, bitcast(value, integers), sign), type);
  };
  return {negateIf(resultSine, quadrant),
          negateIf(resultCosine, add(quadrant, integer(integers, 1)))};
}
