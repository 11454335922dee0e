// Any stored weight as float32: BF16, F16, F32, and NVFP4 in ModelOpt's and compressed-tensors' layout.
#pragma once

#include "runtime/artifact/Checkpoint.h"
#include "test/numerics/Matrix.h"
#include "test/numerics/Mistake.h"

#include <string>

namespace glm::test {

class CheckpointWeights {
public:
  CheckpointWeights(Checkpoint checkpoint, Mistake mistake) : checkpoint(std::move(checkpoint)), mistake(mistake) {}

  /// `module`.weight [out, in], dequantized where it is packed: E2M1[code] * (E4M3[scale] * global), the scales
  /// multiplied in float32 first. compressed-tensors stores 1 / global. Throws std::runtime_error if it is not there.
  Matrix matrix(const std::string &module) const;

  /// A tensor of one dimension.
  std::vector<float> vector(const std::string &name) const;

  bool has(const std::string &name) const { return checkpoint.contains(name); }

private:
  std::vector<float> wide(const Checkpoint::Entry &entry) const;
  Matrix packed(const std::string &module, const Checkpoint::Entry &codes) const;
  float globalScale(const std::string &module) const;
  Checkpoint::Entry need(const std::string &name) const;

  Checkpoint checkpoint;
  Mistake mistake;
};

} // namespace glm::test
