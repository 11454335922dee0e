// Which registers hold a value for certain when an instruction reads them.
#pragma once

#include "runtime/ptx/isa/Flow.h"

namespace glm::ptx {

/// Leaves in `uses` what must be checked while the function runs: reads of registers that some path may not have written
/// before, or that are written late, and every write of those registers. A guarded write counts as none, since its lanes may
/// be others than the reader's. By instruction; `registers` of the function, of which the first `defined` hold values on entry.
void keepUnproven(const Function &function, std::vector<RegisterUses> &uses, uint32_t registers, uint32_t defined);

} // namespace glm::ptx
