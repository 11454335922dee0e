// model.safetensors.index.json.
#include "runtime/artifact/Checkpoint.h"
#include "test/fuzz/Fuzz.h"

namespace glm::fuzz {

void run(std::string_view input) {
  auto file = parse("model.safetensors.index.json", input);
  if (!file)
    return;
  auto index = readIndex(*file);
  if (!index)
    return requireRefusal(index.error());
  require(!index->empty(), "an index names tensors");
  for (const auto &[tensor, shard] : *index) {
    std::filesystem::path path = std::filesystem::path("folder") / shard;
    require(path.parent_path() == "folder" && path.filename() == shard && shard != "." && shard != "..",
            "a shard lies in the folder itself", shard);
    require(std::string(shard.c_str()) == shard, "a shard has the same name for the file system", shard);
  }
}

} // namespace glm::fuzz
