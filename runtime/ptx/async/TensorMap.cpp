#include "runtime/ptx/async/TensorMap.h"

#include <cstring>
#include <fmt/format.h>

namespace glm::ptx {

namespace {

// What lies in the 128 bytes. Numbers are kept as the PTX fields have them, so that tensormap.replace is one store;
// dimensions are one less than they are, so that 2^32 fits.
struct Encoded {
  uint64_t globalAddress;
  uint32_t magic;
  uint8_t type; ///< TensorType
  uint8_t rank; ///< one less
  uint8_t interleave;
  uint8_t swizzleMode;      ///< 0 none, 1 32 bytes, 2 64 bytes, 3 128 bytes
  uint8_t swizzleAtomicity; ///< 0 16 bytes, 1 32 bytes, 2 32 bytes with halves flipped, 3 64 bytes
  uint8_t l2Promotion;
  uint8_t fill;
  uint8_t reserved;
  uint32_t dims[kMaxTensorRank]; ///< one less
  uint32_t boxes[kMaxTensorRank];
  uint64_t strides[kMaxTensorRank - 1];
  uint8_t elementStrides[kMaxTensorRank];
  uint8_t padding[27];
};
static_assert(sizeof(Encoded) == kTensorMapBytes);

constexpr uint32_t kMagic = 0x544d5047; // "GPMT", little endian: no pattern of zeros or floats looks like it

struct TypeRow {
  std::string_view name;
  uint32_t bits;
  bool isFloat;
};
constexpr TypeRow kTypes[] = {
    {"UINT8", 8, false},        {"UINT16", 16, false},      {"UINT32", 32, false},       {"INT32", 32, false},
    {"UINT64", 64, false},      {"INT64", 64, false},       {"FLOAT16", 16, true},       {"FLOAT32", 32, true},
    {"FLOAT64", 64, true},      {"BFLOAT16", 16, true},     {"FLOAT32_FTZ", 32, true},   {"TFLOAT32", 32, true},
    {"TFLOAT32_FTZ", 32, true}, {"16U4_ALIGN8B", 4, false}, {"16U4_ALIGN16B", 4, false}, {"16U6_ALIGN16B", 6, false},
};
constexpr uint32_t kTypeCount = sizeof(kTypes) / sizeof(kTypes[0]);

// .elemtype of tensormap.replace counts in another order than CUtensorMapDataType.
constexpr TensorType kPtxTypes[] = {
    TensorType::U8,      TensorType::U16,      TensorType::U32,       TensorType::S32,
    TensorType::U64,     TensorType::S64,      TensorType::F16,       TensorType::F32,
    TensorType::F32Ftz,  TensorType::F64,      TensorType::BF16,      TensorType::TF32,
    TensorType::TF32Ftz, TensorType::U4Align8, TensorType::U4Align16, TensorType::U6Align16,
};

/// Mode and atomicity of tensormap.replace.
constexpr std::array<uint8_t, 2> kSwizzleFields[] = {{0, 0}, {1, 0}, {2, 0}, {3, 0}, {3, 1}, {3, 2}, {3, 3}};
constexpr uint32_t kSwizzleCount = sizeof(kSwizzleFields) / sizeof(kSwizzleFields[0]);

std::optional<Swizzle> swizzleOf(uint8_t mode, uint8_t atomicity) {
  for (uint32_t value = 0; value < kSwizzleCount; ++value)
    if (kSwizzleFields[value][0] == mode && kSwizzleFields[value][1] == atomicity)
      return static_cast<Swizzle>(value);
  return std::nullopt;
}

Error broken(std::string_view rule, std::string_view found) {
  return Error{fmt::format("{}, but found {}", rule, found)};
}
Error broken(std::string_view rule, uint64_t found) { return Error{fmt::format("{}, but found {}", rule, found)}; }

/// The rules of cuTensorMapEncodeTiled that one dimension has to keep.
Result<void> checkDimension(const TensorMap &map, uint32_t dim) {
  uint64_t size = map.dims[dim];
  if (size == 0 || size > uint64_t{1} << 32)
    return broken(fmt::format("globalDim[{}] must be from 1 to 2^32", dim), size);
  if (map.box[dim] == 0 || map.box[dim] > 256)
    return broken(fmt::format("boxDim[{}] must be from 1 to 256", dim), map.box[dim]);
  if (map.elementStrides[dim] == 0 || map.elementStrides[dim] > 8)
    return broken(fmt::format("elementStrides[{}] must be from 1 to 8", dim), map.elementStrides[dim]);
  if (dim == 0)
    return {};
  uint64_t stride = map.strides[dim - 1];
  uint32_t multiple = isPadded(map.type) ? 32 : 16;
  if (stride % multiple != 0 || stride >= uint64_t{1} << 40)
    return broken(fmt::format("globalStrides[{}] must be a multiple of {} below 2^40", dim - 1, multiple), stride);
  return {};
}

/// The rules of the packed types, and those that tie the inner dimension to the swizzle.
Result<void> checkInner(const TensorMap &map) {
  if (isPadded(map.type)) {
    if (map.dims[0] % 128 != 0)
      return broken(fmt::format("globalDim[0] of {} must be a multiple of 128", nameOf(map.type)), map.dims[0]);
    if (map.box[0] != 128)
      return broken(fmt::format("boxDim[0] of {} must be 128", nameOf(map.type)), map.box[0]);
    bool fits = map.swizzle == Swizzle::None || map.swizzle == Swizzle::B128 || map.swizzle == Swizzle::B128Atom32 ||
                (map.swizzle == Swizzle::B128Atom64 && map.type == TensorType::U6Align16);
    if (!fits)
      return broken(fmt::format("swizzle of {} must be none, 128B or one of its larger atoms", nameOf(map.type)),
                    static_cast<uint64_t>(map.swizzle));
  }
  if (map.type == TensorType::U4Align8 && map.dims[0] % 2 != 0)
    return broken("globalDim[0] of 16U4_ALIGN8B must be a multiple of 2", map.dims[0]);
  uint64_t innerBits = uint64_t{map.box[0]} * bitsOf(map.type);
  if (innerBits % 128 != 0)
    return broken("boxDim[0] must take a multiple of 16 bytes", fmt::format("{} bits", innerBits));
  if (map.swizzle != Swizzle::None && map.sharedRowBytes() > swizzleSpan(map.swizzle))
    return broken(fmt::format("boxDim[0] must take at most the {} bytes of its swizzle", swizzleSpan(map.swizzle)),
                  map.sharedRowBytes());
  return {};
}

Result<void> check(const TensorMap &map) {
  if (map.rank == 0 || map.rank > kMaxTensorRank)
    return broken("tensorRank must be from 1 to 5", map.rank);
  uint32_t align = isPadded(map.type) ? 32 : 16;
  if (map.globalAddress % align != 0)
    return broken(fmt::format("globalAddress must be a multiple of {}", align),
                  fmt::format("{:#x}", map.globalAddress));
  for (uint32_t dim = 0; dim < map.rank; ++dim)
    if (Result<void> checked = checkDimension(map, dim); !checked)
      return checked;
  if (map.fillNan && !kTypes[static_cast<uint32_t>(map.type)].isFloat)
    return broken("oobFill must be zero for types that are not floating-point", nameOf(map.type));
  return checkInner(map);
}

void store(const TensorMap &map, std::span<std::byte, kTensorMapBytes> bytes) {
  Encoded encoded{};
  encoded.globalAddress = map.globalAddress;
  encoded.magic = kMagic;
  encoded.type = static_cast<uint8_t>(map.type);
  encoded.rank = static_cast<uint8_t>(map.rank - 1);
  encoded.swizzleMode = kSwizzleFields[static_cast<uint32_t>(map.swizzle)][0];
  encoded.swizzleAtomicity = kSwizzleFields[static_cast<uint32_t>(map.swizzle)][1];
  encoded.l2Promotion = static_cast<uint8_t>(map.l2Promotion);
  encoded.fill = map.fillNan ? 1 : 0;
  for (uint32_t dim = 0; dim < map.rank; ++dim) {
    encoded.dims[dim] = static_cast<uint32_t>(map.dims[dim] - 1);
    encoded.boxes[dim] = map.box[dim];
    encoded.elementStrides[dim] = static_cast<uint8_t>(map.elementStrides[dim]);
    if (dim > 0)
      encoded.strides[dim - 1] = map.strides[dim - 1];
  }
  std::memcpy(bytes.data(), &encoded, sizeof(encoded));
}

Result<Encoded> load(std::span<const std::byte, kTensorMapBytes> bytes) {
  Encoded encoded;
  std::memcpy(&encoded, bytes.data(), sizeof(encoded));
  if (encoded.magic != kMagic)
    return broken("must be a tensor map that cuTensorMapEncodeTiled made", fmt::format("{:#010x}", encoded.magic));
  return encoded;
}

} // namespace

uint32_t bitsOf(TensorType type) { return kTypes[static_cast<uint32_t>(type)].bits; }
std::string_view nameOf(TensorType type) { return kTypes[static_cast<uint32_t>(type)].name; }

uint64_t TensorMap::globalRowBytes() const { return uint64_t{box[0]} * bitsOf(type) / 8; }

uint32_t TensorMap::sharedRowBytes() const { return isPadded(type) ? box[0] : static_cast<uint32_t>(globalRowBytes()); }

uint32_t TensorMap::sharedPitch() const { return std::max(sharedRowBytes(), swizzleSpan(swizzle)); }

Result<void> encodeTiled(const TiledArguments &arguments, std::span<std::byte, kTensorMapBytes> map) {
  auto refuse = [](Error error) { return Error{"cuTensorMapEncodeTiled: " + error.message}; };
  if (arguments.type >= kTypeCount)
    return refuse(broken("tensorDataType must be one of CUtensorMapDataType", arguments.type));
  if (arguments.rank == 0 || arguments.rank > kMaxTensorRank)
    return refuse(broken("tensorRank must be from 1 to 5", arguments.rank));
  if (!arguments.globalDim || !arguments.boxDim || !arguments.elementStrides ||
      (!arguments.globalStrides && arguments.rank > 1))
    return refuse(broken("arrays must not be null", "a null pointer"));
  if (arguments.interleave > 2)
    return refuse(broken("interleave must be one of CUtensorMapInterleave", arguments.interleave));
  if (arguments.interleave != 0)
    return refuse(
        broken("interleave must be CU_TENSOR_MAP_INTERLEAVE_NONE here", arguments.interleave == 1 ? "16B" : "32B"));
  if (arguments.swizzle >= kSwizzleCount)
    return refuse(broken("swizzle must be one of CUtensorMapSwizzle", arguments.swizzle));
  if (arguments.l2Promotion > 3)
    return refuse(broken("l2Promotion must be one of CUtensorMapL2promotion", arguments.l2Promotion));
  if (arguments.oobFill > 1)
    return refuse(broken("oobFill must be one of CUtensorMapFloatOOBfill", arguments.oobFill));

  TensorMap result;
  result.globalAddress = arguments.globalAddress;
  result.type = static_cast<TensorType>(arguments.type);
  result.rank = arguments.rank;
  for (uint32_t dim = 0; dim < arguments.rank; ++dim) {
    result.dims[dim] = arguments.globalDim[dim];
    result.box[dim] = arguments.boxDim[dim];
    result.elementStrides[dim] = arguments.elementStrides[dim];
    if (dim > 0)
      result.strides[dim - 1] = arguments.globalStrides[dim - 1];
  }
  result.swizzle = static_cast<Swizzle>(arguments.swizzle);
  result.l2Promotion = arguments.l2Promotion;
  result.fillNan = arguments.oobFill == 1;
  if (Result<void> checked = check(result); !checked)
    return refuse(checked.error());
  store(result, map);
  return {};
}

Result<TensorMap> decodeTensorMap(std::span<const std::byte, kTensorMapBytes> map) {
  Result<Encoded> encoded = load(map);
  if (!encoded)
    return encoded.error();
  if (encoded->type >= kTypeCount)
    return broken("must have a known element type", encoded->type);
  if (encoded->interleave != 0)
    return broken("must have interleave layout none", encoded->interleave);
  std::optional<Swizzle> swizzle = swizzleOf(encoded->swizzleMode, encoded->swizzleAtomicity);
  if (!swizzle)
    return broken("must have a swizzle mode that goes with its atomicity",
                  fmt::format("mode {} with atomicity {}", encoded->swizzleMode, encoded->swizzleAtomicity));
  TensorMap result;
  result.globalAddress = encoded->globalAddress;
  result.type = static_cast<TensorType>(encoded->type);
  result.rank = encoded->rank + 1u;
  for (uint32_t dim = 0; dim < kMaxTensorRank && dim < result.rank; ++dim) {
    result.dims[dim] = uint64_t{encoded->dims[dim]} + 1;
    result.box[dim] = encoded->boxes[dim];
    result.elementStrides[dim] = encoded->elementStrides[dim];
    if (dim > 0)
      result.strides[dim - 1] = encoded->strides[dim - 1];
  }
  result.swizzle = *swizzle;
  result.l2Promotion = encoded->l2Promotion;
  result.fillNan = encoded->fill != 0;
  if (Result<void> checked = check(result); !checked)
    return checked.error();
  return result;
}

Result<void> replaceAddress(std::span<std::byte, kTensorMapBytes> map, uint64_t globalAddress) {
  Result<TensorMap> decoded = decodeTensorMap(map);
  if (!decoded)
    return Error{"cuTensorMapReplaceAddress: tensorMap " + decoded.error().message};
  decoded->globalAddress = globalAddress;
  if (Result<void> checked = check(*decoded); !checked)
    return Error{"cuTensorMapReplaceAddress: " + checked.error().message};
  store(*decoded, map);
  return {};
}

Result<void> replaceField(std::span<std::byte, kTensorMapBytes> map, TensorField field, uint32_t ordinal,
                          uint64_t value) {
  Result<Encoded> encoded = load(map);
  if (!encoded)
    return encoded.error();
  bool isStride = field == TensorField::GlobalStride;
  if (ordinal >= kMaxTensorRank - (isStride ? 1 : 0))
    return broken("must name a dimension of at most five", ordinal);
  switch (field) {
  case TensorField::GlobalAddress:
    encoded->globalAddress = value;
    break;
  case TensorField::Rank:
    if (value >= kMaxTensorRank)
      return broken("must have a rank field from 0 to 4", value);
    encoded->rank = static_cast<uint8_t>(value);
    break;
  case TensorField::BoxDim:
    encoded->boxes[ordinal] = static_cast<uint32_t>(value);
    break;
  case TensorField::GlobalDim:
    // 32 bits are given for sizes up to 2^32; none of them means 0.
    encoded->dims[ordinal] = static_cast<uint32_t>(value) - 1;
    break;
  case TensorField::GlobalStride:
    encoded->strides[ordinal] = value;
    break;
  case TensorField::ElementStride:
    if (value == 0 || value > 8)
      return broken("must have element strides from 1 to 8", value);
    encoded->elementStrides[ordinal] = static_cast<uint8_t>(value);
    break;
  case TensorField::ElemType:
    if (value >= kTypeCount)
      return broken("must have an element type from 0 to 15", value);
    encoded->type = static_cast<uint8_t>(kPtxTypes[value]);
    break;
  case TensorField::InterleaveLayout:
    if (value != 0)
      return broken("must have interleave layout none (0)", value);
    break;
  case TensorField::SwizzleMode:
    if (value > 3)
      return broken("must have a swizzle mode from 0 to 3", value);
    encoded->swizzleMode = static_cast<uint8_t>(value);
    break;
  case TensorField::SwizzleAtomicity:
    if (value > 3)
      return broken("must have a swizzle atomicity from 0 to 3", value);
    encoded->swizzleAtomicity = static_cast<uint8_t>(value);
    break;
  case TensorField::FillMode:
    if (value > 1)
      return broken("must have a fill mode from 0 to 1", value);
    encoded->fill = static_cast<uint8_t>(value);
    break;
  }
  std::memcpy(map.data(), &*encoded, sizeof(Encoded));
  return {};
}

} // namespace glm::ptx
