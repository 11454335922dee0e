// glm-make-checkpoint: writes a GLM-5.2-shaped Hugging Face folder of any size from a seed.
#include "test/Inputs/Presets.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <unistd.h>

using namespace glm;
using namespace glm::test;

namespace {

struct Options {
  std::string folder, presetName, configFile, format, scaleDtype, scalarShape, tieGateUp;
  std::vector<std::string> assignments, packed, float32, float16;
  std::optional<uint64_t> seed;
  std::optional<int64_t> shards;
  bool fast = false, holes = false, noMtp = false, inputScales = false, spreadScales = false, replace = false;
};

void declare(CLI::App &app, Options &options) {
  app.add_option("FOLDER", options.folder, "folder to write; must not exist")->required();
  app.add_option(
         "--preset", options.presetName,
         "tiny (default), small, wide, experts, or the shape of a published one: glm-5.2, glm-5.2-card, glm-5.2-nvidia")
      ->check(CLI::IsMember(presetNames()));
  app.add_option("--config", options.configFile, "a config.json instead of a preset");
  app.add_option("--set", options.assignments, "KEY=VALUE of the config; an empty value removes the key");
  app.add_option("--seed", options.seed, "of all weights (default 1)");
  app.add_option("--shards", options.shards, "number of safetensors files (default 1; large presets 4)")
      ->check(CLI::PositiveNumber);
  app.add_option("--format", options.format, "bf16, modelopt, compressed-tensors")
      ->check(CLI::IsMember({"bf16", "modelopt", "compressed-tensors"}));
  app.add_option("--packed", options.packed, "card (default), nvidia, all, or globs over module names")->delimiter(',');
  app.add_option("--f32", options.float32, "globs over module names to store as F32")->delimiter(',');
  app.add_option("--f16", options.float16, "globs over module names to store as F16")->delimiter(',');
  app.add_option("--scale-dtype", options.scaleDtype, "what block scales are called")
      ->check(CLI::IsMember({"F8_E4M3", "U8"}));
  app.add_option("--scalar-shape", options.scalarShape, "0d or 1 (default: as the format's own tools do)")
      ->check(CLI::IsMember({"0d", "1"}));
  app.add_option("--gate-up-tied", options.tieGateUp, "yes (default) or no: one global scale for gate and up")
      ->check(CLI::IsMember({"yes", "no"}));
  app.add_flag("--spread-scales", options.spreadScales, "move powers of two from block scales to global ones");
  app.add_flag("--input-scales", options.inputScales, "write scales for the activations too");
  app.add_flag("--no-mtp", options.noMtp, "leave the tensors of the MTP layer out");
  app.add_flag("--fast-weights", options.fast, "cheaper random numbers, packed codes drawn directly: for many GiB");
  app.add_flag("--holes", options.holes,
               "write headers and scalars only; the rest of each file is a hole, which takes no space");
  app.add_flag("--replace", options.replace, "replace FOLDER if it exists");
}

Result<CheckpointRequest> startingPoint(const Options &options) {
  if (options.configFile.empty())
    return preset(options.presetName.empty() ? "tiny" : options.presetName);
  CheckpointRequest request;
  std::ifstream file(options.configFile);
  request.config = nlohmann::ordered_json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!request.config.is_object())
    return Error{fmt::format("{}: file must hold a JSON object, but found none", options.configFile)};
  // What is packed follows from this program's own options.
  request.config.erase("quantization_config");
  return request;
}

Result<CheckpointRequest> toRequest(const Options &options) {
  auto started = startingPoint(options);
  if (!started)
    return started;
  CheckpointRequest request = *started;
  for (const std::string &assignment : options.assignments)
    if (auto done = setKey(request.config, assignment); !done)
      return done.error();
  request.seed = options.seed.value_or(request.seed);
  request.shards = options.shards.value_or(request.shards);
  if (!options.format.empty())
    request.format = options.format == "bf16"       ? CheckpointFormat::Bf16
                     : options.format == "modelopt" ? CheckpointFormat::ModelOpt
                                                    : CheckpointFormat::CompressedTensors;
  if (!options.packed.empty())
    request.packed = options.packed;
  else if (request.packed.empty())
    request.packed = {"card"};
  if (!options.scaleDtype.empty())
    request.scaleDtype = options.scaleDtype;
  if (!options.scalarShape.empty())
    request.scalarShape = options.scalarShape == "1" ? ScalarShape::One : ScalarShape::ZeroDimensional;
  request.tieGateUp = options.tieGateUp != "no";
  request.spreadScales = options.spreadScales;
  request.inputScales |= options.inputScales;
  request.mtp = !options.noMtp;
  request.fastWeights |= options.fast;
  request.holes |= options.holes;
  request.float32 = options.float32;
  request.float16 = options.float16;
  request.progress = isatty(STDERR_FILENO) && !request.holes;
  return request;
}

Result<void> run(const Options &options) {
  auto request = toRequest(options);
  if (!request)
    return request.error();
  std::filesystem::path folder = std::filesystem::path(options.folder).lexically_normal();
  if (!folder.has_filename())
    folder = folder.parent_path();
  if (!options.replace)
    return makeCheckpoint(*request, folder);
  // The old folder goes only when the new one is whole.
  std::filesystem::path fresh = folder;
  fresh += ".new";
  std::error_code ignored;
  std::filesystem::remove_all(fresh, ignored);
  if (auto done = makeCheckpoint(*request, fresh); !done)
    return done;
  std::filesystem::remove_all(folder, ignored);
  std::error_code error;
  std::filesystem::rename(fresh, folder, error);
  if (error)
    return Error{fmt::format("{}: folder must be replaceable, but found {}", folder.string(), error.message())};
  return {};
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Writes a GLM-5.2-shaped checkpoint from a seed.", "glm-make-checkpoint");
  app.set_version_flag("--version", "glm-make-checkpoint 0.1.0");
  Options options;
  declare(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (!options.presetName.empty() && !options.configFile.empty()) {
    fmt::print(stderr, "error: --preset: option must not stand beside --config, but found both\n");
    return 2;
  }
  if (auto done = run(options); !done) {
    fmt::print(stderr, "error: {}\n", done.error().message);
    return 1;
  }
  return 0;
}
