// Of Weights: the way to a device. What the load program fills has its memory first; what stays as it is stored follows; what is only read to
// fill something comes last, tensor by tensor.
#include "runtime/memory/Weights.h"

#include <algorithm>
#include <unordered_map>

namespace glm {

// Kernels may count on it, and on more than it of nothing (KernelAbi.h).
static constexpr uint64_t kAlignment = 256;

static uint64_t aligned(uint64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

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
      bytes += weight.filled ? weight.count * aligned(weight.shape.front()) : 0;
    Result<Allocation> memory = device.allocate(bytes);
    if (!memory)
      return memory;
    char *next = static_cast<char *>(memory->address());
    for (size_t i = 0; i < manifest.weights.size(); ++i) {
      const Weight &weight = manifest.weights[i];
      weights.pieces[i].clear();
      for (int64_t index = 0; index < weight.count && weight.filled; ++index) {
        weights.pieces[i].push_back(next);
        next += aligned(weight.shape.front());
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
    if (manifest.load.empty())
      return {};
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
    Result<void> done = device.synchronize();
    return done ? done : Error{"program load: " + done.error().message};
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

} // namespace glm
