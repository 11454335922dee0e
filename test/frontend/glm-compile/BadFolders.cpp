#include "test/frontend/glm-compile/BadInputs.h"

#include <sys/stat.h>

namespace fs = std::filesystem;

namespace glm::test {
namespace {

/// Put something else in the place of a shard.
void replace(const Place &place, const std::string &name, const std::function<void(const fs::path &)> &put) {
  fs::remove(place.model(name));
  put(place.model(name));
}

void moveAndLink(const Place &place, const std::string &name, const fs::path &away, const fs::path &link) {
  fs::create_directories(away.parent_path());
  fs::rename(place.model(name), away);
  fs::create_symlink(link, place.model(name));
}

void index(const Place &place, const std::string &tensor, const Json &shard) {
  Place::json(place.model(kIndex), [&](Json &json) { json["weight_map"][tensor] = shard; });
}

} // namespace

Section badFolders() {
  const std::string norm = "model.norm.weight";
  return {
      "the folder and its shards",
      1,
      {
          {"no folder", Start::Wide, [](auto &p) { fs::remove_all(p.model()); },
           R"(model: model must be a folder, but found none)"},
          {"a file where the folder should be", Start::Wide,
           [](auto &p) {
             fs::remove_all(p.model());
             Place::write(p.root() / "model", "");
           },
           R"(model: model must be a folder, but found a file)"},
          {"an empty folder", Start::Wide,
           [](auto &p) {
             fs::remove_all(p.model());
             fs::create_directory(p.model());
           },
           R"(model: config.json must be a file, but found none)"},
          {"config.json is a FIFO", Start::Wide,
           [](auto &p) { replace(p, "config.json", [](auto &path) { mkfifo(path.c_str(), 0600); }); },
           R"(model: config.json must be a file, but found something else)"},
          {"config.json is a link to nowhere", Start::Wide,
           [](auto &p) { replace(p, "config.json", [](auto &path) { fs::create_symlink("gone", path); }); },
           R"(model: config.json must be a file, but found none)"},
          {"generation_config.json is a link to nowhere", Start::Wide,
           [](auto &p) { replace(p, "generation_config.json", [](auto &path) { fs::create_symlink("gone", path); }); },
           R"(model: generation_config.json must be a file, but found none)"},
          {"no tensors", Start::Wide, [](auto &p) { fs::remove(p.model(kSingle)); },
           R"(model: folder must hold model.safetensors or model.safetensors.index.json, but found neither)"},
          {"a single file beside an index that does not name it", Start::Shards,
           [](auto &p) { fs::copy(p.model(kFirst), p.model(kSingle)); },
           R"(model: folder must hold model.safetensors or model.safetensors.index.json, but found both)"},
          {"a shard is absent", Start::Shards, [](auto &p) { fs::remove(p.model(kSecond)); },
           R"(model: shard model-00002-of-00002.safetensors must exist, but found none)"},
          {"all shards are absent", Start::Shards,
           [](auto &p) {
             fs::remove(p.model(kFirst));
             fs::remove(p.model(kSecond));
           },
           R"(model: all 2 shards must exist, but found no model-00001-of-00002.safetensors, model-00002-of-00002.safetensors)"},
          {"a shard is a folder", Start::Shards,
           [](auto &p) { replace(p, kFirst, [](auto &path) { fs::create_directory(path); }); },
           R"(model: model-00001-of-00002.safetensors must be a regular file, but found another kind)"},
          {"a shard is a FIFO", Start::Shards,
           [](auto &p) { replace(p, kFirst, [](auto &path) { mkfifo(path.c_str(), 0600); }); },
           R"(model: model-00001-of-00002.safetensors must be a regular file, but found another kind)"},
          {"a shard is empty", Start::Shards, [](auto &p) { Place::write(p.model(kFirst), ""); },
           R"(model-00001-of-00002.safetensors: file must have at least 8 bytes, but found 0)"},
          {"a shard is a link to nowhere", Start::Shards,
           [](auto &p) { replace(p, kFirst, [](auto &path) { fs::create_symlink("gone", path); }); },
           R"(model: shard model-00001-of-00002.safetensors must exist, but found a link to gone, which does not)"},
          {"a shard is a link out of the folder", Start::Shards,
           [](auto &p) { moveAndLink(p, kFirst, p.root() / "elsewhere", "../elsewhere"); },
           R"(model: shard model-00001-of-00002.safetensors must lie in the folder or in the blobs of a Hugging Face cache, but found a link to ../elsewhere)"},
          {"a shard is a link to a blob, but not within the cache of one model", Start::Shards,
           [](auto &p) {
             std::string hash(64, 'a');
             moveAndLink(p, kFirst, p.root() / "blobs" / hash, "../blobs/" + hash);
           },
           R"(model: shard model-00001-of-00002.safetensors must lie in the folder or in the blobs of a Hugging Face cache, but found a link to ../blobs/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)"},
          {"the index names a shard outside of the folder", Start::Shards,
           [=](auto &p) { index(p, norm, "../model-00001-of-00002.safetensors"); },
           R"(model.safetensors.index.json: shard must be a file of the folder, but found ../model-00001-of-00002.safetensors)"},
          {"the index names a shard by an absolute path", Start::Shards,
           [=](auto &p) { index(p, norm, "/etc/passwd"); },
           R"(model.safetensors.index.json: shard must be a file of the folder, but found /etc/passwd)"},
          {"the index names a number", Start::Shards, [=](auto &p) { index(p, norm, 2); },
           R"(model.safetensors.index.json:160: model.norm.weight must name a file, but found 2)"},
          {"the index has no weight_map", Start::Shards,
           [](auto &p) { Place::json(p.model(kIndex), [](Json &json) { json.erase("weight_map"); }); },
           R"(model.safetensors.index.json: weight_map must be an object of file names, but found none)"},
          {"the index is cut short", Start::Shards, [](auto &p) { Place::resize(p.model(kIndex), -100); },
           R"(model.safetensors.index.json:#: text must be JSON, but found an error at byte #)"},
          {"the index has a key twice", Start::Shards,
           [](auto &p) { Place::text(p.model(kIndex), "\"weight_map\"", "\"metadata\""); },
           R"(model.safetensors.index.json: key metadata must occur once, but found it twice)"},
          {"index and shards disagree: another shard", Start::Shards, [=](auto &p) { index(p, norm, kFirst); },
           R"(model.safetensors.index.json: model.norm.weight must be in model-00001-of-00002.safetensors as the index says, but found it in model-00002-of-00002.safetensors)"},
          {"index and shards disagree: a tensor that the index does not know", Start::Shards,
           [=](auto &p) { Place::json(p.model(kIndex), [&](Json &json) { json["weight_map"].erase(norm); }); },
           R"(model.safetensors.index.json: model.norm.weight must be in no shard as the index says, but found it in model-00002-of-00002.safetensors)"},
          {"index and shards disagree: a tensor that no shard holds", Start::Shards,
           [](auto &p) { index(p, "model.extra.weight", kFirst); },
           R"(model.safetensors.index.json: model-00001-of-00002.safetensors must hold model.extra.weight, but found no such tensor)"},
          {"a shard is cut short", Start::Shards, [](auto &p) { Place::resize(p.model(kSecond), -1000); },
           R"(model-00002-of-00002.safetensors: file must have 736168 bytes as its header says, but found 735168 (1000 missing))"},
          {"both shards are cut short", Start::Shards,
           [](auto &p) {
             Place::resize(p.model(kFirst), -7);
             Place::resize(p.model(kSecond), -1000);
           },
           R"(model-00001-of-00002.safetensors: file must have 795224 bytes as its header says, but found 795217 (7 missing)
model-00002-of-00002.safetensors: file must have 736168 bytes as its header says, but found 735168 (1000 missing))"},
          {"a shard is too long", Start::Shards, [](auto &p) { Place::resize(p.model(kSecond), 5); },
           R"(model-00002-of-00002.safetensors: file must have 736168 bytes as its header says, but found 736173 (5 too many))"},
      },
  };
}

} // namespace glm::test
