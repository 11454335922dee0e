// The calling convention of kernels: the only thing that generated code and the runtime share in memory.
#pragma once

#include <cstdint>

namespace glm {

/// One kernel. The runtime calls it once on each of `threads` threads, `thread` = 0 .. threads-1, and waits for all of
/// them before the next launch. Every output element is computed by exactly one thread, in an order that does not
/// depend on `threads` or `rows`, so that a row's result never depends on its neighbours or on the machine's load.
///
/// args     one pointer per argument of the launch, in order (Manifest.h, Argument): a buffer's first byte, or what a
///          weight's form says
/// rows     live rows of this step; at most the rows that the program was planned for, at least 0
using HostKernel = void (*)(void *const *args, int64_t rows, int64_t thread, int64_t threads);

// A kernel of a GPU has the same arguments as parameters, one pointer each, and behind them a pointer to the live rows, an int32 in
// memory of the device: a recorded graph serves steps of any number of rows. Its grid and block have one dimension; weights are aligned
// to 256 bytes. Its threads are those of the grid, and what is said of them above holds.

/// How likely an id is, as kernels that sample and the runtime's sampler have to the bit (runtime/exec/Sampler.h, sampleWeight): the coefficients of
/// x, x^2, ... in 2^-x - 1 on [0, 1), times 2^32. Their signs alternate, beginning with minus.
inline constexpr uint32_t kSamplePower[] = {0xb171ddee, 0x3d7c7223, 0x0e27f7b9, 0x025b4faa, 0x003decda};

} // namespace glm
