#include "runtime/ptx/matrix/CoreMatrix.h"

namespace glm::ptx {

namespace {

const CoreLanes &chooseLanes() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4"))
    return kCoreLanesAvx512;
  if (__builtin_cpu_supports("x86-64-v3"))
    return kCoreLanesAvx2;
#endif
  return kCoreLanesBaseline;
}

template <bool isSigned>
void decodeBytes(const std::byte *source, size_t count, int32_t *values) {
  for (size_t i = 0; i < count; ++i) {
    int32_t byte = static_cast<uint8_t>(source[i]);
    values[i] = isSigned ? (byte ^ 0x80) - 0x80 : byte;
  }
}

template <bool isSigned>
void decodeNibbles(const std::byte *source, size_t count, int32_t *values) {
  for (size_t i = 0; i < count; ++i) {
    int32_t nibble = static_cast<uint8_t>(source[i / 2]) >> (i % 2 * 4) & 15;
    values[i] = isSigned ? (nibble ^ 8) - 8 : nibble;
  }
}

} // namespace

const CoreLanes &coreLanes() {
  static const CoreLanes &lanes = chooseLanes();
  return lanes;
}

DecodeInts intDecoder(Element element) {
  switch (element) {
  case Element::S8:
    return decodeBytes<true>;
  case Element::U8:
    return decodeBytes<false>;
  case Element::S4:
    return decodeNibbles<true>;
  case Element::U4:
    return decodeNibbles<false>;
  default:
    return nullptr;
  }
}

} // namespace glm::ptx
