#include "runtime/ptx/matrix/Fragment.h"

#include <fmt/format.h>

namespace glm::ptx {

void loadHalfAccumulator(const Warp &warp, const Slot *registers, int mBlocks, int nBlocks, float *values) {
  DecodeFloats decode = floatDecoder(Element::F16);
  for (int n = 0; n < nBlocks; ++n)
    for (int m = 0; m < mBlocks; ++m)
      decode(registerBytes(warp, registers[n * mBlocks + m]), 64, values + (m * nBlocks + n) * 64);
}

void storeHalfAccumulator(Warp &warp, const Slot *registers, int mBlocks, int nBlocks, const float *values) {
  for (int n = 0; n < nBlocks; ++n)
    for (int m = 0; m < mBlocks; ++m)
      if (Slot slot = registers[n * mBlocks + m]; slot != kNoSlot)
        coreLanes().roundToHalves(values + (m * nBlocks + n) * 64, 64, warp.write<std::byte>(slot));
}

Result<void> fragmentSources(Builder &builder, size_t index, Type type, int count, std::vector<Slot> &slots) {
  return builder.sources(builder.operand(index), type, static_cast<size_t>(count), slots);
}

Result<void> fragmentDestinations(Builder &builder, size_t index, Type type, int count, std::vector<Slot> &slots) {
  return builder.destinations(builder.operand(index), type, static_cast<size_t>(count), slots);
}

std::string wholeWarpMessage(LaneMask lanes) {
  return fmt::format(
      "an .aligned instruction must be executed by all 32 lanes of a warp together, but found mask {:#010x}", lanes);
}

} // namespace glm::ptx
