// Single and double precision: add, sub, mul, fma, mad, div, rcp, sqrt (PTX ISA, "Floating Point Instructions", "Mixed
// Precision Floating Point Instructions").
#include "runtime/ptx/arithmetic/Floats.h"
#include "runtime/ptx/arithmetic/Operands.h"
#include "runtime/ptx/arithmetic/Tables.h"
#include "runtime/ptx/number/Approximate.h"
#include "runtime/ptx/number/Double.h"

#include <cmath>

GLM_PTX_BEGIN_LANES
namespace {

constexpr Feature kBase = Feature::Base;

/// Modifiers of Op::variant where they are not template parameters: only the common rounding is worth copies of the code.
constexpr uint16_t kFtz = 1;
constexpr uint16_t kSat = 2;

enum class Kind : uint8_t { Add, Subtract, Multiply, Divide, FusedMultiplyAdd, SquareRoot };

/// The operation in the rounding, before NaN and flushing are seen to.
template <Kind K, Rounding R, typename V, typename... W>
V compute(V a, W... rest) {
  const V others[] = {rest..., V(0)};
  const V b = others[0];
  if constexpr (R == Rounding::Nearest) {
    if constexpr (K == Kind::Add)
      return a + b;
    if constexpr (K == Kind::Subtract)
      return a - b;
    if constexpr (K == Kind::Multiply)
      return a * b;
    if constexpr (K == Kind::Divide)
      return a / b;
    if constexpr (K == Kind::SquareRoot)
      return __builtin_elementwise_sqrt(a);
    if constexpr (K == Kind::FusedMultiplyAdd)
      return __builtin_elementwise_fma(a, b, others[1]);
  } else {
    if constexpr (K == Kind::Add)
      return add<R>(a, b);
    if constexpr (K == Kind::Subtract)
      return add<R>(a, -b);
    if constexpr (K == Kind::Multiply)
      return multiply<R>(a, b);
    if constexpr (K == Kind::Divide)
      return divide<R>(a, b);
    if constexpr (K == Kind::SquareRoot)
      return squareRoot<R>(a);
    if constexpr (K == Kind::FusedMultiplyAdd)
      return fusedMultiplyAdd<R>(a, b, others[1]);
  }
}

template <Kind K, bool Ftz, bool Sat>
struct Nearest {
  template <typename... V>
  auto operator()(V... sources) const {
    return finish<Ftz, Sat>(compute<K, Rounding::Nearest>(flushIf<Ftz>(sources)...));
  }
};
template <Kind K, Rounding R>
struct Directed {
  explicit Directed(const Op &op) : ftz((op.variant & kFtz) != 0), sat((op.variant & kSat) != 0) {}
  template <typename... V>
  auto operator()(V... sources) const {
    const auto value = ftz ? flush(compute<K, R>(flush(sources)...)) : compute<K, R>(sources...);
    return sat ? saturate(value) : canonicalNan(value);
  }
  bool ftz, sat;
};

template <class F, int Count>
Handler floatHandler(bool pairs) {
  using U = uint64_t;
  if constexpr (Count == 1)
    return kLanewise<F, float, float>;
  else if constexpr (Count == 2)
    return pairs ? kLanewise<Packed<F, float>, U, U, U> : kLanewise<F, float, float, float>;
  else
    return pairs ? kLanewise<Packed<F, float>, U, U, U, U> : kLanewise<F, float, float, float, float>;
}

constexpr std::initializer_list<std::string_view> kRoundings = {"rn", "rz", "rm", "rp"};

Rounding roundingOf(std::string_view word) {
  constexpr Rounding kModes[] = {Rounding::Nearest, Rounding::Zero, Rounding::Down, Rounding::Up};
  return word.empty() ? Rounding::Nearest : kModes[indexOf(word, kRoundings)];
}

template <Kind K, int Count>
Handler floatHandler(Rounding rounding, bool ftz, bool sat, bool pairs, Op &op) {
  op.variant = static_cast<uint16_t>((ftz ? kFtz : 0) | (sat ? kSat : 0));
  switch (rounding) {
  case Rounding::Zero:
    return floatHandler<Directed<K, Rounding::Zero>, Count>(pairs);
  case Rounding::Down:
    return floatHandler<Directed<K, Rounding::Down>, Count>(pairs);
  case Rounding::Up:
    return floatHandler<Directed<K, Rounding::Up>, Count>(pairs);
  default:
    break;
  }
  if (sat)
    return ftz ? floatHandler<Nearest<K, true, true>, Count>(pairs)
               : floatHandler<Nearest<K, false, true>, Count>(pairs);
  return ftz ? floatHandler<Nearest<K, true, false>, Count>(pairs)
             : floatHandler<Nearest<K, false, false>, Count>(pairs);
}

template <int Count>
Result<void> takeSame(Builder &builder, Op &op, Type type) {
  if constexpr (Count == 1)
    return takeOperands(builder, op, type, {type});
  else if constexpr (Count == 2)
    return takeOperands(builder, op, type, {type, type});
  else
    return takeOperands(builder, op, type, {type, type, type});
}

/// Words: rounding, ftz, sat.
template <Kind K, int Count>
Result<void> single(Builder &builder, const Match &match, Op &op) {
  op.run = floatHandler<K, Count>(roundingOf(match.words[0]), match.has(1), match.has(2), false, op);
  return takeSame<Count>(builder, op, Type::F32);
}
/// Words: rounding, ftz.
template <Kind K, int Count>
Result<void> singleUnsaturated(Builder &builder, const Match &match, Op &op) {
  op.run = floatHandler<K, Count>(roundingOf(match.words[0]), match.has(1), false, false, op);
  return takeSame<Count>(builder, op, Type::F32);
}
template <Kind K, int Count>
Result<void> singlePairs(Builder &builder, const Match &match, Op &op) {
  op.run = floatHandler<K, Count>(roundingOf(match.words[0]), match.has(1), false, true, op);
  return takeSame<Count>(builder, op, Type::B64);
}

// Double precision.

template <Kind K>
struct DoubleNearest {
  template <typename... V>
  auto operator()(V... sources) const {
    return withPayload(compute<K, Rounding::Nearest>(sources...), sources...);
  }
};
template <Kind K, Rounding R>
struct DoubleDirected {
  template <typename... T>
  double operator()(double a, T... rest) const {
    const double others[] = {rest..., 0.0};
    if constexpr (K == Kind::Add)
      return addDouble(a, others[0], R);
    if constexpr (K == Kind::Subtract)
      return addDouble(a, -others[0], R);
    if constexpr (K == Kind::Multiply)
      return multiplyDouble(a, others[0], R);
    if constexpr (K == Kind::Divide)
      return divideDouble(a, others[0], R);
    if constexpr (K == Kind::SquareRoot)
      return squareRootDouble(a, R);
    if constexpr (K == Kind::FusedMultiplyAdd)
      return fusedMultiplyAddDouble(a, others[0], others[1], R);
  }
};
template <Kind K, Rounding R>
struct DoubleDirectedLanes {
  template <typename... V>
  auto operator()(V... sources) const {
    return withPayload(Scalar<DoubleDirected<K, R>>()(sources...), sources...);
  }
};
template <class F, int Count>
constexpr Handler doubleHandler() {
  if constexpr (Count == 1)
    return kLanewise<F, double, double>;
  else if constexpr (Count == 2)
    return kLanewise<F, double, double, double>;
  else
    return kLanewise<F, double, double, double, double>;
}
/// Words: rounding.
template <Kind K, int Count>
Result<void> twice(Builder &builder, const Match &match, Op &op) {
  constexpr Handler kHandlers[] = {doubleHandler<DoubleNearest<K>, Count>(),
                                   doubleHandler<DoubleDirectedLanes<K, Rounding::Zero>, Count>(),
                                   doubleHandler<DoubleDirectedLanes<K, Rounding::Down>, Count>(),
                                   doubleHandler<DoubleDirectedLanes<K, Rounding::Up>, Count>()};
  op.run = kHandlers[match.has(0) ? indexOf(match.words[0], kRoundings) : 0];
  return takeSame<Count>(builder, op, Type::F64);
}

// Reciprocals: division of one.

template <class F>
struct OneOver : F {
  using F::F;
  template <typename V>
  V operator()(V a) const {
    return F::operator()(V(1), a);
  }
};
template <bool Ftz>
using ReciprocalNearest = OneOver<Nearest<Kind::Divide, Ftz, false>>;

Result<void> reciprocal(Builder &builder, const Match &match, Op &op) {
  const bool ftz = match.has(1);
  op.variant = ftz ? kFtz : 0;
  constexpr Handler kHandlers[] = {nullptr, kLanewise<OneOver<Directed<Kind::Divide, Rounding::Zero>>, float, float>,
                                   kLanewise<OneOver<Directed<Kind::Divide, Rounding::Down>>, float, float>,
                                   kLanewise<OneOver<Directed<Kind::Divide, Rounding::Up>>, float, float>};
  const uint32_t mode = match.words[0] == "approx" ? 0 : indexOf(match.words[0], kRoundings);
  op.run = mode != 0 ? kHandlers[mode]
           : ftz     ? kLanewise<ReciprocalNearest<true>, float, float>
                     : kLanewise<ReciprocalNearest<false>, float, float>;
  return takeOperands(builder, op, Type::F32, {Type::F32});
}
Result<void> reciprocalDouble(Builder &builder, const Match &match, Op &op) {
  constexpr Handler kHandlers[] = {
      kLanewise<OneOver<DoubleNearest<Kind::Divide>>, double, double>,
      kLanewise<OneOver<DoubleDirectedLanes<Kind::Divide, Rounding::Zero>>, double, double>,
      kLanewise<OneOver<DoubleDirectedLanes<Kind::Divide, Rounding::Down>>, double, double>,
      kLanewise<OneOver<DoubleDirectedLanes<Kind::Divide, Rounding::Up>>, double, double>};
  op.run = kHandlers[indexOf(match.words[0], kRoundings)];
  return takeOperands(builder, op, Type::F64, {Type::F64});
}

/// The coarse double approximations see and give the upper 32 bits of a double only (PTX ISA, rcp.approx.ftz.f64).
template <bool Root>
struct Coarse {
  template <typename V>
  V operator()(V a) const {
    constexpr uint64_t kUpper = 0xffffffff00000000;
    const auto bits = bitsAs<uint64_t>(a) & kUpper;
    const auto flushed = (bits & 0x7ff0000000000000u) == 0 ? bits & 0x8000000000000000u : bits;
    const V value = bitsAs<double>(flushed);
    const V result = 1.0 / (Root ? __builtin_elementwise_sqrt(value) : value);
    const auto upper = bitsAs<uint64_t>(result) & kUpper;
    const auto small = (upper & 0x7ff0000000000000u) == 0 ? upper & 0x8000000000000000u : upper;
    return isNumber(a) && isNumber(result) ? bitsAs<double>(small)
                                           : bitsAs<double>(Rebind<V, uint64_t>(0x7fffffff00000000u));
  }
};
struct ReciprocalRootDouble {
  template <typename V>
  V operator()(V a) const {
    return withPayload(1.0 / __builtin_elementwise_sqrt(a), a);
  }
};
template <class F>
Result<void> doubleUnary(Builder &builder, const Match &, Op &op) {
  op.run = kLanewise<F, double, double>;
  return takeOperands(builder, op, Type::F64, {Type::F64});
}

template <bool Ftz>
struct DivideApproximate {
  template <typename V>
  V operator()(V a, V b) const {
    return finish<Ftz, false>(divideApproximate(flushIf<Ftz>(a), flushIf<Ftz>(b)));
  }
};
/// Words: ftz.
Result<void> divideApprox(Builder &builder, const Match &match, Op &op) {
  op.run = match.has(0) ? kLanewise<DivideApproximate<true>, float, float, float>
                        : kLanewise<DivideApproximate<false>, float, float, float>;
  return takeSame<2>(builder, op, Type::F32);
}
Result<void> divideFull(Builder &builder, const Match &match, Op &op) {
  op.run = floatHandler<Kind::Divide, 2>(Rounding::Nearest, match.has(0), false, false, op);
  return takeSame<2>(builder, op, Type::F32);
}
Result<void> squareRootApprox(Builder &builder, const Match &match, Op &op) {
  op.run = floatHandler<Kind::SquareRoot, 1>(Rounding::Nearest, match.has(0), false, false, op);
  return takeSame<1>(builder, op, Type::F32);
}

// Mixed precision: halves widened, then single precision.

template <FloatFormat F, class Operation>
struct MixedMultiplyAdd : Operation {
  using Operation::Operation;
  template <typename H, typename V>
  V operator()(H a, H b, V c) const {
    return Operation::operator()(widen<F>(a), widen<F>(b), c);
  }
};
template <FloatFormat F, class Operation>
struct MixedAdd : Operation {
  using Operation::Operation;
  template <typename H, typename V>
  V operator()(H a, V c) const {
    return Operation::operator()(widen<F>(a), c);
  }
};
template <FloatFormat F, Kind K, class Operation>
constexpr Handler mixedHandler() {
  if constexpr (K == Kind::FusedMultiplyAdd)
    return kLanewise<MixedMultiplyAdd<F, Operation>, float, uint16_t, uint16_t, float>;
  else
    return kLanewise<MixedAdd<F, Operation>, float, uint16_t, float>;
}
template <FloatFormat F, Kind K>
Handler mixedHandler(Rounding rounding, bool sat) {
  switch (rounding) {
  case Rounding::Zero:
    return mixedHandler<F, K, Directed<K, Rounding::Zero>>();
  case Rounding::Down:
    return mixedHandler<F, K, Directed<K, Rounding::Down>>();
  case Rounding::Up:
    return mixedHandler<F, K, Directed<K, Rounding::Up>>();
  default:
    return sat ? mixedHandler<F, K, Nearest<K, false, true>>() : mixedHandler<F, K, Nearest<K, false, false>>();
  }
}
/// Words: rounding, sat, type of the halves.
template <Kind K>
Result<void> mixed(Builder &builder, const Match &match, Op &op) {
  const Rounding rounding = roundingOf(match.words[0]);
  const bool sat = match.has(1);
  const Type half = match.type(2);
  op.variant = sat ? kSat : 0;
  op.run = half == Type::F16 ? mixedHandler<kF16, K>(rounding, sat) : mixedHandler<kBF16, K>(rounding, sat);
  if constexpr (K == Kind::FusedMultiplyAdd)
    return takeOperands(builder, op, Type::F32, {half, half, Type::F32});
  else
    return takeOperands(builder, op, Type::F32, {half, Type::F32});
}

constexpr auto kFloat = OpClass::Float;
constexpr Form kForms[] = {
    {"add[.(rn|rz|rm|rp)][.ftz][.sat].f32", kBase, 10, kFloat, single<Kind::Add, 2>},
    {"sub[.(rn|rz|rm|rp)][.ftz][.sat].f32", kBase, 10, kFloat, single<Kind::Subtract, 2>},
    {"mul[.(rn|rz|rm|rp)][.ftz][.sat].f32", kBase, 10, kFloat, single<Kind::Multiply, 2>},
    {"fma.(rn|rz|rm|rp)[.ftz][.sat].f32", kBase, 20, kFloat, single<Kind::FusedMultiplyAdd, 3>},
    {"mad.(rn|rz|rm|rp)[.ftz][.sat].f32", kBase, 20, kFloat, single<Kind::FusedMultiplyAdd, 3>},
    {"add[.(rn|rz|rm|rp)][.ftz].f32x2", Feature::Sm100, 86, kFloat, singlePairs<Kind::Add, 2>},
    {"sub[.(rn|rz|rm|rp)][.ftz].f32x2", Feature::Sm100, 86, kFloat, singlePairs<Kind::Subtract, 2>},
    {"mul[.(rn|rz|rm|rp)][.ftz].f32x2", Feature::Sm100, 86, kFloat, singlePairs<Kind::Multiply, 2>},
    {"fma.(rn|rz|rm|rp)[.ftz].f32x2", Feature::Sm100, 86, kFloat, singlePairs<Kind::FusedMultiplyAdd, 3>},
    {"add[.(rn|rz|rm|rp)].f64", kBase, 10, kFloat, twice<Kind::Add, 2>},
    {"sub[.(rn|rz|rm|rp)].f64", kBase, 10, kFloat, twice<Kind::Subtract, 2>},
    {"mul[.(rn|rz|rm|rp)].f64", kBase, 10, kFloat, twice<Kind::Multiply, 2>},
    {"fma.(rn|rz|rm|rp).f64", kBase, 14, kFloat, twice<Kind::FusedMultiplyAdd, 3>},
    {"mad.(rn|rz|rm|rp).f64", kBase, 14, kFloat, twice<Kind::FusedMultiplyAdd, 3>},
    {"div.approx[.ftz].f32", kBase, 14, kFloat, divideApprox},
    {"div.full[.ftz].f32", kBase, 14, kFloat, divideFull},
    {"div.(rn|rz|rm|rp)[.ftz].f32", kBase, 14, kFloat, singleUnsaturated<Kind::Divide, 2>},
    {"div.(rn|rz|rm|rp).f64", kBase, 14, kFloat, twice<Kind::Divide, 2>},
    {"rcp.(approx|rn|rz|rm|rp)[.ftz].f32", kBase, 14, kFloat, reciprocal},
    {"rcp.(rn|rz|rm|rp).f64", kBase, 14, kFloat, reciprocalDouble},
    {"rcp.approx.ftz.f64", kBase, 21, kFloat, doubleUnary<Coarse<false>>},
    {"sqrt.approx[.ftz].f32", kBase, 14, kFloat, squareRootApprox},
    {"sqrt.(rn|rz|rm|rp)[.ftz].f32", kBase, 14, kFloat, singleUnsaturated<Kind::SquareRoot, 1>},
    {"sqrt.(rn|rz|rm|rp).f64", kBase, 14, kFloat, twice<Kind::SquareRoot, 1>},
    {"rsqrt.approx.f64", kBase, 14, kFloat, doubleUnary<ReciprocalRootDouble>},
    {"rsqrt.approx.ftz.f64", kBase, 40, kFloat, doubleUnary<Coarse<true>>},
    {"fma.(rn|rz|rm|rp)[.sat].f32.(f16|bf16)", Feature::Sm100, 86, kFloat, mixed<Kind::FusedMultiplyAdd>},
    {"add[.(rn|rz|rm|rp)][.sat].f32.(f16|bf16)", Feature::Sm100, 86, kFloat, mixed<Kind::Add>},
    {"sub[.(rn|rz|rm|rp)][.sat].f32.(f16|bf16)", Feature::Sm100, 86, kFloat, mixed<Kind::Subtract>},
};

} // namespace

std::span<const Form> floatForms() { return kForms; }

GLM_PTX_END_LANES
