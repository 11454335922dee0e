// PTX ISA, "Warp-level matrix load instruction: ldmatrix", "stmatrix", "movmatrix".
#include "runtime/ptx/matrix/Ldmatrix.h"

#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/matrix/Fragment.h"
#include "runtime/ptx/matrix/LaneAddress.h"
#include "runtime/ptx/matrix/Unpack.h"

#include <array>

namespace glm::ptx {

namespace {

constexpr int kRowBytes = 16;
using Rows = std::array<std::byte, kCoreBytes>;
using HalfRows = std::array<std::array<uint16_t, kCoreRows>, kCoreRows>;

// Op::detail: the Packing besides the address's bits. Op::variant: matrices. Registers are in Op::more.

/// The row that `lane` names, as 16 bytes.
bool loadRow(Warp &warp, const Op &op, int lane, std::byte *row) {
  auto packing = static_cast<Packing>(op.detail & ~kAddressBits);
  const std::byte *from =
      touch(warp, op, lane, laneSpace(op), laneAddress(warp, op, lane), packedBytes(packing), kRowBytes, {});
  if (!from)
    return false;
  unpackRow(packing, 0, from, row);
  return true;
}

HalfRows transposed(const HalfRows &rows) {
  HalfRows result;
  for (int row = 0; row < kCoreRows; ++row)
    for (int column = 0; column < kCoreRows; ++column)
      result[row][column] = rows[column][row];
  return result;
}

void writeRegister(Warp &warp, Slot slot, const void *rows) {
  if (slot != kNoSlot)
    std::memcpy(warp.write<std::byte>(slot), rows, kCoreBytes);
}

template <bool transposes>
Outcome runLoad(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  // A destination may be the address, so that every row is read first.
  alignas(16) Rows matrices[4];
  for (int lane = 0; lane < op.variant * kCoreRows; ++lane)
    if (!loadRow(warp, op, lane, matrices[lane / kCoreRows].data() + lane % kCoreRows * kRowBytes))
      return Outcome::Fault;
  for (int matrix = 0; matrix < op.variant; ++matrix) {
    if constexpr (transposes) {
      HalfRows rows;
      std::memcpy(&rows, &matrices[matrix], kCoreBytes);
      rows = transposed(rows);
      writeRegister(warp, op.more[matrix], &rows);
    } else {
      writeRegister(warp, op.more[matrix], &matrices[matrix]);
    }
  }
  return Outcome::Next;
}

/// .m16n16: two registers a matrix. Byte b of register r in lane 4g + t is the element of row 4t + 2r + (b & 1) and
/// column g + 8 * (b >> 1) of the stored matrix (CUTLASS, Copy_Traits<SM100_U8x8_LDSM_T>).
Outcome runLoadBytesTransposed(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  std::byte rows[kWarpSize][kRowBytes];
  for (int lane = 0; lane < op.variant * 16; ++lane)
    if (!loadRow(warp, op, lane, rows[lane]))
      return Outcome::Fault;
  for (int matrix = 0; matrix < op.variant; ++matrix)
    for (int half = 0; half < 2; ++half) {
      Rows bytes;
      for (uint32_t lane = 0; lane < kWarpSize; ++lane)
        for (uint32_t b = 0; b < 4; ++b)
          bytes[4 * lane + b] = rows[16 * matrix + 4 * (lane % 4) + 2 * half + (b & 1)][lane / 4 + 8 * (b >> 1)];
      writeRegister(warp, op.more[2 * matrix + half], &bytes);
    }
  return Outcome::Next;
}

bool storeRow(Warp &warp, const Op &op, int lane, const std::byte *row) {
  std::byte *to =
      touch(warp, op, lane, laneSpace(op), laneAddress(warp, op, lane), kRowBytes, kRowBytes, {.writes = true});
  if (!to)
    return false;
  std::memcpy(to, row, kRowBytes);
  return true;
}

template <bool transposes>
Outcome runStore(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  for (int matrix = 0; matrix < op.variant; ++matrix) {
    HalfRows rows;
    std::memcpy(&rows, registerBytes(warp, op.more[matrix]), kCoreBytes);
    if constexpr (transposes)
      rows = transposed(rows);
    for (int row = 0; row < kCoreRows; ++row)
      if (!storeRow(warp, op, matrix * kCoreRows + row, reinterpret_cast<const std::byte *>(rows[row].data())))
        return Outcome::Fault;
  }
  return Outcome::Next;
}

/// .m16n8 of bytes: an accumulator's fragment. Byte b of lane 4g + t is the element of row g + 8 * (b >> 1) and column
/// 2t + (b & 1); columns become rows of memory (CUTLASS, Copy_Traits<SM100_U8x4_STSM_T>).
Outcome runStoreBytesTransposed(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  for (int matrix = 0; matrix < op.variant; ++matrix) {
    const std::byte *source = registerBytes(warp, op.more[matrix]);
    std::byte rows[kCoreRows][kRowBytes];
    for (uint32_t lane = 0; lane < kWarpSize; ++lane)
      for (uint32_t b = 0; b < 4; ++b)
        rows[2 * (lane % 4) + (b & 1)][lane / 4 + 8 * (b >> 1)] = source[4 * lane + b];
    for (int row = 0; row < kCoreRows; ++row)
      if (!storeRow(warp, op, matrix * kCoreRows + row, rows[row]))
        return Outcome::Fault;
  }
  return Outcome::Next;
}

Outcome runMove(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  HalfRows rows;
  std::memcpy(&rows, registerBytes(warp, op.slots[1]), kCoreBytes);
  rows = transposed(rows);
  writeRegister(warp, op.slots[0], &rows);
  return Outcome::Next;
}

int countOf(std::string_view word) { return word.back() - '0'; }

Result<void> buildTransfer(Builder &builder, bool isLoad, int matrices, int registers, bool isShared, Op &op) {
  if (Result<void> counted = builder.expectOperands(2, 2); !counted)
    return counted;
  op.variant = static_cast<uint16_t>(matrices);
  if (Result<void> done = setLaneAddress(builder, isLoad ? 1 : 0, isShared, op); !done)
    return done;
  std::vector<Slot> slots;
  Result<void> fragment = isLoad ? fragmentDestinations(builder, 0, Type::B32, registers, slots)
                                 : fragmentSources(builder, 1, Type::B32, registers, slots);
  if (!fragment)
    return fragment;
  builder.setMore(op, slots);
  return {};
}

// Places: count, trans, space.
Result<void> buildLoad(Builder &builder, const Match &match, Op &op) {
  op.run = match.has(1) ? runLoad<true> : runLoad<false>;
  int count = countOf(match.words[0]);
  return buildTransfer(builder, true, count, count, match.has(2), op);
}

// Places: count, space, source format.
Result<void> buildLoadUnpacked(Builder &builder, const Match &match, Op &op) {
  op.run = runLoad<false>;
  op.detail = static_cast<uint32_t>(packingOf(match.words[2]));
  int count = countOf(match.words[0]);
  return buildTransfer(builder, true, count, count, match.has(1), op);
}

// Places: count, space, then for the unpacking form the source format.
Result<void> buildLoadBytes(Builder &builder, const Match &match, Op &op) {
  op.run = runLoadBytesTransposed;
  if (match.words.size() > 2)
    op.detail = static_cast<uint32_t>(packingOf(match.words[2]));
  int count = countOf(match.words[0]);
  return buildTransfer(builder, true, count, 2 * count, match.has(1), op);
}

// Places: count, trans, space.
Result<void> buildStore(Builder &builder, const Match &match, Op &op) {
  op.run = match.has(1) ? runStore<true> : runStore<false>;
  int count = countOf(match.words[0]);
  return buildTransfer(builder, false, count, count, match.has(2), op);
}

// Places: count, space.
Result<void> buildStoreBytes(Builder &builder, const Match &match, Op &op) {
  op.run = runStoreBytesTransposed;
  int count = countOf(match.words[0]);
  return buildTransfer(builder, false, count, count, match.has(1), op);
}

Result<void> buildMove(Builder &builder, const Match &, Op &op) {
  if (Result<void> counted = builder.expectOperands(2, 2); !counted)
    return counted;
  Result<Slot> to = builder.destination(0, Type::B32);
  if (!to)
    return to.error();
  Result<Slot> from = builder.source(1, Type::B32);
  if (!from)
    return from.error();
  op.run = runMove;
  op.slots[0] = *to;
  op.slots[1] = *from;
  return {};
}

constexpr Form kForms[] = {
    {"ldmatrix.sync.aligned.m8n8.(x1|x2|x4)[.trans][.(shared|shared::cta)].b16", Feature::Base, 65, OpClass::Load,
     buildLoad},
    {"ldmatrix.sync.aligned.m8n16.(x1|x2|x4)[.(shared|shared::cta)].b8x16.(b4x16_p64|b6x16_p32)",
     Feature::NarrowConvert, 86, OpClass::Load, buildLoadUnpacked},
    {"ldmatrix.sync.aligned.m16n16.(x1|x2).trans[.(shared|shared::cta)].b8", Feature::NarrowConvert, 86, OpClass::Load,
     buildLoadBytes},
    {"ldmatrix.sync.aligned.m16n16.(x1|x2).trans[.(shared|shared::cta)].b8x16.(b4x16_p64|b6x16_p32)",
     Feature::NarrowConvert, 86, OpClass::Load, buildLoadBytes},
    {"stmatrix.sync.aligned.m8n8.(x1|x2|x4)[.trans][.(shared|shared::cta)].b16", Feature::Base, 78, OpClass::Store,
     buildStore},
    {"stmatrix.sync.aligned.m16n8.(x1|x2|x4).trans[.(shared|shared::cta)].b8", Feature::NarrowConvert, 86,
     OpClass::Store, buildStoreBytes},
    {"movmatrix.sync.aligned.m8n8.trans.b16", Feature::Base, 78, OpClass::Collective, buildMove},
};

} // namespace

std::span<const Form> ldmatrixForms() { return kForms; }

} // namespace glm::ptx
