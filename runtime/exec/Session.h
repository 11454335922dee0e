// A set of sequences that share the steps of one artifact (continuous batching).
//
// Each step takes one row of every sequence that is generating, oldest first, then up to `chunk` rows of prompts in the
// order in which the sequences came, at most max_rows rows together. A sequence that waits starts as soon as a slot and
// all pages that it can ever need are free, none overtakes another.
//
// Where the device chooses tokens, the next step is enqueued before the tokens of this one are known: a sequence that has not ended for certain is
// taken to go on, and what it computes behind a stop id is thrown away. No result depends on it.
#pragma once

#include "runtime/exec/Executor.h"
#include "runtime/exec/Sampler.h"
#include "runtime/memory/PageTable.h"

#include <deque>

namespace glm {

/// What is asked of one sequence.
struct Request {
  std::vector<int32_t> prompt = {}; ///< at least one id
  int64_t newTokens = 16;           ///< at most so many; 0 only scores the prompt
  Sampling sampling = {};
  bool ignoreEos = false;  ///< go on after a stop id
  bool keepLogits = false; ///< of every token that is fed
  /// Fed in place of what was sampled, as long as it lasts: measurements want tokens that do not depend on the model.
  std::vector<int32_t> continuation = {};
};

enum class Finish { Running, Stop, Length };

struct Sequence {
  Request request;
  std::vector<int32_t> generated; ///< a stop id is its last element, as transformers' generate returns it
  std::vector<float> logits;      ///< [fed, vocab_size] under keepLogits
  int64_t fed = 0;                ///< tokens that went through the model: positions 0 .. fed-1 are in the caches
  int64_t unread = 0;             ///< tokens that the device has chosen, or is about to, and nobody has read
  int32_t unreadRow = -1;         ///< output row of the last of them, in the last step
  int32_t slot = -1;              ///< while it runs
  Finish finish = Finish::Running;

  int64_t length() const { return static_cast<int64_t>(request.prompt.size() + generated.size()); }
  bool promptDone() const { return fed >= static_cast<int64_t>(request.prompt.size()); }
  /// Whether there is, or will be, a token that has not been fed and has to be.
  bool canFeed() const;
  int32_t token(int64_t position) const;
};

struct SessionOptions {
  int64_t chunk = 1; ///< rows of prompts per step, 1 to max_rows
  /// Let nobody generate while somebody's prompt is unread. For measurements: all sequences then generate together.
  bool promptsFirst = false;
  /// Enqueue a step before the tokens of the one before are known, where the device chooses them and nobody keeps logits. Not for those who
  /// observe steps: what is thrown away would be seen.
  bool ahead = true;
};

/// What one step did, rows aside that were thrown away.
struct StepReport {
  int64_t promptRows = 0;
  int64_t decodeRows = 0;
};

class Session {
public:
  /// The executor must outlive the session.
  static Result<Session> create(Executor &executor, const SessionOptions &options);

  /// Queue a sequence; gives its index, counted from 0. Refused before anything runs: an empty prompt, an id that the
  /// vocabulary does not have, a length beyond max_model_len or beyond all pages of the pool.
  Result<int64_t> add(Request request);

  /// Whether nothing is left to do.
  bool idle() const { return waiting.empty() && running.empty() && underWay.empty(); }

  /// Finish one step; not while idle.
  Result<StepReport> step();

  const Sequence &sequence(int64_t index) const { return sequences[index]; }
  int64_t size() const { return static_cast<int64_t>(sequences.size()); }

private:
  /// A step that was enqueued and not collected.
  struct Pending {
    Step step;
    StepReport report;
  };

  Session(Executor &executor, const SessionOptions &options);
  Result<void> check(const Request &request) const;
  void admit();
  /// Enqueue the next step, if there is a row for it.
  Result<void> enqueue();
  StepReport compose(Step &step);
  void addRow(Step &step, int64_t index);
  Result<void> collect(Pending &pending);
  /// What became of an output row.
  Result<void> take(Pending &pending, size_t output, std::span<const int32_t> chosen);
  Result<int32_t> choose(int64_t index, size_t output, std::span<const int32_t> chosen);
  void advance(Sequence &sequence, int32_t token);
  void closeFinished();
  bool isStop(int32_t token) const;

  Executor *executor;
  const Manifest *manifest;
  SessionOptions options;
  PageTable pages;
  std::vector<Sequence> sequences;
  std::deque<int64_t> waiting;
  std::vector<int64_t> running; ///< in the order in which they were let in
  std::deque<Pending> underWay; ///< the oldest first
};

} // namespace glm
