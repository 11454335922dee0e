// Writes a checkpoint: plans every stored tensor, then produces matrices on several threads, a few rows at a time.
#include "test/Inputs/CheckpointRequest.h"
#include "test/Inputs/Nvfp4.h"
#include "test/Inputs/Packing.h"
#include "test/Inputs/ShardWriter.h"
#include "test/Inputs/WeightStream.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace glm::test {
namespace {

using Json = nlohmann::ordered_json;

/// Values held in memory at once by a thread: 16 MiB of float32.
constexpr int64_t kValuesAtOnce = 4 << 20;

/// One logical tensor and where its stored parts go.
struct Job {
  LogicalTensor tensor;
  bool packed = false;
  std::string dtype; ///< of a wide one
  size_t values = 0; ///< wide: the tensor; packed: the codes
  size_t scales = 0, global = 0, input = 0;
};

class CheckpointMaker {
public:
  CheckpointMaker(const CheckpointRequest &request, std::filesystem::path folder)
      : request(request), folder(std::move(folder)) {}

  Result<void> run() {
    auto model = describeModel(request.config);
    if (!model)
      return model.error();
    std::vector<LogicalTensor> tensors = modelTensors(*model, request.mtp);
    auto packing = Packing::choose(request, *model, tensors);
    if (!packing)
      return packing.error();
    for (const LogicalTensor &tensor : tensors)
      plan(tensor, packing->contains(tensor));
    if (auto done = writer.create(folder, request.shards); !done)
      return done;
    if (auto done = produceAll(); !done)
      return done;
    return writeConfigs(*packing);
  }

private:
  void plan(const LogicalTensor &tensor, bool packed);
  Result<void> produceAll();
  Result<void> produce(const Job &job);
  Result<void> produceWide(const Job &job);
  Result<void> producePacked(const Job &job);
  Result<void> drawPacked(const Job &job);
  Result<void> writeScalars(const Job &job, float global);
  Result<void> writeConfigs(const Packing &packing) const;
  float largest(const LogicalTensor &tensor) const;
  float chooseGlobal(const LogicalTensor &tensor) const;
  void fill(const LogicalTensor &tensor, int64_t begin, int64_t count, float *values) const;
  void report(uint64_t bytes);

  bool isModelOpt() const { return request.format == CheckpointFormat::ModelOpt; }

