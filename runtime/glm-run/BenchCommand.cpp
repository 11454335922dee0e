#include "runtime/artifact/Streams.h"
#include "runtime/exec/WeightTraffic.h"
#include "runtime/glm-run/Bandwidth.h"
#include "runtime/glm-run/Commands.h"
#include "runtime/glm-run/Load.h"
#include "runtime/glm-run/Report.h"

#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <random>

namespace glm {

namespace {

/// One row of the table: reading prompts (pp) or generating (tg), as llama-bench names them.
struct Test {
  int64_t prompt = 0; ///< tokens, 0 in a tg row
  int64_t news = 0;   ///< tokens, 0 in a pp row
  int64_t depth = 0;  ///< of a tg row: tokens already in the caches
  int64_t batch = 1;  ///< sequences

  std::string name() const {
    std::string name = prompt ? fmt::format("pp{}", prompt) : fmt::format("tg{}", news);
    return depth ? fmt::format("{} @ d{}", name, depth) : name;
  }
};

/// One timed run of a test.
struct Sample {
  int64_t tokens = 0;
  double seconds = 0;
};

struct Outcome {
  Test test;
  std::vector<double> rates; ///< tokens per second of each repetition
  double weightBytes = 0;    ///< read by one run, at least
  double weightBytesPerSecond = 0;

