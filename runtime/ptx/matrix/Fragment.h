// Between a warp's registers and core matrices.
//
// Which register is which core matrix (PTX ISA, "Matrix Fragments for mma"): a 16-row A has its blocks in the order
// (rows 0-7, k block 0), (rows 8-15, k block 0), (rows 0-7, k block 1) ...; B has its k blocks in order.
// Accumulators: an 8 x 8 block of 32- or 64-bit values is a pair of registers, value 2t + i of row g in register i of lane
// 4g + t; of f16 one register, a core matrix. The blocks follow each other as (rows 0-7, columns 0-7), (rows 8-15, columns
// 0-7), (rows 0-7, columns 8-15) ... (wgmma: "Matrix fragments for accumulator").
#pragma once

#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/machine/Warp.h"
#include "runtime/ptx/matrix/CoreMatrix.h"

#include <cstring>

namespace glm::ptx {

/// The rows of a fragment's register: 32 lanes of 4 bytes (8 for f64).
inline const std::byte *registerBytes(const Warp &warp, Slot slot) { return warp.read<std::byte>(slot); }

/// Decode the registers of A or B into blocks ordered for multiplyAdd. `rowBlocks` is 2 for a 16-row A, else 1.
template <typename T, typename Decode>
void loadBlocks(const Warp &warp, const Slot *registers, int rowBlocks, int kBlocks, int perRow, Decode decode,
                T *blocks) {
  for (int k = 0; k < kBlocks; ++k)
    for (int row = 0; row < rowBlocks; ++row)
      decode(registerBytes(warp, registers[k * rowBlocks + row]), static_cast<size_t>(kCoreRows) * perRow,
             blocks + (row * kBlocks + k) * kCoreRows * perRow);
}

/// Number of registers of an accumulator of mBlocks x nBlocks blocks.
inline int accumulatorRegisters(Type type, int mBlocks, int nBlocks) {
  return mBlocks * nBlocks * (type == Type::F16 ? 1 : 2);
}

/// An accumulator of 32- or 64-bit values. Blocks in `values` are ordered as multiplyAdd has them: (m, n) is number
/// m * nBlocks + n.
template <typename T>
void loadAccumulator(const Warp &warp, const Slot *registers, int mBlocks, int nBlocks, T *values) {
  for (int n = 0; n < nBlocks; ++n)
    for (int m = 0; m < mBlocks; ++m, registers += 2) {
      const T *even = warp.read<T>(registers[0]), *odd = warp.read<T>(registers[1]);
      T *block = values + (m * nBlocks + n) * 64;
      for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
        block[2 * lane] = even[lane];
        block[2 * lane + 1] = odd[lane];
      }
    }
}

template <typename T>
void storeAccumulator(Warp &warp, const Slot *registers, int mBlocks, int nBlocks, const T *values) {
  for (int n = 0; n < nBlocks; ++n)
    for (int m = 0; m < mBlocks; ++m, registers += 2) {
      const T *block = values + (m * nBlocks + n) * 64;
      for (int half = 0; half < 2; ++half) {
        if (registers[half] == kNoSlot)
          continue;
        T *lanes = warp.write<T>(registers[half]);
        for (uint32_t lane = 0; lane < kWarpSize; ++lane)
          lanes[lane] = block[2 * lane + half];
      }
    }
}

/// An f16 accumulator, computed with as float.
void loadHalfAccumulator(const Warp &warp, const Slot *registers, int mBlocks, int nBlocks, float *values);
/// Rounds to nearest even.
void storeHalfAccumulator(Warp &warp, const Slot *registers, int mBlocks, int nBlocks, const float *values);

/// By type: F32 or F16.
inline void loadFloatAccumulator(const Warp &warp, Type type, const Slot *registers, int mBlocks, int nBlocks,
                                 float *values) {
  if (type == Type::F16)
    loadHalfAccumulator(warp, registers, mBlocks, nBlocks, values);
  else
    loadAccumulator(warp, registers, mBlocks, nBlocks, values);
}
inline void storeFloatAccumulator(Warp &warp, Type type, const Slot *registers, int mBlocks, int nBlocks,
                                  float *values) {
  if (type == Type::F16)
    return storeHalfAccumulator(warp, registers, mBlocks, nBlocks, values);
  coreLanes().canonicalizeNans(values, static_cast<size_t>(mBlocks) * nBlocks * 64);
  storeAccumulator(warp, registers, mBlocks, nBlocks, values);
}

/// Operand `index` as exactly `count` registers of `type`: {a, b, ...}, or one without braces if count is 1.
Result<void> fragmentSources(Builder &builder, size_t index, Type type, int count, std::vector<Slot> &slots);
Result<void> fragmentDestinations(Builder &builder, size_t index, Type type, int count, std::vector<Slot> &slots);

/// "an .aligned instruction must be executed by all 32 lanes of a warp together, but found mask 0x..."
std::string wholeWarpMessage(LaneMask lanes);

/// A warp-wide instruction (.sync.aligned) needs all 32 lanes: fills the fault if `lanes` is not a whole warp.
inline bool isWholeWarp(Warp &warp, const Op &op, LaneMask lanes) {
  if (lanes == ~LaneMask{0})
    return true;
  warp.fault(op, -1, LaunchFault::Kind::LaunchFailed, wholeWarpMessage(lanes));
  return false;
}

} // namespace glm::ptx
