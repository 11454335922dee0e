#include "runtime/exec/Session.h"
#include "runtime/exec/Engine.h"
#include "test/runtime/artifact/TemporaryFolder.h"
#include "test/runtime/exec/ToyArtifact.h"

#include <gtest/gtest.h>
#include <random>

using namespace glm;

namespace {

using Tokens = std::vector<int32_t>;

Tokens randomTokens(uint64_t seed, int64_t count) {
  std::mt19937_64 generator(seed);
  Tokens tokens(count);
  for (int32_t &token : tokens)
    token = static_cast<int32_t>(generator() % toy::kVocab);
  return tokens;
}

class SessionTest : public testing::Test {
protected:
  void load(const toy::Options &options, int64_t threads = 2) {
    engine.reset(); // its library is mapped, and about to be written again
    Result<std::unique_ptr<Engine>> loaded = Engine::load(toy::writeArtifact(folder.path(), options), {threads});
    if (!loaded)
      throw std::runtime_error(loaded.error().message);
    engine = std::move(*loaded);
  }

  Session session(const SessionOptions &options) {
    Result<Session> created = Session::create(engine->executor(), options);
    if (!created)
      throw std::runtime_error(created.error().message);
    return std::move(*created);
  }

  /// Run requests to their end together; the sequences as they are then.
  std::vector<Sequence> run(const std::vector<Request> &requests, const SessionOptions &options) {
    Session together = session(options);
    for (const Request &request : requests)
      if (Result<int64_t> added = together.add(request); !added)
        throw std::runtime_error(added.error().message);
    while (!together.idle())
      if (Result<StepReport> report = together.step(); !report)
        throw std::runtime_error(report.error().message);
    std::vector<Sequence> sequences;
    for (int64_t i = 0; i < together.size(); ++i)
      sequences.push_back(together.sequence(i));
    return sequences;
  }

  std::string refusal(const Request &request, int64_t before = 0) {
    Session fresh = session({1});
    for (int64_t i = 0; i < before; ++i)
      (void)fresh.add({.prompt = {1}});
    Result<int64_t> added = fresh.add(request);
    return added ? "" : added.error().message;
  }

