// Records what tapped launches leave in their buffers, per sequence (`glm-run run --trace`).
#pragma once

#include "runtime/artifact/Safetensors.h"
#include "runtime/exec/Executor.h"

#include <map>

namespace glm {

class Trace final : public StepObserver {
public:
  explicit Trace(Executor &executor) : executor(&executor) {}

  void stepBegins(const Step &step, int64_t program) override;
  void launchDone(int64_t launch, int64_t rows, double seconds) override;

  /// One tensor per sequence and tap, "<sequence>.<tap name>": [rows fed, width] in the order of positions, such as
  /// "0.index.6" and "2.experts.3". A tap on a launch over output rows has those rows only.
  Result<void> write(const std::filesystem::path &path) const;

private:
  struct Tensor {
    std::string dtype;
    int64_t width = 0;
    int64_t rows = 0;
    std::vector<uint8_t> bytes;
  };

  Executor *executor;
  const Step *step = nullptr;
  int64_t program = 0;
  std::map<std::string, Tensor> tensors;
};

} // namespace glm
