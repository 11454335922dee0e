// glm-run: the command line. Exit 0 done, 1 refused or failed, 2 usage.
#include "runtime/artifact/Manifest.h"
#include "runtime/artifact/Streams.h"
#include "runtime/device/ThreadPool.h"
#include "runtime/glm-run/Commands.h"
#include "runtime/glm-run/Prompts.h"
#include "runtime/glm-run/Suggest.h"

#include <CLI/CLI.hpp>
#include <cmath>
#include <fmt/format.h>
#include <new>
#include <string>
#include <system_error>
#include <vector>

using namespace glm;

static constexpr int64_t kMaxThreads = 4096;
static constexpr int64_t kMaxCount = 1ll << 40;

namespace {
/// What the four subcommands are asked; only one of them runs.
struct CommandLine {
  RunOptions run;
  InfoOptions info;
  VerifyOptions verify;
  BenchOptions bench;
};
} // namespace

static CLI::Validator tokenList() {
  return CLI::Validator(
      [](std::string &text) {
        Result<std::vector<int32_t>> tokens = parseTokens(text);
        return tokens ? std::string() : tokens.error().message;
      },
      "IDS");
}

/// A number for which `allowed` holds; NaN never is one.
static CLI::Validator number(const std::string &rule, bool (*allowed)(double)) {
  return CLI::Validator(
      [rule, allowed](std::string &text) {
        double value = 0;
        bool legal = CLI::detail::lexical_cast(text, value) && std::isfinite(value) && allowed(value);
        return legal ? std::string() : fmt::format("expects a number {}, but found {}", rule, text);
      },
      "X");
}

static void addArtifact(CLI::App &command, std::filesystem::path &artifact) {
  command.add_option("artifact", artifact, "folder that glm-compile wrote")->required()->type_name("NAME.glm");
}

static void addDevice(CLI::App &command, DeviceOptions &device) {
  command.add_option("--device", device.device, "host, cuda or ptx (default: what the artifact is for)")
      ->check(CLI::IsMember({"host", "cuda", "ptx"}))
      ->type_name("NAME");
  command.add_option("-t,--threads", device.threads, "threads that compute (default: online processors)")
      ->check(CLI::Range(int64_t{1}, kMaxThreads))
      ->type_name("N");
  command.add_flag("--skip-scale-check", device.skipScaleCheck,
                   "do not read all block scales first: verify --weights has passed on this checkpoint");
}

static void addRun(CLI::App &app, RunOptions &run) {
  CLI::App &command = *app.add_subcommand("run", "generate tokens, or score prompts");
  addArtifact(command, run.artifact);
  CLI::Option *tokens =
      command.add_option("--tokens", run.prompts, "prompt ids, separated by commas; once per sequence")
          ->allow_extra_args(false)
          ->check(tokenList())
          ->type_name("IDS");
  CLI::Option *file =
      command.add_option("--tokens-file", run.promptFile, "one sequence a line, - is stdin")->type_name("FILE");
  tokens->excludes(file);
  command
      .add_option("-n,--max-new-tokens", run.newTokens,
                  "most new tokens of a sequence (default 16); 0 scores the prompts only")
      ->check(CLI::Range(int64_t{0}, kMaxCount))
      ->type_name("N");
  CLI::Option *temperature = command
                                 .add_option("--temperature,--temp", run.sampling.temperature,
                                             "0: greedy (default; 1 if --top-k or --top-p is given)")
                                 ->check(number("of at least 0", [](double x) { return x >= 0; }))
                                 ->type_name("X");
  CLI::Option *topP =
      command.add_option("--top-p", run.sampling.topP, "keep the likeliest ids that reach this share, after --top-k")
          ->check(number("in (0, 1]", [](double x) { return x > 0 && x <= 1; }))
          ->type_name("X");
  CLI::Option *topK = command.add_option("--top-k", run.sampling.topK, "keep this many of the likeliest ids; 0: all")
                          ->check(CLI::Range(int64_t{0}, kMaxCount))
                          ->type_name("N");
  command.add_option("-s,--seed", run.sampling.seed, "of the random numbers (default 0)")->type_name("N");
  command.add_flag("--ignore-eos", run.ignoreEos, "go on after a stop id");
  command.add_option("--logits", run.logits, "write float32 logits of every token fed: tensors \"0\", \"1\", ...")
      ->type_name("FILE");
  command.add_option("--trace", run.trace, "write what the tapped kernels chose: tensors \"0.experts.3\", ...")
      ->type_name("FILE");
  command.add_option("--chunk", run.chunk, "prompt rows of a step (default: max_rows of the artifact)")
      ->check(CLI::Range(int64_t{1}, kMaxCount))
      ->type_name("N");
  command.add_flag("--profile", run.profile, "print where the time went, by kernel family");
  command.add_flag("--json", run.json, "one JSON object instead of text");
  addDevice(command, run.device);
  command.callback([=, &run] {
    if (tokens->count() + file->count() == 0)
      throw CLI::RequiredError("--tokens or --tokens-file");
    if (temperature->count() == 0 && topP->count() + topK->count() > 0)
      run.sampling.temperature = 1;
  });
}