  test::TemporaryFolder folder;
  std::unique_ptr<Engine> engine;
};

Request keeping(Tokens prompt, int64_t newTokens) {
  return {.prompt = std::move(prompt), .newTokens = newTokens, .sampling = {}, .keepLogits = true};
}

TEST_F(SessionTest, computesTheModel) {
  load({});
  for (int64_t length : {1, 4, 5, 23}) {
    Tokens prompt = randomTokens(length, length);
    Sequence sequence = run({keeping(prompt, 0)}, {6})[0];
    std::vector<float> expected = toy::referenceLogits(prompt);
    ASSERT_EQ(sequence.logits.size(), expected.size());
    EXPECT_TRUE(sequence.generated.empty());
    // Sums of at most 23 float32 terms of size 1: 1e-5 is a hundred times their rounding.
    for (size_t i = 0; i < expected.size(); ++i)
      ASSERT_NEAR(sequence.logits[i], expected[i], 1e-5) << "position " << i / toy::kVocab << " id " << i % toy::kVocab;
  }
}

TEST_F(SessionTest, generatesGreedily) {
  load({});
  Tokens tokens = randomTokens(5, 7);
  Sequence sequence = run({keeping(tokens, 9)}, {3})[0];
  ASSERT_EQ(sequence.generated.size(), 9u);
  EXPECT_EQ(sequence.fed, 7 + 9 - 1); // the last token is never fed
  EXPECT_EQ(sequence.logits.size(), static_cast<size_t>(15 * toy::kVocab));
  EXPECT_EQ(sequence.finish, Finish::Length);
  for (int32_t token : sequence.generated) {
    std::vector<float> logits = toy::referenceLogits(tokens);
    auto last = logits.end() - toy::kVocab;
    EXPECT_EQ(token, std::max_element(last, logits.end()) - last);
    tokens.push_back(token);
  }
}

// Bit equal, not nearly: what shares a step with a row must not reach its result.
TEST_F(SessionTest, batchingNeverChangesResults) {
  load({.maxRows = 6, .maxSequences = 3, .pages = 14});
  std::vector<Request> requests;
  for (int64_t i = 0; i < 8; ++i) {
    requests.push_back(keeping(randomTokens(40 + i, 1 + (i * 5) % 13), 3 + i % 5));
    // The random numbers depend on a sequence's index: alone, each would be number 0.
    requests.back().sampling = {.temperature = 0, .seed = 3};
  }
  std::vector<Sequence> alone;
  for (const Request &request : requests)
    alone.push_back(run({request}, {1})[0]);
  for (int64_t chunk : {1, 2, 5, 6}) {
    std::vector<Sequence> together = run(requests, {chunk});
    for (size_t i = 0; i < requests.size(); ++i) {
      EXPECT_EQ(together[i].generated, alone[i].generated) << "chunk " << chunk << " sequence " << i;
      EXPECT_EQ(together[i].logits, alone[i].logits) << "chunk " << chunk << " sequence " << i;
    }
  }
}

TEST_F(SessionTest, samplingDoesNotDependOnSteps) {
  load({.maxRows = 6, .maxSequences = 2});
  std::vector<Request> requests;
  for (int64_t i = 0; i < 5; ++i) {
    requests.push_back(keeping(randomTokens(60 + i, 2 + 3 * i), 12));
    requests.back().sampling = {.temperature = 2, .topK = 30, .topP = 0.95, .seed = 7};
  }
  std::vector<Sequence> first = run(requests, {1}), second = run(requests, {6});
  for (size_t i = 0; i < requests.size(); ++i)
    EXPECT_EQ(first[i].generated, second[i].generated) << i;
  requests[0].sampling.seed = 8;
  EXPECT_NE(run(requests, {6})[0].generated, first[0].generated);
}

TEST_F(SessionTest, threadsNeverChangeResults) {
  Tokens prompt = randomTokens(90, 20);
  std::vector<float> expected;
  for (int64_t threads : {1, 2, 3, 7}) {
    load({}, threads);
    std::vector<float> logits = run({keeping(prompt, 5)}, {6})[0].logits;
    if (threads == 1)
      expected = logits;
    EXPECT_EQ(logits, expected) << threads;
  }
}

TEST_F(SessionTest, fillsSteps) {
  load({.maxRows = 6, .maxSequences = 3, .maxModelLen = 40, .pages = 30});
  Session mixed = session({4});
  for (int64_t length : {3, 9, 2})
    ASSERT_TRUE(mixed.add({.prompt = randomTokens(length, length), .newTokens = 6}));
  std::vector<std::pair<int64_t, int64_t>> rows; // prompt, decode
  while (!mixed.idle()) {
    Result<StepReport> report = mixed.step();
    ASSERT_TRUE(report);
    rows.emplace_back(report->promptRows, report->decodeRows);
  }
  // 3+1 | 4, one decodes | 4 | 2, two decode | all three decode; the first ends after 6 tokens, the others later.
  std::vector<std::pair<int64_t, int64_t>> expected = {{4, 0}, {4, 1}, {4, 1}, {2, 2}, {0, 3},
                                                       {0, 3}, {0, 2}, {0, 2}, {0, 1}};
  expected.resize(rows.size(), expected.back());
  EXPECT_EQ(rows[0], expected[0]);
  EXPECT_EQ(rows[1], expected[1]);
  int64_t promptRows = 0, decodeRows = 0;
  for (auto [prompt, decode] : rows) {
    promptRows += prompt;
    decodeRows += decode;
    EXPECT_LE(prompt, 4);
    EXPECT_LE(prompt + decode, 6);
    EXPECT_GT(prompt + decode, 0);
  }
  EXPECT_EQ(promptRows, 3 + 9 + 2);
  EXPECT_EQ(decodeRows, 3 * 5);
}

TEST_F(SessionTest, readsPromptsFirstWhenAsked) {
  load({});
  Session measured = session({.chunk = 2, .promptsFirst = true});
  for (int64_t length : {1, 9})
    ASSERT_TRUE(measured.add({.prompt = randomTokens(length, length), .newTokens = 3}));
  while (measured.sequence(1).generated.empty()) {
    Result<StepReport> report = measured.step();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->decodeRows, 0);
  }
  EXPECT_EQ(measured.sequence(0).generated.size(), 1u);
}

// More sequences than slots, more pages wanted than there are: everybody finishes, in the order of the slots' release.
TEST_F(SessionTest, queuesWhatDoesNotFit) {
  load({.maxRows = 2, .maxSequences = 2, .maxModelLen = 20, .pages = 6, .programRows = {2}});
  std::vector<Request> requests;
  for (int64_t i = 0; i < 12; ++i)
    requests.push_back(keeping(randomTokens(i, 1 + (i * 7) % 17), 3));
  std::vector<Sequence> sequences = run(requests, {2});
  for (size_t i = 0; i < sequences.size(); ++i) {
    EXPECT_EQ(sequences[i].finish, Finish::Length) << i;
    EXPECT_EQ(sequences[i].logits, run({requests[i]}, {1})[0].logits) << i;
  }
}

