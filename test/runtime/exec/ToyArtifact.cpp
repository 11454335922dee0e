#include "test/runtime/exec/ToyArtifact.h"

#include "runtime/artifact/Library.h"
#include "runtime/artifact/Safetensors.h"

#include <cmath>
#include <cstring>
#include <random>
#include <stdexcept>

namespace glm::toy {

namespace fs = std::filesystem;

static std::vector<float> randomFloats(uint64_t seed, int64_t count) {
  std::mt19937_64 generator(seed);
  std::vector<float> values(count);
  for (float &value : values) // no std distribution: their results differ between libraries
    value = static_cast<float>(generator() >> 40) * 0x1p-23f - 1.0f;
  return values;
}

std::vector<float> embedding() { return randomFloats(1, kVocab * kWidth); }
std::vector<float> expert(int64_t index) { return randomFloats(100 + index, kWidth); }

static float scaleOf(int64_t index) { return 0.25f * static_cast<float>(index + 1); }

static std::vector<uint8_t> bytesOf(const std::vector<float> &values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// Pages that hold the longest sequence.
static int64_t pagesPerSequence(const Options &options) { return (options.maxModelLen + kPageSize - 1) / kPageSize; }

static void writeCheckpoint(const fs::path &file, const Options &options) {
  SafetensorsWriter writer;
  writer.add("embed.weight", "F32", {kVocab, kWidth}, bytesOf(embedding()));
  writer.add("gain", "F32", {}, bytesOf({kGain}));
  writer.add("pages_per_slot", "F32", {}, bytesOf({static_cast<float>(pagesPerSequence(options))}));
  for (int64_t i = 0; i < kExperts; ++i) {
    std::string name = "experts." + std::to_string(i);
    writer.add(name + ".weight", "F32", {kWidth}, bytesOf(expert(i)));
    writer.add(name + ".scale", "F32", {}, bytesOf({i == 3 ? options.scale3 : scaleOf(i)}));
    std::vector<uint8_t> blockScales(6, 0x40);
    if (i == 2)
      blockScales[4] = options.blockScale;
    writer.add(name + ".weight_scale", "F8_E4M3", {2, 3}, blockScales);
  }
  if (Result<void> written = writer.write(file); !written)
    throw std::runtime_error(written.error().message);
}

namespace {
/// Builds the manifest's lists and hands out their indices.
struct Builder {
  Manifest manifest;

  int64_t buffer(const std::string &name, BufferSpace space, uint64_t bytes) {
    uint64_t offset = 0;
    if (space != BufferSpace::Cache) {
      offset = manifest.arenaBytes;
      manifest.arenaBytes += (bytes + 63) / 64 * 64;
    }
    manifest.buffers.push_back({name, space, offset, bytes});
    return static_cast<int64_t>(manifest.buffers.size()) - 1;
  }
  int64_t weight(Weight weight) {
    manifest.weights.push_back(std::move(weight));
    return static_cast<int64_t>(manifest.weights.size()) - 1;
  }
  int64_t kernel(const std::string &name, bool parallel = true) {
    manifest.kernels.push_back({name, parallel});
    return static_cast<int64_t>(manifest.kernels.size()) - 1;
  }
};
} // namespace

static Argument b(int64_t index) { return {Argument::Kind::Buffer, index}; }
static Argument w(int64_t index) { return {Argument::Kind::Weight, index}; }

static void addModel(Builder &builder, const Options &options) {
  int64_t rows = options.maxRows;
  int64_t pagesPerSlot = builder.manifest.pagesPerSequence;
  int64_t tokens = builder.buffer("tokens", BufferSpace::Input, rows * 4);
  int64_t positions = builder.buffer("positions", BufferSpace::Input, rows * 4);
  int64_t slots = builder.buffer("slots", BufferSpace::Input, rows * 4);
  int64_t table = builder.buffer("page_table", BufferSpace::Input, options.maxSequences * pagesPerSlot * 4);
  int64_t outputs = builder.buffer("output_rows", BufferSpace::Input, rows * 4);
  int64_t hidden = builder.buffer("hidden", BufferSpace::Arena, rows * kWidth * 4);
  int64_t chosen = builder.buffer("chosen", BufferSpace::Arena, rows * kChosen * 4);
  int64_t context = builder.buffer("context", BufferSpace::Arena, rows * kWidth * 4);
  int64_t logits = builder.buffer("logits", BufferSpace::Output, rows * kVocab * 4);
  int64_t cache = builder.buffer("cache.0", BufferSpace::Cache, options.pages * kPageSize * kWidth * 4);

  int64_t embed = builder.weight({"embed.weight", WeightForm::Data, 1, "F32", {kVocab, kWidth}, false});
  int64_t experts = builder.weight({"experts.{}.weight", WeightForm::Table, kExperts, "F32", {kWidth}, false});
  int64_t scales = builder.weight({"experts.{}.scale", WeightForm::Scalars, kExperts, "F32", {}, false});
  int64_t gain = builder.weight({"gain", WeightForm::Scalars, 1, "F32", {}, false});
  int64_t perSlot = builder.weight({"pages_per_slot", WeightForm::Scalars, 1, "F32", {}, false});
  builder.weight({"experts.{}.weight_scale", WeightForm::Table, kExperts, "F8_E4M3", {2, 3}, false});

  int64_t embedKernel = builder.kernel("embed_f32_w8");
  int64_t writeKernel = builder.kernel("cache_write_f32_w8");
  int64_t attendKernel = builder.kernel("attend_f32_w8");
  int64_t routeKernel = builder.kernel("route", false);
  int64_t moeKernel = builder.kernel("moe_gemm_f32_w8");
  int64_t gemmKernel = builder.kernel("gemm_f32_w8");
  std::vector<Launch> launches = {
      {embedKernel, {b(tokens), w(embed), b(hidden)}, RowCount::Step, {}},
      {writeKernel, {b(slots), b(positions), b(table), w(perSlot), b(hidden), b(cache)}, RowCount::Step, {}},
      {attendKernel,
       {b(slots), b(positions), b(table), w(perSlot), b(cache), b(context)},
       RowCount::Step,
       {{"context.0", context, "F32", kWidth}}},
      {routeKernel, {b(tokens), b(positions), b(chosen)}, RowCount::Step, {{"experts.0", chosen, "I32", kChosen}}},
      {moeKernel, {b(chosen), w(experts), w(scales), w(gain), b(context)}, RowCount::Step, {}},
      {gemmKernel,
       {b(outputs), b(context), w(embed), b(logits)},
       RowCount::Output,
       {{"logits", logits, "F32", kVocab}}},
  };
  if (options.spoiled)
    launches.push_back({builder.kernel("spoil"), {b(logits)}, RowCount::Output, {}});
  if (options.samples) {
    int64_t sampling = builder.buffer("sampling", BufferSpace::Input, rows * 5 * 4);
    int64_t sampled = builder.buffer("sampled", BufferSpace::Cache, rows * 4);
    launches.insert(launches.begin(), {builder.kernel("feed", false), {b(tokens), b(sampled)}, RowCount::Step, {}});
    launches.push_back({builder.kernel("sample", false), {b(logits), b(sampling), b(sampled)}, RowCount::Output, {}});
  }
  for (int64_t size : options.programRows)
    builder.manifest.programs.push_back({"rows" + std::to_string(size), size, launches});
}

fs::path writeArtifact(const fs::path &folder, const Options &options) {
  fs::path artifact = folder / "toy.glm";
  fs::path checkpoint = folder / "checkpoint" / "model.safetensors";
  fs::create_directories(artifact);
  fs::create_directories(checkpoint.parent_path());
  writeCheckpoint(checkpoint, options);
  fs::copy_file(GLM_TOY_KERNELS, artifact / "host.so", fs::copy_options::overwrite_existing);

  Builder builder;
  Manifest &manifest = builder.manifest;
  manifest.producer = "a test";
  manifest.target = "x86-64-v3";
  manifest.activations = "f32";
  Result<Code> code = describeLibrary(artifact / "host.so", {"sse2", "cmov"});
  if (!code)
    throw std::runtime_error(code.error().message);
  manifest.code = {*code};
  manifest.layers = 1;
  manifest.vocabSize = kVocab;
  manifest.maxModelLen = options.maxModelLen;
  manifest.maxRows = options.maxRows;
  manifest.maxSequences = options.maxSequences;
  manifest.pageSize = kPageSize;
  manifest.pagesPerSequence = pagesPerSequence(options);
  manifest.pages = options.pages;
  manifest.experts = kExperts;
  manifest.expertsPerToken = kChosen;
  manifest.eosTokenIds = options.stopIds;
  manifest.checkpoint = "../checkpoint";
  Result<SafetensorsFile> opened = SafetensorsFile::open(checkpoint);
  if (!opened)
    throw std::runtime_error(opened.error().message);
  manifest.files = {{"model.safetensors", opened->bytes(), opened->headerHash()}};
  manifest.precision = {{"experts.*.weight", kExperts, "F32", "f32", kExperts * kWidth * 4, "as stored", ""}};
  addModel(builder, options);
  if (options.edit)
    options.edit(manifest);
  if (Result<void> written = writeManifest(artifact, manifest); !written)
    throw std::runtime_error(written.error().message);
  return artifact;
}

std::vector<float> referenceLogits(const std::vector<int32_t> &tokens) {
  std::vector<float> table = embedding();
  std::vector<float> logits;
  for (int64_t position = 0; position < static_cast<int64_t>(tokens.size()); ++position) {
    std::vector<double> mixed(kWidth, 0);
    for (int64_t p = 0; p <= position; ++p)
      for (int64_t i = 0; i < kWidth; ++i)
        mixed[i] += static_cast<double>(table[tokens[p] * kWidth + i]) / static_cast<double>(1 + position - p);
    for (int64_t i = 0; i < kWidth; ++i) {
      mixed[i] = std::tanh(mixed[i]);
      for (int64_t e : {firstExpert(tokens[position], position), secondExpert(tokens[position], position)})
        mixed[i] += kGain * scaleOf(e) * expert(e)[i];
    }
    for (int64_t id = 0; id < kVocab; ++id) {
      double sum = 0;
      for (int64_t i = 0; i < kWidth; ++i)
        sum += mixed[i] * table[id * kWidth + i];
      logits.push_back(static_cast<float>(sum));
    }
  }
  return logits;
}

} // namespace glm::toy
