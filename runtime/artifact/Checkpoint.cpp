#include "runtime/artifact/Checkpoint.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace glm {
namespace {

constexpr const char *kIndex = "model.safetensors.index.json";
constexpr const char *kSingle = "model.safetensors";

/// A zero byte would end the name early for the file system: two names, one file.
bool isFileName(const std::string &name) {
  return !name.empty() && name != "." && name != ".." && name.find_first_of(std::string_view("/\0", 2)) == name.npos;
}

Result<void> checkShard(const std::filesystem::path &folder, const std::string &name) {
  std::error_code code;
  if (!std::filesystem::exists(folder / name, code))
    return Error{fmt::format("{}: shard {} must exist, but found none", folder.string(), name)};
  return {};
}

} // namespace

Result<std::map<std::string, std::string>> readIndex(const JsonFile &file) {
  auto found = file.value.find("weight_map");
  if (found == file.value.end() || !found->is_object() || found->empty())
    return Error{fmt::format("{}: weight_map must be an object of file names, but found {}", file.name,
                             found == file.value.end() ? "none" : found->type_name())};
  std::map<std::string, std::string> map;
  for (const auto &[tensor, shard] : found->items()) {
    if (!shard.is_string())
      return Error{fmt::format("{}: {} must name a file, but found {}", file.place(tensor), tensor, shard.dump())};
    std::string name = shard.get<std::string>();
    if (!isFileName(name))
      return Error{fmt::format("{}: shard must be a file of the folder, but found {}", file.name, name)};
    map.emplace_hint(map.end(), tensor, std::move(name));
  }
  return map;
}

Result<Checkpoint> Checkpoint::open(const std::filesystem::path &folder) {
  std::error_code code;
  if (!std::filesystem::is_directory(folder, code))
    return Error{fmt::format("{}: checkpoint must be a folder, but found {}", folder.string(),
                             std::filesystem::exists(folder, code) ? "a file" : "none")};
  Checkpoint checkpoint;
  checkpoint.root = folder;
  std::map<std::string, std::string> index;
  std::set<std::string> names = {kSingle};
  if (std::filesystem::exists(folder / kIndex, code)) {
    auto json = readJson(folder / kIndex);
    if (!json)
      return json.error();
    auto read = readIndex(*json);
    if (!read)
      return read.error();
    index = std::move(*read);
    names.clear();
    for (const auto &[tensor, file] : index)
      names.insert(file);
    // Some loaders then read the single file, some the shards.
    if (!names.contains(kSingle) && std::filesystem::exists(folder / kSingle, code))
      return Error{fmt::format("{}: folder must hold {} or {}, but found both", folder.string(), kSingle, kIndex)};
  } else if (!std::filesystem::exists(folder / kSingle, code)) {
    return Error{fmt::format("{}: folder must hold {} or {}, but found neither", folder.string(), kSingle, kIndex)};
  }
  for (const std::string &name : names) {
    if (auto checked = checkShard(folder, name); !checked)
      return checked.error();
    auto file = SafetensorsFile::open(folder / name);
    if (!file)
      return file.error();
    checkpoint.shards.push_back(std::move(*file));
  }
  checkpoint.where.reserve(index.size());
  for (size_t shard = 0; shard < checkpoint.shards.size(); ++shard) {
    std::string name = checkpoint.shards[shard].path().filename().string();
    for (const auto &[tensor, info] : checkpoint.shards[shard].tensors()) {
      auto entry = index.find(tensor);
      if (!index.empty() && (entry == index.end() || entry->second != name))
        return Error{fmt::format("{}: {} must be in {} as the index says, but found it in {}", kIndex, tensor,
                                 entry == index.end() ? "no shard" : entry->second, name)};
      checkpoint.where.emplace(tensor, std::pair(&info, shard));
    }
  }
  for (const auto &[tensor, file] : index)
    if (!checkpoint.where.contains(tensor))
      return Error{fmt::format("{}: {} must hold {}, but found no such tensor", kIndex, file, tensor)};
  return checkpoint;
}

Checkpoint::Entry Checkpoint::find(const std::string &name) const {
  auto found = where.find(name);
  if (found == where.end())
    return {};
  return {found->second.first, &shards[found->second.second]};
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> list;
  list.reserve(where.size());
  for (const auto &[name, place] : where)
    list.push_back(name);
  std::sort(list.begin(), list.end());
  return list;
}

} // namespace glm
