#include "frontend/import/InverseFrequencies.h"

#include <bit>
#include <cmath>
#include <iterator>

namespace glm {

namespace {

/// theta 8e6, width 64, evaluated by CUDA in float32. GLM-5.2 was trained and is served with these bits; a CPU's pow differs by
/// one unit in the last place at a few i, which at position 1,000,000 is an angle of up to 0.06 rad.
constexpr uint32_t kGlm52[] = {0x3f800000, 0x3f1bc84c, 0x3ebd9851, 0x3e66bf20, 0x3e0c6a41, 0x3daae464, 0x3d4ffbfb,
                               0x3cfd2099, 0x3c9a08c8, 0x3c3b77ab, 0x3be42844, 0x3b8ad6e3, 0x3b28f979, 0x3acda683,
                               0x3a7a4971, 0x3a184e4a, 0x39b95d21, 0x396198d7, 0x3909480c, 0x38a71410, 0x384b57bd,
                               0x37f77a71, 0x379698c3, 0x373748a4, 0x36df10c4, 0x3687bdae, 0x36253419, 0x35c90f9a,
                               0x3574b383, 0x3514e825, 0x34b53a20, 0x345c8ff9};

} // namespace

std::vector<float> inverseFrequencies(double theta, int64_t width) {
  std::vector<float> result;
  if (theta == 8e6 && width == 2 * static_cast<int64_t>(std::size(kGlm52))) {
    for (uint32_t bits : kGlm52)
      result.push_back(std::bit_cast<float>(bits));
    return result;
  }
  for (int64_t column = 0; column < width; column += 2)
    result.push_back(1.0f /
                     std::pow(static_cast<float>(theta), static_cast<float>(column) / static_cast<float>(width)));
  return result;
}

} // namespace glm
