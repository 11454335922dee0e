#include "runtime/ptx/async/TensorMap.h"

#include <gtest/gtest.h>
#include <random>

namespace glm::ptx {
namespace {

using Bytes = std::array<std::byte, kTensorMapBytes>;

/// A legal call that cases change in one place.
struct Call {
  uint32_t type = 6, rank = 3; // FLOAT16
  uint64_t address = 0x10000;
  std::array<uint64_t, 5> dims{100, 50, 7, 3, 2};
  std::array<uint64_t, 4> strides{256, 256 * 50, 256 * 50 * 7, 256 * 50 * 7 * 3};
  std::array<uint32_t, 5> box{64, 8, 2, 1, 1}, elementStrides{1, 1, 1, 1, 1};
  uint32_t interleave = 0, swizzle = 3, promotion = 2, fill = 0;

  Result<void> encode(Bytes &bytes) const {
    return encodeTiled({type, rank, address, dims.data(), strides.data(), box.data(), elementStrides.data(), interleave,
                        swizzle, promotion, fill},
                       bytes);
  }
  std::string refusal() const {
    Bytes bytes{};
    Result<void> result = encode(bytes);
    if (result)
      return "";
    EXPECT_EQ(bytes, Bytes{}) << "a refused map must stay as it was";
    return result.error().message;
  }
};

TEST(TensorMapTest, decodesWhatWasEncoded) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 500; ++round) {
    Call call;
    call.rank = 1 + random() % 5;
    call.address = random() % 1000 * 16;
    call.swizzle = random() % 7;
    call.promotion = random() % 4;
    call.fill = random() % 2;
    for (uint32_t dim = 0; dim < call.rank; ++dim) {
      call.dims[dim] = 1 + random() % (uint64_t{1} << 32);
      call.elementStrides[dim] = 1 + random() % 8;
      call.box[dim] = dim == 0 ? 8 * (1 + random() % (call.swizzle == 1   ? 2
                                                      : call.swizzle == 2 ? 4
                                                                          : 8))
                               : 1 + random() % 256;
      if (dim > 0)
        call.strides[dim - 1] = random() % (uint64_t{1} << 36) * 16;
    }
    Bytes bytes{};
    Result<void> encoded = call.encode(bytes);
    ASSERT_TRUE(encoded) << encoded.error().message;
    Result<TensorMap> map = decodeTensorMap(bytes);
    ASSERT_TRUE(map) << map.error().message;
    EXPECT_EQ(map->globalAddress, call.address);
    EXPECT_EQ(map->type, TensorType::F16);
    EXPECT_EQ(map->rank, call.rank);
    EXPECT_EQ(static_cast<uint32_t>(map->swizzle), call.swizzle);
    EXPECT_EQ(map->l2Promotion, call.promotion);
    EXPECT_EQ(map->fillNan, call.fill == 1);
    for (uint32_t dim = 0; dim < call.rank; ++dim) {
      EXPECT_EQ(map->dims[dim], call.dims[dim]);
      EXPECT_EQ(map->box[dim], call.box[dim]);
      EXPECT_EQ(map->elementStrides[dim], call.elementStrides[dim]);
      if (dim > 0)
        EXPECT_EQ(map->strides[dim - 1], call.strides[dim - 1]);
    }
  }
}

TEST(TensorMapTest, everyTypeIsTaken) {
  for (uint32_t type = 0; type < 16; ++type) {
    Call call;
    call.type = type;
    call.rank = 2;
    call.dims = {1280, 64};
    call.strides = {1280 * 8};
    call.box = {128, 4};
    call.swizzle = 0;
    EXPECT_EQ(call.refusal(), "") << type;
  }
}

