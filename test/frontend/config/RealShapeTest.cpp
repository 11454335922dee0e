// A folder with exactly the names, shapes, types and shard count of a packed GLM-5.2, whose tensor bytes are holes.
#include "test/Inputs/ModelDescription.h"
#include "test/frontend/config/SmallModel.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <iterator>

using namespace glm;
using namespace glm::test;

namespace {

using Json = nlohmann::ordered_json;

Json realConfig() {
  Json config = smallConfig();
  for (auto [key, value] :
       {std::pair("vocab_size", 154880), std::pair("hidden_size", 6144), std::pair("intermediate_size", 12288),
        std::pair("moe_intermediate_size", 2048), std::pair("num_hidden_layers", 78),
        std::pair("num_attention_heads", 64), std::pair("num_key_value_heads", 64), std::pair("q_lora_rank", 2048),
        std::pair("kv_lora_rank", 512), std::pair("qk_nope_head_dim", 192), std::pair("qk_rope_head_dim", 64),
        std::pair("qk_head_dim", 256), std::pair("v_head_dim", 256), std::pair("n_routed_experts", 256),
        std::pair("num_experts_per_tok", 8), std::pair("index_head_dim", 128), std::pair("index_n_heads", 32),
        std::pair("index_topk", 2048), std::pair("max_position_embeddings", 1048576)})
    config[key] = value;
  return config;
}

/// By the card's table.
bool isPackedByCard(const LogicalTensor &tensor) {
  if (!tensor.linear || !tensor.name.starts_with("model.layers.") ||
      tensor.name.find(".self_attn.") != std::string::npos || tensor.name.find("shared") != std::string::npos ||
      tensor.name.ends_with("mlp.gate.weight"))
    return false;
  int64_t layer = std::stoll(tensor.name.substr(13));
  return layer >= 2 && layer <= 75;
}

/// One stored tensor of a shard.
struct Part {
  std::string name, dtype;
  std::vector<int64_t> shape;
};

std::vector<Part> partsOf(const LogicalTensor &tensor) {
  if (!isPackedByCard(tensor))
    return {{tensor.name,
             tensor.name.ends_with("bias") || tensor.name.ends_with("weights_proj.weight") ? "F32" : "BF16",
             tensor.shape}};
  return {{tensor.name, "U8", {tensor.shape[0], tensor.shape[1] / 2}},
          {tensor.module() + ".weight_scale", "F8_E4M3", {tensor.shape[0], tensor.shape[1] / 16}},
          {tensor.module() + ".weight_scale_2", "F32", {}}};
}

uint64_t bytesOf(const Part &part) {
  uint64_t bytes = dtypeBytes(part.dtype);
  for (int64_t size : part.shape)
    bytes *= size;
  return bytes;
}

/// Scalars first, as the reference writer sorts by size of type: they are read, and so they are the only bytes on the disk.
void writeShard(const std::filesystem::path &path, const std::vector<Part> &unsorted) {
  std::vector<Part> parts;
  for (bool scalar : {true, false})
    std::copy_if(unsorted.begin(), unsorted.end(), std::back_inserter(parts),
                 [&](const Part &part) { return part.shape.empty() == scalar; });
  nlohmann::json header; // not an ordered one, which looks keys up one by one
  std::string scalars;
  uint64_t offset = 0;
  for (const Part &part : parts) {
    header[part.name] = {
        {"dtype", part.dtype}, {"shape", part.shape}, {"data_offsets", {offset, offset + bytesOf(part)}}};
    offset += bytesOf(part);
    if (part.shape.empty())
      scalars += std::string("\x00\x00\x80\x3a", 4); // 2^-10
  }
  std::string text = header.dump(), length(8, '\0');
  uint64_t size = text.size();
  std::memcpy(length.data(), &size, 8);
  std::ofstream(path, std::ios::binary) << length << text << scalars;
  std::filesystem::resize_file(path, 8 + size + offset);
}

class Stopwatch {
public:
  explicit Stopwatch(const char *what) : what(what), start(std::chrono::steady_clock::now()) {}
  ~Stopwatch() {
    fmt::print("{}: {:.2f} s\n", what, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }

private:
  const char *what;
  std::chrono::steady_clock::time_point start;
};

TEST(RealShape, isReadWholeAndCountedRight) {
  TemporaryFolder folder;
  Json config = realConfig();
  folder.write("config.json", config.dump(1));
  std::vector<Part> parts;
  uint64_t payload = 0;
  for (const LogicalTensor &tensor : modelTensors(*describeModel(config), true))
    for (Part &part : partsOf(tensor)) {
      payload += bytesOf(part);
      parts.push_back(std::move(part));
    }
  ASSERT_EQ(parts.size(), 171'719u); // 56,067 packed matrices of three tensors each among 59,585 weights
  constexpr size_t shards = 282;
  {
    Stopwatch watch("write the folder");
    nlohmann::json map;
    for (size_t shard = 0; shard < shards; ++shard) {
      std::string name = fmt::format("model-{:05}-of-00282.safetensors", shard + 1);
      std::vector<Part> own(parts.begin() + parts.size() * shard / shards,
                            parts.begin() + parts.size() * (shard + 1) / shards);
      for (const Part &part : own)
        map[part.name] = name;
      writeShard(folder.path() / name, own);
    }
    folder.write("model.safetensors.index.json", nlohmann::json{{"weight_map", map}}.dump());
  }
  std::vector<std::string> warnings;
  auto model = readModelConfig(folder.path(), warnings);
  ASSERT_TRUE(model) << model.error().message;
  std::optional<Stopwatch> watch("open the checkpoint");
  auto checkpoint = Checkpoint::open(folder.path());
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  watch.emplace("find the weights");
  auto stored = readStoredTensors(*model, *checkpoint);
  ASSERT_TRUE(stored) << stored.error().message;
  watch.emplace("decide the precision");
  auto precision = decidePrecision(*stored, *policyRules("card", *model, {}), {}, warnings);
  ASSERT_TRUE(precision) << precision.error().message;
  watch.reset();

  uint64_t bytes = 0;
  int64_t packed = 0;
  for (const PrecisionRow &row : precision->table) {
    bytes += row.bytes;
    packed += row.computed == "nvfp4" ? row.count : 0;
  }
  EXPECT_EQ(bytes, payload);
  EXPECT_EQ(packed, 56'067);
  EXPECT_NEAR(static_cast<double>(bytes) / (1 << 30), 458.45,
              0.005);                       // the figure published with the card, to its last digit
  EXPECT_LT(precision->table.size(), 120u); // one screen or two, not a row per layer
  EXPECT_EQ(precision->table[0].pattern, "model.embed_tokens");
}

} // namespace
