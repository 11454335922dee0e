// glm-compare: golden logits or choices against what glm-run wrote.
#include "test/numerics/Metrics.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>

using namespace glm::test;

namespace {

struct Options {
  std::string reference, run, name = "logits";
  std::optional<double> bound, divergenceBound;
  bool sets = false;
};

/// `N` as glm-run names its logits, or `N.<name>` where the other side is a golden file too.
std::string nameInRun(const TensorFile &run, int64_t sequence, const std::string &name) {
  std::string plain = std::to_string(sequence);
  return run.has(plain) ? plain : plain + "." + name;
}

int compareAllLogits(const TensorFile &reference, const TensorFile &run, const Options &options) {
  std::vector<int64_t> sequences = reference.sequences(options.name);
  if (sequences.empty())
    throw std::runtime_error(fmt::format("{}: file must hold N.{}, but found none", options.reference, options.name));
  int failures = 0;
  for (int64_t sequence : sequences) {
    std::string name = fmt::format("{}.{}", sequence, options.name);
    LogitDifference difference =
        compareLogits(reference.floats(name), run.floats(nameInRun(run, sequence, options.name)));
    fmt::print("{}: {}\n", sequence, difference.summary());
    if (options.bound && !(difference.relative() <= *options.bound)) {
      fmt::print(stderr, "error: {}\n", difference.failure(name, *options.bound));
      ++failures;
    }
    if (options.divergenceBound && !(difference.meanDivergence <= *options.divergenceBound)) {
      fmt::print(stderr, "error: {}: mean KL must be at most {:g}, but found {:g}\n", name, *options.divergenceBound,
                 difference.meanDivergence);
      ++failures;
    }
  }
  return failures;
}

int compareAllSets(const TensorFile &reference, const TensorFile &run) {
  int failures = 0, compared = 0;
  for (const auto &[name, info] : reference.contents().tensors()) {
    bool index = name.find(".index.") != std::string::npos;
    // glm-run does not run the MTP layer: what it has no trace of is only counted.
    if ((!index && name.find(".experts.") == std::string::npos) || !run.has(name))
      continue;
    ++compared;
    auto difference = differingRow(toSets(reference.ints(name), index), toSets(run.ints(name), false));
    if (!difference)
      continue;
    fmt::print(stderr, "error: {}: {}\n", name, *difference);
    ++failures;
  }
  fmt::print("{} lists of choices compared, {} differ\n", compared, failures);
  if (compared == 0)
    throw std::runtime_error("trace must hold N.index.I or N.experts.I of the reference, but found none");
  return failures;
}

int compare(const Options &options) {
  auto reference = TensorFile::open(options.reference);
  auto run = TensorFile::open(options.run);
  for (const auto *file : {&reference, &run})
    if (!*file)
      throw std::runtime_error(file->error().message);
  int failures = options.sets ? compareAllSets(*reference, *run) : compareAllLogits(*reference, *run, options);
  return failures == 0 ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
  CLI::App app("Compares golden logits (N.logits) with glm-run's (N), or with --sets choices (N.index.I, N.experts.I).",
               "glm-compare");
  app.set_version_flag("--version", "glm-compare 0.1.0");
  Options options;
  app.add_option("REFERENCE", options.reference, "golden.safetensors")->required();
  app.add_option("RUN", options.run, "what glm-run wrote with --logits or --trace")->required();
  app.add_option("--name", options.name, "suffix of the reference's tensors: logits (default), logits_bf16, last");
  app.add_option("--bound", options.bound,
                 "largest |difference| allowed, in units of the reference's standard deviation");
  app.add_option("--kl-bound", options.divergenceBound, "largest mean KL(reference || run) allowed, in nats");
  app.add_flag("--sets", options.sets, "compare choices instead of logits");
  try {
    app.parse(argc, argv);
    return compare(options);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::runtime_error &error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}
