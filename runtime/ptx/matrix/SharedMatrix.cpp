#include "runtime/ptx/matrix/SharedMatrix.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace glm::ptx {

namespace {

constexpr uint32_t kChunk = 16;

uint32_t field(uint64_t bits, uint32_t first, uint32_t count) {
  return static_cast<uint32_t>(bits >> first & ((uint64_t{1} << count) - 1));
}

std::optional<std::string> decodeFields(uint64_t bits, SharedMatrix &matrix) {
  matrix.start = field(bits, 0, 14) * kChunk;
  matrix.leading = field(bits, 16, 14) * kChunk;
  matrix.stride = field(bits, 32, 14) * kChunk;
  matrix.baseOffset = field(bits, 49, 3);
  for (uint32_t first : {14u, 30u})
    if (uint32_t value = field(bits, first, 2))
      return fmt::format("bits {} and {} of a matrix descriptor must be 0, but found {}", first, first + 1, value);
  return std::nullopt;
}

std::optional<std::string> mustBe(uint64_t bits, uint32_t first, uint32_t count, uint32_t expected) {
  uint32_t value = field(bits, first, count);
  if (value == expected)
    return std::nullopt;
  return fmt::format("bits {} to {} of a matrix descriptor must be {:#b}, but found {:#b}", first, first + count - 1,
                     expected, value);
}

/// Visit the chunks of a tile: visit(address, row block or chunk along mn, k block or line).
template <typename Visit>
void forEachChunk(const SharedMatrix &matrix, const OperandTile &tile, Visit visit) {
  if (!tile.isMnMajor) {
    for (uint32_t row = 0; row < tile.rowBlocks * kCoreRows; ++row)
      for (uint32_t chunk = 0; chunk < tile.kBlocks; ++chunk)
        visit(matrix.kMajor(tile.firstRow + row, chunk), row, chunk);
    return;
  }
  uint32_t perChunk = 128 / tile.elementBits;
  for (uint32_t k = 0; k < tile.kBlocks * perChunk; ++k)
    for (uint32_t first = 0; first < tile.rowBlocks * kCoreRows; first += perChunk)
      visit(matrix.mnMajor((tile.firstRow + first) / perChunk, k), first, k);
}

/// One line of an mn-major operand, `perChunk` rows from `first` on at column k, into the blocks.
template <typename T>
void scatterLine(const std::byte *chunk, const OperandTile &tile, uint32_t first, uint32_t k, std::byte *blocks) {
  constexpr uint32_t kPerChunk = kChunk / sizeof(T);
  uint32_t rows = std::min(kPerChunk, tile.rowBlocks * kCoreRows - first);
  for (uint32_t i = 0; i < rows; ++i) {
    uint32_t row = first + i;
    size_t block = static_cast<size_t>(row / kCoreRows) * tile.kBlocks + k / kPerChunk;
    std::memcpy(blocks + block * kCoreBytes + row % kCoreRows * kChunk + k % kPerChunk * sizeof(T),
                chunk + i * sizeof(T), sizeof(T));
  }
}

} // namespace

uint32_t SharedMatrix::chunksPerRow() const {
  switch (swizzle) {
  case MatrixSwizzle::None:
    return 1;
  case MatrixSwizzle::Bytes32:
    return 2;
  case MatrixSwizzle::Bytes64:
    return 4;
  default:
    return 8;
  }
}

uint32_t SharedMatrix::swizzled(uint32_t offset) const {
  uint32_t address = start + offset;
  uint32_t line = (address >> 7) - baseOffset;
  switch (swizzle) {
  case MatrixSwizzle::None:
    return address;
  case MatrixSwizzle::Bytes32:
    return address ^ (line & 1) << 4;
  case MatrixSwizzle::Bytes64:
    return address ^ (line & 3) << 4;
  case MatrixSwizzle::Bytes128:
    return address ^ (line & 7) << 4;
  case MatrixSwizzle::Bytes128In32:
    return address ^ (line & 3) << 5;
  }
  return address;
}

uint32_t SharedMatrix::kMajor(uint32_t row, uint32_t chunk) const {
  uint32_t along = swizzle == MatrixSwizzle::None ? chunk * leading : chunk * kChunk;
  return swizzled(row % kCoreRows * chunksPerRow() * kChunk + row / kCoreRows * stride + along);
}

