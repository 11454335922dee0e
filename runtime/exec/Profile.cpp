#include "runtime/exec/Profile.h"

#include <algorithm>
#include <cctype>
#include <iterator>

namespace glm {

std::string kernelFamily(const std::string &kernel) {
  size_t end = 0;
  while (end < kernel.size()) {
    size_t next = std::min(kernel.find('_', end + 1), kernel.size());
    if (std::any_of(kernel.begin() + end, kernel.begin() + next, [](unsigned char c) { return std::isdigit(c); }))
      break;
    end = next;
  }
  return end == 0 ? kernel : kernel.substr(0, end);
}

Profile::Profile(const Manifest &manifest) : manifest(&manifest) {
  std::map<std::string, int64_t> known;
  for (const Kernel &kernel : manifest.kernels) {
    auto [family, isNew] = known.try_emplace(kernelFamily(kernel.name), static_cast<int64_t>(all.size()));
    if (isNew)
      all.push_back({family->first, 0, 0});
    familyOfKernel.push_back(family->second);
  }
}

void Profile::stepBegins(const Step &, int64_t newProgram) {
  program = newProgram;
  ++stepCount;
}

void Profile::launchDone(int64_t launch, int64_t, double seconds) {
  Family &family = all[familyOfKernel[manifest->programs[program].launches[launch].kernel]];
  ++family.launches;
  family.seconds += seconds;
}

double Profile::seconds() const {
  double sum = 0;
  for (const Family &family : all)
    sum += family.seconds;
  return sum;
}

std::vector<Profile::Family> Profile::families() const {
  std::vector<Family> ran;
  std::copy_if(all.begin(), all.end(), std::back_inserter(ran),
               [](const Family &family) { return family.launches > 0; });
  std::stable_sort(ran.begin(), ran.end(), [](const Family &a, const Family &b) { return a.seconds > b.seconds; });
  return ran;
}

} // namespace glm
