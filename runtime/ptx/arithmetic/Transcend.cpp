// The approximations: sin, cos, lg2, ex2, tanh, rsqrt (PTX ISA, "Floating Point Instructions"; halves: "Half Precision
// Floating Point Instructions"). number/Approximate.h says how exact they are.
#include "runtime/ptx/arithmetic/Floats.h"
#include "runtime/ptx/arithmetic/Operands.h"
#include "runtime/ptx/arithmetic/Tables.h"
#include "runtime/ptx/number/Approximate.h"

GLM_PTX_BEGIN_LANES
namespace {

constexpr Feature kBase = Feature::Base;

struct Sine {
  auto operator()(auto x) const { return sineApproximate<false>(x); }
};
struct Cosine {
  auto operator()(auto x) const { return sineApproximate<true>(x); }
};
struct Log2 {
  auto operator()(auto x) const { return log2Approximate(x); }
};
struct Exp2 {
  auto operator()(auto x) const { return exp2Approximate(x); }
};
struct Tanh {
  auto operator()(auto x) const { return tanhApproximate(x); }
};
struct ReciprocalRoot {
  auto operator()(auto x) const { return reciprocalRootApproximate(x); }
};

template <class F, bool Ftz>
struct Single {
  auto operator()(auto x) const { return finish<Ftz, false>(F()(flushIf<Ftz>(x))); }
};
/// A half is computed in single precision and rounded. `Ftz` of bf16, whose subnormal values are those of f32.
template <class F, FloatFormat H, bool Ftz>
struct Half {
  template <typename V>
  V operator()(V code) const {
    const auto value = flushIf<Ftz>(F()(flushIf<Ftz>(widen<H>(code))));
    return convert<uint16_t>(narrow<H, Narrowing{}>(value));
  }
};

template <class F>
Result<void> single(Builder &builder, const Match &match, Op &op) {
  const bool ftz = !match.words.empty() && match.has(0);
  op.run = ftz ? kLanewise<Single<F, true>, float, float> : kLanewise<Single<F, false>, float, float>;
  return takeOperands(builder, op, Type::F32, {Type::F32});
}
template <class F, FloatFormat H, bool Ftz>
Result<void> half(Builder &builder, const Match &match, Op &op) {
  const Type type = match.type(0);
  op.run = bitsOf(type) == 16 ? kLanewise<Half<F, H, Ftz>, uint16_t, uint16_t>
                              : kLanewise<Packed<Half<F, H, Ftz>, uint16_t>, uint32_t, uint32_t>;
  return takeOperands(builder, op, type, {type});
}

constexpr auto kFloat = OpClass::Float;
constexpr Form kForms[] = {
    {"sin.approx[.ftz].f32", kBase, 14, kFloat, single<Sine>},
    {"cos.approx[.ftz].f32", kBase, 14, kFloat, single<Cosine>},
    {"lg2.approx[.ftz].f32", kBase, 14, kFloat, single<Log2>},
    {"ex2.approx[.ftz].f32", kBase, 14, kFloat, single<Exp2>},
    {"rsqrt.approx[.ftz].f32", kBase, 14, kFloat, single<ReciprocalRoot>},
    {"tanh.approx.f32", kBase, 70, kFloat, single<Tanh>},
    {"ex2.approx.(f16|f16x2)", kBase, 70, kFloat, half<Exp2, kF16, false>},
    {"ex2.approx.ftz.(bf16|bf16x2)", kBase, 78, kFloat, half<Exp2, kBF16, true>},
    {"tanh.approx.(f16|f16x2)", kBase, 70, kFloat, half<Tanh, kF16, false>},
    {"tanh.approx.(bf16|bf16x2)", kBase, 78, kFloat, half<Tanh, kBF16, false>},
};

} // namespace

std::span<const Form> transcendForms() { return kForms; }

GLM_PTX_END_LANES