TEST(TensorMapTest, argumentsAreChecked) {
  auto with = [](auto change) {
    Call call;
    change(call);
    return call.refusal();
  };
  const std::string place = "cuTensorMapEncodeTiled: ";
  EXPECT_EQ(with([](Call &) {}), "");
  EXPECT_EQ(with([](Call &c) { c.type = 16; }),
            place + "tensorDataType must be one of CUtensorMapDataType, but found 16");
  EXPECT_EQ(with([](Call &c) { c.rank = 0; }), place + "tensorRank must be from 1 to 5, but found 0");
  EXPECT_EQ(with([](Call &c) { c.rank = 6; }), place + "tensorRank must be from 1 to 5, but found 6");
  EXPECT_EQ(with([](Call &c) { c.address += 8; }), place + "globalAddress must be a multiple of 16, but found 0x10008");
  EXPECT_EQ(with([](Call &c) { c.dims[1] = 0; }), place + "globalDim[1] must be from 1 to 2^32, but found 0");
  EXPECT_EQ(with([](Call &c) { c.dims[2] = (uint64_t{1} << 32) + 1; }),
            place + "globalDim[2] must be from 1 to 2^32, but found 4294967297");
  EXPECT_EQ(with([](Call &c) { c.strides[0] = 200; }),
            place + "globalStrides[0] must be a multiple of 16 below 2^40, but found 200");
  EXPECT_EQ(with([](Call &c) { c.strides[1] = uint64_t{1} << 40; }),
            place + "globalStrides[1] must be a multiple of 16 below 2^40, but found 1099511627776");
  EXPECT_EQ(with([](Call &c) { c.box[1] = 0; }), place + "boxDim[1] must be from 1 to 256, but found 0");
  EXPECT_EQ(with([](Call &c) { c.box[1] = 257; }), place + "boxDim[1] must be from 1 to 256, but found 257");
  EXPECT_EQ(with([](Call &c) { c.box[0] = 60; }),
            place + "boxDim[0] must take a multiple of 16 bytes, but found 960 bits");
  EXPECT_EQ(with([](Call &c) { c.elementStrides[1] = 0; }),
            place + "elementStrides[1] must be from 1 to 8, but found 0");
  EXPECT_EQ(with([](Call &c) { c.elementStrides[2] = 9; }),
            place + "elementStrides[2] must be from 1 to 8, but found 9");
  EXPECT_EQ(with([](Call &c) { c.interleave = 3; }),
            place + "interleave must be one of CUtensorMapInterleave, but found 3");
  EXPECT_EQ(with([](Call &c) { c.interleave = 1; }),
            place + "interleave must be CU_TENSOR_MAP_INTERLEAVE_NONE here, but found 16B");
  EXPECT_EQ(with([](Call &c) { c.swizzle = 7; }), place + "swizzle must be one of CUtensorMapSwizzle, but found 7");
  EXPECT_EQ(with([](Call &c) { c.promotion = 4; }),
            place + "l2Promotion must be one of CUtensorMapL2promotion, but found 4");
  EXPECT_EQ(with([](Call &c) { c.fill = 2; }), place + "oobFill must be one of CUtensorMapFloatOOBfill, but found 2");
  EXPECT_EQ(with([](Call &c) { c.type = 1, c.fill = 1; }),
            place + "oobFill must be zero for types that are not floating-point, but found UINT16");
  EXPECT_EQ(with([](Call &c) { c.box[0] = 72; }),
            place + "boxDim[0] must take at most the 128 bytes of its swizzle, but found 144");
  EXPECT_EQ(with([](Call &c) { c.swizzle = 2, c.box[0] = 40; }),
            place + "boxDim[0] must take at most the 64 bytes of its swizzle, but found 80");
  EXPECT_EQ(with([](Call &c) { c.swizzle = 1, c.box[0] = 24; }),
            place + "boxDim[0] must take at most the 32 bytes of its swizzle, but found 48");
}

