// Where the time of a run goes, by kernel family.
#pragma once

#include "runtime/exec/Executor.h"

#include <map>

namespace glm {

/// A kernel's name up to its types and shape: the words before the first one that contains a digit.
/// moe_gemm_bf16_nvfp4_m16n128k256s4 is moe_gemm.
std::string kernelFamily(const std::string &kernel);

class Profile final : public StepObserver {
public:
  struct Family {
    std::string name;
    int64_t launches = 0;
    double seconds = 0;
  };

  explicit Profile(const Manifest &manifest);
  void stepBegins(const Step &step, int64_t program) override;
  void launchDone(int64_t launch, int64_t rows, double seconds) override;

  int64_t steps() const { return stepCount; }
  double seconds() const;
  /// Families that ran, the most expensive first.
  std::vector<Family> families() const;

private:
  const Manifest *manifest;
  std::vector<int64_t> familyOfKernel; ///< index into all
  std::vector<Family> all;
  int64_t program = 0;
  int64_t stepCount = 0;
};

} // namespace glm
