#include "runtime/artifact/Checkpoint.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_set>

namespace fs = std::filesystem;

namespace glm {
namespace {

constexpr const char *kIndex = "model.safetensors.index.json";
constexpr const char *kSingle = "model.safetensors";

/// A zero byte would end the name early for the file system: two names, one file.
bool isFileName(const std::string &name) {
  return !name.empty() && name != "." && name != ".." && name.find_first_of(std::string_view("/\0", 2)) == name.npos;
}

/// What the hub's client calls a blob: the SHA-1 of git or the SHA-256 of large files.
bool isBlobName(const std::string &name) {
  return (name.size() == 40 || name.size() == 64) && name.find_first_not_of("0123456789abcdef") == name.npos;
}

/// Whether `target`, as a link in `folder` spells it, is a blob of the hub's cache: models--NAME/snapshots/REVISION/SHARD links
/// to models--NAME/blobs/HASH. `folder` must be canonical.
bool isHubBlob(const fs::path &folder, const fs::path &target) {
  if (folder.parent_path().filename() != "snapshots" ||
      !folder.parent_path().parent_path().filename().string().starts_with("models--"))
    return false;
  std::string name = target.filename().string();
  std::error_code code;
  return isBlobName(name) && target == fs::path("../../blobs") / name &&
         fs::canonical(folder / target, code) == folder.parent_path().parent_path() / "blobs" / name;
}

/// Something has the name, be it a link to nowhere: that is half a download, not an absence.
bool isThere(const fs::path &path) {
  std::error_code code;
  return fs::symlink_status(path, code).type() != fs::file_type::not_found;
}

/// A shard that is a link stays within the folder, or leads to where the hub's client keeps what it loaded.
Result<void> checkLink(const fs::path &folder, const std::string &name) {
  std::error_code code;
  fs::path target = fs::read_symlink(folder / name, code);
  if (!fs::exists(folder / name, code))
    return Error{fmt::format("{}: shard {} must exist, but found a link to {}, which does not", folder.string(), name,
                             target.string())};
  fs::path home = fs::canonical(folder, code), end = fs::canonical(folder / name, code);
  if (end.parent_path() == home || isHubBlob(home, target))
    return {};
  return Error{fmt::format("{}: shard {} must lie in the folder or in the blobs of a Hugging Face cache, but found a "
                           "link to {}",
                           folder.string(), name, target.string())};
}

Result<SafetensorsFile> openShard(const fs::path &folder, const std::string &name) {
  std::error_code code;
  if (fs::is_symlink(folder / name, code))
    if (auto checked = checkLink(folder, name); !checked)
      return checked.error();
  return SafetensorsFile::open(folder / name);
}

/// Shards that are not there at all are one fact: half a download.
Result<void> checkPresent(const fs::path &folder, const std::set<std::string> &names) {
  constexpr size_t most = 3;
  std::vector<std::string> absent;
  for (const std::string &name : names)
    if (!isThere(folder / name))
      absent.push_back(name);
  if (absent.empty())
    return {};
  if (absent.size() == 1)
    return Error{fmt::format("{}: shard {} must exist, but found none", folder.string(), absent.front())};
  size_t shown = std::min(absent.size(), most);
  std::string rest = absent.size() > shown ? fmt::format(" and {} more", absent.size() - shown) : "";
  return Error{fmt::format("{}: all {} shards must exist, but found no {}{}", folder.string(), names.size(),
                           fmt::join(absent.begin(), absent.begin() + static_cast<ptrdiff_t>(shown), ", "), rest)};
}

/// All files, or all that is wrong with them.
Result<std::vector<SafetensorsFile>> openShards(const fs::path &folder, const std::set<std::string> &names) {
  std::vector<SafetensorsFile> shards;
  std::optional<Error> error;
  auto fail = [&](const Error &found) {
    if (error)
      error->add(found);
    else
      error = found;
  };
  if (auto present = checkPresent(folder, names); !present)
    fail(present.error());
  for (const std::string &name : names) {
    if (!isThere(folder / name))
      continue;
    auto file = openShard(folder, name);
    if (!file)
      fail(file.error());
    else
      shards.push_back(std::move(*file));
  }
  if (error)
    return *error;
  return shards;
}

/// Every tensor lies in the shard that the index names.
Result<void> checkIndex(const std::map<std::string, std::string> &index, const std::vector<SafetensorsFile> &shards) {
  std::unordered_set<std::string_view> found;
  for (const SafetensorsFile &shard : shards) {
    std::string name = shard.path().filename().string();
    for (const auto &[tensor, info] : shard.tensors()) {
      auto entry = index.find(tensor);
      if (entry == index.end() || entry->second != name)
        return Error{fmt::format("{}: {} must be in {} as the index says, but found it in {}", kIndex, tensor,
                                 entry == index.end() ? "no shard" : entry->second, name)};
      found.insert(tensor);
    }
  }
  for (const auto &[tensor, file] : index)
    if (!found.contains(tensor))
      return Error{fmt::format("{}: {} must hold {}, but found no such tensor", kIndex, file, tensor)};
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

Result<Checkpoint> Checkpoint::open(const fs::path &folder) {
  std::error_code code;
  if (!fs::is_directory(folder, code))
    return Error{fmt::format("{}: checkpoint must be a folder, but found {}", folder.string(),
                             fs::exists(folder, code) ? "a file" : "none")};
  Checkpoint checkpoint;
  checkpoint.root = folder;
  std::map<std::string, std::string> index;
  std::set<std::string> names = {kSingle};
  if (isThere(folder / kIndex)) {
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
    if (!names.contains(kSingle) && isThere(folder / kSingle))
      return Error{fmt::format("{}: folder must hold {} or {}, but found both", folder.string(), kSingle, kIndex)};
  } else if (!isThere(folder / kSingle)) {
    return Error{fmt::format("{}: folder must hold {} or {}, but found neither", folder.string(), kSingle, kIndex)};
  }
  auto shards = openShards(folder, names);
  if (!shards)
    return shards.error();
  checkpoint.shards = std::move(*shards);
  if (!index.empty())
    if (auto checked = checkIndex(index, checkpoint.shards); !checked)
      return checked.error();
  checkpoint.where.reserve(index.size());
  for (size_t shard = 0; shard < checkpoint.shards.size(); ++shard)
    for (const auto &[tensor, info] : checkpoint.shards[shard].tensors())
      checkpoint.where.emplace(tensor, std::pair(&info, shard));
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