TEST(TensorMapTest, packedTypesHaveRulesOfTheirOwn) {
  auto with = [](uint32_t type, auto change) {
    Call call;
    call.type = type;
    call.dims = {256, 64, 8};
    call.box = {128, 8, 1};
    change(call);
    return call.refusal();
  };
  const std::string place = "cuTensorMapEncodeTiled: ";
  for (uint32_t type : {14u, 15u}) {
    std::string name = type == 14 ? "16U4_ALIGN16B" : "16U6_ALIGN16B";
    EXPECT_EQ(with(type, [](Call &) {}), "");
    EXPECT_EQ(with(type, [](Call &c) { c.dims[0] = 192; }),
              place + "globalDim[0] of " + name + " must be a multiple of 128, but found 192");
    EXPECT_EQ(with(type, [](Call &c) { c.box[0] = 64; }),
              place + "boxDim[0] of " + name + " must be 128, but found 64");
    EXPECT_EQ(with(type, [](Call &c) { c.address += 16; }),
              place + "globalAddress must be a multiple of 32, but found 0x10010");
    EXPECT_EQ(with(type, [](Call &c) { c.strides[0] = 208; }),
              place + "globalStrides[0] must be a multiple of 32 below 2^40, but found 208");
    EXPECT_NE(with(type, [](Call &c) { c.swizzle = 2; }), "");
    EXPECT_EQ(with(type, [](Call &c) { c.swizzle = 6; }) == "", type == 15);
  }
  EXPECT_EQ(with(13, [](Call &c) { c.dims[0] = 101; }),
            place + "globalDim[0] of 16U4_ALIGN8B must be a multiple of 2, but found 101");
  EXPECT_EQ(with(13, [](Call &c) { c.box[0] = 48; }),
            place + "boxDim[0] must take a multiple of 16 bytes, but found 192 bits");
}

TEST(TensorMapTest, nullPointersAreRefused) {
  Call call;
  Bytes bytes{};
  TiledArguments arguments{6, 2, 0x1000, call.dims.data(), nullptr, call.box.data(), call.elementStrides.data(), 0,
                           0, 0, 0};
  Result<void> result = encodeTiled(arguments, bytes);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "cuTensorMapEncodeTiled: arrays must not be null, but found a null pointer");
  arguments.rank = 1;
  EXPECT_TRUE(encodeTiled(arguments, bytes)) << "one dimension needs no strides";
}

TEST(TensorMapTest, otherBytesAreNoMap) {
  Bytes bytes{};
  Result<TensorMap> map = decodeTensorMap(bytes);
  ASSERT_FALSE(map);
  EXPECT_EQ(map.error().message, "must be a tensor map that cuTensorMapEncodeTiled made, but found 0x00000000");
  EXPECT_FALSE(replaceAddress(bytes, 0x1000));
}

TEST(TensorMapTest, fieldsAreReplaced) {
  Bytes bytes{};
  ASSERT_TRUE(Call().encode(bytes));
  ASSERT_TRUE(replaceField(bytes, TensorField::GlobalAddress, 0, 0x222220));
  ASSERT_TRUE(replaceField(bytes, TensorField::Rank, 0, 1));
  ASSERT_TRUE(replaceField(bytes, TensorField::BoxDim, 0, 32));
  ASSERT_TRUE(replaceField(bytes, TensorField::BoxDim, 1, 16));
  ASSERT_TRUE(replaceField(bytes, TensorField::GlobalDim, 1, 77));
  ASSERT_TRUE(replaceField(bytes, TensorField::GlobalDim, 0, 0)); // 2^32
  ASSERT_TRUE(replaceField(bytes, TensorField::GlobalStride, 0, 4096));
  ASSERT_TRUE(replaceField(bytes, TensorField::ElementStride, 1, 4));
  ASSERT_TRUE(replaceField(bytes, TensorField::ElemType, 0, 7));
  ASSERT_TRUE(replaceField(bytes, TensorField::SwizzleAtomicity, 0, 2));
  ASSERT_TRUE(replaceField(bytes, TensorField::FillMode, 0, 1));
  ASSERT_TRUE(replaceField(bytes, TensorField::InterleaveLayout, 0, 0));
  Result<TensorMap> map = decodeTensorMap(bytes);
  ASSERT_TRUE(map) << map.error().message;
  EXPECT_EQ(map->globalAddress, 0x222220u);
  EXPECT_EQ(map->rank, 2u);
  EXPECT_EQ(map->box[0], 32u);
  EXPECT_EQ(map->box[1], 16u);
  EXPECT_EQ(map->dims[0], uint64_t{1} << 32);
  EXPECT_EQ(map->dims[1], 77u);
  EXPECT_EQ(map->strides[0], 4096u);
  EXPECT_EQ(map->elementStrides[1], 4u);
  EXPECT_EQ(map->type, TensorType::F32);
  EXPECT_EQ(map->swizzle, Swizzle::B128Atom32Flip8);
  EXPECT_TRUE(map->fillNan);
  ASSERT_TRUE(replaceField(bytes, TensorField::SwizzleMode, 0, 2));
  map = decodeTensorMap(bytes);
  ASSERT_FALSE(map);
  EXPECT_EQ(map.error().message,
            "must have a swizzle mode that goes with its atomicity, but found mode 2 with atomicity 2");
  ASSERT_TRUE(replaceField(bytes, TensorField::SwizzleAtomicity, 0, 0));
  map = decodeTensorMap(bytes);
  ASSERT_FALSE(map) << "128 bytes of floats are too wide for 64 of swizzle";
}

