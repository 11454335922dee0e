#include "runtime/exec/Session.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace glm {

int32_t Sequence::token(int64_t position) const {
  int64_t promptLength = static_cast<int64_t>(request.prompt.size());
  return position < promptLength ? request.prompt[position] : generated[position - promptLength];
}

/// Positions that a sequence fills in the caches: the last new token is never fed.
static int64_t positionsNeeded(const Request &request) {
  return static_cast<int64_t>(request.prompt.size()) + std::max<int64_t>(request.newTokens - 1, 0);
}

Session::Session(Executor &executor, const SessionOptions &options)
    : executor(&executor), manifest(&executor.manifest()), options(options),
      pages(manifest->maxSequences, manifest->pagesPerSequence, manifest->pageSize, manifest->pages) {}

Result<Session> Session::create(Executor &executor, const SessionOptions &options) {
  int64_t maxRows = executor.manifest().maxRows;
  if (options.chunk < 1 || options.chunk > maxRows)
    return Error{fmt::format("session: a prefill step must have 1 to {} rows (max_rows of the artifact), but found {}",
                             maxRows, options.chunk)};
  return Session(executor, options);
}

Result<void> Session::check(const Request &request) const {
  size_t index = sequences.size();
  int64_t promptLength = static_cast<int64_t>(request.prompt.size());
  if (promptLength == 0)
    return Error{fmt::format("sequence {}: a prompt must have at least one token, but found none", index)};
  for (int64_t position = 0; position < promptLength; ++position)
    if (int32_t token = request.prompt[position]; token < 0 || token >= manifest->vocabSize)
      return Error{fmt::format("sequence {}: token ids must be in [0, {}), but found {} at position {}", index,
                               manifest->vocabSize, token, position)};
  // Subtracted, not added: newTokens may be as large as the type allows.
  if (promptLength > manifest->maxModelLen || request.newTokens > manifest->maxModelLen - promptLength)
    return Error{fmt::format("sequence {}: prompt and new tokens must be at most {} together (max_model_len of the "
                             "artifact), but found {} and {}",
                             index, manifest->maxModelLen, promptLength, request.newTokens)};
  if (int64_t positions = positionsNeeded(request); !pages.canHold(positions))
    return Error{fmt::format("sequence {}: the cache must hold all of its {} positions, but found {} pages of {}",
                             index, positions, std::min(manifest->pages, manifest->pagesPerSequence),
                             manifest->pageSize)};
  return {};
}

Result<int64_t> Session::add(Request request) {
  if (Result<void> checked = check(request); !checked)
    return checked.error();
  int64_t index = size();
  Sequence &sequence = sequences.emplace_back();
  sequence.request = std::move(request);
  waiting.push_back(index);
  return index;
}

void Session::admit() {
  while (!waiting.empty()) {
    Sequence &sequence = sequences[waiting.front()];
    std::optional<int32_t> slot = pages.open(positionsNeeded(sequence.request));
    if (!slot)
      return; // nobody overtakes: a long sequence would otherwise wait for ever behind short ones
    sequence.slot = *slot;
    if (sequence.request.keepLogits) // growing by doubling would need three times the memory
      sequence.logits.reserve(positionsNeeded(sequence.request) * manifest->vocabSize);
    running.push_back(waiting.front());
    waiting.pop_front();
  }
}

void Session::addRow(Step &step, int64_t index) {
  Sequence &sequence = sequences[index];
  int64_t position = sequence.fed++;
  pages.cover(sequence.slot, position);
  bool samples = position == sequence.length() - 1 && sequence.request.newTokens > 0;
  if (samples || sequence.request.keepLogits)
    step.outputRows.push_back(static_cast<int32_t>(step.rows()));
  step.tokens.push_back(sequence.token(position));
  step.positions.push_back(static_cast<int32_t>(position));
  step.slots.push_back(sequence.slot);
  step.sequences.push_back(index);
}

StepReport Session::compose(Step &step) {
  StepReport report;
  std::vector<int64_t> prompts, generating;
  for (int64_t index : running)
    (sequences[index].promptDone() ? generating : prompts).push_back(index);
  if (options.promptsFirst && !prompts.empty())
    generating.clear();
  for (int64_t index : generating)
    if (step.rows() < manifest->maxRows) {
      addRow(step, index);
      ++report.decodeRows;
    }
  int64_t room = std::min(options.chunk, manifest->maxRows - step.rows());
  for (int64_t index : prompts)
    for (; room > 0 && !sequences[index].promptDone(); --room) {
      addRow(step, index);
      ++report.promptRows;
    }
  step.pageTable = pages.entries();
  return report;
}

Result<StepReport> Session::step() {
  admit();
  Step step;
  StepReport report = compose(step);
  if (Result<void> ran = executor->run(step); !ran)
    return ran.error();
  if (Result<void> collected = collect(step); !collected)
    return collected.error();
  return report;
}

Result<void> Session::collect(const Step &step) {
  for (size_t i = 0; i < step.outputRows.size(); ++i) {
    int64_t row = step.outputRows[i];
    Sequence &sequence = sequences[step.sequences[row]];
    std::span<const float> logits = executor->logits(static_cast<int64_t>(i));
    Result<void> taken = sequence.request.keepLogits ? checkLogits(logits) : Result<void>();
    if (sequence.request.keepLogits)
      sequence.logits.insert(sequence.logits.end(), logits.begin(), logits.end());
    if (taken && step.positions[row] == sequence.length() - 1 && sequence.request.newTokens > 0)
      taken = advance(step.sequences[row], logits);
    if (!taken)
      return Error{
          fmt::format("sequence {}, position {}: {}", step.sequences[row], step.positions[row], taken.error().message)};
  }
  for (int64_t index : running) {
    Sequence &sequence = sequences[index];
    if (sequence.request.newTokens == 0 && sequence.promptDone())
      sequence.finish = Finish::Length;
    if (sequence.finish != Finish::Running)
      pages.close(std::exchange(sequence.slot, -1));
  }
  std::erase_if(running, [&](int64_t index) { return sequences[index].finish != Finish::Running; });
  return {};
}

Result<void> Session::advance(int64_t index, std::span<const float> logits) {
  Sequence &sequence = sequences[index];
  const Request &request = sequence.request;
  Result<int32_t> sampled = sampleToken(logits, request.sampling, index, sequence.length());
  if (!sampled)
    return sampled.error();
  size_t count = sequence.generated.size();
  int32_t token = count < request.continuation.size() ? request.continuation[count] : *sampled;
  sequence.generated.push_back(token);
  if (!request.ignoreEos && isStop(token))
    sequence.finish = Finish::Stop;
  else if (static_cast<int64_t>(sequence.generated.size()) == request.newTokens)
    sequence.finish = Finish::Length;
  return {};
}

bool Session::isStop(int32_t token) const {
  const std::vector<int64_t> &stops = manifest->eosTokenIds;
  return std::find(stops.begin(), stops.end(), token) != stops.end();
}

} // namespace glm
