#include "test/frontend/glm-compile/Place.h"

#include "runtime/artifact/Safetensors.h"
#include "test/Inputs/Presets.h"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <memory>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fs = std::filesystem;

namespace glm::test {
namespace {

CheckpointRequest request(Start start) {
  CheckpointRequest request = *preset("tiny");
  for (const auto &[key, value] : {std::pair("num_hidden_layers", 5),
                                   {"first_k_dense_replace", 2},
                                   {"index_topk_freq", 2},
                                   {"index_skip_topk_offset", 2},
                                   {"vocab_size", 40},
                                   {"n_routed_experts", 4},
                                   {"num_experts_per_tok", 2}})
    request.config[key] = value;
  request.fastWeights = true;
  request.packed = {start == Start::Card ? "card" : start == Start::CompressedTensors ? "*.experts.*" : "all"};
  if (start == Start::Wide || start == Start::Shards)
    request.format = CheckpointFormat::Bf16;
  else if (start == Start::CompressedTensors)
    request.format = CheckpointFormat::CompressedTensors;
  else
    request.format = CheckpointFormat::ModelOpt;
  request.shards = start == Start::Shards ? 2 : 1;
  return request;
}

/// A folder as it is before it is spoiled, made when it is first asked for.
const fs::path &original(Start start) {
  static std::map<Start, std::unique_ptr<TemporaryFolder>> made;
  std::unique_ptr<TemporaryFolder> &folder = made[start];
  if (folder)
    return folder->path();
  folder = std::make_unique<TemporaryFolder>();
  if (Result<void> done = makeCheckpoint(request(start), folder->path() / "model"); !done)
    throw std::runtime_error(done.error().message);
  if (start != Start::Artifact)
    return folder->path();
  std::string command = "cd " + folder->path().string() + " && " GLM_COMPILE " model -o model.glm --max-rows=2 2>&1";
  if (std::system(command.c_str()) != 0)
    throw std::runtime_error("glm-compile refuses a good checkpoint");
  // The copies lie elsewhere.
  Place::text(folder->path() / "model.glm" / "manifest.json", "\"checkpoint\": \"" + folder->path().string() + "/model",
              "\"checkpoint\": \"../model");
  return folder->path();
}

uint64_t headerLength(const std::string &content) {
  uint64_t length = 0;
  std::memcpy(&length, content.data(), sizeof length);
  return length;
}

/// Every file below a folder with its size.
std::map<std::string, uintmax_t> snapshot(const fs::path &root) {
  std::map<std::string, uintmax_t> files;
  std::error_code ignored;
  for (const auto &entry : fs::recursive_directory_iterator(root, ignored))
    files[fs::relative(entry.path(), root).string()] = entry.is_regular_file(ignored) ? entry.file_size(ignored) : 0;
  return files;
}

std::string difference(const std::map<std::string, uintmax_t> &before, const std::map<std::string, uintmax_t> &after) {
  std::string names;
  auto add = [&](const std::string &name) { names += (names.empty() ? "" : ", ") + name; };
  for (const auto &[name, size] : after)
    if (auto found = before.find(name); found == before.end() || found->second != size)
      add(name);
  for (const auto &[name, size] : before)
    if (!after.contains(name))
      add(name);
  return names;
}

std::string withoutPath(std::string text, const std::string &path) {
  for (size_t at; (at = text.find(path)) != std::string::npos;)
    text.replace(at, path.size(), "PLACE");
  return text;
}

void limit(int resource, rlim_t value) {
  rlimit bound{value, value};
  setrlimit(resource, &bound);
}

/// In the child: streams, limits, and the program in the place of this one.
[[noreturn]] void become(const fs::path &folder, const std::vector<std::string> &words, const Limits &limits,
                         const fs::path &streams) {
  auto redirect = [](const fs::path &file, int flags, int to) { dup2(open(file.c_str(), flags, 0600), to); };
  redirect(streams / "in", O_RDONLY, STDIN_FILENO);
  redirect(limits.fullOutput ? fs::path("/dev/full") : streams / "out", O_WRONLY | O_CREAT, STDOUT_FILENO);
  redirect(streams / "err", O_WRONLY | O_CREAT, STDERR_FILENO);
  limit(RLIMIT_CPU, 20);
  limit(RLIMIT_CORE, 0);
  if (limits.fileBytes > 0) {
    signal(SIGXFSZ, SIG_IGN); // inherited: a write then fails, as on a disk that is full
    limit(RLIMIT_FSIZE, static_cast<rlim_t>(limits.fileBytes));
  }
  std::vector<char *> arguments;
  for (const std::string &word : words)
    arguments.push_back(const_cast<char *>(word.c_str()));
  arguments.push_back(nullptr);
  if (chdir(folder.c_str()) == 0)
    execv(arguments[0], arguments.data());
  _exit(127);
}

} // namespace

Place::Place(Start start) {
  fs::copy(original(start), folder.path(), fs::copy_options::recursive | fs::copy_options::overwrite_existing);
}

void Place::make(const Json &config) const {
  fs::remove_all(model());
  CheckpointRequest other = request(Start::Wide);
  for (const auto &[key, value] : config.items())
    other.config[key] = value;
  if (Result<void> done = makeCheckpoint(other, root() / "model"); !done)
    throw std::runtime_error(done.error().message);
}

void Place::write(const fs::path &file, const std::string &content) {
  std::ofstream(file, std::ios::binary) << content;
}

std::string Place::read(const fs::path &file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

void Place::json(const fs::path &file, const std::function<void(Json &)> &edit) {
  Json json = Json::parse(read(file));
  edit(json);
  write(file, json.dump(1));
}

void Place::config(const std::string &key, const Json &value) const {
  json(model("config.json"), [&](Json &json) {
    if (value.is_null())
      json.erase(key);
    else
      json[key] = value;
  });
}

void Place::text(const fs::path &file, const std::string &from, const std::string &to) {
  std::string content = read(file);
  size_t at = content.find(from);
  if (at == std::string::npos)
    throw std::runtime_error(file.string() + " does not hold " + from);
  write(file, content.replace(at, from.size(), to));
}

void Place::rawHeader(const fs::path &file, const std::string &header) {
  std::string content = read(file), length(8, '\0');
  uint64_t bytes = header.size();
  std::memcpy(length.data(), &bytes, sizeof bytes);
  write(file, length + header + content.substr(8 + headerLength(content)));
}

void Place::header(const fs::path &file, const std::function<void(Json &)> &edit) {
  std::string content = read(file);
  Json json = Json::parse(content.substr(8, headerLength(content)));
  edit(json);
  rawHeader(file, json.dump());
}

void Place::tensor(const fs::path &file, const std::string &name, size_t at, const std::string &bytes) {
  std::string content = read(file);
  uint64_t length = headerLength(content);
  Json json = Json::parse(content.substr(8, length));
  size_t begin = json.at(name).at("data_offsets").at(0);
  write(file, content.replace(8 + length + begin + at, bytes.size(), bytes));
}

void Place::resize(const fs::path &file, int64_t bytes) {
  fs::resize_file(file, static_cast<uintmax_t>(static_cast<int64_t>(fs::file_size(file)) + bytes));
}

Outcome call(const Place &place, const std::vector<std::string> &words, const Limits &limits) {
  TemporaryFolder streams;
  streams.write("in", limits.input);
  auto before = snapshot(place.root());
  pid_t child = fork();
  if (child == 0)
    become(place.root(), words, limits, streams.path());
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  Outcome outcome;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  outcome.out = withoutPath(streams.read("out"), place.root().string());
  outcome.err = withoutPath(streams.read("err"), place.root().string());
  outcome.left = difference(before, snapshot(place.root()));
  auto seconds = [](timeval time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  outcome.seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  outcome.peakBytes = usage.ru_maxrss * 1024;
  return outcome;
}

} // namespace glm::test
