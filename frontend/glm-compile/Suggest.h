// Answers to flags that glm-compile does not have.
#pragma once

#include <string>
#include <vector>

namespace glm {

/// One line about an unknown `word` of the command line (`--flag` or `--flag=value`): what a flag of vLLM,
/// SGLang, TensorRT-LLM, llama.cpp, IREE or clang is called here, or the nearest of `flags` (with their dashes).
std::string explainUnknownFlag(const std::string &word, const std::vector<std::string> &flags);

} // namespace glm