  const CheckpointRequest &request;
  std::filesystem::path folder;
  ShardWriter writer;
  std::vector<Job> jobs;
  std::mutex reportLock;
  uint64_t written = 0, reported = 0;
};

void CheckpointMaker::plan(const LogicalTensor &tensor, bool packed) {
  Job job{tensor, packed, "BF16"};
  std::string module = tensor.module();
  if (packed) {
    int64_t rows = tensor.shape[0], columns = tensor.shape[1];
    ScalarShape form = request.scalarShape.value_or(isModelOpt() ? ScalarShape::ZeroDimensional : ScalarShape::One);
    std::vector<int64_t> scalar = form == ScalarShape::One ? std::vector<int64_t>{1} : std::vector<int64_t>{};
    job.values = writer.add(module + (isModelOpt() ? ".weight" : ".weight_packed"), "U8", {rows, columns / 2});
    job.scales = writer.add(module + ".weight_scale", request.scaleDtype, {rows, columns / kBlock});
    job.global = writer.add(module + (isModelOpt() ? ".weight_scale_2" : ".weight_global_scale"), "F32", scalar);
    if (request.inputScales)
      job.input = writer.add(module + (isModelOpt() ? ".input_scale" : ".input_global_scale"), "F32", scalar);
  } else {
    // The correction bias is float32 in every published checkpoint; the card stores the indexer's head weights so, too.
    bool card = request.format != CheckpointFormat::Bf16 &&
                std::count(request.packed.begin(), request.packed.end(), "card") > 0;
    if (tensor.name.ends_with("e_score_correction_bias") || matchesAny(request.float32, module) ||
        (card && module.ends_with("indexer.weights_proj")))
      job.dtype = "F32";
    else if (matchesAny(request.float16, module))
      job.dtype = "F16";
    job.values = writer.add(tensor.name, job.dtype, tensor.shape);
  }
  jobs.push_back(std::move(job));
}

Result<void> CheckpointMaker::produceAll() {
  std::atomic<size_t> next = 0;
  std::mutex lock;
  Result<void> outcome;
  auto work = [&] {
    for (size_t i = next++; i < jobs.size(); i = next++) {
      Result<void> done = produce(jobs[i]);
      if (done)
        continue;
      std::lock_guard guard(lock);
      outcome = done;
      next = jobs.size();
    }
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i)
    threads.emplace_back(work);
  work();
  for (std::thread &thread : threads)
    thread.join();
  if (request.progress)
    std::fputc('\n', stderr);
  return outcome;
}

/// For codes and block scales that are drawn: uniform codes have standard deviation 2.926, the scales of drawPacked 1.159,
/// together the one of fillWeights.
float drawnGlobal(const LogicalTensor &tensor) {
  return static_cast<float>(1.2 / std::sqrt(static_cast<double>(tensor.shape[1])) / (2.926 * 1.159));
}

Result<void> CheckpointMaker::produce(const Job &job) {
  if (request.holes)
    return job.packed ? writeScalars(job, drawnGlobal(job.tensor)) : Result<void>();
  if (!job.packed)
    return produceWide(job);
  return request.fastWeights ? drawPacked(job) : producePacked(job);
}

void CheckpointMaker::fill(const LogicalTensor &tensor, int64_t begin, int64_t count, float *values) const {
  bool fast = request.fastWeights && tensor.shape.size() == 2;
  (fast ? fillWeightsFast : fillWeights)(request.seed, tensor, begin, count, values);
}

Result<void> CheckpointMaker::produceWide(const Job &job) {
  int64_t total = job.tensor.elements();
  std::vector<float> values;
  std::vector<uint16_t> halves;
  for (int64_t begin = 0; begin < total; begin += kValuesAtOnce) {
    int64_t count = std::min(kValuesAtOnce, total - begin);
    values.resize(count);
    fill(job.tensor, begin, count, values.data());
    Result<void> done;
    if (job.dtype == "F32") {
      done = writer.write(job.values, 4 * begin, values.data(), 4 * count);
    } else {
      halves.resize(count);
      std::transform(values.begin(), values.end(), halves.begin(), job.dtype == "F16" ? toFloat16 : toBfloat16);
      done = writer.write(job.values, 2 * begin, halves.data(), 2 * count);
    }
    if (!done)
      return done;
    report((job.dtype == "F32" ? 4 : 2) * count);
  }
  return {};
}

/// What a quantizer reads: the bfloat16 checkpoint.
void throughBfloat16(std::vector<float> &values) {
  for (float &value : values)
    value = fromBfloat16(toBfloat16(value));
}

float CheckpointMaker::largest(const LogicalTensor &tensor) const {
  std::vector<float> values;
  float amax = 0;
  for (int64_t begin = 0; begin < tensor.elements(); begin += kValuesAtOnce) {
    values.resize(std::min(kValuesAtOnce, tensor.elements() - begin));
    fill(tensor, begin, static_cast<int64_t>(values.size()), values.data());
    throughBfloat16(values);
    for (float value : values)
      amax = std::max(amax, std::fabs(value));
  }
  return amax;
}

/// The other half of a gate and up pair, under its name; empty for other modules.
std::string partnerOf(const std::string &name) {
  for (auto [from, to] :
       {std::pair{"gate_proj.weight", "up_proj.weight"}, std::pair{"up_proj.weight", "gate_proj.weight"}})
    if (name.ends_with(from))
      return name.substr(0, name.size() - std::string(from).size()) + to;
  return {};
}

float CheckpointMaker::chooseGlobal(const LogicalTensor &tensor) const {
  std::string partner = partnerOf(tensor.name);
  bool tied = request.tieGateUp && !partner.empty();
  float global;
  if (request.fastWeights) {
    global = drawnGlobal(tensor);
    if (!tied && tensor.name.ends_with("up_proj.weight"))
      global *= 1.25f;
  } else {
    float amax = largest(tensor);
    if (tied)
      amax = std::max(amax, largest({partner, tensor.shape, true}));
    global = globalScale(amax);
  }
  std::string key = tied ? std::min(tensor.name, partner) : tensor.name;
  int power = request.spreadScales ? static_cast<int>(Stream(request.seed, key + ".spread").bits(0) % 16) : 0;
  return std::ldexp(global, power);
}

Result<void> CheckpointMaker::producePacked(const Job &job) {
  int64_t rows = job.tensor.shape[0], columns = job.tensor.shape[1];
  float global = chooseGlobal(job.tensor);
  ZeroBlock zero = isModelOpt() ? ZeroBlock::One : ZeroBlock::Eighth;
  int64_t rowsAtOnce = std::max<int64_t>(1, kValuesAtOnce / columns);
  std::vector<float> values;
  std::vector<uint8_t> codes, scales;
  for (int64_t row = 0; row < rows; row += rowsAtOnce) {
    int64_t count = std::min(rowsAtOnce, rows - row);
    values.resize(count * columns);
    codes.resize(count * columns / 2);
    scales.resize(count * columns / kBlock);
    fill(job.tensor, row * columns, count * columns, values.data());
    throughBfloat16(values);
    quantizeRow(values.data(), count * columns, global, zero, codes.data(), scales.data());
    if (auto done = writer.write(job.values, row * columns / 2, codes.data(), codes.size()); !done)
      return done;
    if (auto done = writer.write(job.scales, row * columns / kBlock, scales.data(), scales.size()); !done)
      return done;
    report(codes.size() + scales.size());
  }
  return writeScalars(job, global);
}

/// `bytes` of the stream, eight at a time.
Result<void> drawBytes(const Stream &stream, uint64_t bytes, const std::function<uint64_t(uint64_t)> &shape,
                       const std::function<Result<void>(uint64_t, const void *, uint64_t)> &write) {
  constexpr uint64_t kWords = 1 << 18;
  std::vector<uint64_t> words(std::min(kWords, bytes / 8 + 1));
  for (uint64_t offset = 0; offset < bytes; offset += words.size() * 8) {
    for (uint64_t i = 0; i < words.size(); ++i)
      words[i] = shape(stream.bits(offset / 8 + i));
    if (auto done = write(offset, words.data(), std::min<uint64_t>(words.size() * 8, bytes - offset)); !done)
      return done;
  }
  return {};
}

Result<void> CheckpointMaker::drawPacked(const Job &job) {
  uint64_t elements = job.tensor.elements();
  auto into = [&](size_t tensor) {
    return [this, tensor](uint64_t offset, const void *data, uint64_t bytes) {
      report(bytes);
      return writer.write(tensor, offset, data, bytes);
    };
  };
  if (auto done = drawBytes(
          Stream(request.seed, job.tensor.name), elements / 2, [](uint64_t word) { return word; }, into(job.values));
      !done)
    return done;
  // Scale bytes 0x30 .. 0x3F: 0.5 to 1.875.
  auto scale = [](uint64_t word) { return (word & 0x0F0F0F0F0F0F0F0F) | 0x3030303030303030; };
  if (auto done =
          drawBytes(Stream(request.seed, job.tensor.name + ".scale"), elements / kBlock, scale, into(job.scales));
      !done)
    return done;
  return writeScalars(job, chooseGlobal(job.tensor));
}

Result<void> CheckpointMaker::writeScalars(const Job &job, float global) {
  float stored = isModelOpt() ? global : 1 / global;
  if (auto done = writer.write(job.global, 0, &stored, sizeof(float)); !done)
    return done;
  if (!request.inputScales)
    return {};
  // Activations after a norm rarely exceed 6; gate and up read the same input.
  std::string partner = partnerOf(job.tensor.name);
  double draw = std::fabs(
      Stream(request.seed, (partner.empty() ? job.tensor.name : std::min(job.tensor.name, partner)) + ".input")
          .normal(0));
  float input = static_cast<float>((4 + draw) / 2688);
  stored = isModelOpt() ? input : 1 / input;
  return writer.write(job.input, 0, &stored, sizeof(float));
}

void CheckpointMaker::report(uint64_t bytes) {
  if (!request.progress)
    return;
  std::lock_guard guard(reportLock);
  written += bytes;
  if (written - reported < writer.totalBytes() / 100)
    return;
  reported = written;
  fmt::print(stderr, "\rwriting {:3}% of {:.2f} GiB", 100 * written / writer.totalBytes(),
             static_cast<double>(writer.totalBytes()) / (1 << 30));
}

Result<void> writeJson(const std::filesystem::path &path, const Json &value) {
  std::ofstream out(path);
  out << value.dump(2) << '\n';
  if (!out.flush())
    return Error{fmt::format("{}: file must be writable, but found an error", path.filename().string())};
  return {};
}

Result<void> CheckpointMaker::writeConfigs(const Packing &packing) const {
  Json config = request.config;
  if (Json entry = packing.configEntry(); !entry.is_null())
    config["quantization_config"] = entry;
  if (auto done = writeJson(folder / "config.json", config); !done)
    return done;
  Json generation = {{"temperature", 1.0}, {"top_p", 0.95}};
  for (const char *key : {"eos_token_id", "pad_token_id"})
    if (config.contains(key))
      generation[key] = config[key];
  if (auto done = writeJson(folder / "generation_config.json", generation); !done)
    return done;
  Json side = packing.sideFile();
  return side.is_null() ? Result<void>() : writeJson(folder / "hf_quant_config.json", side);
}

} // namespace

Result<void> makeCheckpoint(const CheckpointRequest &request, const std::filesystem::path &folder) {
  std::error_code error;
  if (std::filesystem::exists(folder, error))
    return Error{fmt::format("{}: folder must not exist yet, but found one", folder.string())};
  std::filesystem::path temporary = folder;
  temporary += fmt::format(".partial-{}", getpid());
  std::filesystem::create_directories(temporary, error);
  if (error)
    return Error{fmt::format("{}: folder must be writable, but found {}", temporary.string(), error.message())};
  Result<void> done = CheckpointMaker(request, temporary).run();
  if (done) {
    std::filesystem::rename(temporary, folder, error);
    if (error)
      done = Error{fmt::format("{}: renaming must succeed, but found {}", folder.string(), error.message())};
  }
  if (!done)
    std::filesystem::remove_all(temporary, error);
  return done;
}

} // namespace glm::test
