// The host.so of the toy model (ToyModel.h), written by hand in the calling convention of KernelAbi.h.
#include "test/runtime/exec/ToyModel.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace glm::toy;

static float *rowOf(void *buffer, int64_t row) { return static_cast<float *>(buffer) + row * kWidth; }
/// Number `i` of a checkpoint tensor, which may start at any byte.
static float weightAt(const void *tensor, int64_t i) {
  float value;
  std::memcpy(&value, static_cast<const char *>(tensor) + i * sizeof(float), sizeof value);
  return value;
}
static const int32_t *ints(void *buffer) { return static_cast<const int32_t *>(buffer); }

/// Where a position of a slot lies; the number of pages of a slot follows from the artifact and comes as a scalar.
static float *cacheRow(void *cache, const int32_t *pageTable, int64_t pagesPerSlot, int64_t slot, int64_t position) {
  int64_t page = pageTable[slot * pagesPerSlot + position / kPageSize];
  return static_cast<float *>(cache) + (page * kPageSize + position % kPageSize) * kWidth;
}

/// tokens, embedding, hidden
extern "C" void embed_f32_w8(void *const *args, int64_t rows, int64_t thread, int64_t threads) {
  for (int64_t row = thread; row < rows; row += threads)
    for (int64_t i = 0; i < kWidth; ++i)
      rowOf(args[2], row)[i] = weightAt(args[1], ints(args[0])[row] * kWidth + i);
}

/// slots, positions, page table, pages per slot, hidden, cache
extern "C" void cache_write_f32_w8(void *const *args, int64_t rows, int64_t thread, int64_t threads) {
  int64_t pagesPerSlot = static_cast<int64_t>(*static_cast<const float *>(args[3]));
  for (int64_t row = thread; row < rows; row += threads)
    for (int64_t i = 0; i < kWidth; ++i)
      cacheRow(args[5], ints(args[2]), pagesPerSlot, ints(args[0])[row], ints(args[1])[row])[i] =
          rowOf(args[4], row)[i];
}

/// slots, positions, page table, pages per slot, cache, context
extern "C" void attend_f32_w8(void *const *args, int64_t rows, int64_t thread, int64_t threads) {
  int64_t pagesPerSlot = static_cast<int64_t>(*static_cast<const float *>(args[3]));
  for (int64_t row = thread; row < rows; row += threads)
    for (int64_t i = 0; i < kWidth; ++i) {
      float sum = 0;
      int64_t position = ints(args[1])[row];
      for (int64_t p = 0; p <= position; ++p)
        sum += cacheRow(args[4], ints(args[2]), pagesPerSlot, ints(args[0])[row], p)[i] /
               static_cast<float>(1 + position - p);
      rowOf(args[5], row)[i] = std::tanh(sum);
    }
}

/// tokens, positions, chosen; on one thread
extern "C" void route(void *const *args, int64_t rows, int64_t thread, int64_t threads) {
  if (thread != 0 || threads != 1)
    return; // leaves the choice of the step before, which no test expects
  for (int64_t row = 0; row < rows; ++row) {
    int32_t *chosen = static_cast<int32_t *>(args[2]) + row * kChosen;
    chosen[0] = static_cast<int32_t>(firstExpert(ints(args[0])[row], ints(args[1])[row]));
    chosen[1] = static_cast<int32_t>(secondExpert(ints(args[0])[row], ints(args[1])[row]));
  }
}

/// chosen, table of experts, scales, gain, context (in place)
extern "C" void moe_gemm_f32_w8(void *const *args, int64_t rows, int64_t thread, int64_t threads) {
  const void *const *experts = static_cast<const void *const *>(args[1]);
  const float *scales = static_cast<const float *>(args[2]);
  float gain = *static_cast<const float *>(args[3]);
  for (int64_t row = thread; row < rows; row += threads)
    for (int64_t i = 0; i < kWidth; ++i)
      for (int64_t k = 0; k < kChosen; ++k) {
        int64_t expert = ints(args[0])[row * kChosen + k];
        rowOf(args[4], row)[i] += gain * scales[expert] * weightAt(experts[expert], i);
      }
}

/// output rows, mixed, embedding, logits; over output rows
extern "C" void gemm_f32_w8(void *const *args, int64_t rows, int64_t thread, int64_t threads) {
  for (int64_t row = thread; row < rows; row += threads)
    for (int64_t id = 0; id < kVocab; ++id) {
      float sum = 0;
      for (int64_t i = 0; i < kWidth; ++i)
        sum += rowOf(args[1], ints(args[0])[row])[i] * weightAt(args[2], id * kWidth + i);
      static_cast<float *>(args[3])[row * kVocab + id] = sum;
    }
}

/// logits: what a broken kernel leaves behind
extern "C" void spoil(void *const *args, int64_t rows, int64_t thread, int64_t) {
  if (thread == 0 && rows > 0)
    static_cast<float *>(args[0])[5] = NAN;
}

/// tokens (in place), what the step before chose; on one thread
extern "C" void feed(void *const *args, int64_t rows, int64_t, int64_t) {
  for (int64_t row = 0; row < rows; ++row)
    if (int32_t &token = static_cast<int32_t *>(args[0])[row]; token < 0)
      token = std::max(0, ints(args[1])[-1 - token]);
}

/// logits, sampling, chosen: greedy, or, with a temperature, an id that follows from the random number; on one thread
extern "C" void sample(void *const *args, int64_t rows, int64_t, int64_t) {
  for (int64_t row = 0; row < rows; ++row) {
    const float *logits = static_cast<const float *>(args[0]) + row * kVocab;
    const int32_t *words = ints(args[1]) + row * 5;
    int32_t &chosen = static_cast<int32_t *>(args[2])[row];
    chosen = static_cast<int32_t>(std::max_element(logits, logits + kVocab) - logits);
    if (words[0] != 0)
      chosen = static_cast<int32_t>(static_cast<uint32_t>(words[4]) % kVocab);
    for (int32_t id = kVocab - 1; id >= 0; --id)
      if (std::isnan(logits[id]))
        chosen = -1 - 2 * id;
  }
}
