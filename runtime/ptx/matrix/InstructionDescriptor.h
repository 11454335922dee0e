// The 32-bit instruction descriptor of tcgen05.mma.
//
// Source: PTX ISA, "tcgen05: Instruction descriptor", its three tables, by kind.
#pragma once

#include "runtime/ptx/matrix/Element.h"
#include "runtime/ptx/matrix/MmaScaled.h"

#include <cstdint>
#include <optional>
#include <string>

namespace glm::ptx {

enum class TensorKind : uint8_t { F16, TF32, F8F6F4, I8, MXF8F6F4, MXF4, MXF4NVF4 };

struct InstructionDescriptor {
  int m = 0, n = 0;
  Element a = Element::F16, b = Element::F16;
  Type d = Type::F32; ///< F16, F32, S32
  bool negatesA = false, negatesB = false;
  bool mnMajorA = false, mnMajorB = false;
  bool saturates = false;
  // Block-scaled kinds.
  ScaleFormat scales = ScaleFormat::UE8M0;
  uint32_t scaleIdA = 0, scaleIdB = 0; ///< the first byte of the scales in their cells
};

/// Checked against what `kind` and `ctaGroup` (1 or 2) allow, and `scaleCount` (block-scaled kinds: 1, 2 or 4): the rule that
/// is broken, as "<subject> <rule>, but found <value>".
std::optional<std::string> decodeInstruction(uint32_t bits, TensorKind kind, int ctaGroup, int scaleCount,
                                             InstructionDescriptor &instruction);

} // namespace glm::ptx
