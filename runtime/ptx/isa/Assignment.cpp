#include "runtime/ptx/isa/Assignment.h"

#include <algorithm>
#include <deque>

namespace glm::ptx {
namespace {

/// The candidates that every path to the start of a block has written. Forward over the blocks: all of them until a path
/// shows one missing.
std::vector<Bits> findAssigned(const std::vector<BasicBlock> &blocks, const Candidates &candidates,
                               const std::vector<Bits> &written) {
  std::vector<Bits> assigned(blocks.size(), Bits(candidates.words, ~uint64_t(0)));
  assigned[0].assign(candidates.words, 0);
  std::deque<uint32_t> work;
  std::vector<bool> waits(blocks.size(), true);
  for (uint32_t b = 0; b < blocks.size(); ++b)
    work.push_back(b);
  while (!work.empty()) {
    uint32_t b = work.front();
    work.pop_front();
    waits[b] = false;
    for (uint32_t successor : blocks[b].successors) {
      bool changed = false;
      for (uint64_t w = 0; w < candidates.words; ++w) {
        uint64_t both = assigned[successor][w] & (assigned[b][w] | written[b][w]);
        changed |= both != assigned[successor][w];
        assigned[successor][w] = both;
      }
      if (changed && !waits[successor]) {
        waits[successor] = true;
        work.push_back(successor);
      }
    }
  }
  return assigned;
}

} // namespace

void keepUnproven(const Function &function, std::vector<RegisterUses> &uses, uint32_t registers, uint32_t defined) {
  if (function.instructions.empty())
    return;
  std::vector<BasicBlock> blocks = findBlocks(function);
  // Within a block, most reads follow their write. What is left open needs the paths.
  std::vector<OpenRead> open = findOpenReads(function, blocks, uses, registers);
  std::erase_if(open, [&](const OpenRead &read) { return read.reg < defined; });
  Candidates candidates(open, registers);
  std::vector<Bits> assigned;
  if (candidates.fits(blocks))
    assigned = findAssigned(blocks, candidates, candidates.certainWrites(function, blocks, uses));

  // Whether a register that is written late holds its value depends on waits, which no path shows.
  std::vector<bool> isLate(registers, false);
  for (const RegisterUses &each : uses)
    for (uint32_t reg : each.writes)
      isLate[reg] = isLate[reg] || each.late;
  std::vector<bool> isChecked = isLate;
  for (RegisterUses &each : uses)
    std::erase_if(each.reads, [&](uint32_t reg) { return !isLate[reg]; });
  for (const OpenRead &read : open) {
    if (!assigned.empty() && hasBit(assigned[read.block], candidates.numbers[read.reg]))
      continue;
    isChecked[read.reg] = true;
    std::vector<uint32_t> &reads = uses[read.instruction].reads;
    if (std::ranges::find(reads, read.reg) == reads.end())
      reads.push_back(read.reg);
  }
  for (RegisterUses &each : uses)
    std::erase_if(each.writes, [&](uint32_t reg) { return !isChecked[reg]; });
}

} // namespace glm::ptx
