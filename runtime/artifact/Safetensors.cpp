#include "runtime/artifact/Safetensors.h"

#include "runtime/artifact/Hash.h"
#include "runtime/artifact/Json.h"
#include "runtime/artifact/WholeFile.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <set>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace glm {
namespace {

constexpr uint64_t kLargestHeader = 100'000'000; // the limit of the reference implementation

std::string shapeText(const std::vector<int64_t> &shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

/// The product of a shape and an element's bytes, or nothing if it overflows.
std::optional<uint64_t> shapeBytes(const std::vector<int64_t> &shape, uint64_t element) {
  uint64_t bytes = element;
  for (int64_t size : shape)
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes))
      return std::nullopt;
  return bytes;
}

/// A list of non-negative integers, or nothing.
std::optional<std::vector<int64_t>> integers(const nlohmann::json &value) {
  if (!value.is_array())
    return std::nullopt;
  std::vector<int64_t> list;
  for (const nlohmann::json &item : value) {
    if (!item.is_number_unsigned() || item.get<uint64_t>() > uint64_t(INT64_MAX))
      return std::nullopt;
    list.push_back(item.get<int64_t>());
  }
  return list;
}

/// One entry of the header; offsets there count from the end of the header.
Result<TensorInfo> readEntry(const std::string &place, const std::string &name, const nlohmann::json &value,
                             uint64_t dataStart) {
  auto bad = [&](const std::string &rule, const std::string &found) {
    return Error{fmt::format("{}: {} {}, but found {}", place, name, rule, found)};
  };
  if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") || !value.contains("data_offsets"))
    return bad("must have dtype, shape and data_offsets", value.dump().substr(0, 80));
  TensorInfo info;
  if (!value["dtype"].is_string() || dtypeBytes(value["dtype"].get<std::string>()) == 0)
    return bad("must have a known dtype", value["dtype"].dump());
  info.dtype = value["dtype"].get<std::string>();
  auto shape = integers(value["shape"]);
  auto offsets = integers(value["data_offsets"]);
  if (!shape)
    return bad("must have a shape of non-negative integers", value["shape"].dump());
  if (!offsets || offsets->size() != 2 || (*offsets)[0] > (*offsets)[1])
    return bad("must have two ascending data_offsets", value["data_offsets"].dump());
  info.shape = std::move(*shape);
  info.offset = dataStart + (*offsets)[0];
  info.bytes = (*offsets)[1] - (*offsets)[0];
  std::optional<uint64_t> wanted = shapeBytes(info.shape, dtypeBytes(info.dtype));
  if (!wanted)
    return bad(fmt::format("of {} {} must have less than 2^64 bytes", info.dtype, shapeText(info.shape)), "more");
  if (*wanted != info.bytes)
    return bad(fmt::format("of {} {} must have {} bytes", info.dtype, shapeText(info.shape), *wanted),
               std::to_string(info.bytes));
  return info;
}

/// `__metadata__`: text by name.
Result<std::map<std::string, std::string>> readMetadata(const std::string &place, const nlohmann::json &value) {
  std::map<std::string, std::string> metadata;
  if (!value.is_object())
    return Error{fmt::format("{}: __metadata__ must be an object, but found {}", place, value.type_name())};
  for (const auto &[key, text] : value.items()) {
    if (!text.is_string())
      return Error{
          fmt::format("{}: __metadata__ {} must be a string, but found {}", place, key, text.dump().substr(0, 80))};
    metadata.emplace(key, text.get<std::string>());
  }
  return metadata;
}

/// Tensors must follow each other without hole or overlap, from the header to the end of the file.
Result<void> checkLayout(const std::string &place, const std::map<std::string, TensorInfo> &tensors, uint64_t dataStart,
                         uint64_t fileBytes) {
  std::vector<std::pair<const TensorInfo *, const std::string *>> order;
  order.reserve(tensors.size());
  for (const auto &[name, info] : tensors)
    order.emplace_back(&info, &name);
  std::sort(order.begin(), order.end(), [](auto &a, auto &b) {
    return std::pair(a.first->offset, a.first->bytes) < std::pair(b.first->offset, b.first->bytes);
  });
  uint64_t end = dataStart;
  for (auto [info, name] : order) {
    if (info->offset != end)
      return Error{fmt::format("{}: {} must start at byte {} of the file, where the one before ends, but found {}",
                               place, *name, end, info->offset)};
    end += info->bytes;
  }
  if (end != fileBytes)
    return Error{fmt::format("{}: file must have {} bytes as its header says, but found {} ({} {})", place, end,
                             fileBytes, end > fileBytes ? end - fileBytes : fileBytes - end,
                             end > fileBytes ? "missing" : "too many")};
  return {};
}

} // namespace

int64_t TensorInfo::elements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

