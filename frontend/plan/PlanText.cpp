// Of Plan.h: the plan for people. One fact a line, both units where people compare with either.
#include "frontend/plan/Figures.h"
#include "frontend/plan/Plan.h"

#include <algorithm>

namespace glm {
namespace {

std::string both(double bytes) { return fmt::format("{} = {}", gb(bytes), gib(bytes)); }

std::string line(const std::string &title, const std::string &text) { return fmt::format("{:<11}  {}\n", title, text); }

std::string words(const char *name) {
  std::string text = name;
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

/// The units of the tables: one for all rows of a plan, so that they can be compared by eye.
struct Units {
  explicit Units(const Plan &plan) : small(plan.checkpointBytes < kSmall) {}

  const char *decimal() const { return small ? "MB" : "GB"; }
  const char *binary() const { return small ? "MiB" : "GiB"; }
  double inDecimal(uint64_t bytes) const { return bytes / (small ? 1e6 : 1e9); }
  double inBinary(uint64_t bytes) const { return bytes / (small ? 0x1p20 : 0x1p30); }

  bool small;
};

std::string classTable(const Plan &plan) {
  Units units(plan);
  auto row = [&](const std::string &name, const std::string &parameters, uint64_t bytes, uint64_t perToken) {
    return fmt::format("{:<15} {:>19} {:>11.3f} {:>11.3f} {:>15.3f}\n", name, parameters, units.inDecimal(bytes),
                       units.inBinary(bytes), units.inDecimal(perToken));
  };
  std::string text = fmt::format("{:<15} {:>19} {:>11} {:>11} {:>15}\n", "class", "parameters", units.decimal(),
                                 units.binary(), fmt::format("{} per token", units.decimal()));
  uint64_t perToken = 0;
  for (WeightClass weightClass : kWeightClasses) {
    auto found = plan.classes.find(weightClass);
    if (found == plan.classes.end())
      continue;
    const ClassSizes &sizes = found->second;
    perToken += sizes.bytesPerToken;
    text += row(words(className(weightClass)), grouped(sizes.parameters), sizes.bytes, sizes.bytesPerToken);
  }
  if (plan.unusedBytes > 0)
    text += row("unused", "", plan.unusedBytes, 0);
  return text + row("total", grouped(plan.parameters), plan.checkpointBytes, perToken);
}

std::string precisionTable(const Plan &plan) {
  Units units(plan);
  std::string text = fmt::format("{:<35} {:>11} {:>11}\n", "stored as", units.decimal(), units.binary());
  for (const auto &[precision, bytes] : plan.bytesByPrecision)
    text += fmt::format("{:<35} {:>11.3f} {:>11.3f}\n", precision, units.inDecimal(bytes), units.inBinary(bytes));
  return text;
}

std::string modelLines(const Plan &plan) {
  std::string mtp = plan.mtpLayers > 0 ? " and an MTP layer" : "";
  return line("model", fmt::format("{} layers{}, {} with an indexer; {} experts, {} per token", plan.layers, mtp,
                                   plan.indexerLayers, plan.experts, plan.expertsPerToken)) +
         line("parameters", fmt::format("{}, of which {} multiply one token", grouped(plan.parameters),
                                        grouped(plan.activeParameters))) +
         line("checkpoint", fmt::format("{} in {}: {}", counted(plan.tensors, "tensor"), counted(plan.files, "file"),
                                        both(plan.checkpointBytes)));
}

std::string cacheLines(const Plan &plan) {
  std::string text, title = "cache";
  for (const auto &[type, bytes] : plan.cacheByType) {
    text += line(title, fmt::format("{:<4} {:>8} B a token: latent {}, index keys {}", type, grouped(bytes.total()),
                                    grouped(bytes.latent), grouped(bytes.indexKeys)));
    title.clear();
  }
  if (plan.mtpCache > 0)
    text += line("", fmt::format("and {} B more in {} where the MTP layer drafts, which nothing below counts",
                                 grouped(plan.mtpCache), plan.request.cache));
  return text;
}

std::string rankLines(const Plan &plan) {
  uint64_t perToken = 0;
  for (const auto &[weightClass, sizes] : plan.classes)
    perToken += sizes.bytesPerRank;
  std::string ranks = "1, all of the model";
  if (plan.request.ranks > 1)
    ranks =
        fmt::format("{}, tensor parallel: heads, MLPs, experts and vocabulary divided; q_a, kv_a, indexer, routers, "
                    "norms and eh_proj ({}) on each",
                    plan.request.ranks, gb(plan.replicatedBytes));
  std::string mtp = plan.mtpRankBytes > 0 ? fmt::format(", {} of them for the MTP layer", gb(plan.mtpRankBytes)) : "";
  std::string replicated = plan.request.ranks > 1 ? ", all of it on every rank" : "";
  return line("ranks", ranks) + line("weights", fmt::format("{} a rank{}", both(plan.rankWeights()), mtp)) +
         line("reads", fmt::format("{} of weights a token and rank, and {} of cache at {} tokens", gb(perToken),
                                   gb(plan.cacheRead), grouped(plan.context))) +
         line("cache",
              fmt::format("{} for {} of {} tokens in {}{}", both(plan.cacheBytes), counted(plan.sequences, "sequence"),
                          grouped(plan.context), plan.request.cache, replicated)) +
         line("workspace", fmt::format("{} at {} a step", both(plan.workspace), counted(plan.request.rows, "row")));
}

std::string fitLine(const Plan &plan, const Fit &fit) {
  return fmt::format("{} of {} tokens, or {} of {} (cache of {} tokens, concurrency {:.2f})",
                     counted(plan.sequences, "sequence"), grouped(fit.context), grouped(fit.batch),
                     grouped(plan.context), grouped(fit.tokens), static_cast<double>(fit.tokens) / plan.context);
}

std::string memoryLines(const Plan &plan) {
  if (!plan.request.memory)
    return line("verdict", "--memory=SIZE says what fits");
  std::string text =
      line("memory", fmt::format("{} a rank, {} free for cache", both(*plan.request.memory), both(plan.free))) +
      line("holds", fitLine(plan, plan.fit));
  if (plan.request.ranks > 1)
    text += line("", fmt::format("sharded by context over the ranks, {:.0f} B a token: {}",
                                 plan.contextParallel.cacheBytesPerToken, fitLine(plan, plan.contextParallel)));
  if (plan.refusal.empty())
    return text + line("verdict", fmt::format("fits: --max-model-len={} --max-sequences={}",
                                              plan.request.context.value_or(plan.fit.context), plan.sequences));
  return text + line("verdict", "does not fit");
}

} // namespace

std::string planText(const Plan &plan) {
  return modelLines(plan) + "\n" + classTable(plan) + "\n" + precisionTable(plan) + "\n" + cacheLines(plan) + "\n" +
         rankLines(plan) + memoryLines(plan);
}

} // namespace glm
