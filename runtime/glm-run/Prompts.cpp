#include "runtime/glm-run/Prompts.h"

#include <charconv>
#include <fmt/format.h>

namespace glm {

static std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

Result<std::vector<int32_t>> parseTokens(const std::string &text) {
  std::vector<int32_t> tokens;
  std::string_view rest = text;
  while (true) {
    size_t comma = rest.find(',');
    std::string_view word = trim(rest.substr(0, comma));
    int32_t token = 0;
    auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), token);
    if (failure != std::errc() || end != word.data() + word.size() || token < 0)
      return Error{fmt::format("token ids must be numbers from 0 separated by commas, but found '{}'", word)};
    tokens.push_back(token);
    if (comma == std::string_view::npos)
      return tokens;
    rest.remove_prefix(comma + 1);
  }
}

Result<std::vector<std::vector<int32_t>>> readPrompts(std::istream &lines, const std::string &name) {
  std::vector<std::vector<int32_t>> prompts;
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    Result<std::vector<int32_t>> tokens = parseTokens(line);
    if (!tokens)
      return Error{fmt::format("{}:{}: {}", name, number, tokens.error().message)};
    prompts.push_back(std::move(*tokens));
  }
  if (prompts.empty())
    return Error{fmt::format("{}: the file must have a line of token ids per sequence, but found no line", name)};
  return prompts;
}

} // namespace glm
