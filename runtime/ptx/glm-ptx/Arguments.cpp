#include "runtime/ptx/glm-ptx/Arguments.h"

#include "runtime/artifact/WholeFile.h"
#include "runtime/ptx/number/Scalar.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <fmt/ranges.h>
#include <ranges>

namespace glm::ptx {
namespace {

Error refuse(const std::string &text, std::string_view rule) { return Error{fmt::format("--arg={}: {}", text, rule)}; }

std::vector<std::string> partsOf(const std::string &text) {
  std::vector<std::string> parts;
  for (size_t start = 0;;) {
    size_t end = text.find(':', start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string::npos)
      return parts;
    start = end + 1;
  }
}

template <typename T>
std::vector<std::byte> bytesOfValue(T value) {
  std::vector<std::byte> bytes(sizeof(T));
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

template <typename T>
std::optional<std::vector<std::byte>> readNumber(std::string_view text, int base = 10) {
  if (base == 16 && (text.starts_with("0x") || text.starts_with("0X")))
    text.remove_prefix(2);
  T value{};
  std::from_chars_result read{};
  if constexpr (std::is_floating_point_v<T>)
    read = std::from_chars(text.data(), text.data() + text.size(), value);
  else
    read = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size())
    return std::nullopt;
  return bytesOfValue(value);
}

std::optional<std::vector<std::byte>> readHalf(std::string_view text) {
  std::optional<std::vector<std::byte>> single = readNumber<float>(text);
  if (!single)
    return std::nullopt;
  float value = 0;
  std::memcpy(&value, single->data(), sizeof(value));
  return bytesOfValue(static_cast<uint16_t>(narrowOne<kF16, Narrowing{}>(value)));
}

/// How each type of number is read; bits are hexadecimal.
struct Scalar {
  std::string_view type;
  std::optional<std::vector<std::byte>> (*read)(std::string_view text);
};
constexpr Scalar kScalars[] = {
    {"s8", [](std::string_view text) { return readNumber<int8_t>(text); }},
    {"s16", [](std::string_view text) { return readNumber<int16_t>(text); }},
    {"s32", [](std::string_view text) { return readNumber<int32_t>(text); }},
    {"s64", [](std::string_view text) { return readNumber<int64_t>(text); }},
    {"u8", [](std::string_view text) { return readNumber<uint8_t>(text); }},
    {"u16", [](std::string_view text) { return readNumber<uint16_t>(text); }},
    {"u32", [](std::string_view text) { return readNumber<uint32_t>(text); }},
    {"u64", [](std::string_view text) { return readNumber<uint64_t>(text); }},
    {"b8", [](std::string_view text) { return readNumber<uint8_t>(text, 16); }},
    {"b16", [](std::string_view text) { return readNumber<uint16_t>(text, 16); }},
    {"b32", [](std::string_view text) { return readNumber<uint32_t>(text, 16); }},
    {"b64", [](std::string_view text) { return readNumber<uint64_t>(text, 16); }},
    {"f16", readHalf},
    {"f32", [](std::string_view text) { return readNumber<float>(text); }},
    {"f64", [](std::string_view text) { return readNumber<double>(text); }},
};

std::string scalarNames() {
  return fmt::format("{}", fmt::join(kScalars | std::views::transform(&Scalar::type), ", "));
}

/// "2x3" is {2, 3}.
std::optional<std::vector<uint64_t>> readShape(std::string_view text) {
  std::vector<uint64_t> shape;
  for (;;) {
    uint64_t size = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc{} || size == 0)
      return std::nullopt;
    shape.push_back(size);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (text.empty())
      return shape;
    if (text[0] != 'x')
      return std::nullopt;
    text.remove_prefix(1);
  }
}

Result<Argument> parseInput(const std::string &text, const std::vector<std::string> &parts) {
  if (parts.size() > 3)
    return refuse(text, "a buffer must be in:FILE.npy or in:FILE.npy:OUT.npy, but found more");
  Result<Array> array = readNpy(parts[1]);
  if (!array)
    return array.error();
  return Argument{{}, std::move(*array), parts.size() == 3 ? parts[2] : ""};
}

Result<Argument> parseOutput(const std::string &text, const std::vector<std::string> &parts) {
  if (parts.size() != 4)
    return refuse(text, "a result must be out:TYPE:SIZExSIZE:OUT.npy, but found something else");
  const NpyType *type = npyTypeNamed(parts[1]);
  if (!type)
    return refuse(text, fmt::format("the type of a result must be one of {}, but found {}", npyTypeNames(), parts[1]));
  std::optional<std::vector<uint64_t>> shape = readShape(parts[2]);
  if (!shape)
    return refuse(text,
                  fmt::format("the shape of a result must be sizes from 1 on with x between, but found {}", parts[2]));
  Result<uint64_t> bytes = bytesOf(*type, *shape);
  if (!bytes)
    return refuse(text, bytes.error().message);
  Array zeros{type, *shape, {}};
  zeros.data.resize(*bytes);
  return Argument{{}, std::move(zeros), parts[3]};
}

} // namespace

Result<Argument> parseArgument(const std::string &text) {
  std::vector<std::string> parts = partsOf(text);
  if (parts.size() >= 2 && (parts[0] == "in" || parts[0] == "out")) {
    Result<Argument> buffer = parts[0] == "in" ? parseInput(text, parts) : parseOutput(text, parts);
    if (!buffer || buffer->result.empty())
      return buffer;
    if (Result<void> writable = checkFileTarget(buffer->result); !writable)
      return writable.error();
    return buffer;
  }
  for (const Scalar &scalar : kScalars)
    if (parts[0] == scalar.type && parts.size() == 2) {
      std::optional<std::vector<std::byte>> value = scalar.read(parts[1]);
      if (!value)
        return refuse(text, fmt::format("value must be a number of type {}, but found {}", parts[0], parts[1]));
      return Argument{std::move(*value), std::nullopt, {}};
    }
  return refuse(
      text,
      fmt::format("argument must be TYPE:VALUE, in:FILE.npy[:OUT.npy] or out:TYPE:SHAPE:OUT.npy with a type of {}, but "
                  "found something else",
                  scalarNames()));
}

} // namespace glm::ptx
