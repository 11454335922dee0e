#include "test/Inputs/ShardWriter.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <numeric>
#include <unistd.h>

namespace glm::test {
namespace {

uint64_t dtypeWidth(const std::string &dtype) { return dtype == "F32" ? 4 : dtype == "BF16" || dtype == "F16" ? 2 : 1; }

Error systemError(const std::string &place, const char *what) {
  return Error{fmt::format("{}: {} must succeed, but found {}", place, what, std::strerror(errno))};
}

Result<void> writeAll(int file, const std::string &place, uint64_t offset, const void *data, uint64_t bytes) {
  const char *from = static_cast<const char *>(data);
  while (bytes > 0) {
    ssize_t done = pwrite(file, from, bytes, static_cast<off_t>(offset));
    if (done <= 0)
      return systemError(place, "writing");
    from += done;
    offset += done;
    bytes -= done;
  }
  return {};
}

} // namespace

ShardWriter::~ShardWriter() {
  for (int file : files)
    close(file);
}

size_t ShardWriter::add(std::string name, std::string dtype, std::vector<int64_t> shape) {
  Tensor tensor{std::move(name), std::move(dtype), std::move(shape)};
  tensor.bytes =
      std::accumulate(tensor.shape.begin(), tensor.shape.end(), dtypeWidth(tensor.dtype), std::multiplies<uint64_t>());
  total += tensor.bytes;
  tensors.push_back(std::move(tensor));
  return tensors.size() - 1;
}

Result<void> ShardWriter::create(const std::filesystem::path &folder, int64_t shards) {
  if (shards < 1 || shards > static_cast<int64_t>(tensors.size()))
    return Error{
        fmt::format("--shards: number must be 1 to {} (one tensor a shard), but found {}", tensors.size(), shards)};
  uint64_t before = 0;
  size_t left = tensors.size(), shard = 0;
  for (Tensor &tensor : tensors) {
    // The next shard starts where its share of the bytes does, or where the tensors left are just enough for one each.
    bool full = before >= total * (shard + 1) / shards && &tensor != tensors.data();
    bool scarce = left < static_cast<size_t>(shards) - shard;
    if (shard + 1 < static_cast<size_t>(shards) && (full || scarce))
      ++shard;
    tensor.shard = shard;
    before += tensor.bytes;
    --left;
  }
  for (auto begin = tensors.begin(); begin != tensors.end();) {
    auto end = std::find_if(begin, tensors.end(), [&](const Tensor &tensor) { return tensor.shard != begin->shard; });
    fileNames.push_back(shards == 1 ? "model.safetensors"
                                    : fmt::format("model-{:05}-of-{:05}.safetensors", begin->shard + 1, shard + 1));
    if (auto done = createShard(folder / fileNames.back(), {begin, end}); !done)
      return done;
    begin = end;
  }
  return shards == 1 ? Result<void>() : writeIndex(folder);
}

Result<void> ShardWriter::createShard(const std::filesystem::path &path, std::span<Tensor> announced) {
  std::vector<Tensor *> members;
  for (Tensor &tensor : announced)
    members.push_back(&tensor);
  // Wide types first, as the safetensors library does: every tensor is then aligned to its own type.
  std::stable_sort(members.begin(), members.end(),
                   [](const Tensor *a, const Tensor *b) { return dtypeWidth(a->dtype) > dtypeWidth(b->dtype); });
  std::string header = R"({"__metadata__":{"format":"pt"})";
  uint64_t offset = 0;
  for (Tensor *tensor : members) {
    header += fmt::format(R"(,"{}":{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", tensor->name, tensor->dtype,
                          fmt::join(tensor->shape, ","), offset, offset + tensor->bytes);
    tensor->offset = offset;
    offset += tensor->bytes;
  }
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');
  for (Tensor *tensor : members)
    tensor->offset += 8 + header.size();
  int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0)
    return systemError(path.filename(), "creating the file");
  files.push_back(file);
  uint64_t length = header.size();
  if (ftruncate(file, static_cast<off_t>(8 + length + offset)) != 0)
    return systemError(path.filename(), "setting the length");
  if (auto done = writeAll(file, path.filename(), 0, &length, 8); !done)
    return done;
  return writeAll(file, path.filename(), 8, header.data(), length);
}

Result<void> ShardWriter::writeIndex(const std::filesystem::path &folder) const {
  nlohmann::json map = nlohmann::json::object();
  for (const Tensor &tensor : tensors)
    map[tensor.name] = fileNames[tensor.shard];
  std::ofstream out(folder / "model.safetensors.index.json");
  // Byte for byte as transformers writes it.
  out << nlohmann::json{{"metadata", {{"total_size", total}}}, {"weight_map", map}}.dump(2);
  if (!out.flush())
    return systemError("model.safetensors.index.json", "writing");
  return {};
}

Result<void> ShardWriter::write(size_t tensor, uint64_t offset, const void *data, uint64_t bytes) const {
  const Tensor &to = tensors[tensor];
  return writeAll(files[to.shard], fileNames[to.shard], to.offset + offset, data, bytes);
}

} // namespace glm::test