// More sequences may generate than a step has rows.
TEST_F(SessionTest, takesTurnsWhenRowsAreShort) {
  load({.maxRows = 2, .maxSequences = 5, .maxModelLen = 20, .pages = 25, .programRows = {2}});
  std::vector<Request> requests;
  for (int64_t i = 0; i < 5; ++i)
    requests.push_back(keeping(randomTokens(i, 2), 6));
  std::vector<Sequence> sequences = run(requests, {2});
  for (size_t i = 0; i < sequences.size(); ++i)
    EXPECT_EQ(sequences[i].logits, run({requests[i]}, {1})[0].logits) << i;
}

TEST_F(SessionTest, stopsAtStopIds) {
  load({});
  Tokens prompt = randomTokens(31, 6);
  // At a high temperature tokens vary; the third one is declared to be a stop id.
  Request request = {.prompt = prompt, .newTokens = 10, .sampling = {.temperature = 3, .seed = 4}};
  Tokens free = run({request}, {6})[0].generated;
  ASSERT_EQ(free.size(), 10u);
  size_t first = std::find(free.begin(), free.end(), free[2]) - free.begin();
  load({.stopIds = {1000, free[2]}});
  Sequence stopped = run({request}, {6})[0];
  EXPECT_EQ(stopped.generated, Tokens(free.begin(), free.begin() + first + 1)); // the stop id is part of the result
  EXPECT_EQ(stopped.finish, Finish::Stop);
  request.ignoreEos = true;
  EXPECT_EQ(run({request}, {6})[0].generated, free);
}

TEST_F(SessionTest, feedsContinuations) {
  load({});
  Tokens prompt = randomTokens(8, 4), forced = randomTokens(9, 5), all = prompt;
  Request request = keeping(prompt, 5);
  request.continuation = forced;
  Sequence sequence = run({request}, {6})[0];
  EXPECT_EQ(sequence.generated, forced);
  all.insert(all.end(), forced.begin(), forced.end() - 1);
  std::vector<float> expected = toy::referenceLogits(all);
  ASSERT_EQ(sequence.logits.size(), expected.size());
  EXPECT_NEAR(sequence.logits.back(), expected.back(), 1e-5); // as in computesTheModel
}

TEST_F(SessionTest, fillsTheWholeContext) {
  load({.maxModelLen = 13, .pages = 4});
  EXPECT_EQ(run({keeping(randomTokens(2, 12), 1)}, {6})[0].generated.size(), 1u);
  EXPECT_EQ(run({keeping(randomTokens(2, 1), 12)}, {6})[0].generated.size(), 12u);
  EXPECT_EQ(run({keeping(randomTokens(2, 13), 0)}, {6})[0].fed, 13);
}

TEST_F(SessionTest, refusesEmptyPrompt) {
  load({});
  EXPECT_EQ(refusal({}, 2), "sequence 2: a prompt must have at least one token, but found none");
}

TEST_F(SessionTest, refusesUnknownIds) {
  load({});
  EXPECT_EQ(refusal({.prompt = {1, 36, 37}}), "sequence 0: token ids must be in [0, 37), but found 37 at position 2");
  EXPECT_EQ(refusal({.prompt = {-1}}), "sequence 0: token ids must be in [0, 37), but found -1 at position 0");
}

TEST_F(SessionTest, refusesWhatIsTooLong) {
  load({.maxModelLen = 13});
  auto message = [](const std::string &found) {
    return "sequence 0: prompt and new tokens must be at most 13 together (max_model_len of the artifact), but found " +
           found;
  };
  EXPECT_EQ(refusal({.prompt = randomTokens(1, 14), .newTokens = 0}), message("14 and 0"));
  EXPECT_EQ(refusal({.prompt = randomTokens(1, 10), .newTokens = 4}), message("10 and 4"));
  EXPECT_EQ(refusal({.prompt = {1}, .newTokens = INT64_MAX}), message("1 and 9223372036854775807"));
}

TEST_F(SessionTest, refusesWhatTheCacheCannotHold) {
  load({.maxModelLen = 40, .pages = 3});
  EXPECT_EQ(refusal({.prompt = randomTokens(1, 10), .newTokens = 3}), "");
  EXPECT_EQ(refusal({.prompt = randomTokens(1, 10), .newTokens = 4}),
            "sequence 0: the cache must hold all of its 13 positions, but found 3 pages of 4");
}

TEST_F(SessionTest, refusesChunksBeyondTheArtifact) {
  load({});
  for (int64_t chunk : {0, 7}) {
    Result<Session> created = Session::create(engine->executor(), {chunk});
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().message,
              "session: a prefill step must have 1 to 6 rows (max_rows of the artifact), but found " +
                  std::to_string(chunk));
  }
}

TEST_F(SessionTest, reportsBrokenLogits) {
  load({.spoiled = true});
  Session broken = session({6});
  ASSERT_TRUE(broken.add({.prompt = {1, 2, 3}, .newTokens = 2}));
  Result<StepReport> report = broken.step();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "sequence 0, position 2: logits must be numbers, but found nan for id 5");
}

} // namespace
