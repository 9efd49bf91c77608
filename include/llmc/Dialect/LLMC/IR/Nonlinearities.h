//===- Nonlinearities.h - the formulas of nonlinear functions ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Written once for whatever numbers are: doubles, which the raise compares a graph's functions
// with; those of which the meaning is built; those of a kernel, which may know a faster way.
//
//===----------------------------------------------------------------------===//

#ifndef LLMC_DIALECT_LLMC_IR_NONLINEARITIES_H
#define LLMC_DIALECT_LLMC_IR_NONLINEARITIES_H

#include "llmc/Dialect/LLMC/IR/LLMC.h"

#include <algorithm>
#include <cmath>

namespace llmc {

template <typename Number>
Number applySigmoid(Number x) {
  using std::exp;
  return 1 / (exp(-x) + 1);
}

template <typename Number>
Number clamp(Number x, double low, double high) {
  using std::max;
  return max(-max(-x, -high), low);
}

/// f(x) of LLMCEnums.td.
template <typename Number>
Number applyNonlinearity(Nonlinearity function, Number x) {
  using std::erf;
  using std::max;
  using std::tanh;
  switch (function) {
  case Nonlinearity::Relu:
    return max(x, 0.0);
  case Nonlinearity::Silu:
    return x * applySigmoid(x);
  case Nonlinearity::Gelu:
    return x * (erf(x / std::sqrt(2.0)) + 1) / 2;
  case Nonlinearity::GeluTanh:
    return x * (tanh((x + x * x * x * 0.044715) * std::sqrt(2 / M_PI)) + 1) / 2;
  case Nonlinearity::GeluQuick:
    return x * applySigmoid(x * 1.702);
  case Nonlinearity::Tanh:
    return tanh(x);
  case Nonlinearity::Sigmoid:
    return applySigmoid(x);
  case Nonlinearity::HardTanh:
    return clamp(x, -1, 1);
  case Nonlinearity::HardSwish:
    return x * clamp(x + 3.0, 0, 6) / 6;
  }
  return x;
}

} // namespace llmc

#endif // LLMC_DIALECT_LLMC_IR_NONLINEARITIES_H
