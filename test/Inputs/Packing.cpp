#include "test/Inputs/Packing.h"

#include "test/Inputs/Nvfp4.h"

#include <fmt/format.h>

#include <algorithm>
#include <fnmatch.h>
#include <map>

namespace glm::test {
namespace {

using Json = nlohmann::ordered_json;

bool contains(const std::string &text, const char *part) { return text.find(part) != std::string::npos; }

bool isRouter(const std::string &module) { return module.ends_with(".mlp.gate"); }

/// Number of the layer that a module belongs to, -1 for the global ones.
int64_t layerOf(const std::string &module) {
  constexpr std::string_view prefix = "model.layers.";
  return module.starts_with(prefix) ? std::stoll(module.substr(prefix.size())) : -1;
}

/// The named tables. card: everything outside attention, shared experts and routers, but the first two and last two
/// layers. nvidia: the routed experts. all: every linear but the router. None of them touches MTP, lm_head or the
/// embedding.
bool inTable(const std::string &table, const std::string &module, const ModelDescription &model) {
  int64_t layer = layerOf(module);
  if (layer < 0 || layer >= model.layers || isRouter(module))
    return false;
  if (table == "card")
    return layer >= 2 && layer < model.layers - 2 && contains(module, ".mlp.") && !contains(module, ".shared_experts.");
  return table == "all" || contains(module, ".mlp.experts.");
}

bool isTable(const std::string &word) { return word == "card" || word == "nvidia" || word == "all"; }

/// Module names by their dotted parts, so that an exclude list can name whole branches.
struct Branch {
  std::map<std::string, Branch> children;
  bool packed = false; ///< something below is

  void add(const std::string &module, bool isPacked) {
    packed |= isPacked;
    size_t dot = module.find('.');
    Branch &child = children[module.substr(0, dot)];
    if (dot == std::string::npos)
      child.packed |= isPacked;
    else
      child.add(module.substr(dot + 1), isPacked);
  }

  /// The shortest list of names and `prefix.*` that covers every unpacked module and no packed one.
  void collect(const std::string &prefix, std::vector<std::string> &names) const {
    for (const auto &[part, child] : children) {
      std::string name = prefix + part;
      if (child.packed && !child.children.empty())
        child.collect(name + ".", names);
      else if (!child.packed)
        names.push_back(child.children.empty() ? name : name + ".*");
    }
  }
};

/// compressed-tensors takes exact names, or expressions that match from a name's start.
std::string asExpression(const std::string &pattern) {
  if (!pattern.ends_with(".*"))
    return pattern;
  std::string expression = "re:";
  for (char letter : pattern.substr(0, pattern.size() - 2))
    expression += letter == '.' ? std::string("\\.") : std::string(1, letter);
  return expression + "\\..*";
}

Json fourBits(bool modelOpt) {
  if (modelOpt)
    return {{"dynamic", false}, {"num_bits", 4}, {"type", "float"}, {"group_size", kBlock}};
  return {{"num_bits", 4},
          {"type", "float"},
          {"symmetric", true},
          {"group_size", kBlock},
          {"strategy", "tensor_group"},
          {"dynamic", false},
          {"scale_dtype", "torch.float8_e4m3fn"}};
}

} // namespace

bool matchesAny(const std::vector<std::string> &globs, const std::string &module) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string &glob) { return fnmatch(glob.c_str(), module.c_str(), 0) == 0; });
}

