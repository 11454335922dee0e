#include "runtime/exec/Session.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace glm {

int32_t Sequence::token(int64_t position) const {
  int64_t promptLength = static_cast<int64_t>(request.prompt.size());
  return position < promptLength ? request.prompt[position] : generated[position - promptLength];
}

bool Sequence::canFeed() const {
  int64_t chosen = static_cast<int64_t>(generated.size()) + unread;
  bool chooses = chosen < request.newTokens;
  // The last new token is never fed.
  return finish == Finish::Running && fed < length() + unread && (chooses || !promptDone());
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
  // Logits are read from where the next step writes its own.
  options.ahead &= !request.keepLogits;
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
  const Request &request = sequence.request;
  int64_t position = sequence.fed++, known = sequence.length();
  pages.cover(sequence.slot, position);
  auto next = sequence.generated.size();
  // A token that nobody has read is what the last step chose, or is about to choose, unless the caller knows better.
  bool foretold = position == known && next < request.continuation.size();
  step.tokens.push_back(position < known ? sequence.token(position)
                        : foretold       ? request.continuation[next]
                                         : -1 - sequence.unreadRow);
  bool samples = position == known + sequence.unread - 1 && request.newTokens > 0;
  if (samples) {
    ++sequence.unread;
    sequence.unreadRow = static_cast<int32_t>(step.outputRows.size());
  }
  if (samples || request.keepLogits) {
    step.outputRows.push_back(static_cast<int32_t>(step.rows()) - 1);
    step.sampling.push_back(samples ? samplingWords(request.sampling, index, position + 1) : SamplingWords());
  }
  step.positions.push_back(static_cast<int32_t>(position));
  step.slots.push_back(sequence.slot);
  step.sequences.push_back(index);
}

StepReport Session::compose(Step &step) {
  StepReport report;
  std::vector<int64_t> prompts, generating;
  for (int64_t index : running)
    if (sequences[index].canFeed())
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

Result<void> Session::enqueue() {
  admit();
  Pending pending;
  pending.report = compose(pending.step);
  if (pending.step.rows() == 0)
    return {};
  if (Result<void> enqueued = executor->enqueue(pending.step); !enqueued)
    return enqueued;
  underWay.push_back(std::move(pending));
  return {};
}

Result<StepReport> Session::step() {
  size_t most = options.ahead && executor->samples() ? Executor::kUnderWay : 1;
  while (underWay.size() < most) {
    size_t before = underWay.size();
    if (Result<void> enqueued = enqueue(); !enqueued)
      return enqueued.error();
    if (underWay.size() == before)
      break;
  }
  Pending pending = std::move(underWay.front());
  underWay.pop_front();
  if (Result<void> collected = collect(pending); !collected)
    return collected.error();
  return pending.report;
}

Result<void> Session::collect(Pending &pending) {
  Result<std::span<const int32_t>> chosen = executor->await();
  if (!chosen)
    return chosen.error();
  const Step &step = pending.step;
  for (size_t i = 0; i < step.outputRows.size(); ++i)
    if (Result<void> taken = take(pending, i, *chosen); !taken) {
      int64_t row = step.outputRows[i];
      return Error{
          fmt::format("sequence {}, position {}: {}", step.sequences[row], step.positions[row], taken.error().message)};
    }
  closeFinished();
  return {};
}

Result<void> Session::take(Pending &pending, size_t output, std::span<const int32_t> chosen) {
  int64_t row = pending.step.outputRows[output], index = pending.step.sequences[row];
  Sequence &sequence = sequences[index];
  if (sequence.finish != Finish::Running) { // it ended at a token that this row came behind
    --pending.report.decodeRows;
    return {};
  }
  if (sequence.request.keepLogits) {
    std::span<const float> logits = executor->logits(static_cast<int64_t>(output));
    sequence.logits.insert(sequence.logits.end(), logits.begin(), logits.end());
    if (Result<void> checked = checkLogits(logits); !checked)
      return checked;
  }
  if (pending.step.positions[row] != sequence.length() - 1 || sequence.request.newTokens == 0)
    return {};
  Result<int32_t> token = choose(index, output, chosen);
  if (!token)
    return token.error();
  advance(sequence, *token);
  return {};
}

Result<int32_t> Session::choose(int64_t index, size_t output, std::span<const int32_t> chosen) {
  const Sequence &sequence = sequences[index];
  if (!executor->samples())
    return sampleToken(executor->logits(static_cast<int64_t>(output)), sequence.request.sampling, index,
                       sequence.length());
  if (chosen[output] < 0)
    return sampledError(chosen[output]);
  return chosen[output];
}

void Session::advance(Sequence &sequence, int32_t token) {
  const Request &request = sequence.request;
  size_t count = sequence.generated.size();
  sequence.generated.push_back(count < request.continuation.size() ? request.continuation[count] : token);
  --sequence.unread;
  if (!request.ignoreEos && isStop(sequence.generated.back()))
    sequence.finish = Finish::Stop;
  else if (static_cast<int64_t>(sequence.generated.size()) == request.newTokens)
    sequence.finish = Finish::Length;
}

void Session::closeFinished() {
  for (int64_t index : running) {
    Sequence &sequence = sequences[index];
    if (sequence.request.newTokens == 0 && sequence.promptDone())
      sequence.finish = Finish::Length;
    if (sequence.finish == Finish::Running)
      continue;
    if (!sequence.generated.empty()) // what it was fed behind a stop id does not count
      sequence.fed = sequence.length() - 1;
    pages.close(std::exchange(sequence.slot, -1));
  }
  std::erase_if(running, [&](int64_t index) { return sequences[index].finish != Finish::Running; });
}

bool Session::isStop(int32_t token) const {
  const std::vector<int64_t> &stops = manifest->eosTokenIds;
  return std::find(stops.begin(), stops.end(), token) != stops.end();
}

} // namespace glm
