#include "runtime/ptx/async/Reduction.h"

#include "runtime/ptx/machine/GuestMemory.h"
#include "runtime/ptx/number/Scalar.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>

namespace glm::ptx {

namespace {

constexpr std::string_view kOps[] = {"add", "min", "max", "inc", "dec", "and", "or", "xor"};

struct TypeName {
  std::string_view word;
  ReductionType type;
};
constexpr TypeName kTypes[] = {
    {"u32", ReductionType::U32}, {"b32", ReductionType::U32},   {"s32", ReductionType::S32},
    {"u64", ReductionType::U64}, {"b64", ReductionType::U64},   {"s64", ReductionType::S64},
    {"f16", ReductionType::F16}, {"bf16", ReductionType::BF16}, {"f32", ReductionType::F32},
    {"f64", ReductionType::F64},
};

template <ReductionOp Op, typename T>
T combined(T a, T b) {
  if constexpr (Op == ReductionOp::Add)
    return a + b;
  else if constexpr (Op == ReductionOp::Min)
    return std::min(a, b);
  else if constexpr (Op == ReductionOp::Max)
    return std::max(a, b);
  else if constexpr (Op == ReductionOp::Inc) // wraps to 0 after b
    return a >= b ? 0 : a + 1;
  else if constexpr (Op == ReductionOp::Dec) // wraps to b after 0
    return a == 0 || a > b ? b : a - 1;
  else if constexpr (Op == ReductionOp::And)
    return a & b;
  else if constexpr (Op == ReductionOp::Or)
    return a | b;
  else
    return a ^ b;
}

/// Each element in one step: another stream's kernel may reduce into the same memory.
template <typename T, typename Combine>
void forEachElement(std::byte *destination, const std::byte *source, uint64_t bytes, Combine combine) {
  using Bits = Unsigned<sizeof(T)>;
  for (uint64_t offset = 0; offset < bytes; offset += sizeof(T)) {
    T value;
    std::memcpy(&value, source + offset, sizeof(T));
    updateStrong<Bits>(destination + offset,
                       [&](Bits old) { return std::bit_cast<Bits>(T(combine(std::bit_cast<T>(old), value))); });
  }
}

template <ReductionOp Op, typename T>
void reduceNumbers(std::byte *destination, const std::byte *source, uint64_t bytes) {
  forEachElement<T>(destination, source, bytes, combined<Op, T>);
}

float flushed(float value) { return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value; }

void addFlushed(std::byte *destination, const std::byte *source, uint64_t bytes) {
  forEachElement<float>(destination, source, bytes, [](float a, float b) { return flushed(flushed(a) + flushed(b)); });
}

// The sum of two halves, rounded to f32 and then to half, is the sum rounded once: f32 has more than twice their bits.
template <ReductionOp Op, FloatFormat Format>
void reduceHalves(std::byte *destination, const std::byte *source, uint64_t bytes) {
  forEachElement<uint16_t>(destination, source, bytes, [](uint16_t a, uint16_t b) -> uint16_t {
    float x = widenOne<Format>(a), y = widenOne<Format>(b);
    if constexpr (Op == ReductionOp::Add)
      return static_cast<uint16_t>(narrowOne<Format>(x + y));
    // A NaN gives way to a number; -0 is below +0 (PTX ISA, min and max of f16).
    if (std::isnan(x) && std::isnan(y))
      return static_cast<uint16_t>(Format.canonicalNan);
    if (std::isnan(x))
      return b;
    if (std::isnan(y))
      return a;
    bool less = x < y || (x == y && std::signbit(x) && !std::signbit(y));
    return less == (Op == ReductionOp::Min) ? a : b;
  });
}

template <typename T>
Reduce ofIntegers(ReductionOp op) {
  using Unsigned = std::make_unsigned_t<T>;
  switch (op) {
  case ReductionOp::Add:
    return reduceNumbers<ReductionOp::Add, Unsigned>;
  case ReductionOp::Min:
    return reduceNumbers<ReductionOp::Min, T>;
  case ReductionOp::Max:
    return reduceNumbers<ReductionOp::Max, T>;
  case ReductionOp::And:
    return reduceNumbers<ReductionOp::And, Unsigned>;
  case ReductionOp::Or:
    return reduceNumbers<ReductionOp::Or, Unsigned>;
  case ReductionOp::Xor:
    return reduceNumbers<ReductionOp::Xor, Unsigned>;
  case ReductionOp::Inc:
    return std::is_same_v<T, uint32_t> ? reduceNumbers<ReductionOp::Inc, Unsigned> : nullptr;
  case ReductionOp::Dec:
    return std::is_same_v<T, uint32_t> ? reduceNumbers<ReductionOp::Dec, Unsigned> : nullptr;
  }
  return nullptr;
}

template <FloatFormat Format>
Reduce ofHalves(ReductionOp op) {
  switch (op) {
  case ReductionOp::Add:
    return reduceHalves<ReductionOp::Add, Format>;
  case ReductionOp::Min:
    return reduceHalves<ReductionOp::Min, Format>;
  case ReductionOp::Max:
    return reduceHalves<ReductionOp::Max, Format>;
  default:
    return nullptr;
  }
}

} // namespace

std::optional<ReductionOp> reductionNamed(std::string_view word) {
  const auto *found = std::find(std::begin(kOps), std::end(kOps), word);
  if (found == std::end(kOps))
    return std::nullopt;
  return static_cast<ReductionOp>(found - std::begin(kOps));
}

std::string_view nameOf(ReductionOp op) { return kOps[static_cast<size_t>(op)]; }

std::optional<ReductionType> reductionTypeNamed(std::string_view word) {
  for (const TypeName &row : kTypes)
    if (row.word == word)
      return row.type;
  return std::nullopt;
}

Reduce reductionOf(ReductionOp op, ReductionType type) {
  switch (type) {
  case ReductionType::U32:
    return ofIntegers<uint32_t>(op);
  case ReductionType::S32:
    return ofIntegers<int32_t>(op);
  case ReductionType::U64:
    return ofIntegers<uint64_t>(op);
  case ReductionType::S64:
    return ofIntegers<int64_t>(op);
  case ReductionType::F16:
    return ofHalves<kF16>(op);
  case ReductionType::BF16:
    return ofHalves<kBF16>(op);
  case ReductionType::F32:
    return op == ReductionOp::Add ? reduceNumbers<ReductionOp::Add, float> : nullptr;
  case ReductionType::F32Ftz:
    return op == ReductionOp::Add ? addFlushed : nullptr;
  case ReductionType::F64:
    return op == ReductionOp::Add ? reduceNumbers<ReductionOp::Add, double> : nullptr;
  }
  return nullptr;
}

} // namespace glm::ptx
