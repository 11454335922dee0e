#include "runtime/ptx/matrix/InstructionDescriptor.h"

#include <span>

#include <fmt/format.h>

namespace glm::ptx {

namespace {

using Problem = std::optional<std::string>;

uint32_t field(uint32_t bits, uint32_t first, uint32_t count) { return bits >> first & ((1u << count) - 1); }

Problem mustBeZero(uint32_t bits, uint32_t first, uint32_t count) {
  uint32_t value = field(bits, first, count);
  if (value == 0)
    return std::nullopt;
  return fmt::format("bits {} to {} of the instruction descriptor must be 0, but found {:#b}", first, first + count - 1,
                     value);
}

struct Code {
  uint32_t value;
  Element element;
};

constexpr Code kHalves[] = {{0, Element::F16}, {1, Element::BF16}};
constexpr Code kTf32[] = {{2, Element::TF32}};
constexpr Code kNarrow[] = {
    {0, Element::E4M3}, {1, Element::E5M2}, {3, Element::E2M3}, {4, Element::E3M2}, {5, Element::E2M1}};
constexpr Code kBytes[] = {{0, Element::U8}, {1, Element::S8}};
constexpr Code kPacked[] = {{1, Element::E2M1Packed}};

std::span<const Code> codesOf(TensorKind kind) {
  switch (kind) {
  case TensorKind::F16:
    return kHalves;
  case TensorKind::TF32:
    return kTf32;
  case TensorKind::I8:
    return kBytes;
  case TensorKind::F8F6F4:
  case TensorKind::MXF8F6F4:
    return kNarrow;
  default:
    return kPacked;
  }
}

Problem decodeElement(uint32_t bits, uint32_t first, TensorKind kind, std::string_view side, Element &element) {
  uint32_t value = field(bits, first, 3);
  for (const Code &code : codesOf(kind))
    if (code.value == value) {
      element = code.element;
      return std::nullopt;
    }
  return fmt::format("the type of {} in the instruction descriptor must be one of its kind, but found {}", side, value);
}

Problem decodeAccumulator(uint32_t bits, TensorKind kind, Type &type) {
  uint32_t value = field(bits, 4, 2);
  bool allowsHalf = kind == TensorKind::F16 || kind == TensorKind::F8F6F4;
  if (kind == TensorKind::I8 ? value != 2 : value != 1 && !(allowsHalf && value == 0))
    return fmt::format("the type of d in the instruction descriptor must be {}, but found {}",
                       kind == TensorKind::I8 ? "2"
                       : allowsHalf           ? "0 or 1"
                                              : "1",
                       value);
  type = value == 0 ? Type::F16 : value == 1 ? Type::F32 : Type::S32;
  return std::nullopt;
}

bool isSubByte(Element element) {
  return element == Element::E2M3 || element == Element::E3M2 || element == Element::E2M1 ||
         element == Element::E2M1Packed;
}

bool isScaled(TensorKind kind) {
  return kind == TensorKind::MXF8F6F4 || kind == TensorKind::MXF4 || kind == TensorKind::MXF4NVF4;
}

Problem checkShape(TensorKind kind, int ctaGroup, int m, int n) {
  bool scaled = isScaled(kind);
  bool goodM = ctaGroup == 1 ? m == 128 || (m == 64 && !scaled) : m == 128 || m == 256;
  if (!goodM)
    return fmt::format("m of the instruction descriptor must be {}, but found {}",
                       ctaGroup == 2 ? "128 or 256"
                       : scaled      ? "128"
                                     : "64 or 128",
                       m);
  int step = ctaGroup == 2 || (m == 128 && !scaled) ? 16 : 8;
  if (n < step || n > 256 || n % step != 0)
    return fmt::format("n of the instruction descriptor must be a multiple of {} up to 256, but found {}", step, n);
  if (kind == TensorKind::I8 && n > 32 && n % 16 != 0)
    return fmt::format("n of the instruction descriptor must be 8, 24 or a multiple of 16, but found {}", n);
  return std::nullopt;
}

Problem decodeScales(uint32_t bits, TensorKind kind, int scaleCount, InstructionDescriptor &instruction) {
  bool isUe8m0 = field(bits, 23, 1) == 1;
  bool wantsUe8m0 = kind != TensorKind::MXF4NVF4 || scaleCount == 2;
  if (isUe8m0 != wantsUe8m0)
    return fmt::format("the scale type in the instruction descriptor must be {}, but found {}", wantsUe8m0 ? 1 : 0,
                       isUe8m0 ? 1 : 0);
  instruction.scales = isUe8m0 ? ScaleFormat::UE8M0 : ScaleFormat::UE4M3;
  instruction.scaleIdB = field(bits, 4, 2);
  instruction.scaleIdA = field(bits, 29, 2);
  uint32_t step = static_cast<uint32_t>(scaleCount);
  for (uint32_t id : {instruction.scaleIdA, instruction.scaleIdB})
    if (id % step != 0)
      return fmt::format("a scale factor id must be a multiple of {} with {} scales, but found {}", step, step, id);
  return std::nullopt;
}

} // namespace

std::optional<std::string> decodeInstruction(uint32_t bits, TensorKind kind, int ctaGroup, int scaleCount,
                                             InstructionDescriptor &instruction) {
  bool scaled = isScaled(kind);
  // Sparsity is bit 2 and its selector below; without it both must be zero. Saturation is for integers alone.
  for (auto [first, count] : {std::pair{0u, 3u}, {6u, 1u}})
    if (Problem problem = mustBeZero(bits, first, count))
      return problem;
  if (kind != TensorKind::I8)
    if (Problem problem = mustBeZero(bits, 3, 1))
      return problem;
  instruction.saturates = field(bits, 3, 1);
  if (Problem problem = decodeElement(bits, 7, kind, "a", instruction.a))
    return problem;
  if (Problem problem = decodeElement(bits, 10, kind, "b", instruction.b))
    return problem;
  instruction.negatesA = field(bits, 13, 1);
  instruction.negatesB = field(bits, 14, 1);
  if (kind == TensorKind::I8)
    if (Problem problem = mustBeZero(bits, 13, 2))
      return problem;
  instruction.mnMajorA = field(bits, 15, 1);
  instruction.mnMajorB = field(bits, 16, 1);
  if ((instruction.mnMajorA && isSubByte(instruction.a)) || (instruction.mnMajorB && isSubByte(instruction.b)))
    return fmt::format("operands of less than 8 bits must be k-major, but found transpose bits {:#b}",
                       field(bits, 15, 2));
  instruction.n = static_cast<int>(field(bits, 17, 6)) * 8;
  instruction.m = static_cast<int>(field(bits, 24, 5)) * 16;
  if (Problem problem = checkShape(kind, ctaGroup, instruction.m, instruction.n))
    return problem;
  if (scaled) {
    if (Problem problem = mustBeZero(bits, 31, 1))
      return problem;
    return decodeScales(bits, kind, scaleCount, instruction);
  }
  if (Problem problem = mustBeZero(bits, 23, 1))
    return problem;
  if (Problem problem = mustBeZero(bits, 29, 3))
    return problem;
  return decodeAccumulator(bits, kind, instruction.d);
}

} // namespace glm::ptx