static void addInfo(CLI::App &app, InfoOptions &info) {
  CLI::App &command = *app.add_subcommand("info", "say what an artifact is");
  addArtifact(command, info.artifact);
  command
      .add_option("--counters", info.counters, "what GLM_PTX_PROFILE=FILE counted in runs on --device=ptx, by kernel")
      ->type_name("FILE");
  command.add_flag("--json", info.json, "one JSON object instead of text");
}

static void addVerify(CLI::App &app, VerifyOptions &verify) {
  CLI::App &command = *app.add_subcommand("verify", "check an artifact, its checkpoint and this machine");
  addArtifact(command, verify.artifact);
  command.add_flag("--weights", verify.weights, "read the whole checkpoint: block scales, SHA-256 of each file");
  command.add_option("-t,--threads", verify.threads, "threads that read (default: online processors)")
      ->check(CLI::Range(int64_t{1}, kMaxThreads))
      ->type_name("N");
  command.add_flag("--json", verify.json, "one JSON object instead of text");
}

static void addBench(CLI::App &app, BenchOptions &bench) {
  CLI::App &command = *app.add_subcommand("bench", "measure tokens per second");
  addArtifact(command, bench.artifact);
  auto list = [&](const char *name, std::vector<int64_t> &values, const char *help, int64_t least) {
    command.add_option(name, values, help)
        ->delimiter(',')
        ->allow_extra_args(false)
        ->check(CLI::Range(least, kMaxCount))
        ->type_name("N,...");
  };
  list("-p,--prompt", bench.prompts, "tokens of a prompt (default 512); 0: none", 0);
  list("-n,--new", bench.news, "tokens to generate (default 128); 0: none", 0);
  list("-b,--batch", bench.batches, "sequences at once (default 1)", 1);
  list("-d,--depth", bench.depths, "tokens already in the caches when generating starts (default 0)", 0);
  command.add_option("-r,--repeat", bench.repeat, "timed runs of each test (default 5)")
      ->check(CLI::Range(int64_t{1}, kMaxCount))
      ->type_name("N");
  command.add_flag("--json", bench.json, "one JSON object instead of text");
  addDevice(command, bench.device);
}

static Result<void> dispatch(const CLI::App &app, const CommandLine &line) {
  if (app.got_subcommand("run"))
    return runCommand(line.run);
  if (app.got_subcommand("info"))
    return infoCommand(line.info);
  if (app.got_subcommand("verify"))
    return verifyCommand(line.verify);
  return benchCommand(line.bench);
}

/// What CLI11 says, with the nearest known name for a word that it does not know.
static std::string explain(const CLI::App &app, const CLI::Error &error, const std::string &firstWord) {
  std::string message = error.what();
  std::vector<std::string> subcommands;
  for (const CLI::App *command : app.get_subcommands([](const CLI::App *) { return true; }))
    subcommands.push_back(command->get_name());
  std::string unknown, nearest;
  if (app.get_subcommands().empty()) {
    unknown = firstWord;
    nearest = nearestName(firstWord, subcommands);
  } else {
    const CLI::App &command = *app.get_subcommands().front();
    std::vector<std::string> flags;
    for (const CLI::Option *option : command.get_options())
      for (const std::string &name : option->get_lnames())
        flags.push_back("--" + name);
    for (const std::string &word : app.remaining(true))
      if (unknown.empty() && word.starts_with("--")) {
        unknown = word.substr(0, word.find('='));
        nearest = nearestName(unknown, flags);
      }
  }
  if (!unknown.empty() && message.find(unknown) == std::string::npos)
    message += fmt::format(", but found {}", unknown);
  if (!nearest.empty())
    message += fmt::format("; did you mean {}?", nearest);
  return message;
}

/// Memory or a thread that is not there is no reason to end without a message of ours.
static Result<void> runWithin(const CLI::App &app, const CommandLine &line) try {
  return dispatch(app, line);
} catch (const std::system_error &failure) {
  return Error{fmt::format("glm-run: the system must grant what a run needs, but found {}", failure.code().message())};
} catch (const std::bad_alloc &) {
  return Error{"glm-run: memory must suffice, but found that an allocation failed"};
}

int main(int argc, char **argv) {
  occupyStandardStreams();
  CommandLine line;
  line.run.device.threads = line.bench.device.threads = line.verify.threads = onlineProcessors();
  CLI::App app("Runs what glm-compile wrote.", "glm-run");
  app.set_version_flag("--version", fmt::format("glm-run {}, artifact format {}", GLM_VERSION, kFormatVersion));
  app.require_subcommand(1);
  app.option_defaults()->always_capture_default(false);
  addRun(app, line.run);
  addInfo(app, line.info);
  addVerify(app, line.verify);
  addBench(app, line.bench);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &wanted) {
    app.exit(wanted); // --help, --version
    return finishProgram({});
  } catch (const CLI::ParseError &error) {
    printTalk("error: glm-run: {}\nRun with --help for more information.\n",
              explain(app, error, argc > 1 ? argv[1] : ""));
    return 2;
  }
  return finishProgram(runWithin(app, line));
}
