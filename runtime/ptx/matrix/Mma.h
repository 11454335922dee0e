// mma.sync on dense matrices, and what wmma.mma shares with it.
#pragma once

#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/matrix/Element.h"
#include "runtime/ptx/matrix/Shape.h"
#include "runtime/ptx/number/Format.h"

namespace glm::ptx {

std::span<const Form> mmaForms();

/// D = A * B + C of one warp, everything in registers.
struct MmaSpec {
  MatrixShape shape; ///< m and n multiples of 8, at most 32; m * n at most 256
  Element a = Element::F16, b = Element::F16;
  Type typeD = Type::F32, typeC = Type::F32; ///< F16, F32, S32, F64
  bool saturates = false;                    ///< integers: .satfinite
  bool isXor = false;                        ///< b1: .xor.popc, else .and.popc
  Rounding rounding = Rounding::Nearest;     ///< f64
  int registersA = 0, registersB = 0; ///< how many the operand has, if more than the matrix needs (the rest are copies)
};

/// Decode the operands d, a, b, c and choose the handler.
Result<void> buildMma(Builder &builder, const MmaSpec &spec, Op &op);

/// The word rn, rz, rm, rp; empty: rn.
Rounding roundingOf(std::string_view word);

} // namespace glm::ptx
