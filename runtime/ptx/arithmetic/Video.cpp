// The packed video instructions, on two halves or four bytes of a register (PTX ISA, "SIMD Video Instructions"): the ones
// that CUDA's intrinsics come to. Operand selectors and masks, which no compiler prints, are not understood; without a mask
// the third source counts only with .add, onto which the results are summed.
#include "runtime/ptx/arithmetic/Lanes.h"
#include "runtime/ptx/arithmetic/Operands.h"
#include "runtime/ptx/arithmetic/Tables.h"

GLM_PTX_BEGIN_LANES
namespace {

constexpr Feature kBase = Feature::Base;
constexpr auto kInteger = OpClass::Integer;

enum class Kind : uint8_t { Add, Subtract, Average, Distance, Minimum, Maximum, Eq, Ne, Lt, Le, Gt, Ge };

constexpr uint16_t kSignedResult = 1;
constexpr uint16_t kSignedA = 2;
constexpr uint16_t kSignedB = 4;
constexpr uint16_t kSaturate = 8;
constexpr uint16_t kAccumulate = 16;

template <Kind K, typename V>
V compute(V a, V b) {
  const V one = 1;
  const V zero = 0;
  switch (K) {
  case Kind::Add:
    return a + b;
  case Kind::Subtract:
    return a - b;
  case Kind::Average: {
    // Halves are rounded away from zero upwards only.
    const V sum = a + b;
    return (sum >= 0 ? sum + 1 : sum) >> 1;
  }
  case Kind::Distance:
    return a > b ? a - b : b - a;
  case Kind::Minimum:
    return a < b ? a : b;
  case Kind::Maximum:
    return a > b ? a : b;
  case Kind::Eq:
    return a == b ? one : zero;
  case Kind::Ne:
    return a != b ? one : zero;
  case Kind::Lt:
    return a < b ? one : zero;
  case Kind::Le:
    return a <= b ? one : zero;
  case Kind::Gt:
    return a > b ? one : zero;
  default:
    return a >= b ? one : zero;
  }
}

template <Kind K, int Count>
struct Parts {
  explicit Parts(const Op &op) : variant(op.variant) {}
  template <typename V>
  V operator()(V a, V b, V c) const {
    constexpr uint32_t kWidth = 32 / Count;
    constexpr uint32_t kMask = (1u << kWidth) - 1;
    const bool isSignedResult = (variant & kSignedResult) != 0;
    const int32_t least = isSignedResult ? -(1 << (kWidth - 1)) : 0;
    const int32_t most = static_cast<int32_t>(isSignedResult ? kMask >> 1 : kMask);
    V result = (variant & kAccumulate) != 0 ? c : V(0);
    for (uint32_t i = 0; i < Count; ++i) {
      const auto take = [&](V word, bool isSignedPart) {
        const V top = word << (32 - kWidth * (i + 1));
        return isSignedPart ? bitsAs<int32_t>(top) >> (32 - kWidth) : bitsAs<int32_t>(top >> (32 - kWidth));
      };
      auto value = compute<K>(take(a, (variant & kSignedA) != 0), take(b, (variant & kSignedB) != 0));
      if ((variant & kSaturate) != 0)
        value =
            __builtin_elementwise_min(__builtin_elementwise_max(value, decltype(value)(least)), decltype(value)(most));
      if ((variant & kAccumulate) != 0)
        result += bitsAs<uint32_t>(value);
      else
        result |= (bitsAs<uint32_t>(value) & kMask) << (kWidth * i);
    }
    return result;
  }
  uint16_t variant;
};

template <Kind K, int Count>
Result<void> take(Builder &builder, Op &op) {
  using U = uint32_t;
  op.run = kLanewise<Parts<K, Count>, U, U, U, U>;
  return takeOperands(builder, op, Type::B32, {Type::B32, Type::B32, Type::B32});
}

/// Words: types of the result and of both sources, [sat] or [add].
template <Kind K, int Count>
Result<void> arithmetic(Builder &builder, const Match &match, Op &op) {
  op.variant =
      static_cast<uint16_t>((isSigned(match.type(0)) ? kSignedResult : 0) | (isSigned(match.type(1)) ? kSignedA : 0) |
                            (isSigned(match.type(2)) ? kSignedB : 0) | (match.words[3] == "sat" ? kSaturate : 0) |
                            (match.words[3] == "add" ? kAccumulate : 0));
  return take<K, Count>(builder, op);
}
/// Words: types of both sources, the relation, [add].
template <int Count>
Result<void> comparison(Builder &builder, const Match &match, Op &op) {
  op.variant = static_cast<uint16_t>((isSigned(match.type(0)) ? kSignedA : 0) |
                                     (isSigned(match.type(1)) ? kSignedB : 0) | (match.has(3) ? kAccumulate : 0));
  switch (indexOf(match.words[2], {"eq", "ne", "lt", "le", "gt", "ge"})) {
  case 0:
    return take<Kind::Eq, Count>(builder, op);
  case 1:
    return take<Kind::Ne, Count>(builder, op);
  case 2:
    return take<Kind::Lt, Count>(builder, op);
  case 3:
    return take<Kind::Le, Count>(builder, op);
  case 4:
    return take<Kind::Gt, Count>(builder, op);
  default:
    return take<Kind::Ge, Count>(builder, op);
  }
}

#define GLM_PTX_TYPES ".(u32|s32).(u32|s32).(u32|s32)[.(sat|add)]"
#define GLM_PTX_RELATION ".(u32|s32).(u32|s32).(eq|ne|lt|le|gt|ge)[.add]"
constexpr Form kForms[] = {
    {"vadd2" GLM_PTX_TYPES, kBase, 30, kInteger, arithmetic<Kind::Add, 2>},
    {"vadd4" GLM_PTX_TYPES, kBase, 30, kInteger, arithmetic<Kind::Add, 4>},
    {"vsub2" GLM_PTX_TYPES, kBase, 30, kInteger, arithmetic<Kind::Subtract, 2>},
    {"vsub4" GLM_PTX_TYPES, kBase, 30, kInteger, arithmetic<Kind::Subtract, 4>},
    {"vavrg2" GLM_PTX_TYPES, kBase, 30, kInteger, arithmetic<Kind::Average, 2>},
    {"vavrg4" GLM_PTX_TYPES, kBase, 30, kInteger, arithmetic<Kind::Average, 4>},
    {"vabsdiff2" GLM_PTX_TYPES, kBase, 30, kInteger, arithmetic<Kind::Distance, 2>},
    {"vabsdiff4" GLM_PTX_TYPES, kBase, 30, kInteger, arithmetic<Kind::Distance, 4>},
    {"vmin2" GLM_PTX_TYPES, kBase, 30, kInteger, arithmetic<Kind::Minimum, 2>},
    {"vmin4" GLM_PTX_TYPES, kBase, 30, kInteger, arithmetic<Kind::Minimum, 4>},
    {"vmax2" GLM_PTX_TYPES, kBase, 30, kInteger, arithmetic<Kind::Maximum, 2>},
    {"vmax4" GLM_PTX_TYPES, kBase, 30, kInteger, arithmetic<Kind::Maximum, 4>},
    {"vset2" GLM_PTX_RELATION, kBase, 30, kInteger, comparison<2>},
    {"vset4" GLM_PTX_RELATION, kBase, 30, kInteger, comparison<4>},
};
#undef GLM_PTX_TYPES
#undef GLM_PTX_RELATION

} // namespace

std::span<const Form> videoForms() { return kForms; }

GLM_PTX_END_LANES
