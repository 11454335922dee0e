#include "runtime/artifact/Streams.h"
#include "runtime/artifact/WholeFile.h"
#include "runtime/exec/Trace.h"
#include "runtime/glm-run/Commands.h"
#include "runtime/glm-run/Load.h"
#include "runtime/glm-run/Prompts.h"
#include "runtime/glm-run/Report.h"

#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <iostream>
#include <unistd.h>

namespace glm {

namespace {
/// Steps that carry prompt rows count as prefill, the others as decoding.
struct Statistics {
  int64_t promptTokens = 0, decodeTokens = 0;
  double promptSeconds = 0, decodeSeconds = 0;
};
} // namespace

static Result<std::vector<std::vector<int32_t>>> collectPrompts(const RunOptions &options) {
  if (options.promptFile == "-")
    return readPrompts(std::cin, "stdin");
  if (!options.promptFile.empty()) {
    std::ifstream file(options.promptFile);
    if (!file)
      return Error{
          fmt::format("{}: the file must be readable, but found {}", options.promptFile, std::strerror(errno))};
    return readPrompts(file, options.promptFile);
  }
  std::vector<std::vector<int32_t>> prompts;
  for (const std::string &text : options.prompts) {
    Result<std::vector<int32_t>> tokens = parseTokens(text);
    if (!tokens)
      return Error{fmt::format("--tokens: {}", tokens.error().message)};
    prompts.push_back(std::move(*tokens));
  }
  return prompts;
}

static Result<void> fillSession(Session &session, const RunOptions &options,
                                std::vector<std::vector<int32_t>> prompts) {
  for (std::vector<int32_t> &prompt : prompts) {
    Request request;
    request.prompt = std::move(prompt);
    request.newTokens = options.newTokens;
    request.sampling = options.sampling;
    request.ignoreEos = options.ignoreEos;
    request.keepLogits = !options.logits.empty();
    if (Result<int64_t> added = session.add(std::move(request)); !added)
      return added.error();
  }
  return {};
}

static Result<Statistics> runAll(Session &session) {
  using Clock = std::chrono::steady_clock;
  Statistics statistics;
  while (!session.idle()) {
    Clock::time_point start = Clock::now();
    Result<StepReport> report = session.step();
    if (!report)
      return report.error();
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    statistics.promptTokens += report->promptRows;
    (report->promptRows > 0 ? statistics.promptSeconds : statistics.decodeSeconds) += seconds;
    if (report->promptRows == 0)
      statistics.decodeTokens += report->decodeRows;
  }
  return statistics;
}

static Result<void> writeLogits(const Session &session, int64_t vocabSize, const std::filesystem::path &path) {
  SafetensorsWriter writer;
  for (int64_t i = 0; i < session.size(); ++i) {
    const Sequence &sequence = session.sequence(i);
    const uint8_t *bytes = reinterpret_cast<const uint8_t *>(sequence.logits.data());
    writer.add(std::to_string(i), "F32", {sequence.fed, vocabSize},
               {bytes, bytes + sequence.logits.size() * sizeof(float)});
  }
  return writer.write(path);
}

static nlohmann::json resultJson(const Session &session, const Statistics &statistics, double loadSeconds,
                                 const Profile *profile) {
  nlohmann::json sequences = nlohmann::json::array();
  for (int64_t i = 0; i < session.size(); ++i) {
    const Sequence &sequence = session.sequence(i);
    sequences.push_back({{"prompt_tokens", sequence.request.prompt.size()},
                         {"tokens", sequence.generated},
                         {"finish", sequence.finish == Finish::Stop ? "stop" : "length"}});
  }
  nlohmann::json result = {{"sequences", sequences},
                           {"load_seconds", loadSeconds},
                           {"prompt_tokens", statistics.promptTokens},
                           {"prompt_seconds", statistics.promptSeconds},
                           {"prompt_tokens_per_second", perSecond(statistics.promptTokens, statistics.promptSeconds)},
                           {"decode_tokens", statistics.decodeTokens},
                           {"decode_seconds", statistics.decodeSeconds},
                           {"decode_tokens_per_second", perSecond(statistics.decodeTokens, statistics.decodeSeconds)}};
  if (profile)
    result["profile"] = profileJson(*profile);
  return result;
}

static void printStatistics(const Statistics &statistics, const LoadedEngine &loaded) {
  printTalk("{} ({}) on {}: loaded in {:.2f} s; prompt {} tokens, {:.2f} tokens/s; decode {} tokens, {:.2f} tokens/s\n",
            loaded.engine->manifest().target, loaded.engine->code().file, loaded.engine->device().description(),
            loaded.seconds, statistics.promptTokens, perSecond(statistics.promptTokens, statistics.promptSeconds),
            statistics.decodeTokens, perSecond(statistics.decodeTokens, statistics.decodeSeconds));
}

Result<void> runCommand(const RunOptions &options) {
  // An hour of computing must not end at a file that cannot be written.
  for (const std::filesystem::path &file : {options.logits, options.trace})
    if (!file.empty())
      if (Result<void> writable = checkFileTarget(file); !writable)
        return writable;
  Result<std::vector<std::vector<int32_t>>> prompts = collectPrompts(options);
  if (!prompts)
    return prompts.error();
  Result<LoadedEngine> loaded = loadEngine(options.artifact, options.device);
  if (!loaded)
    return loaded.error();
  Executor &executor = loaded->engine->executor();
  const Manifest &manifest = loaded->engine->manifest();
  if (options.chunk > manifest.maxRows)
    return Error{fmt::format("--chunk: rows must be at most {} (max_rows of the artifact), but found {}",
                             manifest.maxRows, *options.chunk)};
  bool observed = options.profile || !options.trace.empty();
  Result<Session> session = Session::create(
      executor, {.chunk = options.chunk.value_or(manifest.maxRows), .promptsFirst = false, .ahead = !observed});
  if (!session)
    return session.error();
  if (Result<void> filled = fillSession(*session, options, std::move(*prompts)); !filled)
    return filled;

  Trace trace(executor);
  Profile profile(manifest);
  std::vector<StepObserver *> observers;
  if (!options.trace.empty())
    observers.push_back(&trace);
  if (options.profile)
    observers.push_back(&profile);
  executor.setObservers(observers);
  Result<Statistics> statistics = runAll(*session);
  if (!statistics)
    return statistics.error();

  if (!options.logits.empty())
    if (Result<void> written = writeLogits(*session, manifest.vocabSize, options.logits); !written)
      return written;
  if (!options.trace.empty())
    if (Result<void> written = trace.write(options.trace); !written)
      return written;
  if (options.json) {
    printResult("{}\n",
                resultJson(*session, *statistics, loaded->seconds, options.profile ? &profile : nullptr).dump());
  } else {
    for (int64_t i = 0; i < session->size(); ++i)
      printResult("{}\n", fmt::join(session->sequence(i).generated, ","));
  }
  // Ids before talk, where both go to one terminal.
  if (Result<void> flushed = flushResults(); !flushed)
    return flushed;
  printStatistics(*statistics, *loaded);
  if (options.profile)
    printProfile(profile);
  return {};
}

} // namespace glm
