// Steps that are enqueued before the tokens of the one before are known: the toy model with a kernel that chooses.
#include "runtime/exec/Engine.h"
#include "runtime/exec/Session.h"
#include "test/runtime/artifact/TemporaryFolder.h"
#include "test/runtime/exec/ToyArtifact.h"

#include <gtest/gtest.h>
#include <random>

using namespace glm;

namespace {

using Tokens = std::vector<int32_t>;

class BegunSteps : public StepObserver {
public:
  void stepBegins(const Step &, int64_t) override { ++count; }
  void launchDone(int64_t, int64_t, double) override {}
  int64_t count = 0;
};

class AheadTest : public testing::Test {
protected:
  void load(toy::Options options) {
    engine.reset(); // its library is mapped, and about to be written again
    options.samples = true;
    Result<std::unique_ptr<Engine>> loaded = Engine::load(toy::writeArtifact(folder.path(), options), {2});
    if (!loaded)
      throw std::runtime_error(loaded.error().message);
    engine = std::move(*loaded);
  }

  Session session(const SessionOptions &options, const std::vector<Request> &requests) {
    Session session = std::move(*Session::create(engine->executor(), options));
    for (const Request &request : requests)
      EXPECT_TRUE(session.add(request));
    return session;
  }

  struct Outcome {
    std::vector<Sequence> sequences;
    int64_t promptRows = 0, decodeRows = 0;
  };
  Outcome run(const std::vector<Request> &requests, const SessionOptions &options) {
    Session all = session(options, requests);
    Outcome outcome;
    while (!all.idle()) {
      Result<StepReport> report = all.step();
      if (!report)
        throw std::runtime_error(report.error().message);
      outcome.promptRows += report->promptRows;
      outcome.decodeRows += report->decodeRows;
    }
    for (int64_t i = 0; i < all.size(); ++i)
      outcome.sequences.push_back(all.sequence(i));
    return outcome;
  }

