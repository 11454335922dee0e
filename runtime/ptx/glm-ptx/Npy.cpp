#include "runtime/ptx/glm-ptx/Npy.h"

#include "runtime/artifact/WholeFile.h"
#include "runtime/ptx/glm-ptx/Text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <ranges>
#include <span>

namespace glm::ptx {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kAlign = 64; ///< of the data within a file that we write

constexpr std::array kTypes = {
    NpyType{"f64", "<f8", 8}, NpyType{"f32", "<f4", 4}, NpyType{"f16", "<f2", 2}, NpyType{"s64", "<i8", 8},
    NpyType{"s32", "<i4", 4}, NpyType{"s16", "<i2", 2}, NpyType{"s8", "|i1", 1},  NpyType{"u64", "<u8", 8},
    NpyType{"u32", "<u4", 4}, NpyType{"u16", "<u2", 2}, NpyType{"u8", "|u1", 1},
};

/// The row whose `column` reads `text`; null if there is none.
const NpyType *typeWith(std::string_view NpyType::*column, std::string_view text) {
  const auto *found = std::ranges::find(kTypes, text, column);
  return found == kTypes.end() ? nullptr : found;
}

/// What stands behind `'key':` in a header, without leading blanks.
std::optional<std::string_view> valueOf(std::string_view header, std::string_view key) {
  size_t at = header.find(fmt::format("'{}':", key));
  if (at == std::string_view::npos)
    return std::nullopt;
  std::string_view rest = header.substr(at + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

/// "(3, 4)" and "(3,)" and "()".
std::optional<std::vector<uint64_t>> shapeOf(std::string_view text) {
  if (!text.starts_with('('))
    return std::nullopt;
  std::vector<uint64_t> shape;
  for (text.remove_prefix(1);;) {
    text.remove_prefix(std::min(text.find_first_not_of(", "), text.size()));
    if (text.starts_with(')'))
      return shape;
    uint64_t size = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc{})
      return std::nullopt;
    shape.push_back(size);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
  }
}

/// The header and what follows it.
struct Parts {
  std::string_view header, data;
};
std::optional<Parts> split(std::string_view text) {
  constexpr size_t kVersionEnd = 8;
  if (!text.starts_with(kMagic) || text.size() < kVersionEnd + 4 || text[6] < 1 || text[6] > 3)
    return std::nullopt;
  size_t width = text[6] == 1 ? 2 : 4, length = 0;
  std::memcpy(&length, text.data() + kVersionEnd, width);
  std::string_view rest = text.substr(kVersionEnd + width);
  if (length > rest.size())
    return std::nullopt;
  return Parts{rest.substr(0, length), rest.substr(length)};
}

std::string headerOf(const Array &array) {
  std::string shape = fmt::format("({}{})", fmt::join(array.shape, ", "), array.shape.size() == 1 ? "," : "");
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}", array.type->descr, shape);
  size_t before = kMagic.size() + 4;
  header.append(kAlign - 1 - (before + header.size()) % kAlign, ' ');
  header += '\n';
  auto length = static_cast<uint16_t>(header.size());
  return fmt::format("{}{}{}{}{}{}", kMagic, '\1', '\0', static_cast<char>(length & 0xff),
                     static_cast<char>(length >> 8), header);
}

} // namespace

const NpyType *npyTypeNamed(std::string_view name) { return typeWith(&NpyType::name, name); }

std::string npyTypeNames() {
  return fmt::format("{}", fmt::join(kTypes | std::views::transform(&NpyType::name), ", "));
}

Result<uint64_t> bytesOf(const NpyType &type, const std::vector<uint64_t> &shape) {
  uint64_t bytes = type.bytes;
  for (uint64_t size : shape)
    if (__builtin_mul_overflow(bytes, size, &bytes))
      return Error{fmt::format("shape must fit 64 bits, but found {}", fmt::join(shape, "x"))};
  return bytes;
}

Result<Array> readNpy(const std::filesystem::path &file) {
  auto refuse = [&](std::string_view rule) { return Error{fmt::format("{}: {}", file.string(), rule)}; };
  Result<std::string> text = readText(file);
  if (!text)
    return text.error();
  std::optional<Parts> parts = split(*text);
  if (!parts)
    return refuse("file must be an array in NumPy's format, but found another start");
  auto descr = valueOf(parts->header, "descr"), order = valueOf(parts->header, "fortran_order"),
       shapeText = valueOf(parts->header, "shape");
  auto shape = shapeText ? shapeOf(*shapeText) : std::nullopt;
  if (!descr || !descr->starts_with('\'') || !order || !shape)
    return refuse("header must have descr, fortran_order and shape, but found one missing");
  if (order->starts_with("True"))
    return refuse("array must be row-major, but found fortran_order");
  std::string_view name = descr->substr(1, descr->find('\'', 1) - 1);
  Array array{typeWith(&NpyType::descr, name), *shape, {}};
  if (!array.type)
    return refuse(fmt::format("array must be of one of {}, but found {}", npyTypeNames(), name));
  Result<uint64_t> bytes = bytesOf(*array.type, array.shape);
  if (!bytes)
    return refuse(bytes.error().message);
  if (*bytes != parts->data.size())
    return refuse(fmt::format("data must have the {} bytes of its shape, but found {}", *bytes, parts->data.size()));
  array.data.resize(*bytes);
  std::ranges::copy(std::as_bytes(std::span(parts->data)), array.data.begin());
  return array;
}

Result<void> writeNpy(const std::filesystem::path &file, const Array &array) {
  std::string header = headerOf(array);
  const std::string_view pieces[] = {header, {reinterpret_cast<const char *>(array.data.data()), array.data.size()}};
  return writeWholeFile(file, pieces);
}

} // namespace glm::ptx
