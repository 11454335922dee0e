// One instruction on many sets of registers: every set is the work of one warp, so that a form's probes are one launch.
#pragma once

#include "test/runtime/ptx/harness/Harness.h"

#include <string>
#include <vector>

namespace glm::ptx::test {

/// Registers of 32 lanes.
using Register = std::array<uint64_t, 32>;
using RegisterSet = std::vector<Register>;

class WarpKernel {
public:
  /// `body` reads %in0, %in1, ... and writes %out0, ...; each is .b32, .b64 or .f32 and so on as the types say.
  WarpKernel(std::string_view chip, std::vector<std::string> inputTypes, std::vector<std::string> outputTypes,
             std::string body);

  std::string text() const;
  /// Each set's outputs. The test fails if the text does not load or faults.
  std::vector<RegisterSet> run(const std::vector<RegisterSet> &sets);
  /// The message of the refusal or the fault; "" for none.
  std::string failure(const RegisterSet &set);

private:
  std::string chip;
  std::vector<std::string> inputTypes, outputTypes;
  std::string body;
};

/// "{%in4, %in5}"; without braces for one register if `bare`.
std::string vectorOf(std::string_view name, int first, int count);

} // namespace glm::ptx::test
