#include "runtime/artifact/Json.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <memory>
#include <set>
#include <stdexcept>

namespace glm {
namespace {

constexpr int kDeepest = 64;
constexpr uint64_t kLargestFile = uint64_t(256) << 20;

/// A rule of ours that a parser callback found broken.
struct Refusal : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Sees every key and bracket as it is parsed: nlohmann keeps the last of two equal keys and knows no limit of depth.
class Watch {
public:
  bool operator()(int depth, nlohmann::json::parse_event_t event, const nlohmann::json &value) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > kDeepest)
      throw Refusal(fmt::format("nesting must be at most {} deep, but found more", kDeepest));
    if (event == Event::object_start)
      keys.emplace_back();
    else if (event == Event::object_end)
      keys.pop_back();
    else if (event == Event::key && !keys.back().insert(value.get_ref<const std::string &>()).second)
      throw Refusal(fmt::format("key {} must occur once, but found it twice", value.get_ref<const std::string &>()));
    return true;
  }

private:
  std::vector<std::set<std::string>> keys;
};

int64_t linesIn(const std::string &text, size_t begin, size_t end) {
  return std::count(text.begin() + begin, text.begin() + std::min(end, text.size()), '\n');
}

std::string quoted(const std::string &text) { return nlohmann::json(text).dump(); }

/// Where `key` stands with a colon behind it.
size_t findKey(const std::string &text, const std::string &key) {
  std::string spelled = quoted(key);
  for (size_t at = text.find(spelled); at != std::string::npos; at = text.find(spelled, at + 1)) {
    size_t next = text.find_first_not_of(" \t\r\n", at + spelled.size());
    if (next != std::string::npos && text[next] == ':')
      return at;
  }
  return std::string::npos;
}

} // namespace

std::string JsonFile::place(const std::string &key) const {
  size_t at = findKey(text, key);
  return at == std::string::npos ? name : fmt::format("{}:{}", name, 1 + linesIn(text, 0, at));
}

std::vector<std::string> JsonFile::places(const std::string &key, const std::vector<std::string> &strings) const {
  std::vector<std::string> result;
  size_t at = findKey(text, key);
  if (at == std::string::npos)
    return std::vector<std::string>(strings.size(), name);
  int64_t line = 1 + linesIn(text, 0, at);
  const std::string ofKey = fmt::format("{}:{}", name, line);
  for (const std::string &string : strings) {
    size_t next = text.find(quoted(string), at + 1);
    if (next == std::string::npos) {
      result.push_back(ofKey);
      continue;
    }
    line += linesIn(text, at, next);
    at = next;
    result.push_back(fmt::format("{}:{}", name, line));
  }
  return result;
}

Result<JsonFile> parseJson(std::string name, std::string text) {
  JsonFile file;
  try {
    auto watch = std::make_shared<Watch>(); // nlohmann copies the callback
    file.value = nlohmann::json::parse(text, [watch](int depth, auto event, auto &value) { return (*watch)(depth, event, value); });
  } catch (const nlohmann::json::parse_error &error) {
    int64_t line = 1 + linesIn(text, 0, error.byte);
    return Error{fmt::format("{}:{}: text must be JSON, but found an error at byte {}", name, line, error.byte)};
  } catch (const nlohmann::json::out_of_range &) {
    return Error{fmt::format("{}: numbers must fit into a double, but found a larger one", name)};
  } catch (const Refusal &refusal) {
    return Error{fmt::format("{}: {}", name, refusal.what())};
  }
  if (!file.value.is_object())
    return Error{fmt::format("{}: file must hold one object, but found {}", name, file.value.type_name())};
  file.name = std::move(name);
  file.text = std::move(text);
  return file;
}

Result<JsonFile> readJson(const std::filesystem::path &path) {
  std::string name = path.filename().string();
  std::error_code code;
  if (!std::filesystem::is_regular_file(path, code)) {
    const char *found = std::filesystem::exists(path, code) ? "something else" : "none";
    return Error{fmt::format("{}: {} must be a file, but found {}", path.parent_path().string(), name, found)};
  }
  uint64_t bytes = std::filesystem::file_size(path, code);
  if (code)
    return Error{fmt::format("{}: file must be readable, but found {}", path.string(), code.message())};
  if (bytes > kLargestFile)
    return Error{fmt::format("{}: file must have at most {} bytes, but found {}", name, kLargestFile, bytes)};
  std::ifstream stream(path, std::ios::binary);
  std::string text(bytes, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(bytes));
  if (!stream)
    return Error{fmt::format("{}: file must be readable, but found an error", path.string())};
  return parseJson(name, std::move(text));
}

Result<std::optional<JsonFile>> readOptionalJson(const std::filesystem::path &path) {
  std::error_code code;
  if (std::filesystem::symlink_status(path, code).type() == std::filesystem::file_type::not_found)
    return std::optional<JsonFile>();
  auto file = readJson(path);
  if (!file)
    return file.error();
  return std::optional<JsonFile>(std::move(*file));
}

} // namespace glm
