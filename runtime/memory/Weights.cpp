#include "runtime/memory/Weights.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unordered_map>
#include <unordered_set>

namespace glm {

static std::string describe(const std::string &dtype, const std::vector<int64_t> &shape) {
  return fmt::format("{} [{}]", dtype, fmt::join(shape, ", "));
}

static bool acceptsDtype(const std::string &expected, const std::string &found) {
  return expected == found || (expected == "F8_E4M3" && found == "U8");
}

static bool acceptsShape(const Weight &weight, const std::vector<int64_t> &found) {
  if (weight.form == WeightForm::Scalars)
    return found.empty() || found == std::vector<int64_t>{1};
  return weight.shape == found;
}

static Result<Checkpoint::Entry> findTensor(const Weight &weight, int64_t index, const Checkpoint &checkpoint) {
  std::string name = expandPattern(weight.name, index);
  Checkpoint::Entry entry = checkpoint.find(name);
  std::string expected =
      weight.form == WeightForm::Scalars ? weight.dtype + " [] or [1]" : describe(weight.dtype, weight.shape);
  if (!entry.info)
    return Error{fmt::format("{}: the program expects {}, but found no such tensor in the checkpoint", name, expected)};
  if (!acceptsDtype(weight.dtype, entry.info->dtype) || !acceptsShape(weight, entry.info->shape))
    return Error{fmt::format("{}: the program expects {}, but found {}", name, expected,
                             describe(entry.info->dtype, entry.info->shape))};
  return entry;
}

static float halfToFloat(uint16_t half) {
  int exponent = half >> 10 & 31;
  int mantissa = half & 1023;
  float magnitude = exponent == 31  ? (mantissa ? NAN : INFINITY)
                    : exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24)
                                    : std::ldexp(static_cast<float>(1024 + mantissa), exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

/// A number of the file as float32; offsets in a safetensors file need not be aligned.
static Result<float> readScalar(const std::string &name, const Checkpoint::Entry &entry) {
  const std::string &dtype = entry.info->dtype;
  uint16_t half = 0;
  float value = 0;
  if (dtype == "F32") {
    std::memcpy(&value, entry.data(), sizeof value);
    return value;
  }
  std::memcpy(&half, entry.data(), std::min<uint64_t>(sizeof half, entry.info->bytes));
  if (dtype == "BF16")
    return std::bit_cast<float>(static_cast<uint32_t>(half) << 16);
  if (dtype == "F16")
    return halfToFloat(half);
  return Error{fmt::format("{}: a scalar must be F32, BF16 or F16, but found {}", name, dtype)};
}

static Result<float> gatherScalar(const Weight &weight, int64_t index, const Checkpoint::Entry &entry) {
  std::string name = expandPattern(weight.name, index);
  Result<float> stored = readScalar(name, entry);
  if (!stored)
    return stored;
  if (!std::isfinite(*stored) || *stored <= 0)
    return Error{fmt::format("{}: the scale must be finite and greater than 0, but found {}", name, *stored)};
  if (!weight.reciprocal)
    return stored;
  float inverse = 1.0f / *stored;
  if (!std::isfinite(inverse) || inverse <= 0)
    return Error{fmt::format("{}: the inverse of the scale must be finite and greater than 0, but found {} for {}",
                             name, inverse, *stored)};
  return inverse;
}

Result<Weights> Weights::resolve(const Manifest &manifest, const Checkpoint &checkpoint) {
  Weights weights;
  weights.manifest = &manifest;
  size_t count = manifest.weights.size();
  weights.entries.resize(count);
  weights.numbers.resize(count);
  weights.pieces.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const Weight &weight = manifest.weights[i];
    for (int64_t index = 0; index < weight.count && !weight.filled; ++index) {
      Result<Checkpoint::Entry> entry = findTensor(weight, index, checkpoint);
      if (!entry)
        return entry.error();
      weights.entries[i].push_back(*entry);
      if (weight.form != WeightForm::Scalars)
        continue;
      Result<float> scalar = gatherScalar(weight, index, *entry);
      if (!scalar)
        return scalar.error();
      weights.numbers[i].push_back(*scalar);
    }
  }
  return weights;
}

// Kernels may count on it, and on more than it of nothing (KernelAbi.h).
static constexpr uint64_t kAlignment = 256;

static uint64_t aligned(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// Of each tensor of a weight that is filled.
static uint64_t filledBytes(const Weight &weight) {
  uint64_t bytes = 1;
  for (int64_t size : weight.shape)
    bytes *= static_cast<uint64_t>(size);
  return bytes;
}

class Weights::Placing {
public:
  Placing(Weights &weights, Device &device, const std::function<void(uint64_t)> &report)
      : weights(weights), manifest(*weights.manifest), device(device), report(report),
        isStaged(weights.entries.size(), false) {}

  Result<Allocation> run() {
    weights.addresses.assign(manifest.weights.size(), nullptr);
    Result<Allocation> memory = reserveFilled();
    if (!memory)
      return memory;
    findStaged();
    for (size_t i = 0; i < manifest.weights.size(); ++i)
      if (!isStaged[i])
        if (Result<void> placed = place(i); !placed)
          return placed.error();
    if (Result<void> filled = fill(); !filled)
      return filled.error();
    return memory;
  }

private:
  void findStaged() {
    auto mark = [&](const Launch &launch, bool value) {
      for (const Argument &argument : launch.arguments)
        if (argument.kind == Argument::Kind::Weight)
          isStaged[argument.index] = value && !weights.entries[argument.index].empty() &&
                                     manifest.weights[argument.index].form != WeightForm::Scalars;
    };
    for (const Launch &launch : manifest.load)
      mark(launch, true);
    for (const Program &program : manifest.programs)
      for (const Launch &launch : program.launches)
        mark(launch, false);
  }

  /// One piece of memory: drivers hand it out in units far larger than a small weight.
  Result<Allocation> reserveFilled() {
    uint64_t bytes = 0;
    for (const Weight &weight : manifest.weights)
      bytes += weight.filled ? weight.count * aligned(filledBytes(weight)) : 0;
    Result<Allocation> memory = device.allocate(bytes);
    if (!memory)
      return memory;
    char *next = static_cast<char *>(memory->address());
    for (size_t i = 0; i < manifest.weights.size(); ++i) {
      const Weight &weight = manifest.weights[i];
      weights.pieces[i].clear();
      for (int64_t index = 0; index < weight.count && weight.filled; ++index) {
        weights.pieces[i].push_back(next);
        next += aligned(filledBytes(weight));
      }
    }
    return memory;
  }

  Result<void> place(size_t number) {
    const Weight &weight = manifest.weights[number];
    std::vector<void *> &pieces = weights.pieces[number];
    const std::vector<float> &numbers = weights.numbers[number];
    if (weight.form == WeightForm::Scalars)
      return keep(number, device.makeResident(numbers.data(), numbers.size() * sizeof(float)));
    for (const Checkpoint::Entry &entry : weights.entries[number]) {
      Result<void *> address = tensor(entry);
      if (!address)
        return address.error();
      pieces.push_back(*address);
    }
    return keep(number, weight.form == WeightForm::Data
                            ? Result<void *>(pieces.front())
                            : device.makeResident(pieces.data(), pieces.size() * sizeof(void *)));
  }

  Result<void> keep(size_t number, Result<void *> address) {
    if (!address)
      return address.error();
    weights.addresses[number] = *address;
    return {};
  }

  Result<void *> tensor(const Checkpoint::Entry &entry) {
    if (auto found = resident.find(entry.info); found != resident.end())
      return found->second;
    Result<void *> address = device.makeResident(entry.data(), entry.info->bytes);
    if (!address)
      return address;
    resident[entry.info] = *address;
    tell(entry);
    return address;
  }

  void tell(const Checkpoint::Entry &entry) {
    done += entry.info->bytes;
    if (report)
      report(done);
  }

  Result<void> fill() {
    uint64_t most = 0;
    for (const Launch &launch : manifest.load) {
      uint64_t bytes = 0;
      for (const Argument &argument : launch.arguments)
        if (isStaged[argument.index])
          bytes += aligned(weights.entries[argument.index].front().info->bytes);
      most = std::max(most, bytes);
    }
    Result<Allocation> staging = device.allocate(most);
    if (!staging)
      return staging.error();
    // Work of a device is ordered: what a kernel still reads is not written over.
    for (const Launch &launch : manifest.load)
      for (int64_t index = 0; index < manifest.weights[launch.arguments.front().index].count; ++index)
        fillTensor(launch, index, static_cast<char *>(staging->address()));
    return manifest.load.empty() ? Result<void>() : device.synchronize();
  }

  void fillTensor(const Launch &launch, int64_t index, char *staging) {
    Call call{launch.kernel, launch.blocks, launch.rows, {}};
    for (const Argument &argument : launch.arguments) {
      void *address = weights.addresses[argument.index];
      if (isStaged[argument.index]) {
        const Checkpoint::Entry &entry = weights.entries[argument.index][index];
        address = staging;
        device.upload(address, entry.data(), entry.info->bytes);
        staging += aligned(entry.info->bytes);
        tell(entry);
      } else if (manifest.weights[argument.index].form != WeightForm::Scalars) {
        address = weights.pieces[argument.index][index];
      }
      call.arguments.push_back(address);
    }
    device.launch(call);
  }

  Weights &weights;
  const Manifest &manifest;
  Device &device;
  const std::function<void(uint64_t)> &report;
  std::vector<bool> isStaged; ///< by weight: it comes to the device only for the launch that reads it
  uint64_t done = 0;
  std::unordered_map<const TensorInfo *, void *> resident; ///< tied tensors share their memory
};

Result<Allocation> Weights::place(Device &device, const std::function<void(uint64_t)> &report) {
  return Placing(*this, device, report).run();
}

uint64_t Weights::bytes(int64_t weight) const {
  if (!numbers[weight].empty())
    return numbers[weight].size() * sizeof(float);
  const Weight &described = manifest->weights[weight];
  uint64_t sum = described.filled ? described.count * filledBytes(described) : 0;
  for (const Checkpoint::Entry &entry : entries[weight])
    sum += entry.info->bytes;
  return sum;
}

uint64_t residentBytes(const Manifest &manifest, const Weights &weights) {
  std::unordered_set<const TensorInfo *> seen;
  uint64_t sum = 0;
  for (size_t i = 0; i < manifest.weights.size(); ++i)
    for (const Checkpoint::Entry &entry : weights.tensors(i))
      if (seen.insert(entry.info).second)
        sum += entry.info->bytes;
  return sum;
}

} // namespace glm
