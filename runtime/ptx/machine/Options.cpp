#include "runtime/ptx/machine/Launch.h"

#include <charconv>
#include <cstdlib>
#include <fmt/format.h>

namespace glm::ptx {
namespace {

template <typename T>
Result<void> readNumber(const char *name, T &value) {
  const char *text = std::getenv(name);
  if (!text)
    return {};
  std::string_view word = text;
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size())
    return Error{fmt::format("environment: {} must be a number, but found {}", name, word)};
  return {};
}

} // namespace

Result<Options> optionsFromEnvironment() {
  Options options;
  uint32_t checks = 1;
  for (const Result<void> &read : {readNumber("GLM_PTX_CHECKS", checks), readNumber("GLM_PTX_THREADS", options.threads),
                                   readNumber("GLM_PTX_STEP_LIMIT", options.stepLimit)})
    if (!read)
      return read.error();
  if (checks > 1)
    return Error{fmt::format("environment: GLM_PTX_CHECKS must be 0 or 1, but found {}", checks)};
  options.checks = checks == 1;
  if (const char *sums = std::getenv("GLM_PTX_SUMS")) {
    options.alignedSums = std::string_view(sums) == "aligned";
    if (!options.alignedSums && std::string_view(sums) != "fused")
      return Error{fmt::format("environment: GLM_PTX_SUMS must be fused or aligned, but found {}", sums)};
  }
  if (const char *path = std::getenv("GLM_PTX_PROFILE"))
    options.profilePath = path;
  return options;
}

} // namespace glm::ptx