uint64_t dtypeBytes(const std::string &dtype) {
  static const std::map<std::string, uint64_t> bytes = {
      {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I64", 8},     {"I32", 4},     {"I16", 2}, {"I8", 1},
      {"U64", 8}, {"U32", 4}, {"U16", 2}, {"U8", 1},   {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"BOOL", 1}};
  auto found = bytes.find(dtype);
  return found == bytes.end() ? 0 : found->second;
}

Result<SafetensorsHeader> readSafetensorsHeader(const std::string &place, std::string_view start, uint64_t fileBytes) {
  if (fileBytes < 8)
    return Error{fmt::format("{}: file must have at least 8 bytes, but found {}", place, fileBytes)};
  uint64_t headerBytes = 0;
  std::memcpy(&headerBytes, start.data(), 8);
  if (headerBytes > kLargestHeader)
    return Error{
        fmt::format("{}: header must have at most {} bytes, but found {}", place, kLargestHeader, headerBytes)};
  if (headerBytes > fileBytes - 8)
    return Error{
        fmt::format("{}: header must fit into the file's {} bytes, but found {}", place, fileBytes, headerBytes)};
  uint64_t dataStart = 8 + headerBytes;
  SafetensorsHeader header;
  header.hash = fnv1a64(start.substr(0, dataStart));
  auto json = parseJson(place, std::string(start.substr(8, headerBytes)));
  if (!json)
    return json.error();
  for (const auto &[name, value] : json->value.items()) {
    if (name == "__metadata__") {
      auto read = readMetadata(place, value);
      if (!read)
        return read.error();
      header.metadata = std::move(*read);
      continue;
    }
    auto entry = readEntry(place, name, value, dataStart);
    if (!entry)
      return entry.error();
    header.tensors.emplace_hint(header.tensors.end(), name, std::move(*entry));
  }
  if (auto layout = checkLayout(place, header.tensors, dataStart, fileBytes); !layout)
    return layout.error();
  return header;
}

SafetensorsFile::SafetensorsFile(SafetensorsFile &&other) noexcept { *this = std::move(other); }

SafetensorsFile &SafetensorsFile::operator=(SafetensorsFile &&other) noexcept {
  std::swap(filePath, other.filePath);
  std::swap(base, other.base);
  std::swap(mappedBytes, other.mappedBytes);
  std::swap(header, other.header);
  return *this;
}

SafetensorsFile::~SafetensorsFile() {
  if (base)
    munmap(const_cast<uint8_t *>(base), mappedBytes);
}

Result<SafetensorsFile> SafetensorsFile::open(const std::filesystem::path &path) {
  std::string place = path.filename().string();
  // O_NONBLOCK: a FIFO under a shard's name must be refused, not waited for.
  int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    return Error{
        fmt::format("{}: {} must be readable, but found {}", path.parent_path().string(), place, std::strerror(errno))};
  struct stat status{};
  bool regular = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  uint64_t bytes = regular ? status.st_size : 0;
  SafetensorsFile file;
  file.filePath = path;
  int failure = 0;
  if (bytes > 0) {
    void *mapped = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, descriptor, 0);
    failure = errno;
    if (mapped != MAP_FAILED) {
      file.base = static_cast<const uint8_t *>(mapped);
      file.mappedBytes = bytes;
    }
  }
  close(descriptor); // the mapping holds the file
  if (!regular)
    return Error{
        fmt::format("{}: {} must be a regular file, but found another kind", path.parent_path().string(), place)};
  if (bytes > 0 && !file.base)
    return Error{fmt::format("{}: file must be mappable, but found {}", place, std::strerror(failure))};
  auto header = readSafetensorsHeader(place, {reinterpret_cast<const char *>(file.base), bytes}, bytes);
  if (!header)
    return header.error();
  file.header = std::move(*header);
  return file;
}

void SafetensorsWriter::add(std::string name, std::string dtype, std::vector<int64_t> shape,
                            std::vector<uint8_t> bytes) {
  entries.push_back({std::move(name), std::move(dtype), std::move(shape), std::move(bytes)});
}

void SafetensorsWriter::setMetadata(std::string key, std::string value) { meta[std::move(key)] = std::move(value); }

Result<void> SafetensorsWriter::check() const {
  std::set<std::string> names;
  for (const Entry &entry : entries) {
    std::optional<uint64_t> wanted = shapeBytes(entry.shape, dtypeBytes(entry.dtype));
    if (dtypeBytes(entry.dtype) == 0)
      return Error{fmt::format("{} must have a known dtype, but found {}", entry.name, entry.dtype)};
    if (wanted != entry.bytes.size())
      return Error{fmt::format("{} of {} {} must have {} bytes, but found {}", entry.name, entry.dtype,
                               shapeText(entry.shape), wanted ? std::to_string(*wanted) : "too many",
                               entry.bytes.size())};
    if (entry.name == "__metadata__" || !names.insert(entry.name).second)
      return Error{fmt::format("{} must be the name of one tensor, but found it taken", entry.name)};
  }
  return {};
}

Result<void> SafetensorsWriter::write(const std::filesystem::path &path) const {
  if (auto target = checkFileTarget(path); !target)
    return target;
  if (auto checked = check(); !checked)
    return Error{fmt::format("{}: {}", path.filename().string(), checked.error().message)};
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!meta.empty())
    header["__metadata__"] = meta;
  uint64_t offset = 0;
  for (const Entry &entry : entries) {
    header[entry.name] = {
        {"dtype", entry.dtype}, {"shape", entry.shape}, {"data_offsets", {offset, offset + entry.bytes.size()}}};
    offset += entry.bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' '); // tensors start at a multiple of 8
  uint64_t headerBytes = text.size();
  std::vector<std::string_view> pieces = {{reinterpret_cast<const char *>(&headerBytes), 8}, text};
  for (const Entry &entry : entries)
    pieces.emplace_back(reinterpret_cast<const char *>(entry.bytes.data()), entry.bytes.size());
  return writeWholeFile(path, pieces);
}

} // namespace glm
