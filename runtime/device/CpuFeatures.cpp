#include "runtime/device/CpuFeatures.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <unordered_map>

namespace glm {

// LLVM writes avx512bf16 and sse4.2 where the kernel writes avx512_bf16 and sse4_2.
static std::string withoutPunctuation(const std::string &name) {
  std::string letters;
  std::copy_if(name.begin(), name.end(), std::back_inserter(letters),
               [](char c) { return c != '_' && c != '.' && c != '-' && c != '+'; });
  return letters;
}

// Names that differ by more than punctuation: LLVM's X86.td against the kernel's cpufeatures.h.
static std::string kernelSpelling(const std::string &feature) {
  static const std::unordered_map<std::string, std::string> others = {
      {"64bit", "lm"},     {"bmi", "bmi1"},    {"crc32", "sse42"}, {"lzcnt", "abm"}, {"prfchw", "3dnowprefetch"},
      {"rdrnd", "rdrand"}, {"sahf", "lahflm"}, {"sha", "shani"},   {"sse3", "pni"},  {"x87", "fpu"},
  };
  std::string letters = withoutPunctuation(feature);
  auto found = others.find(letters);
  return found == others.end() ? letters : found->second;
}

std::set<std::string> cpuFlags() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("flags"))
      continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    return {std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()};
  }
  return {};
}

std::vector<std::string> missingFeatures(const std::vector<std::string> &wanted, const std::set<std::string> &flags) {
  std::set<std::string> present;
  for (const std::string &flag : flags)
    present.insert(withoutPunctuation(flag));
  std::vector<std::string> missing;
  for (const std::string &feature : wanted)
    if (!present.contains(kernelSpelling(feature)))
      missing.push_back(feature);
  return missing;
}

} // namespace glm
