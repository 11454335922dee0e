// Mutations of PTX text by words: bytes of one word rarely make another, so that most mutants of libFuzzer's own end in the lexer.
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize); // NOLINT(readability-identifier-naming)

namespace glm::fuzz {
namespace {

using Words = std::vector<std::string_view>;

bool isWordByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '%';
}

/// Names with a dot before them, and every other byte for itself; together they are the text.
Words wordsOf(std::string_view text) {
  Words words;
  while (!text.empty()) {
    size_t end = 1;
    if (isWordByte(text[0]) || text[0] == '.')
      while (end < text.size() && isWordByte(text[end]))
        ++end;
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

/// A run of words is left out, copied elsewhere or turned around its middle, or a word takes the place of another.
void mutate(Words &words, std::minstd_rand &random) {
  auto place = [&] { return words.begin() + static_cast<std::ptrdiff_t>(random() % words.size()); };
  auto first = place();
  auto last = first + std::min<std::ptrdiff_t>(1 + random() % (random() % 4 ? 3 : 24), words.end() - first);
  const Words run(first, last);
  switch (random() % 4) {
  case 0:
    words.erase(first, last);
    break;
  case 1:
    words.insert(place(), run.begin(), run.end());
    break;
  case 2:
    *place() = run[0];
    break;
  default:
    std::rotate(first, first + (last - first) / 2, last);
    break;
  }
}

} // namespace
} // namespace glm::fuzz

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t maxSize, unsigned seed) {
  std::minstd_rand random(seed);
  if (size == 0 || random() % 2)
    return LLVMFuzzerMutate(data, size, maxSize);
  std::string text(reinterpret_cast<const char *>(data), size);
  glm::fuzz::Words words = glm::fuzz::wordsOf(text);
  for (auto left = 1 + random() % 3; left && !words.empty(); --left)
    glm::fuzz::mutate(words, random);
  std::string mutant;
  for (std::string_view word : words)
    mutant += word;
  mutant.resize(std::min(mutant.size(), maxSize));
  std::ranges::copy(mutant, data);
  return mutant.size();
}
