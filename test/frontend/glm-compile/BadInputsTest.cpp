// Calls the programs on every bad input of the tables and compares whole messages.
//
// BadInputsTest --messages prints what they said as one table instead.
#include "test/frontend/glm-compile/BadInputs.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sstream>

namespace fs = std::filesystem;

namespace glm::test {
namespace {

/// A refusal reads headers and scalars of a model of a few MB: what LLVM's libraries take when they are loaded, and the largest
/// header that is read.
constexpr int64_t kReadBytes = int64_t(1) << 30;
#if __has_feature(thread_sanitizer)
constexpr int64_t kMostBytes = 3 * kReadBytes; // for each byte the sanitizer has two of its own
#else
constexpr int64_t kMostBytes = kReadBytes;
#endif

std::vector<Section> sections() {
  return {badFolders(),      badHeaders(), badTensors(),   badValues(), badConfigs(),
          badQuantization(), badOutputs(), badArtifacts(), badRuns(),   warnings()};
}

Outcome spoilAndCall(const BadInput &input) {
  Place place(input.start);
  input.spoil(place);
  return call(place, input.words, input.limits);
}

/// The lines that the table holds, as stderr must have them.
std::string expected(const std::string &said, int code) {
  std::istringstream lines(said);
  std::string text, line;
  while (std::getline(lines, line))
    text += (code == 1 ? "error: " : "warning: ") + line + "\n";
  return text;
}

/// Whether `text` is `pattern`, in which # stands for hexadecimal digits.
bool matches(std::string_view pattern, std::string_view text) {
  size_t hole = pattern.find('#');
  if (hole == std::string_view::npos || text.substr(0, hole) != pattern.substr(0, hole))
    return pattern == text;
  size_t digits = text.find_first_not_of("0123456789abcdef", hole);
  return digits != std::string_view::npos && digits > hole && matches(pattern.substr(hole + 1), text.substr(digits));
}

void check(const Section &section) {
  for (const BadInput &input : section.rows) {
    SCOPED_TRACE(section.title + ": " + input.what);
    Outcome outcome = spoilAndCall(input);
    std::string said = expected(input.said, section.code);
    EXPECT_TRUE(matches(said, outcome.err)) << "said:     " << outcome.err << "expected: " << said;
    EXPECT_EQ(outcome.code, section.code);
    EXPECT_EQ(outcome.out.empty(), section.code == 1);
    EXPECT_EQ(outcome.left, "");
    EXPECT_LT(outcome.peakBytes, kMostBytes);
  }
}

TEST(BadInputs, folders) { check(badFolders()); }
TEST(BadInputs, headers) { check(badHeaders()); }
TEST(BadInputs, tensors) { check(badTensors()); }
TEST(BadInputs, values) { check(badValues()); }
TEST(BadInputs, configs) { check(badConfigs()); }
TEST(BadInputs, quantization) { check(badQuantization()); }
TEST(BadInputs, outputs) { check(badOutputs()); }
TEST(BadInputs, artifacts) { check(badArtifacts()); }
TEST(BadInputs, runs) { check(badRuns()); }
TEST(BadInputs, warnings) { check(warnings()); }

/// What is nearly a bad input: these must be taken.
class GoodInputs : public testing::Test {
protected:
  static void expectTaken(const Place &place, const std::string &model = "model") {
    Outcome outcome = call(place, {GLM_COMPILE, model, "--print-precision=json"});
    EXPECT_EQ(outcome.err, "");
    EXPECT_EQ(outcome.code, 0);
  }
};

TEST_F(GoodInputs, everyStart) {
  for (Start start : {Start::Wide, Start::Shards, Start::Packed, Start::Card, Start::CompressedTensors})
    expectTaken(Place(start));
}

TEST_F(GoodInputs, cacheOfTheHub) {
  Place place(Start::Shards);
  fs::path cache = place.root() / "models--zai-org--GLM-5.2", snapshot = cache / "snapshots" / std::string(40, 'b');
  fs::create_directories(cache / "blobs");
  fs::create_directories(snapshot);
  char digit = '0';
  for (const auto &entry : fs::directory_iterator(place.model())) {
    std::string hash(entry.path().extension() == ".safetensors" ? 64 : 40, digit++);
    fs::rename(entry.path(), cache / "blobs" / hash);
    fs::create_symlink("../../blobs/" + hash, snapshot / entry.path().filename());
  }
  expectTaken(place, fs::relative(snapshot, place.root()).string());
  // The same blobs, reached from the folder of another model.
  fs::path stranger = place.root() / "models--other" / "snapshots" / std::string(40, 'c');
  fs::create_directories(stranger.parent_path());
  fs::rename(snapshot, stranger);
  for (const auto &entry : fs::directory_iterator(stranger)) {
    fs::path link = "../../../models--zai-org--GLM-5.2/blobs" / fs::read_symlink(entry.path()).filename();
    fs::remove(entry.path());
    fs::create_symlink(link, entry.path());
  }
  Outcome outcome = call(place, {GLM_COMPILE, fs::relative(stranger, place.root()).string(), "--print-precision"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("must lie in the folder or in the blobs of a Hugging Face cache"), std::string::npos)
      << outcome.err;
}

TEST_F(GoodInputs, linkWithinTheFolder) {
  Place place(Start::Shards);
  fs::rename(place.model(kFirst), place.model("first"));
  fs::create_symlink("first", place.model(kFirst));
  expectTaken(place);
}

TEST_F(GoodInputs, folderBehindALink) {
  Place place(Start::Shards);
  fs::rename(place.model(), place.root() / "away");
  fs::create_symlink("away", place.root() / "model");
  expectTaken(place);
}

TEST_F(GoodInputs, artifactWithAnotherPlaceOfTheCheckpoint) {
  Place place(Start::Artifact);
  fs::rename(place.model(), place.root() / "moved");
  Place::json(place.artifact("manifest.json"), [](Json &json) { json["checkpoint"] = "../moved"; });
  Outcome outcome = call(place, {GLM_RUN, "run", "model.glm", "--tokens=1,2", "--max-new-tokens=1"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

std::string tableText(const std::string &text) {
  std::string result;
  for (char c : text)
    result += c == '|' ? "\\|" : c == '\n' ? "<br>" : std::string(1, c);
  return result;
}

void printMessages() {
  double seconds = 0;
  int64_t bytes = 0;
  size_t count = 0;
  for (const Section &section : sections()) {
    fmt::print("\n### {}\n\n| what | what is said (exit {}) |\n|---|---|\n", section.title, section.code);
    for (const BadInput &input : section.rows) {
      Outcome outcome = spoilAndCall(input);
      std::string said = outcome.err.substr(0, outcome.err.find_last_not_of('\n') + 1);
      if (outcome.code != section.code)
        said += fmt::format(" (EXIT {})", outcome.code);
      if (!outcome.left.empty())
        said += fmt::format(" (LEFT BEHIND {})", outcome.left);
      fmt::print("| {} | {} |\n", input.what, tableText(said));
      seconds = std::max(seconds, outcome.seconds);
      bytes = std::max(bytes, outcome.peakBytes);
      ++count;
    }
  }
  fmt::print("\n{} inputs; at most {:.2f} s of processor time and {} MB of memory for one.\n", count, seconds,
             bytes / 1'000'000);
}

} // namespace
} // namespace glm::test

int main(int argc, char **argv) {
  if (argc == 2 && std::string(argv[1]) == "--messages") {
    glm::test::printMessages();
    return 0;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
