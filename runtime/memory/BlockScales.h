// Block scales are read by kernels without a look at each one: a NaN or a negative scale has to be refused before.
#pragma once

#include "runtime/device/ThreadPool.h"
#include "runtime/memory/Weights.h"

namespace glm {

/// Bytes of block scales (F8_E4M3 weights) that the artifact maps.
uint64_t blockScaleBytes(const Manifest &manifest, const Weights &weights);

/// Read all of them on the pool's threads. An e4m3 scale must have a clear sign bit and not be NaN (0x7f); 0 is legal,
/// a block of zeros. The error names the first tensor in the manifest's order, and the element. Exporters before
/// NVIDIA/Model-Optimizer#1397 could write NaN for blocks of zeros.
Result<void> checkBlockScales(const Manifest &manifest, const Weights &weights, ThreadPool &pool);

} // namespace glm