Result<Packing> Packing::choose(const CheckpointRequest &request, const ModelDescription &model,
                                const std::vector<LogicalTensor> &tensors) {
  Packing packing;
  packing.format = request.format;
  packing.inputScales = request.inputScales;
  packing.producerVersion = request.producerVersion;
  if (request.format == CheckpointFormat::Bf16)
    return packing;
  // NVIDIA's own list leaves the routers out, and declares an FP8 cache.
  bool likeNvidia = request.packed == std::vector<std::string>{"nvidia"};
  packing.fp8Cache = likeNvidia;
  std::vector<std::string> globs, tables;
  for (const std::string &word : request.packed)
    (isTable(word) ? tables : globs).push_back(word);
  Branch root;
  for (const LogicalTensor &tensor : tensors) {
    if (!tensor.linear && !tensor.name.starts_with("model.embed_tokens"))
      continue;
    std::string module = tensor.module();
    bool packed = tensor.linear && (matchesAny(globs, module) ||
                                    std::any_of(tables.begin(), tables.end(), [&](const std::string &table) {
                                      return inTable(table, module, model);
                                    }));
    if (packed && tensor.shape[1] % kBlock != 0)
      return Error{fmt::format("{}: inputs of a packed matrix must be a multiple of {}, but found {}", module, kBlock,
                               tensor.shape[1])};
    if (packed)
      packing.modules.insert(module);
    if (!likeNvidia || !isRouter(module))
      root.add(module, packed);
  }
  if (packing.modules.empty())
    return Error{
        fmt::format("--packed: {} must name a module of the model, but found none", fmt::join(request.packed, ","))};
  if (!request.excluded.empty()) {
    packing.excluded = request.excluded;
    return packing;
  }
  root.collect("", packing.excluded);
  // Readers that ask whether "model.layers.N" itself is excluded recognise the MTP layer by this spelling.
  std::string mtp = fmt::format("model.layers.{}", model.layers);
  if (std::count(packing.excluded.begin(), packing.excluded.end(), mtp + ".*") > 0 &&
      request.format == CheckpointFormat::ModelOpt)
    packing.excluded.push_back(mtp + "*");
  return packing;
}

Json Packing::configEntry() const {
  bool modelOpt = format == CheckpointFormat::ModelOpt;
  if (format == CheckpointFormat::Bf16)
    return nullptr;
  Json group = {{"weights", fourBits(modelOpt)}, {"targets", {"Linear"}}};
  if (modelOpt) {
    if (inputScales)
      group["input_activations"] = fourBits(true);
    Json entry = {{"config_groups", {{"group_0", group}}},
                  {"ignore", excluded},
                  {"quant_algo", inputScales ? "NVFP4" : "W4A16_NVFP4"},
                  {"producer", {{"name", "modelopt"}, {"version", producerVersion}}},
                  {"quant_method", "modelopt"}};
    if (fp8Cache)
      entry["kv_cache_scheme"] = {{"dynamic", false}, {"num_bits", 8}, {"type", "float"}};
    return entry;
  }
  group["input_activations"] = nullptr;
  if (inputScales)
    group["input_activations"] = {{"num_bits", 4},
                                  {"type", "float"},
                                  {"symmetric", true},
                                  {"group_size", kBlock},
                                  {"strategy", "tensor_group"},
                                  {"dynamic", "local"},
                                  {"observer", "static_minmax"}};
  group["output_activations"] = nullptr;
  group["format"] = "nvfp4-pack-quantized";
  Json ignore = Json::array();
  for (const std::string &pattern : excluded)
    ignore.push_back(asExpression(pattern));
  return {{"quant_method", "compressed-tensors"}, {"format", "nvfp4-pack-quantized"},
          {"quantization_status", "compressed"},  {"kv_cache_scheme", nullptr},
          {"global_compression_ratio", nullptr},  {"sparsity_config", Json::object()},
          {"transform_config", Json::object()},   {"ignore", ignore},
          {"config_groups", {{"group_0", group}}}};
}

Json Packing::sideFile() const {
  if (format != CheckpointFormat::ModelOpt)
    return nullptr;
  return {{"producer", {{"name", "modelopt"}, {"version", producerVersion}}},
          {"quantization",
           {{"quant_algo", inputScales ? "NVFP4" : "W4A16_NVFP4"},
            {"kv_cache_quant_algo", fp8Cache ? Json("FP8") : Json(nullptr)},
            {"group_size", kBlock},
            {"exclude_modules", excluded}}}};
}

} // namespace glm::test
