#include "runtime/artifact/Json.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <optional>
#include <string_view>

namespace glm {
namespace {

constexpr size_t kDeepest = 64;
constexpr uint64_t kLargestFile = uint64_t(256) << 20;
/// Some hundred bytes each; the real checkpoint in one file would have half a million.
constexpr size_t kMostValues = size_t(4) << 20;
/// Searches through the rest of a text that may find nothing.
constexpr size_t kMostMisses = 16;

int64_t linesIn(const std::string &text, size_t begin, size_t end) {
  return std::count(text.begin() + begin, text.begin() + std::min(end, text.size()), '\n');
}

/// Builds the value. nlohmann's own builder keeps the last of two equal keys and knows no limit of depth, and its hook for
/// such checks walks the whole parent after each child: quadratic for a header of many tensors.
class Builder : public nlohmann::json_sax<nlohmann::json> {
public:
  using Json = nlohmann::json;

  Builder(const std::string &name, const std::string &text) : name(name), text(text) {}

  Json root;
  std::optional<Error> error;

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(int64_t value) override { return put(value); }
  bool number_unsigned(uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string &) override { return put(value); }
  bool string(std::string &value) override { return put(std::move(value)); }
  bool binary(Json::binary_t &) override { return false; } // no such thing in text
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string &value) override {
    auto [entry, isNew] = stack.back()->get_ref<Json::object_t &>().try_emplace(value);
    member = &entry->second;
    return isNew || fail(fmt::format("{}: key {} must occur once, but found it twice", name, value));
  }

  bool parse_error(size_t position, const std::string &token, const Json::exception &exception) override {
    constexpr int overflow = 406; // nlohmann's number for a number beyond a double
    std::string place = fmt::format("{}:{}", name, 1 + linesIn(text, 0, position));
    // Python writes these where JSON has no word for them.
    std::string_view rest = std::string_view(text).substr(std::min(text.size(), position > 0 ? position - 1 : 0));
    for (const char *word : {"NaN", "Infinity"})
      if (rest.starts_with(word))
        return fail(fmt::format("{}: number must be finite, but found {}", place, word));
    if (exception.id == overflow)
      return fail(fmt::format("{}: number must fit into a double, but found {}", place, token));
    return fail(fmt::format("{}: text must be JSON, but found an error at byte {}", place, position));
  }

private:
  bool fail(std::string message) {
    error = Error{std::move(message)};
    return false;
  }

  Json *place(Json value) {
    if (stack.empty())
      return &(root = std::move(value));
    if (stack.back()->is_array())
      return &stack.back()->get_ref<Json::array_t &>().emplace_back(std::move(value));
    return &(*member = std::move(value));
  }
  bool put(Json value) { return count() && place(std::move(value)); }
  bool open(Json value) {
    if (!count())
      return false;
    if (stack.size() == kDeepest)
      return fail(fmt::format("{}: nesting must be at most {} deep, but found more", name, kDeepest));
    stack.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    stack.pop_back();
    return true;
  }
  bool count() {
    return ++values <= kMostValues ||
           fail(fmt::format("{}: file must hold at most {} values, but found more", name, kMostValues));
  }

  const std::string &name, &text;
  std::vector<Json *>
      stack;              ///< open brackets, outermost first; nothing is added to a list while an entry of it is open
  Json *member = nullptr; ///< where the value of the last key goes
  size_t values = 0;
};

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
  size_t misses = 0;
  for (const std::string &string : strings) {
    size_t next = misses < kMostMisses ? text.find(quoted(string), at + 1) : std::string::npos;
    if (next == std::string::npos) {
      ++misses;
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
  Builder builder(name, text);
  nlohmann::json::sax_parse(text, &builder);
  if (builder.error)
    return *builder.error;
  JsonFile file;
  file.value = std::move(builder.root);
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
