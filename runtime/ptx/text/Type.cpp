#include "runtime/ptx/text/Type.h"

#include <algorithm>
#include <array>

namespace glm::ptx {
namespace {

struct Row {
  Type type;
  std::string_view name;
  uint32_t bits;
};

constexpr std::array kRows = {
    Row{Type::Pred, "pred", 1},      Row{Type::B1, "b1", 1},          Row{Type::B8, "b8", 8},
    Row{Type::B16, "b16", 16},       Row{Type::B32, "b32", 32},       Row{Type::B64, "b64", 64},
    Row{Type::B128, "b128", 128},    Row{Type::U2, "u2", 2},          Row{Type::U4, "u4", 4},
    Row{Type::U8, "u8", 8},          Row{Type::U16, "u16", 16},       Row{Type::U32, "u32", 32},
    Row{Type::U64, "u64", 64},       Row{Type::S2, "s2", 2},          Row{Type::S4, "s4", 4},
    Row{Type::S8, "s8", 8},          Row{Type::S16, "s16", 16},       Row{Type::S32, "s32", 32},
    Row{Type::S64, "s64", 64},       Row{Type::U8x4, "u8x4", 32},     Row{Type::S8x4, "s8x4", 32},
    Row{Type::U16x2, "u16x2", 32},   Row{Type::S16x2, "s16x2", 32},   Row{Type::F16, "f16", 16},
    Row{Type::F16x2, "f16x2", 32},   Row{Type::BF16, "bf16", 16},     Row{Type::BF16x2, "bf16x2", 32},
    Row{Type::TF32, "tf32", 32},     Row{Type::F32, "f32", 32},       Row{Type::F32x2, "f32x2", 64},
    Row{Type::F64, "f64", 64},       Row{Type::E4M3, "e4m3", 8},      Row{Type::E5M2, "e5m2", 8},
    Row{Type::E4M3x2, "e4m3x2", 16}, Row{Type::E5M2x2, "e5m2x2", 16}, Row{Type::E4M3x4, "e4m3x4", 32},
    Row{Type::E5M2x4, "e5m2x4", 32}, Row{Type::E3M2, "e3m2", 6},      Row{Type::E2M3, "e2m3", 6},
    Row{Type::E2M1, "e2m1", 4},      Row{Type::E3M2x2, "e3m2x2", 16}, Row{Type::E2M3x2, "e2m3x2", 16},
    Row{Type::E2M1x2, "e2m1x2", 8},  Row{Type::E3M2x4, "e3m2x4", 32}, Row{Type::E2M3x4, "e2m3x4", 32},
    Row{Type::E2M1x4, "e2m1x4", 16}, Row{Type::UE8M0, "ue8m0", 8},    Row{Type::UE8M0x2, "ue8m0x2", 16},
    Row{Type::UE4M3, "ue4m3", 8},    Row{Type::S2F6x2, "s2f6x2", 16},
};

const Row *rowOf(Type type) {
  const auto *row = std::ranges::find(kRows, type, &Row::type);
  return row == kRows.end() ? nullptr : row;
}

} // namespace

uint32_t bitsOf(Type type) {
  const Row *row = rowOf(type);
  return row ? row->bits : 0;
}

std::optional<Type> typeNamed(std::string_view word) {
  const auto *row = std::ranges::find(kRows, word, &Row::name);
  return row == kRows.end() ? std::nullopt : std::optional(row->type);
}

std::string_view nameOf(Type type) {
  const Row *row = rowOf(type);
  return row ? row->name : "none";
}

bool isFloat(Type type) {
  switch (type) {
  case Type::F16:
  case Type::F16x2:
  case Type::BF16:
  case Type::BF16x2:
  case Type::TF32:
  case Type::F32:
  case Type::F32x2:
  case Type::F64:
    return true;
  default:
    return false;
  }
}

bool isSigned(Type type) {
  switch (type) {
  case Type::S2:
  case Type::S4:
  case Type::S8:
  case Type::S16:
  case Type::S32:
  case Type::S64:
  case Type::S8x4:
  case Type::S16x2:
    return true;
  default:
    return false;
  }
}

} // namespace glm::ptx
