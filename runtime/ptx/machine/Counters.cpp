#include "runtime/ptx/machine/Counters.h"

#include <algorithm>
#include <bit>

namespace glm::ptx {
namespace {

constexpr uint32_t kBanks = 32, kBankBytes = 4;

} // namespace

void LineCounters::add(const LineCounters &other) {
  executed += other.executed;
  lanes += other.lanes;
  bytesRead += other.bytesRead;
  bytesWritten += other.bytesWritten;
  sectorsRead += other.sectorsRead;
  sectorsWritten += other.sectorsWritten;
  sharedBytes += other.sharedBytes;
  wavefronts += other.wavefronts;
  idealWavefronts += other.idealWavefronts;
  waits += other.waits;
}

void SectorSet::add(const SectorSet &other) {
  for (const auto &[page, words] : other.pages) {
    Page &own = pages[page];
    for (size_t word = 0; word < words.size(); ++word)
      own[word] |= words[word];
  }
}

uint64_t SectorSet::count() const {
  uint64_t total = 0;
  for (const auto &[page, words] : pages)
    for (uint64_t word : words)
      total += static_cast<uint64_t>(std::popcount(word));
  return total;
}

LaunchCounters::LaunchCounters(const Program &source) : program(&source) {
  for (const Code &code : source.code)
    lines.emplace_back(code.ops.size());
}

void LaunchCounters::add(const LaunchCounters &other) {
  for (size_t function = 0; function < lines.size(); ++function)
    for (size_t op = 0; op < lines[function].size(); ++op)
      lines[function][op].add(other.lines[function][op]);
  sectorsRead.add(other.sectorsRead);
  sectorsWritten.add(other.sectorsWritten);
  blocks += other.blocks;
}

void LaunchCounters::countGlobal(LineCounters &line, LaneMask lanes, const uint64_t *addresses, uint32_t bytes,
                                 bool writes) {
  // At most two sectors a lane: accesses are aligned and no longer than a sector.
  std::array<uint64_t, kWarpSize> sectors;
  size_t count = 0;
  for (LaneMask rest = lanes; rest; rest &= rest - 1) {
    uint64_t sector = addresses[std::countr_zero(rest)] / kSectorBytes;
    if (!count || sectors[count - 1] != sector)
      sectors[count++] = sector;
  }
  std::sort(sectors.begin(), sectors.begin() + count);
  auto end = std::unique(sectors.begin(), sectors.begin() + count);
  SectorSet &touched = writes ? sectorsWritten : sectorsRead;
  for (auto sector = sectors.begin(); sector != end; ++sector)
    touched.add(*sector);
  auto distinct = static_cast<uint64_t>(end - sectors.begin());
  (writes ? line.sectorsWritten : line.sectorsRead) += distinct;
  (writes ? line.bytesWritten : line.bytesRead) += uint64_t{bytes} * static_cast<uint64_t>(std::popcount(lanes));
}

void LaunchCounters::countShared(LineCounters &line, LaneMask lanes, const uint64_t *addresses, uint32_t bytes) {
  line.sharedBytes += uint64_t{bytes} * static_cast<uint64_t>(std::popcount(lanes));
  uint32_t group = bytes <= kBankBytes ? kWarpSize : bytes <= 8 ? 16 : 8;
  for (uint32_t first = 0; first < kWarpSize; first += group) {
    LaneMask part = lanes & (group == kWarpSize ? ~LaneMask{0} : ((LaneMask{1} << group) - 1) << first);
    if (!part)
      continue;
    // Distinct words of each bank; lanes that read the same word share it.
    std::array<std::array<uint64_t, kWarpSize>, kBanks> words;
    std::array<uint32_t, kBanks> depth{};
    uint32_t most = 1, distinct = 0;
    for (; part; part &= part - 1) {
      uint64_t address = addresses[std::countr_zero(part)];
      for (uint64_t word = address / kBankBytes; word <= (address + bytes - 1) / kBankBytes; ++word) {
        uint32_t bank = static_cast<uint32_t>(word) % kBanks;
        auto begin = words[bank].begin(), end = begin + depth[bank];
        if (std::find(begin, end, word) != end)
          continue;
        words[bank][depth[bank]++] = word;
        ++distinct;
        most = std::max(most, depth[bank]);
      }
    }
    line.wavefronts += most;
    line.idealWavefronts += (distinct + kBanks - 1) / kBanks;
  }
}

void LaunchCounters::countBulk(const Op &issuer, uint64_t address, uint64_t bytes, bool writes) {
  SectorSet &touched = writes ? sectorsWritten : sectorsRead;
  uint64_t first = address / kSectorBytes, last = bytes ? (address + bytes - 1) / kSectorBytes : first;
  for (uint64_t sector = first; sector <= last; ++sector)
    touched.add(sector);
  for (size_t function = 0; function < lines.size(); ++function) {
    const std::vector<Op> &ops = program->code[function].ops;
    if (ops.empty() || &issuer < ops.data() || &issuer >= ops.data() + ops.size())
      continue;
    LineCounters &line = lines[function][static_cast<size_t>(&issuer - ops.data())];
    (writes ? line.bytesWritten : line.bytesRead) += bytes;
    (writes ? line.sectorsWritten : line.sectorsRead) += last - first + 1;
  }
}

void enterCounters(Warp &warp) {
  const Code *code = warp.fragment().frames.back().code;
  const Program &program = warp.block->grid->module->program();
  warp.lines = warp.counters->lines[static_cast<size_t>(code - program.code.data())].data();
}

void countOp(Warp &warp, const Op &op, LaneMask lanes) {
  // What waits is counted when it is tried first.
  if (warp.fragment().retried)
    return;
  LineCounters &line = warp.lines[&op - warp.ops];
  ++line.executed;
  line.lanes += static_cast<uint64_t>(std::popcount(lanes));
}

void countWait(Warp &warp, const Op &op) {
  if (!warp.fragment().retried)
    ++warp.lines[&op - warp.ops].waits;
}

} // namespace glm::ptx