  double mean() const { return std::accumulate(rates.begin(), rates.end(), 0.0) / static_cast<double>(rates.size()); }
  double deviation() const {
    if (rates.size() < 2)
      return 0;
    double sum = 0;
    for (double rate : rates)
      sum += (rate - mean()) * (rate - mean());
    return std::sqrt(sum / static_cast<double>(rates.size() - 1));
  }
};

} // namespace

static std::vector<int32_t> randomTokens(std::mt19937_64 &generator, int64_t count, int64_t vocabSize) {
  std::vector<int32_t> tokens(count);
  for (int32_t &token : tokens)
    token = static_cast<int32_t>(generator() % static_cast<uint64_t>(vocabSize));
  return tokens;
}

/// Random tokens are fed in both kinds of test: a model that repeats itself would read the same experts over and over.
static Result<Session> prepareSession(Executor &executor, const Test &test, bool ahead) {
  const Manifest &manifest = executor.manifest();
  if (test.batch > manifest.maxSequences)
    return Error{fmt::format("bench: --batch must be at most {} (max_sequences of the artifact), but found {}",
                             manifest.maxSequences, test.batch)};
  int64_t length = std::max<int64_t>(test.depth, 1) * (test.prompt == 0) + test.prompt + test.news;
  int64_t pages = (length + manifest.pageSize - 1) / manifest.pageSize * test.batch;
  if (pages > manifest.pages)
    return Error{
        fmt::format("bench {}: a batch of {} must fit into the cache together, but found that it needs {} pages of {}",
                    test.name(), test.batch, pages, manifest.pages)};
  Result<Session> session = Session::create(executor, {manifest.maxRows, /*promptsFirst=*/true, ahead});
  if (!session)
    return session;
  std::mt19937_64 generator(20250101);
  for (int64_t i = 0; i < test.batch; ++i) {
    Request request;
    // Generating starts from one token at least: its step is not timed.
    request.prompt =
        randomTokens(generator, test.prompt ? test.prompt : std::max<int64_t>(test.depth, 1), manifest.vocabSize);
    request.newTokens = test.news + 1;
    request.continuation = randomTokens(generator, request.newTokens, manifest.vocabSize);
    request.ignoreEos = true;
    if (Result<int64_t> added = session->add(std::move(request)); !added)
      return Error{fmt::format("bench {}: {}", test.name(), added.error().message)};
  }
  return session;
}

/// Whether the part that is not measured is over: before generating, the prompts are read.
static bool isWarm(const Session &session, const Test &test) {
  for (int64_t i = 0; i < session.size(); ++i)
    if (!test.prompt && session.sequence(i).generated.empty())
      return false;
  return true;
}

static Result<Sample> runOnce(Executor &executor, const Test &test, const std::vector<StepObserver *> &observers) {
  using Clock = std::chrono::steady_clock;
  Result<Session> session = prepareSession(executor, test, /*ahead=*/observers.empty());
  if (!session)
    return session.error();
  executor.setObservers({});
  while (!isWarm(*session, test))
    if (Result<StepReport> report = session->step(); !report)
      return report.error();
  executor.setObservers(observers);
  Sample sample;
  Clock::time_point start = Clock::now();
  while (!session->idle()) {
    Result<StepReport> report = session->step();
    if (!report)
      return report.error();
    sample.tokens += report->promptRows + report->decodeRows;
  }
  sample.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  executor.setObservers({});
  return sample;
}

/// One run to warm caches, one that is looked at, then the timed ones: observers never cost time that is reported.
static Result<Outcome> measure(Engine &engine, const Test &test, int64_t repeat, Profile &profile) {
  Executor &executor = engine.executor();
  Outcome outcome{test, {}, 0, 0};
  if (Result<Sample> warm = runOnce(executor, test, {}); !warm)
    return warm.error();
  WeightTraffic traffic(executor, engine.weights());
  if (Result<Sample> observed = runOnce(executor, test, {&traffic, &profile}); !observed)
    return observed.error();
  outcome.weightBytes = traffic.bytes();
  double seconds = 0;
  for (int64_t i = 0; i < repeat; ++i) {
    Result<Sample> sample = runOnce(executor, test, {});
    if (!sample)
      return sample.error();
    outcome.rates.push_back(perSecond(static_cast<double>(sample->tokens), sample->seconds));
    seconds += sample->seconds;
  }
  outcome.weightBytesPerSecond = perSecond(outcome.weightBytes * static_cast<double>(repeat), seconds);
  return outcome;
}

static std::vector<Test> listTests(const BenchOptions &options, const Manifest &manifest) {
  // What was not asked for follows the artifact; what was asked for and does not fit is an error.
  int64_t longest = manifest.maxModelLen;
  std::vector<int64_t> prompts =
      options.prompts.empty() ? std::vector{std::min<int64_t>(512, longest - 1)} : options.prompts;
  std::vector<int64_t> news = options.news.empty() ? std::vector{std::min<int64_t>(128, longest - 2)} : options.news;
  std::vector<Test> tests;
  for (int64_t batch : options.batches) {
    for (int64_t prompt : prompts)
      if (prompt > 0)
        tests.push_back({prompt, 0, 0, batch});
    for (int64_t depth : options.depths)
      for (int64_t count : news)
        if (count > 0)
          tests.push_back({0, count, depth, batch});
  }
  return tests;
}

static void printTable(const std::vector<Outcome> &outcomes, const Bandwidth &bandwidth, Engine &engine) {
  printResult("{}, {}; memory {} at {:.2f} GB/s\n\n", engine.manifest().target, engine.device().description(),
              engine.gpuDevice() ? "copied" : "read", bandwidth.bytesPerSecond / 1e9);
  printResult("| {:<16} | {:>5} | {:>20} | {:>12} | {:>12} |\n", "test", "batch", "tokens/s", "weights GB/s",
              "of bandwidth");
  printResult("| {:-<16} | {:->5} | {:->20} | {:->12} | {:->12} |\n", "", ":", ":", ":", ":");
  for (const Outcome &outcome : outcomes)
    printResult("| {:<16} | {:>5} | {:>20} | {:>12.2f} | {:>11.1f}% |\n", outcome.test.name(), outcome.test.batch,
                fmt::format("{:.2f} ± {:.2f}", outcome.mean(), outcome.deviation()), outcome.weightBytesPerSecond / 1e9,
                perSecond(outcome.weightBytesPerSecond, bandwidth.bytesPerSecond) * 100);
}

static nlohmann::json outcomesJson(const std::vector<Outcome> &outcomes, const Bandwidth &bandwidth, Engine &engine,
                                   const Profile &profile) {
  nlohmann::json rows = nlohmann::json::array();
  for (const Outcome &outcome : outcomes)
    rows.push_back({{"test", outcome.test.name()},
                    {"prompt", outcome.test.prompt},
                    {"new", outcome.test.news},
                    {"depth", outcome.test.depth},
                    {"batch", outcome.test.batch},
                    {"tokens_per_second", outcome.mean()},
                    {"tokens_per_second_deviation", outcome.deviation()},
                    {"samples", outcome.rates},
                    {"weight_bytes", outcome.weightBytes},
                    {"weight_bytes_per_second", outcome.weightBytesPerSecond},
                    {"bandwidth_ratio", perSecond(outcome.weightBytesPerSecond, bandwidth.bytesPerSecond)}});
  return {{"target", engine.manifest().target},
          {"threads", engine.threadPool().threads()},
          {"bandwidth_bytes_per_second", bandwidth.bytesPerSecond},
          {"results", rows},
          {"profile", profileJson(profile)}};
}

/// Of the memory that holds the weights: a GPU's copies count what they read and what they write.
static Result<Bandwidth> measureBandwidth(Engine &engine) {
  if (!engine.gpuDevice())
    return measureReadBandwidth(engine.threadPool());
  constexpr uint64_t bytes = 256 << 20; // several times the largest cache of a chip
  Result<double> rate = engine.gpuDevice()->copyBandwidth(bytes);
  if (!rate)
    return rate.error();
  return Bandwidth{*rate, bytes};
}

Result<void> benchCommand(const BenchOptions &options) {
  Result<LoadedEngine> loaded = loadEngine(options.artifact, options.device);
  if (!loaded)
    return loaded.error();
  Engine &engine = *loaded->engine;
  std::vector<Test> tests = listTests(options, engine.manifest());
  // Every test is tried for size before the first one takes its time.
  for (const Test &test : tests)
    if (Result<Session> session = prepareSession(engine.executor(), test, /*ahead=*/false); !session)
      return session.error();
  Profile profile(engine.manifest());
  std::vector<Outcome> outcomes;
  for (const Test &test : tests) {
    Result<Outcome> outcome = measure(engine, test, options.repeat, profile);
    if (!outcome)
      return outcome.error();
    outcomes.push_back(std::move(*outcome));
    printTalk("{} batch {}: {:.2f} tokens/s\n", test.name(), test.batch, outcomes.back().mean());
  }
  Result<Bandwidth> measured = measureBandwidth(engine);
  if (!measured)
    return measured.error();
  const Bandwidth &bandwidth = *measured;
  if (options.json)
    printResult("{}\n", outcomesJson(outcomes, bandwidth, engine, profile).dump(2));
  else
    printTable(outcomes, bandwidth, engine);
  if (Result<void> flushed = flushResults(); !flushed)
    return flushed;
  printProfile(profile);
  return {};
}

} // namespace glm
