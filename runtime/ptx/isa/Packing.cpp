#include "runtime/ptx/isa/Packing.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <map>
#include <queue>

namespace glm::ptx {
namespace {

/// The instructions from the first to the last at which a register may be alive.
struct Range {
  uint32_t first = UINT32_MAX, last = 0;

  void extend(uint32_t instruction) {
    first = std::min(first, instruction);
    last = std::max(last, instruction);
  }
};

/// Candidates that are alive at the start of each block: backward over the blocks.
std::vector<Bits> findLive(const std::vector<BasicBlock> &blocks, const Candidates &candidates,
                           const std::vector<OpenRead> &open, const std::vector<Bits> &written) {
  std::vector<Bits> live(blocks.size(), Bits(candidates.words, 0));
  for (const OpenRead &read : open)
    addBit(live[read.block], candidates.numbers[read.reg]);
  std::vector<std::vector<uint32_t>> predecessors(blocks.size());
  for (uint32_t b = 0; b < blocks.size(); ++b)
    for (uint32_t successor : blocks[b].successors)
      predecessors[successor].push_back(b);
  std::deque<uint32_t> work;
  std::vector<bool> waits(blocks.size(), true);
  for (uint32_t b = static_cast<uint32_t>(blocks.size()); b-- > 0;)
    work.push_back(b);
  while (!work.empty()) {
    uint32_t b = work.front();
    work.pop_front();
    waits[b] = false;
    for (uint32_t predecessor : predecessors[b]) {
      bool changed = false;
      for (uint64_t w = 0; w < candidates.words; ++w) {
        uint64_t more = live[b][w] & ~written[predecessor][w] & ~live[predecessor][w];
        live[predecessor][w] |= more;
        changed |= more != 0;
      }
      if (changed && !waits[predecessor]) {
        waits[predecessor] = true;
        work.push_back(predecessor);
      }
    }
  }
  return live;
}

template <typename Visit>
void forEachBit(const Bits &bits, Visit visit) {
  for (size_t w = 0; w < bits.size(); ++w)
    for (uint64_t rest = bits[w]; rest; rest &= rest - 1)
      visit(w * 64 + static_cast<size_t>(std::countr_zero(rest)));
}

/// By register. Everywhere, for all, where the analysis would be too large.
std::vector<Range> findRanges(const Function &function, const std::vector<RegisterUses> &uses, uint32_t registers) {
  std::vector<Range> ranges(registers);
  for (uint32_t i = 0; i < uses.size(); ++i) {
    for (uint32_t reg : uses[i].reads)
      ranges[reg].extend(i);
    for (uint32_t reg : uses[i].writes)
      ranges[reg].extend(i);
  }
  std::vector<BasicBlock> blocks = findBlocks(function);
  std::vector<OpenRead> open = findOpenReads(function, blocks, uses, registers);
  Candidates candidates(open, registers);
  if (!candidates.fits(blocks)) {
    for (Range &range : ranges) {
      range.extend(0);
      range.extend(static_cast<uint32_t>(uses.size() - 1));
    }
    return ranges;
  }
  std::vector<Bits> live = findLive(blocks, candidates, open, candidates.certainWrites(function, blocks, uses));
  for (uint32_t b = 0; b < blocks.size(); ++b) {
    forEachBit(live[b], [&](size_t number) { ranges[candidates.registers[number]].extend(blocks[b].first); });
    for (uint32_t successor : blocks[b].successors)
      forEachBit(live[successor],
                 [&](size_t number) { ranges[candidates.registers[number]].extend(blocks[b].last - 1); });
  }
  return ranges;
}

} // namespace

std::vector<Slot> packRegisters(const Function &function, const std::vector<RegisterUses> &uses,
                                const std::vector<RegisterNeed> &needs, uint32_t &frameBytes) {
  auto count = static_cast<uint32_t>(needs.size());
  std::vector<Slot> slots(count, kNoSlot);
  auto take = [&](uint32_t bytes) {
    Slot slot = frameBytes;
    frameBytes += bytes;
    return slot;
  };
  std::vector<uint32_t> order;
  std::vector<Range> ranges;
  if (!uses.empty())
    ranges = findRanges(function, uses, count);
  for (uint32_t reg = 0; reg < count; ++reg) {
    if (needs[reg].isPinned)
      slots[reg] = take(needs[reg].bytes);
    else if (!uses.empty() && ranges[reg].first != UINT32_MAX)
      order.push_back(reg);
  }

  // In the order of their first instruction, each takes the place that was left last: that one is in the cache.
  std::ranges::stable_sort(order, {}, [&](uint32_t reg) { return ranges[reg].first; });
  std::map<uint32_t, std::vector<Slot>> freed; ///< by bytes
  auto later = [&](uint32_t a, uint32_t b) { return ranges[a].last > ranges[b].last; };
  std::priority_queue<uint32_t, std::vector<uint32_t>, decltype(later)> alive(later);
  for (uint32_t reg : order) {
    while (!alive.empty() && ranges[alive.top()].last < ranges[reg].first) {
      freed[needs[alive.top()].bytes].push_back(slots[alive.top()]);
      alive.pop();
    }
    std::vector<Slot> &places = freed[needs[reg].bytes];
    if (places.empty()) {
      slots[reg] = take(needs[reg].bytes);
    } else {
      slots[reg] = places.back();
      places.pop_back();
    }
    alive.push(reg);
  }
  return slots;
}

} // namespace glm::ptx
