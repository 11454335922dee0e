#include "runtime/ptx/async/TensorBox.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace glm::ptx {
namespace {

/// A tensor as plain numbers: element at(coordinates) is what the PTX ISA calls it, wherever its bytes are.
struct Tensor {
  TensorMap map;
  std::vector<uint8_t> memory;

  uint32_t element(const std::array<int64_t, 5> &at) const {
    uint64_t offset = 0;
    for (uint32_t dim = 1; dim < map.rank; ++dim)
      offset += static_cast<uint64_t>(at[dim]) * map.strides[dim - 1];
    uint32_t bits = bitsOf(map.type), value = 0;
    for (uint32_t bit = 0; bit < std::min(bits, 32u); ++bit) {
      uint64_t position = offset * 8 + static_cast<uint64_t>(at[0]) * bits + bit;
      value |= static_cast<uint32_t>(memory[position / 8] >> position % 8 & 1) << bit;
    }
    return value;
  }
  bool contains(const std::array<int64_t, 5> &at) const {
    for (uint32_t dim = 0; dim < map.rank; ++dim)
      if (at[dim] < 0 || static_cast<uint64_t>(at[dim]) >= map.dims[dim])
        return false;
    return true;
  }
};

Tensor randomTensor(TensorType type, std::mt19937_64 &random) {
  Tensor tensor;
  TensorMap &map = tensor.map;
  bool isPadded = type == TensorType::U4Align16 || type == TensorType::U6Align16;
  map.type = type;
  map.rank = 1 + random() % 5;
  map.dims[0] = isPadded ? 128 * (1 + random() % 3) : 2 * (1 + random() % 60);
  map.box[0] = isPadded ? 128 : 32 * (1 + random() % 3);
  map.elementStrides.fill(1);
  uint64_t pitch = (map.dims[0] * bitsOf(type) / 8 + 31) / 32 * 32;
  for (uint32_t dim = 1; dim < map.rank; ++dim) {
    map.dims[dim] = 1 + random() % 6;
    map.box[dim] = 1 + random() % 7;
    map.elementStrides[dim] = 1 + random() % 3;
    map.strides[dim - 1] = pitch;
    pitch = pitch * map.dims[dim] + 32 * (random() % 2);
  }
  tensor.memory.resize(pitch);
  for (uint8_t &byte : tensor.memory)
    byte = static_cast<uint8_t>(random());
  map.globalAddress = reinterpret_cast<uint64_t>(tensor.memory.data());
  return tensor;
}

BoxCoordinates randomCoordinates(const TensorMap &map, std::mt19937_64 &random) {
  BoxCoordinates at{};
  bool isPadded = map.sharedRowBytes() != map.globalRowBytes();
  at[0] = isPadded ? 128 * (int(random() % 6) - 2) : 2 * (int(random() % 90) - 30);
  for (uint32_t dim = 1; dim < map.rank; ++dim)
    at[dim] = int(random() % 12) - 4;
  return at;
}

/// Bytes of shared memory that element i of a row takes, as a bit position.
uint64_t sharedBit(TensorType type, uint64_t element) {
  switch (type) {
  case TensorType::U4Align16:
    return element / 16 * 128 + element % 16 * 4;
  case TensorType::U6Align16:
    return element / 16 * 128 + element % 16 * 6;
  default:
    return element * bitsOf(type);
  }
}

uint32_t bitsAt(const std::vector<std::byte> &bytes, uint64_t bit, uint32_t width) {
  uint32_t value = 0;
  for (uint32_t i = 0; i < width; ++i)
    value |= (static_cast<uint32_t>(bytes[(bit + i) / 8]) >> (bit + i) % 8 & 1) << i;
  return value;
}

void expectBox(const Tensor &tensor, const BoxCoordinates &at) {
  const TensorMap &map = tensor.map;
  std::vector<std::byte> row(map.sharedRowBytes());
  uint32_t index = 0;
  std::array<uint32_t, 5> counts{1, 1, 1, 1, 1};
  for (uint32_t dim = 1; dim < map.rank; ++dim)
    counts[dim] = static_cast<uint32_t>(std::ceil(double(map.box[dim]) / map.elementStrides[dim]));
  std::array<uint32_t, 5> i{};
  for (i[4] = 0; i[4] < counts[4]; ++i[4])
    for (i[3] = 0; i[3] < counts[3]; ++i[3])
      for (i[2] = 0; i[2] < counts[2]; ++i[2])
        for (i[1] = 0; i[1] < counts[1]; ++i[1], ++index) {
          BoxRow found = boxRow(map, BoxMode::Tile, at, index);
          EXPECT_EQ(found.shared, index * map.sharedPitch());
          expandRow(map, found, reinterpret_cast<const std::byte *>(found.address), row.data());
          for (uint32_t x = 0; x < map.box[0]; ++x) {
            std::array<int64_t, 5> coordinate{at[0] + int64_t{x}, 0, 0, 0, 0};
            for (uint32_t dim = 1; dim < map.rank; ++dim)
              coordinate[dim] = at[dim] + int64_t{i[dim]} * map.elementStrides[dim];
            uint32_t expected = tensor.contains(coordinate) ? tensor.element(coordinate) : 0;
            uint32_t width = std::min(bitsOf(map.type), 32u);
            ASSERT_EQ(bitsAt(row, sharedBit(map.type, x), width), expected)
                << nameOf(map.type) << " rank " << map.rank << " row " << index << " element " << x;
          }
        }
  EXPECT_EQ(rowCount(map, BoxMode::Tile), index);
  EXPECT_EQ(transactionBytes(map, BoxMode::Tile), uint64_t{index} * map.box[0] * bitsOf(map.type) / 8);
}

TEST(TensorBoxTest, everyElementOfABoxIsWhereItBelongs) {
  std::mt19937_64 random(3);
  constexpr TensorType types[] = {TensorType::U8,       TensorType::U16,       TensorType::S32,
                                  TensorType::F64,      TensorType::BF16,      TensorType::F32,
                                  TensorType::U4Align8, TensorType::U4Align16, TensorType::U6Align16};
  for (int round = 0; round < 40; ++round)
    for (TensorType type : types) {
      Tensor tensor = randomTensor(type, random);
      expectBox(tensor, randomCoordinates(tensor.map, random));
    }
}

TEST(TensorBoxTest, compressingGivesBackWhatWasExpanded) {
  std::mt19937_64 random(4);
  for (TensorType type : {TensorType::U16, TensorType::U4Align8, TensorType::U4Align16, TensorType::U6Align16})
    for (int round = 0; round < 30; ++round) {
      Tensor tensor = randomTensor(type, random);
      const TensorMap &map = tensor.map;
      BoxCoordinates at = randomCoordinates(map, random);
      for (uint32_t index = 0; index < rowCount(map, BoxMode::Tile); ++index) {
        BoxRow row = boxRow(map, BoxMode::Tile, at, index);
        std::vector<std::byte> expanded(map.sharedRowBytes()), back(globalBytes(map, row));
        expandRow(map, row, reinterpret_cast<const std::byte *>(row.address), expanded.data());
        compressRow(map, row, expanded.data(), back.data());
        ASSERT_TRUE(std::equal(back.begin(), back.end(), reinterpret_cast<const std::byte *>(row.address)));
      }
    }
}

TEST(TensorBoxTest, namedRowsAreTakenOneByOne) {
  std::mt19937_64 random(5);
  Tensor tensor;
  TensorMap &map = tensor.map;
  map.type = TensorType::U16;
  map.rank = 2;
  map.dims = {20, 10};
  map.strides = {48};
  map.box = {16, 1};
  map.elementStrides = {1, 1};
  tensor.memory.resize(480);
  for (uint8_t &byte : tensor.memory)
    byte = static_cast<uint8_t>(random());
  map.globalAddress = reinterpret_cast<uint64_t>(tensor.memory.data());
  BoxCoordinates at{8, 3, 9, -1, 3};
  ASSERT_TRUE(checkBox(map, BoxMode::Rows4, BoxDirection::Load, 2, at));
  EXPECT_EQ(rowCount(map, BoxMode::Rows4), 4u);
  EXPECT_EQ(transactionBytes(map, BoxMode::Rows4), 4u * 32);
  for (uint32_t index = 0; index < 4; ++index) {
    std::vector<std::byte> expanded(32);
    BoxRow row = boxRow(map, BoxMode::Rows4, at, index);
    expandRow(map, row, reinterpret_cast<const std::byte *>(row.address), expanded.data());
    for (int64_t x = 0; x < 16; ++x) {
      std::array<int64_t, 5> coordinate{8 + x, at[1 + index], 0, 0, 0};
      ASSERT_EQ(bitsAt(expanded, x * 16, 16), tensor.contains(coordinate) ? tensor.element(coordinate) : 0);
    }
  }
  map.box[1] = 4;
  EXPECT_EQ(checkBox(map, BoxMode::Rows4, BoxDirection::Load, 2, at).error().message,
            "must have a box of one row for .gather4 and .scatter4, but found 4");
}

TEST(TensorBoxTest, outsideReadsAsNaNWhereAsked) {
  struct Row {
    TensorType type;
    uint64_t nan;
  };
  for (Row expected : {Row{TensorType::F16, 0x7fff}, Row{TensorType::BF16, 0x7fff}, Row{TensorType::F32, 0x7fffffff},
                       Row{TensorType::TF32, 0x7fffffff}, Row{TensorType::F64, 0x7fffffffffffffff}}) {
    TensorMap map;
    map.type = expected.type;
    map.dims = {16};
    map.box = {16};
    map.elementStrides = {1};
    map.fillNan = true;
    std::vector<std::byte> memory(128), row(map.sharedRowBytes());
    map.globalAddress = reinterpret_cast<uint64_t>(memory.data());
    BoxRow found = boxRow(map, BoxMode::Tile, {-4}, 0);
    expandRow(map, found, reinterpret_cast<const std::byte *>(found.address), row.data());
    uint32_t width = bitsOf(expected.type) / 8;
    for (uint32_t i = 0; i < 16; ++i) {
      uint64_t value = 0;
      std::memcpy(&value, row.data() + uint64_t{i} * width, width);
      EXPECT_EQ(value, i < 4 ? expected.nan : 0) << nameOf(expected.type) << " " << i;
    }
  }
}

TEST(TensorBoxTest, floatsAreFlushedAndRounded) {
  std::vector<float> values = {1.0f, 1e-40f, -1e-40f, 0x1.002p0f, 0x1.0010p0f, 0x1.0030p0f, -0x1.001p0f, INFINITY};
  values.resize(16);
  auto read = [&](TensorType type) {
    TensorMap map;
    map.type = type;
    map.dims = {16};
    map.box = {16};
    map.elementStrides = {1};
    map.globalAddress = reinterpret_cast<uint64_t>(values.data());
    std::vector<float> row(16);
    BoxRow found = boxRow(map, BoxMode::Tile, {0}, 0);
    expandRow(map, found, reinterpret_cast<const std::byte *>(found.address),
              reinterpret_cast<std::byte *>(row.data()));
    row.resize(8);
    return row;
  };
  // tf32 keeps 10 bits of fraction: 0x1.004 is the step at 1; halves of it go away from zero.
  EXPECT_EQ(read(TensorType::F32), std::vector<float>(values.begin(), values.begin() + 8));
  EXPECT_EQ(read(TensorType::F32Ftz),
            (std::vector<float>{1.0f, 0.0f, -0.0f, 0x1.002p0f, 0x1.001p0f, 0x1.003p0f, -0x1.001p0f, INFINITY}));
  std::vector<float> rounded = read(TensorType::TF32Ftz);
  EXPECT_EQ(rounded, (std::vector<float>{1.0f, 0.0f, -0.0f, 0x1.004p0f, 1.0f, 0x1.004p0f, -1.0f, INFINITY}));
  EXPECT_TRUE(std::signbit(rounded[2]));
}

TEST(TensorBoxTest, narrowRowsTakeTheirSwizzlesSpan) {
  TensorMap map;
  map.type = TensorType::F16;
  map.rank = 2;
  map.dims = {64, 64};
  map.strides = {128};
  map.box = {32, 8};
  map.elementStrides = {1, 1};
  EXPECT_EQ(map.sharedPitch(), 64u);
  map.swizzle = Swizzle::B128;
  EXPECT_EQ(map.sharedPitch(), 128u);
  EXPECT_EQ(sharedBytes(map, BoxMode::Tile), 8u * 128);
  EXPECT_EQ(transactionBytes(map, BoxMode::Tile), 8u * 64);
}

std::string refusal(const TensorMap &map, BoxDirection direction, const BoxCoordinates &at) {
  Result<void> checked = checkBox(map, BoxMode::Tile, direction, map.rank, at);
  return checked ? "" : checked.error().message;
}

TEST(TensorBoxTest, coordinatesOfPackedTypesAreChecked) {
  TensorMap map;
  map.type = TensorType::U4Align16;
  map.rank = 1;
  map.dims = {256};
  map.box = {128};
  map.elementStrides = {1};
  EXPECT_EQ(refusal(map, BoxDirection::Load, {-128}), "");
  EXPECT_EQ(refusal(map, BoxDirection::Load, {64}),
            "of type 16U4_ALIGN16B must be copied from a multiple of 128 elements on, but found coordinate 64");
  map.type = TensorType::U4Align8;
  EXPECT_EQ(refusal(map, BoxDirection::Load, {64}), "");
  EXPECT_EQ(refusal(map, BoxDirection::Load, {16}),
            "of type 16U4_ALIGN8B must be copied from a multiple of 32 elements on, but found coordinate 16");
  EXPECT_EQ(checkBox(map, BoxMode::Tile, BoxDirection::Load, 2, {0}).error().message,
            "must have the instruction's 2 dimensions, but found 1");
}

TEST(TensorBoxTest, copiesStartAtAMultipleOf16BytesAndStoresWithinTheTensor) {
  TensorMap map;
  map.rank = 2;
  map.dims = {19, 3};
  map.strides = {256};
  map.box = {16, 2};
  map.elementStrides = {1, 1};
  for (auto [type, multiple] :
       {std::pair{TensorType::U8, 16}, {TensorType::BF16, 8}, {TensorType::F32, 4}, {TensorType::F64, 2}}) {
    map.type = type;
    for (BoxDirection direction : {BoxDirection::Load, BoxDirection::Store}) {
      EXPECT_EQ(refusal(map, direction, {multiple, 2}), "");
      EXPECT_EQ(refusal(map, direction, {10 * multiple, 9}), "");
      EXPECT_NE(refusal(map, direction, {multiple / 2, 0}), "");
      EXPECT_NE(refusal(map, direction, {-multiple - 1, 0}), "");
    }
    EXPECT_EQ(refusal(map, BoxDirection::Load, {-multiple, -1}), "");
  }
  EXPECT_EQ(refusal(map, BoxDirection::Store, {2, -1}),
            "must be stored to from coordinates that are not negative on, but found -1");
  EXPECT_EQ(refusal(map, BoxDirection::Store, {-2, 0}),
            "must be stored to from coordinates that are not negative on, but found -2");
}

TEST(TensorBoxTest, storedRowsEndWithWhole16Bytes) {
  TensorMap map;
  map.rank = 1;
  map.elementStrides = {1};
  struct Row {
    TensorType type;
    uint32_t size, box;
    int32_t start;
    uint32_t last;
  };
  for (Row one :
       {Row{TensorType::U8, 33, 64, 0, 48}, Row{TensorType::U8, 48, 64, 0, 48}, Row{TensorType::U8, 33, 64, 32, 16},
        Row{TensorType::U8, 33, 64, 48, 0}, Row{TensorType::U16, 33, 32, 16, 24}, Row{TensorType::F32, 38, 16, 32, 8},
        Row{TensorType::F32, 38, 16, 16, 16}}) {
    map.type = one.type;
    map.dims = {one.size};
    map.box = {one.box};
    BoxRow row = storedRow(map, boxRow(map, BoxMode::Tile, {one.start}, 0));
    EXPECT_EQ(row.first, 0u);
    EXPECT_EQ(row.last, one.last) << nameOf(one.type) << " " << one.size << " from " << one.start;
  }
}

} // namespace
} // namespace glm::ptx
