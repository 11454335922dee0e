#include "test/numerics/Programs.h"

#include "test/numerics/Goldens.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace glm::test {
namespace {

std::string readText(const std::filesystem::path &path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A new name in the scratch folder.
std::filesystem::path fresh(const std::string &suffix) {
  static int count = 0;
  return scratchFolder() / fmt::format("{}{}", count++, suffix);
}

[[noreturn]] void fail(const std::string &program, const std::vector<std::string> &arguments,
                       const Finished &finished) {
  throw std::runtime_error(fmt::format("{} {}: status must be 0, but found {}\n{}", program, fmt::join(arguments, " "),
                                       finished.status, finished.errors));
}

std::vector<std::vector<int32_t>> parseLines(const std::string &text) {
  std::vector<std::vector<int32_t>> lines;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    std::vector<int32_t> &ids = lines.emplace_back();
    std::stringstream words(line);
    for (std::string word; std::getline(words, word, ',');)
      ids.push_back(std::stoi(word));
  }
  return lines;
}

} // namespace

Finished runProgram(const std::string &name, const std::vector<std::string> &arguments) {
  std::filesystem::path program = std::filesystem::path(GLM_BINARIES) / name, output = fresh(".out"),
                        errors = fresh(".err");
  std::vector<char *> words = {const_cast<char *>(program.c_str())};
  for (const std::string &argument : arguments)
    words.push_back(const_cast<char *>(argument.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t child;
  int failed = posix_spawn(&child, program.c_str(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed)
    throw std::runtime_error(
        fmt::format("{}: program must start, but found {}", program.string(), std::strerror(failed)));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  Finished finished{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), readText(output),
                    readText(errors)};
  std::filesystem::remove(output);
  std::filesystem::remove(errors);
  return finished;
}

std::filesystem::path compileOnce(const std::filesystem::path &checkpoint, const std::vector<std::string> &options) {
  std::string name = fmt::format("{}{}.glm", checkpoint.filename().string(), fmt::join(options, ""));
  std::replace(name.begin(), name.end(), '/', '_');
  // What is made of a checkpoint that goes away goes with it.
  std::filesystem::path wanted = (checkpoint.parent_path() == scratchFolder() ? scratchFolder() : keptFolder()) / name;
  if (std::filesystem::exists(wanted))
    return wanted;
  std::vector<std::string> arguments = {checkpoint.string(), "-o", wanted.string()};
  arguments.insert(arguments.end(), options.begin(), options.end());
  Finished finished = runProgram("glm-compile", arguments);
  if (finished.status != 0)
    fail("glm-compile", arguments, finished);
  return wanted;
}

RunOutput runPrompts(const std::filesystem::path &artifact, const std::vector<std::vector<int32_t>> &prompts,
                     const RunOptions &options) {
  std::filesystem::path logits = fresh(".safetensors"), trace = fresh(".trace");
  std::vector<std::string> arguments = {"run", artifact.string()};
  for (const std::vector<int32_t> &prompt : prompts)
    arguments.push_back(fmt::format("--tokens={}", fmt::join(prompt, ",")));
  arguments.push_back(fmt::format("--max-new-tokens={}", options.newTokens));
  arguments.push_back("--ignore-eos");
  arguments.push_back("--logits=" + logits.string());
  if (options.chunk)
    arguments.push_back(fmt::format("--chunk={}", *options.chunk));
  if (options.threads)
    arguments.push_back(fmt::format("--threads={}", *options.threads));
  if (options.trace)
    arguments.push_back("--trace=" + trace.string());
  if (!options.device.empty())
    arguments.push_back("--device=" + options.device);
  Finished finished = runProgram("glm-run", arguments);
  if (finished.status != 0)
    fail("glm-run", arguments, finished);
  RunOutput output;
  auto file = TensorFile::open(logits);
  if (!file)
    throw std::runtime_error(file.error().message);
  for (size_t i = 0; i < prompts.size(); ++i)
    output.logits.push_back(file->floats(std::to_string(i)));
  output.generated = parseLines(finished.output);
  if (options.trace) {
    auto traced = TensorFile::open(trace);
    if (!traced)
      throw std::runtime_error(traced.error().message);
    output.trace = std::make_unique<TensorFile>(std::move(*traced));
    std::filesystem::remove(trace);
  }
  std::filesystem::remove(logits);
  return output;
}

} // namespace glm::test
