// One decoded instruction: what the machine runs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace glm::ptx {

struct Warp;
struct Op;

inline constexpr uint32_t kWarpSize = 32;

/// A bit per lane of a warp.
using LaneMask = uint32_t;

/// Where a register lies: a byte offset into the running function's frame, or with the top bit set into the kernel's
/// constants (immediate operands, one copy per lane like a register).
///
/// A register is kWarpSize values of its own width side by side, lane 0 first: 16-bit registers take 64 bytes, 32-bit 128,
/// 64-bit 256, 128-bit 512, all aligned to 64. .b8 registers are held as 16 bits. A predicate is one LaneMask (4 bytes, in a
/// place of 64).
using Slot = uint32_t;
inline constexpr Slot kConstantSlot = 0x80000000u;
inline constexpr Slot kNoSlot = 0x7fffffffu; ///< a sink, or an operand that is absent

/// What a handler tells the loop.
enum class Outcome : uint8_t {
  Next,  ///< go on with the next instruction
  Jump,  ///< the handler moved the running fragment itself (branch, call, return, exit)
  Yield, ///< go on, but let other warps run first
  Retry, ///< the same instruction again, after other warps ran: it waits for something
  Fault, ///< Warp::fault was filled; the launch ends
};

/// Runs one instruction for `lanes` (never 0): lanes that are active and pass the guard.
using Handler = Outcome (*)(Warp &warp, const Op &op, LaneMask lanes);

/// What counters group by.
enum class OpClass : uint8_t {
  Integer,
  Float,
  Convert,
  Move,
  Load,
  Store,
  Atomic,
  Matrix,
  Async,
  Barrier,
  Collective,
  Control,
  Other
};

struct Op {
  Handler run = nullptr;
  Slot guard = kNoSlot; ///< predicate register of @p
  bool guardNegated = false;
  OpClass opClass = OpClass::Other;
  uint16_t variant = 0; ///< the handler's own: modifiers that are not template parameters
  uint32_t detail = 0;  ///< the handler's own
  /// Destination first, then sources, in the order of the text; further ones (vectors, matrix fragments) are in `more`.
  Slot slots[4] = {kNoSlot, kNoSlot, kNoSlot, kNoSlot};
  int64_t immediate = 0; ///< address offset, jump target, or the handler's own
  const Slot *more = nullptr;
  uint16_t moreCount = 0;
  /// What it does to global memory depends on the order in which blocks run (an atomic on floats or whose result is used, a
  /// volatile access): a kernel with such an op runs its blocks in one order, on one thread.
  bool ordered = false;
  /// The registers that it writes hold no value before a later instruction has waited for it, which says so (Warp::defined).
  bool late = false;
  // Registers (indices of the function) that must hold a value before, and hold one after; those that the decoder could
  // prove are left out.
  uint8_t readCount = 0, writeCount = 0;
  const uint32_t *reads = nullptr, *writes = nullptr;
  const void *extra = nullptr; ///< the handler's own, owned by the Program
  uint32_t instruction = 0;    ///< index within its function, for the line and the counters
  uint32_t line = 0;           ///< of the PTX text
};

} // namespace glm::ptx
