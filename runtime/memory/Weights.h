// What kernels read as constants: where each weight argument points, and the checks that make it safe to point there.
#pragma once

#include "runtime/artifact/Checkpoint.h"
#include "runtime/artifact/Manifest.h"
#include "runtime/device/Device.h"

#include <functional>
#include <span>

namespace glm {

class Weights {
public:
  /// Find every tensor that the manifest names; refuse one that is missing or has another dtype or shape than the code
  /// was made for, and a scalar that is not finite and greater than 0. Reads headers and scalars only.
  /// The checkpoint must outlive the result.
  static Result<Weights> resolve(const Manifest &manifest, const Checkpoint &checkpoint);

  /// Make everything readable by the device's kernels, which are loaded, and launch those of the load program. `report` is told the bytes of the
  /// checkpoint that are done, tensor by tensor. The result is the memory of what was filled: keep it as long as the device.
  Result<Allocation> place(Device &device, const std::function<void(uint64_t)> &report = {});

  /// The argument of a kernel for a weight of the manifest (WeightForm); after `place`.
  void *address(int64_t weight) const { return addresses[weight]; }

  /// The checkpoint's tensors behind a weight, in order; none behind one that is filled.
  std::span<const Checkpoint::Entry> tensors(int64_t weight) const { return entries[weight]; }

  /// Bytes that a kernel finds behind a weight: all of its tensors, or its scalars in float32.
  uint64_t bytes(int64_t weight) const;

private:
  /// The way of one set of weights to one device.
  class Placing;

  const Manifest *manifest = nullptr;
  std::vector<std::vector<Checkpoint::Entry>> entries;
  std::vector<std::vector<float>> numbers; ///< of scalars
  std::vector<std::vector<void *>> pieces; ///< of data and tables: the address of each tensor
  std::vector<void *> addresses;
};

/// Sum of the bytes of every checkpoint tensor that the weights use, each counted once.
uint64_t residentBytes(const Manifest &manifest, const Weights &weights);

} // namespace glm
