#include "test/fuzz/Fuzz.h"

#include "runtime/artifact/Message.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace glm::fuzz {

void require(bool holds, std::string_view rule, std::string_view detail) {
  if (holds)
    return;
  std::fprintf(stderr, "broken rule: %.*s: %.*s\n", static_cast<int>(rule.size()), rule.data(),
               static_cast<int>(detail.size()), detail.data());
  std::abort();
}

void requireRefusal(const Error &error) {
  std::vector<std::string> messages = error.more;
  messages.push_back(error.message);
  for (const std::string &message : messages) {
    size_t place = message.find(": "), found = message.find(", but found ");
    require(place != std::string::npos && place > 0, "a refusal names its place", message);
    require(found != std::string::npos && found > place, "a refusal says what it found", message);
  }
  std::string text = errorText(error);
  size_t lines = std::min<size_t>(messages.size(), 20) + (messages.size() > 20 ? 1 : 0);
  require(static_cast<size_t>(std::ranges::count(text, '\n')) == lines, "each refusal is one line", text);
  require(std::ranges::none_of(text, [](char c) { return c != '\n' && (static_cast<uint8_t>(c) < 0x20 || c == 0x7f); }),
          "no control character is printed", text);
}

std::optional<JsonFile> parse(const std::string &name, std::string_view input) {
  auto file = parseJson(name, std::string(input));
  if (file)
    return std::move(*file);
  requireRefusal(file.error());
  return std::nullopt;
}

void complete(JsonFile &file, const nlohmann::json &base) {
  for (const auto &[key, value] : base.items())
    if (!file.value.contains(key))
      file.value[key] = value;
}

std::optional<JsonFile> takeFile(JsonFile &file, const char *key, const std::string &name) {
  auto found = file.value.find(key);
  if (found == file.value.end() || !found->is_object())
    return std::nullopt;
  JsonFile taken;
  taken.name = name;
  taken.text = file.text;
  taken.value = std::move(*found);
  file.value.erase(found);
  return taken;
}

} // namespace glm::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) { // NOLINT(readability-identifier-naming)
  glm::fuzz::run({reinterpret_cast<const char *>(data), size});
  return 0;
}