uint32_t SharedMatrix::mnMajor(uint32_t chunk, uint32_t k) const {
  uint32_t width = chunksPerRow();
  if (swizzle == MatrixSwizzle::None)
    return swizzled(chunk * stride + k % 8 * kChunk + k / 8 * leading);
  uint32_t lines = swizzle == MatrixSwizzle::Bytes128In32 ? 4 : 8;
  return swizzled(chunk % width * kChunk + chunk / width * leading + k % lines * width * kChunk + k / lines * stride);
}

std::optional<std::string> decodeWgmmaDescriptor(uint64_t bits, SharedMatrix &matrix) {
  if (std::optional<std::string> problem = decodeFields(bits, matrix))
    return problem;
  if (std::optional<std::string> problem = mustBe(bits, 46, 3, 0))
    return problem;
  if (std::optional<std::string> problem = mustBe(bits, 52, 10, 0))
    return problem;
  constexpr MatrixSwizzle kSwizzles[] = {MatrixSwizzle::None, MatrixSwizzle::Bytes128, MatrixSwizzle::Bytes64,
                                         MatrixSwizzle::Bytes32};
  matrix.swizzle = kSwizzles[field(bits, 62, 2)];
  return std::nullopt;
}

std::optional<std::string> decodeTcgen05Descriptor(uint64_t bits, SharedMatrix &matrix) {
  if (std::optional<std::string> problem = decodeFields(bits, matrix))
    return problem;
  if (std::optional<std::string> problem = mustBe(bits, 46, 3, 1))
    return problem;
  if (std::optional<std::string> problem = mustBe(bits, 52, 9, 0))
    return problem;
  switch (uint32_t code = field(bits, 61, 3)) {
  case 0:
    matrix.swizzle = MatrixSwizzle::None;
    return std::nullopt;
  case 1:
    matrix.swizzle = MatrixSwizzle::Bytes128In32;
    return std::nullopt;
  case 2:
    matrix.swizzle = MatrixSwizzle::Bytes128;
    return std::nullopt;
  case 4:
    matrix.swizzle = MatrixSwizzle::Bytes64;
    return std::nullopt;
  case 6:
    matrix.swizzle = MatrixSwizzle::Bytes32;
    return std::nullopt;
  default:
    return fmt::format("the swizzle of a matrix descriptor must be 0, 1, 2, 4 or 6, but found {}", code);
  }
}

std::vector<SharedRange> rangesOf(const SharedMatrix &matrix, const OperandTile &tile) {
  std::vector<SharedRange> ranges;
  forEachChunk(matrix, tile, [&](uint32_t address, uint32_t, uint32_t) {
    if (!ranges.empty()) {
      SharedRange &last = ranges.back();
      if (address == last.offset + last.bytes) {
        last.bytes += kChunk;
        return;
      }
      if (address + kChunk == last.offset) {
        last.offset = address;
        last.bytes += kChunk;
        return;
      }
    }
    ranges.push_back({address, kChunk});
  });
  return ranges;
}

bool gatherBlocks(const SharedMatrix &matrix, const OperandTile &tile, const std::byte *shared, size_t bytes,
                  std::byte *blocks) {
  bool inside = true;
  forEachChunk(matrix, tile, [&](uint32_t address, uint32_t first, uint32_t k) {
    if (address + kChunk > bytes) {
      inside = false;
      return;
    }
    const std::byte *chunk = shared + address;
    if (!tile.isMnMajor) {
      size_t block = static_cast<size_t>(first / kCoreRows) * tile.kBlocks + k;
      std::memcpy(blocks + block * kCoreBytes + first % kCoreRows * kChunk, chunk, kChunk);
    } else if (tile.elementBits == 16) {
      scatterLine<uint16_t>(chunk, tile, first, k, blocks);
    } else if (tile.elementBits == 8) {
      scatterLine<uint8_t>(chunk, tile, first, k, blocks);
    } else {
      scatterLine<uint32_t>(chunk, tile, first, k, blocks);
    }
  });
  return inside;
}

} // namespace glm::ptx
