#include "runtime/exec/WeightTraffic.h"

#include "runtime/exec/Profile.h"

#include <cstring>
#include <unordered_set>

namespace glm {

static bool gathers(const Manifest &manifest, const Launch &launch) {
  return kernelFamily(manifest.kernels[launch.kernel].name) == "embed";
}

WeightTraffic::WeightTraffic(Executor &executor, const Weights &weights) : executor(&executor) {
  for (const Program &each : executor.manifest().programs)
    shares.push_back(sharesOf(each, weights));
}

std::vector<WeightTraffic::Share> WeightTraffic::sharesOf(const Program &each, const Weights &weights) const {
  const Manifest &manifest = executor->manifest();
  std::vector<Share> result(each.launches.size());
  std::unordered_set<int64_t> counted;
  for (size_t i = 0; i < each.launches.size(); ++i)
    for (const Argument &argument : each.launches[i].arguments) {
      if (argument.kind != Argument::Kind::Weight)
        continue;
      const Weight &weight = manifest.weights[argument.index];
      double bytes = static_cast<double>(weights.bytes(argument.index));
      if (weight.form == WeightForm::Data && !weight.shape.empty() && gathers(manifest, each.launches[i]))
        result[i].perRow += bytes / static_cast<double>(weight.shape[0]);
      else if (!counted.insert(argument.index).second)
        continue;
      else if (weight.form == WeightForm::Table && weight.count == manifest.experts)
        result[i].experts += bytes;
      else
        result[i].whole += bytes;
    }
  return result;
}

void WeightTraffic::stepBegins(const Step &, int64_t newProgram) {
  program = newProgram;
  touched = 1;
}

int64_t WeightTraffic::distinctExperts(const Tap &tap, int64_t rows) {
  std::vector<bool> chosen(executor->manifest().experts, false);
  const uint8_t *ids = executor->view(tap.buffer, rows * tap.width * sizeof(int32_t));
  int64_t distinct = 0;
  for (int64_t i = 0; i < rows * tap.width; ++i) {
    int32_t expert;
    std::memcpy(&expert, ids + i * sizeof expert, sizeof expert);
    if (expert < 0 || expert >= static_cast<int64_t>(chosen.size()) || chosen[expert])
      continue;
    chosen[expert] = true;
    ++distinct;
  }
  return distinct;
}

void WeightTraffic::launchDone(int64_t index, int64_t rows, double) {
  const Manifest &manifest = executor->manifest();
  for (const Tap &tap : manifest.programs[program].launches[index].taps)
    if (tap.name.starts_with("experts.") && tap.dtype == "I32" && manifest.experts > 0)
      touched = static_cast<double>(distinctExperts(tap, rows)) / static_cast<double>(manifest.experts);
  const Share &share = shares[program][index];
  sum += share.whole + share.perRow * static_cast<double>(rows) + share.experts * touched;
}

} // namespace glm