TEST(TensorMapTest, elementTypesOfPtxCountInTheirOwnOrder) {
  constexpr TensorType expected[] = {
      TensorType::U8,      TensorType::U16,      TensorType::U32,       TensorType::S32,
      TensorType::U64,     TensorType::S64,      TensorType::F16,       TensorType::F32,
      TensorType::F32Ftz,  TensorType::F64,      TensorType::BF16,      TensorType::TF32,
      TensorType::TF32Ftz, TensorType::U4Align8, TensorType::U4Align16, TensorType::U6Align16};
  for (uint32_t value = 0; value < 16; ++value) {
    Call call;
    call.type = 0;
    call.rank = 1;
    call.dims[0] = 1280;
    call.box[0] = 128;
    call.swizzle = 0;
    Bytes bytes{};
    ASSERT_TRUE(call.encode(bytes));
    ASSERT_TRUE(replaceField(bytes, TensorField::ElemType, 0, value));
    Result<TensorMap> map = decodeTensorMap(bytes);
    ASSERT_TRUE(map) << map.error().message;
    EXPECT_EQ(map->type, expected[value]);
  }
}

TEST(TensorMapTest, valuesOutOfRangeAreRefused) {
  Bytes bytes{};
  ASSERT_TRUE(Call().encode(bytes));
  Bytes before = bytes;
  EXPECT_FALSE(replaceField(bytes, TensorField::Rank, 0, 5));
  EXPECT_FALSE(replaceField(bytes, TensorField::BoxDim, 5, 1));
  EXPECT_FALSE(replaceField(bytes, TensorField::GlobalStride, 4, 16));
  EXPECT_FALSE(replaceField(bytes, TensorField::ElementStride, 0, 9));
  EXPECT_FALSE(replaceField(bytes, TensorField::ElemType, 0, 16));
  EXPECT_FALSE(replaceField(bytes, TensorField::InterleaveLayout, 0, 1));
  EXPECT_FALSE(replaceField(bytes, TensorField::SwizzleMode, 0, 4));
  EXPECT_FALSE(replaceField(bytes, TensorField::SwizzleAtomicity, 0, 4));
  EXPECT_FALSE(replaceField(bytes, TensorField::FillMode, 0, 2));
  EXPECT_EQ(bytes, before);
}

TEST(TensorMapTest, theAddressIsReplaced) {
  Bytes bytes{};
  ASSERT_TRUE(Call().encode(bytes));
  ASSERT_TRUE(replaceAddress(bytes, 0x7770));
  EXPECT_EQ(decodeTensorMap(bytes)->globalAddress, 0x7770u);
  Result<void> refused = replaceAddress(bytes, 0x7778);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message,
            "cuTensorMapReplaceAddress: globalAddress must be a multiple of 16, but found 0x7778");
}

} // namespace
} // namespace glm::ptx
