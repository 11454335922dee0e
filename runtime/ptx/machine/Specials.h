// The values of special registers.
#pragma once

#include "runtime/ptx/machine/Warp.h"

namespace glm::ptx {

/// Fill the slot of a special register that does not change while the function runs, for 32 lanes.
void fillSpecial(const Warp &warp, const SpecialUse &use, std::byte *slot);

} // namespace glm::ptx