  test::TemporaryFolder folder;
  std::unique_ptr<Engine> engine;
};

Tokens randomTokens(std::mt19937_64 &generator, size_t count) {
  Tokens tokens(count);
  for (int32_t &token : tokens)
    token = static_cast<int32_t>(generator() % toy::kVocab);
  return tokens;
}

/// Prompts and lengths of all kinds; tokens are greedy, or vary; some only score, some are told what to feed.
std::vector<Request> randomRequests(uint64_t seed, int64_t count) {
  std::mt19937_64 generator(seed);
  std::vector<Request> requests;
  for (int64_t i = 0; i < count; ++i) {
    Request &request = requests.emplace_back();
    request.prompt = randomTokens(generator, 1 + generator() % 9);
    request.newTokens = static_cast<int64_t>(generator() % 8);
    request.sampling = {.temperature = i % 3 ? 1.5 : 0, .seed = generator()};
    request.ignoreEos = i % 4 == 3;
    request.continuation = randomTokens(generator, i % 5 ? 0 : generator() % 5);
  }
  return requests;
}

TEST_F(AheadTest, NeverChangesResults) {
  // Five of 37 ids stop: about every second sequence finds one.
  load({.maxRows = 6, .maxSequences = 3, .maxModelLen = 20, .pages = 12, .stopIds = {1, 9, 17, 25, 33}});
  for (uint64_t seed : {1, 2, 3}) {
    std::vector<Request> requests = randomRequests(seed, 24);
    Outcome expected = run(requests, {.chunk = 1, .ahead = false});
    for (int64_t chunk : {1, 2, 6})
      for (bool promptsFirst : {false, true}) {
        Outcome ahead = run(requests, {chunk, promptsFirst, /*ahead=*/true});
        EXPECT_EQ(ahead.promptRows, expected.promptRows);
        EXPECT_EQ(ahead.decodeRows, expected.decodeRows);
        for (size_t i = 0; i < requests.size(); ++i) {
          EXPECT_EQ(ahead.sequences[i].generated, expected.sequences[i].generated) << "chunk " << chunk << " of " << i;
          EXPECT_EQ(ahead.sequences[i].finish, expected.sequences[i].finish) << "chunk " << chunk << " of " << i;
          EXPECT_EQ(ahead.sequences[i].fed, expected.sequences[i].fed) << "chunk " << chunk << " of " << i;
        }
      }
  }
}

/// The kernel's tokens are those that the host would have chosen.
TEST_F(AheadTest, FeedsWhatWasChosen) {
  load({});
  Tokens tokens = {5, 30, 2};
  Tokens generated = run({{.prompt = tokens, .newTokens = 12}}, {1}).sequences[0].generated;
  ASSERT_EQ(generated.size(), 12u);
  for (int32_t token : generated) {
    std::vector<float> logits = toy::referenceLogits(tokens);
    auto last = logits.end() - toy::kVocab;
    EXPECT_EQ(token, std::max_element(last, logits.end()) - last);
    tokens.push_back(token);
  }
}

TEST_F(AheadTest, EnqueuesBeforeItReads) {
  load({});
  BegunSteps begun;
  engine->executor().setObservers({&begun});
  Request request = {.prompt = {1, 2, 3}, .newTokens = 4};
  Session ahead = session({6}, {request});
  ASSERT_TRUE(ahead.step());
  EXPECT_EQ(begun.count, 2);
  EXPECT_EQ(ahead.sequence(0).generated.size(), 1u);
  while (!ahead.idle())
    ASSERT_TRUE(ahead.step());
  EXPECT_EQ(begun.count, 4); // a prompt and three tokens: the last is known to be the last

  begun.count = 0;
  Session waiting = session({.chunk = 6, .ahead = false}, {request});
  ASSERT_TRUE(waiting.step());
  EXPECT_EQ(begun.count, 1);
  begun.count = 0;
  request.keepLogits = true;
  Session keeping = session({6}, {request});
  ASSERT_TRUE(keeping.step());
  EXPECT_EQ(begun.count, 1);
}

/// More sequences than rows: the token of a row may have been read before it is fed.
TEST_F(AheadTest, TakesTurnsWhenRowsAreShort) {
  load({.maxRows = 2, .maxSequences = 5, .maxModelLen = 20, .pages = 25, .programRows = {2}});
  std::vector<Request> requests;
  for (uint64_t i = 0; i < 5; ++i)
    requests.push_back({.prompt = {3, static_cast<int32_t>(i)}, .newTokens = 6, .sampling = {1, 0, 1, i}});
  Outcome expected = run(requests, {.chunk = 2, .ahead = false}), ahead = run(requests, {2});
  for (size_t i = 0; i < requests.size(); ++i)
    EXPECT_EQ(ahead.sequences[i].generated, expected.sequences[i].generated) << i;
}

TEST_F(AheadTest, ReportsBrokenLogits) {
  load({.spoiled = true});
  Session broken = session({6}, {{.prompt = {1, 2, 3}, .newTokens = 2}});
  Result<StepReport> report = broken.step();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().message, "sequence 0, position 2: logits must be numbers, but found nan for id 5");
}

TEST_F(AheadTest, RefusesSmallBuffers) {
  auto refusal = [&](const std::string &name) {
    toy::Options options;
    options.samples = true;
    options.edit = [&](Manifest &manifest) {
      for (Buffer &buffer : manifest.buffers)
        if (buffer.name == name)
          buffer.bytes -= 4;
    };
    Result<std::unique_ptr<Engine>> loaded = Engine::load(toy::writeArtifact(folder.path(), options), {2});
    return loaded ? "" : loaded.error().message;
  };
  EXPECT_EQ(refusal("sampled"), "manifest.json: buffer sampled must have at least 24 bytes, but found 20");
  EXPECT_EQ(refusal("sampling"), "manifest.json: buffer sampling must have at least 120 bytes, but found 116");
}

} // namespace
