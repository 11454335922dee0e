#include "runtime/memory/BlockScales.h"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits>

namespace glm {

namespace {
/// A piece of one scale tensor, small enough that threads share the work evenly.
struct Piece {
  int64_t weight;
  int64_t tensor; ///< within the weight
  uint64_t begin, end;
};
} // namespace

static constexpr uint64_t kPieceBytes = 1 << 20;
static constexpr size_t kNone = std::numeric_limits<size_t>::max();

/// 0x7f is NaN, 0x80 and above have the sign bit set.
static bool isLegalScale(uint8_t scale) { return scale < 0x7f; }

// No early exit within the piece, so that the loop becomes vector code at the speed of memory.
static bool hasIllegalScale(const uint8_t *scales, uint64_t count) {
  uint8_t largest = 0;
  for (uint64_t i = 0; i < count; ++i)
    largest = std::max(largest, scales[i]);
  return !isLegalScale(largest);
}

static std::vector<Piece> cut(const Manifest &manifest, const Weights &weights) {
  std::vector<Piece> pieces;
  for (size_t weight = 0; weight < manifest.weights.size(); ++weight) {
    if (manifest.weights[weight].dtype != "F8_E4M3")
      continue;
    auto tensors = weights.tensors(weight);
    for (size_t tensor = 0; tensor < tensors.size(); ++tensor)
      for (uint64_t begin = 0, bytes = tensors[tensor].info->bytes; begin < bytes; begin += kPieceBytes)
        pieces.push_back(
            {static_cast<int64_t>(weight), static_cast<int64_t>(tensor), begin, std::min(bytes, begin + kPieceBytes)});
  }
  return pieces;
}

static Error describe(const Manifest &manifest, const Weights &weights, const Piece &piece) {
  const Checkpoint::Entry &entry = weights.tensors(piece.weight)[piece.tensor];
  const uint8_t *scales = entry.data();
  uint64_t element =
      std::find_if(scales + piece.begin, scales + piece.end, [](uint8_t s) { return !isLegalScale(s); }) - scales;
  std::vector<uint64_t> position;
  uint64_t rest = element;
  for (auto size = entry.info->shape.rbegin(); size != entry.info->shape.rend(); ++size) {
    position.insert(position.begin(), rest % *size);
    rest /= *size;
  }
  return Error{fmt::format("{}: block scales must be e4m3 numbers of at least 0, but found 0x{:02x} ({}) at [{}]",
                           expandPattern(manifest.weights[piece.weight].name, piece.tensor), scales[element],
                           (scales[element] & 0x7f) == 0x7f ? "nan" : "negative", fmt::join(position, ", "))};
}

uint64_t blockScaleBytes(const Manifest &manifest, const Weights &weights) {
  uint64_t bytes = 0;
  for (const Piece &piece : cut(manifest, weights))
    bytes += piece.end - piece.begin;
  return bytes;
}

Result<void> checkBlockScales(const Manifest &manifest, const Weights &weights, ThreadPool &pool) {
  std::vector<Piece> pieces = cut(manifest, weights);
  std::atomic<size_t> next = 0;
  // Pieces are taken in order, so after the first bad one only those already taken can come before it.
  std::atomic<size_t> firstBad = kNone;
  pool.run([&](int64_t, int64_t) {
    for (size_t i = next++; i < pieces.size() && i < firstBad.load(); i = next++) {
      const Piece &piece = pieces[i];
      if (!hasIllegalScale(weights.tensors(piece.weight)[piece.tensor].data() + piece.begin, piece.end - piece.begin))
        continue;
      size_t known = firstBad.load();
      while (i < known && !firstBad.compare_exchange_weak(known, i)) {
      }
    }
  });
  if (firstBad != kNone)
    return describe(manifest, weights, pieces[firstBad]);
  return {};
}

} // namespace glm
