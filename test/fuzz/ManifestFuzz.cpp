// manifest.json of an artifact. Keys that an input lacks are those of a small one.
#include "runtime/artifact/Manifest.h"
#include "test/fuzz/Fuzz.h"

namespace glm::fuzz {
namespace {

const nlohmann::json &baseManifest() {
  static const nlohmann::json base = [] {
    Manifest manifest;
    manifest.producer = "fuzz";
    manifest.target = "x86-64-v3";
    manifest.activations = "bf16";
    manifest.code = {{"host.so", 1024, 9, {"avx2"}}};
    manifest.layers = 2;
    manifest.vocabSize = 8;
    manifest.maxModelLen = 128;
    manifest.maxRows = 4;
    manifest.maxSequences = 2;
    manifest.pageSize = 64;
    manifest.pagesPerSequence = 2;
    manifest.pages = 4;
    manifest.experts = 4;
    manifest.expertsPerToken = 2;
    manifest.eosTokenIds = {3};
    manifest.checkpoint = "../model";
    manifest.files = {{"model.safetensors", 128, 7}};
    Weight &weight = manifest.weights.emplace_back();
    weight.name = "w";
    weight.dtype = "BF16";
    weight.shape = {4, 4};
    manifest.buffers = {{"tokens", BufferSpace::Input, 0, 16}};
    manifest.arenaBytes = 64;
    manifest.kernels = {{"gemm", true}};
    Launch launch;
    launch.arguments = {{Argument::Kind::Weight, 0}, {Argument::Kind::Buffer, 0}};
    manifest.programs = {{"step", 4, {launch}}};
    return nlohmann::json::parse(*manifestText(manifest));
  }();
  return base;
}

Manifest read(std::string text) {
  auto file = parseJson("manifest.json", std::move(text));
  require(static_cast<bool>(file), "what is written can be read", file ? "" : file.error().message);
  auto manifest = parseManifest(*file);
  require(static_cast<bool>(manifest), "what is written can be read", manifest ? "" : manifest.error().message);
  return std::move(*manifest);
}

} // namespace

void run(std::string_view input) {
  auto file = parse("manifest.json", input);
  if (!file)
    return;
  complete(*file, baseManifest());
  auto manifest = parseManifest(*file);
  if (!manifest)
    return requireRefusal(manifest.error());
  auto text = manifestText(*manifest);
  require(static_cast<bool>(text), "what was read can be written");
  require(*manifestText(read(*text)) == *text, "a manifest survives a round trip", *text);
}

} // namespace glm::fuzz
