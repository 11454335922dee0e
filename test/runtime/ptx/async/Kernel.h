// Kernels of this room's tests (on the harness, which runs the whole chain). What they need beyond a body is declared:
//
//   %d0 to %d3   the arguments, as they were given (addresses of buffers, numbers)
//   %d4, %d5     generic addresses of the tensor maps
//   %r0, %r1     %tid.x, %ctaid.x;  %r2 the block's rank in its cluster
//   %r3, %r4     shared addresses: `smem`, 16 KiB at a multiple of 1024, and `bars`, eight mbarriers' places
//   %p, %h, %r10.., %d10.., %f, %q   predicates, 16-, 32- and 64-bit, float and 128-bit registers for the test
#pragma once

#include "runtime/ptx/async/TensorMap.h"
#include "test/runtime/ptx/harness/Harness.h"

#include <span>

namespace glm::ptx::test {

/// Global memory that the kernels of a test may touch.
class Memory {
public:
  explicit Memory(uint64_t bytes);
  ~Memory();
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;

  uint64_t address() const { return start; }
  template <typename T>
  std::span<T> as() const {
    return {reinterpret_cast<T *>(start), size / sizeof(T)};
  }

private:
  std::vector<std::byte> bytes; ///< with room to align
  uint64_t start, size;
};

struct Shape {
  uint32_t grid = 1, block = 32, cluster = 1;
  bool checks = true;
  uint32_t threads = 1;
};

struct Arguments {
  std::array<uint64_t, 4> values{};
  std::array<std::array<std::byte, kTensorMapBytes>, 2> maps{};
};

/// Runs `body` on the chip `target` and gives the fault's message; empty when there was none. A module that does not load is
/// a failure of the test.
std::string run(std::string_view body, const Shape &shape = {}, const Arguments &arguments = {},
                std::string_view target = "sm_100a");

/// Why a module with this body does not load; empty if it does.
std::string whyRefused(std::string_view body, std::string_view target = "sm_100a", std::string_view version = "9.0");

/// The 128 bytes of a map that must be legal.
std::array<std::byte, kTensorMapBytes> encoded(const TensorMap &map);

/// A mbarrier wait for `parity` at shared address `barrier`, for bodies: loops until it is complete. `name` makes its labels.
std::string waitFor(std::string_view barrier, std::string_view parity, std::string_view name);

} // namespace glm::ptx::test
