#include "runtime/glm-run/Suggest.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace glm {

// Levenshtein's distance, a row of the table at a time.
static size_t editDistance(const std::string &a, const std::string &b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      size_t replaced = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

std::string nearestName(const std::string &word, const std::vector<std::string> &known) {
  std::string nearest;
  size_t fewest = word.size() / 3 + 1;
  for (const std::string &candidate : known)
    if (size_t distance = editDistance(word, candidate); distance < fewest) {
      fewest = distance;
      nearest = candidate;
    }
  return nearest;
}

} // namespace glm
