#include "runtime/ptx/async/TensorBox.h"

#include "runtime/ptx/machine/GuestMemory.h"

#include <cstring>
#include <fmt/format.h>

namespace glm::ptx {

namespace {

/// Elements of the innermost dimension that are copied together: 16 bytes, or what the PTX ISA says of the packed types.
uint32_t chunkElements(TensorType type) { return isPadded(type) ? 128 : 128 / bitsOf(type); }

/// What an element outside the tensor reads as under CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA. NVIDIA says "a
/// special NaN constant" and no more: ours is the positive quiet NaN with all bits of the fraction set.
uint64_t nanOf(TensorType type) {
  switch (type) {
  case TensorType::F16:
  case TensorType::BF16:
    return 0x7fff;
  case TensorType::F64:
    return 0x7fffffffffffffff;
  default:
    return 0x7fffffff;
  }
}

void fill(const TensorMap &map, std::byte *row) {
  uint32_t bytes = map.sharedRowBytes();
  if (!map.fillNan) {
    std::memset(row, 0, bytes);
    return;
  }
  uint64_t nan = nanOf(map.type);
  uint32_t width = bitsOf(map.type) / 8;
  for (uint32_t offset = 0; offset < bytes; offset += width)
    std::memcpy(row + offset, &nan, width);
}

uint32_t flushed(uint32_t bits) { return bits & 0x7f800000 ? bits : bits & 0x80000000; }

/// To tf32's 10 bits of fraction: to nearest, ties away from zero, as cvt.rna.tf32.f32 does. NVIDIA documents that the copy
/// converts and not how; infinities and NaNs stay.
uint32_t roundedToTf32(uint32_t bits) {
  bool isFinite = (bits & 0x7f800000) != 0x7f800000;
  return isFinite ? (bits + 0x1000) & ~0x1fffu : bits;
}

void convertFloats(TensorType type, std::byte *values, uint64_t bytes) {
  bool flushes = type == TensorType::F32Ftz || type == TensorType::TF32Ftz;
  bool rounds = type == TensorType::TF32 || type == TensorType::TF32Ftz;
  if (!flushes && !rounds)
    return;
  for (uint64_t offset = 0; offset < bytes; offset += 4) {
    uint32_t bits;
    std::memcpy(&bits, values + offset, 4);
    if (flushes)
      bits = flushed(bits);
    if (rounds)
      bits = roundedToTf32(bits);
    std::memcpy(values + offset, &bits, 4);
  }
}

} // namespace

uint32_t rowCount(const TensorMap &map, BoxMode mode) {
  if (mode == BoxMode::Rows4)
    return 4;
  uint32_t rows = 1;
  for (uint32_t dim = 1; dim < map.rank; ++dim)
    rows *= map.count(dim);
  return rows;
}

uint64_t transactionBytes(const TensorMap &map, BoxMode mode) { return map.globalRowBytes() * rowCount(map, mode); }

uint64_t sharedBytes(const TensorMap &map, BoxMode mode) { return uint64_t{map.sharedPitch()} * rowCount(map, mode); }

Result<void> checkBox(const TensorMap &map, BoxMode mode, BoxDirection direction, uint32_t rank,
                      const BoxCoordinates &coordinates) {
  if (map.rank != rank)
    return Error{fmt::format("must have the instruction's {} dimensions, but found {}", rank, map.rank)};
  if (mode == BoxMode::Rows4 && map.box[1] != 1)
    return Error{fmt::format("must have a box of one row for .gather4 and .scatter4, but found {}", map.box[1])};
  uint32_t multiple = chunkElements(map.type);
  if (coordinates[0] % static_cast<int32_t>(multiple) != 0)
    return Error{fmt::format("of type {} must be copied from a multiple of {} elements on, but found coordinate {}",
                             nameOf(map.type), multiple, coordinates[0])};
  // What row numbers of .scatter4 that are negative do is nowhere said.
  uint32_t checked = direction == BoxDirection::Load ? 0 : mode == BoxMode::Rows4 ? 1 : rank;
  for (uint32_t dim = 0; dim < checked; ++dim)
    if (coordinates[dim] < 0)
      return Error{
          fmt::format("must be stored to from coordinates that are not negative on, but found {}", coordinates[dim])};
  return {};
}

BoxRow boxRow(const TensorMap &map, BoxMode mode, const BoxCoordinates &coordinates, uint32_t index) {
  BoxRow row;
  row.shared = index * map.sharedPitch();
  uint64_t address = map.globalAddress;
  uint32_t rest = index;
  for (uint32_t dim = 1; dim < map.rank; ++dim) {
    int64_t position;
    if (mode == BoxMode::Rows4) {
      position = coordinates[1 + index];
    } else {
      uint32_t count = map.count(dim);
      position = int64_t{coordinates[dim]} + int64_t{rest % count} * map.elementStrides[dim];
      rest /= count;
    }
    if (position < 0 || static_cast<uint64_t>(position) >= map.dims[dim])
      return row;
    address += static_cast<uint64_t>(position) * map.strides[dim - 1];
  }
  int64_t start = coordinates[0], size = static_cast<int64_t>(map.dims[0]);
  int64_t first = std::clamp<int64_t>(-start, 0, map.box[0]);
  int64_t last = std::clamp<int64_t>(size - start, first, map.box[0]);
  row.first = static_cast<uint32_t>(first);
  row.last = static_cast<uint32_t>(last);
  row.address = address + static_cast<uint64_t>(std::max<int64_t>(start + first, 0)) * bitsOf(map.type) / 8;
  return row;
}

BoxRow storedRow(const TensorMap &map, BoxRow row) {
  uint32_t chunk = chunkElements(map.type);
  if (row.first != row.last)
    row.last = (row.last + chunk - 1) / chunk * chunk;
  return row;
}

void expandRow(const TensorMap &map, const BoxRow &row, const std::byte *global, std::byte *expanded) {
  uint64_t bytes = globalBytes(map, row);
  if (bytes < map.globalRowBytes())
    fill(map, expanded);
  if (bytes == 0)
    return;
  if (isPadded(map.type)) {
    // Sixteen elements take `packed` bytes of global memory and sixteen of shared memory.
    uint32_t packed = 2 * bitsOf(map.type);
    std::memset(expanded, 0, map.sharedRowBytes());
    for (uint32_t group = 0; group < map.box[0] / 16; ++group)
      copyPlain(expanded + uint64_t{16} * group, global + uint64_t{packed} * group, packed);
    return;
  }
  std::byte *inside = expanded + uint64_t{row.first} * bitsOf(map.type) / 8;
  copyPlain(inside, global, bytes);
  convertFloats(map.type, inside, bytes);
}

void compressRow(const TensorMap &map, const BoxRow &row, const std::byte *expanded, std::byte *global) {
  uint64_t bytes = globalBytes(map, row);
  if (bytes == 0)
    return;
  if (isPadded(map.type)) {
    uint32_t packed = 2 * bitsOf(map.type);
    for (uint64_t group = 0; group < bytes / packed; ++group)
      std::memcpy(global + packed * group, expanded + 16 * group, packed);
    return;
  }
  std::memcpy(global, expanded + uint64_t{row.first} * bitsOf(map.type) / 8, bytes);
}

} // namespace glm::ptx
