#include "runtime/ptx/isa/Assignment.h"

#include <algorithm>
#include <deque>

namespace glm::ptx {
namespace {

/// Beyond this many bits (blocks times registers) nothing is proved and everything is checked: memory stays bounded.
constexpr uint64_t kMaxBits = uint64_t(1) << 28;

constexpr uint32_t kNone = UINT32_MAX;

struct BasicBlock {
  uint32_t first = 0, last = 0; ///< instructions [first, last)
  std::vector<uint32_t> successors;
};

bool endsPath(const Instruction &instruction) {
  return !instruction.guard &&
         (instruction.mnemonic == "bra" || instruction.mnemonic == "brx" || instruction.mnemonic == "ret" ||
          instruction.mnemonic == "exit" || instruction.mnemonic == "trap");
}

/// Where an instruction may go other than to the next one.
template <typename Visit>
void forEachTarget(const Function &function, const Instruction &instruction, Visit visit) {
  for (const Operand &operand : instruction.operands) {
    if (operand.kind == Operand::Kind::Label)
      visit(static_cast<uint32_t>(operand.value));
    if (operand.kind == Operand::Kind::Table && function.tables[operand.value].kind == Table::Kind::BranchTargets)
      for (uint32_t target : function.tables[operand.value].targets)
        visit(target);
  }
}

std::vector<BasicBlock> findBlocks(const Function &function) {
  auto count = static_cast<uint32_t>(function.instructions.size());
  std::vector<bool> leads(count + 1, false);
  leads[0] = true;
  std::vector<bool> tableSeen(function.tables.size(), false);
  for (uint32_t i = 0; i < count; ++i) {
    const Instruction &instruction = function.instructions[i];
    bool jumps = false;
    forEachTarget(function, instruction, [&](uint32_t target) {
      leads[target] = true;
      jumps = true;
    });
    if (jumps || endsPath(instruction))
      leads[i + 1] = true;
  }

  std::vector<BasicBlock> blocks;
  std::vector<uint32_t> blockAt(count + 1, kNone);
  for (uint32_t i = 0; i < count; ++i) {
    if (leads[i])
      blocks.push_back({i, i, {}});
    blocks.back().last = i + 1;
    blockAt[i] = static_cast<uint32_t>(blocks.size() - 1);
  }
  for (BasicBlock &block : blocks) {
    const Instruction &end = function.instructions[block.last - 1];
    forEachTarget(function, end, [&](uint32_t target) {
      if (target < count)
        block.successors.push_back(blockAt[target]);
    });
    if (!endsPath(end) && block.last < count)
      block.successors.push_back(blockAt[block.last]);
  }
  return blocks;
}

/// A read within a block that no write of the same block precedes.
struct OpenRead {
  uint32_t block, instruction, reg;
};

using Bits = std::vector<uint64_t>;

bool has(const Bits &bits, uint64_t index) { return bits[index / 64] >> index % 64 & 1; }
void add(Bits &bits, uint64_t index) { bits[index / 64] |= uint64_t(1) << index % 64; }

} // namespace

void keepUnproven(const Function &function, std::vector<RegisterUses> &uses, uint32_t registers, uint32_t defined) {
  if (function.instructions.empty())
    return;
  std::vector<BasicBlock> blocks = findBlocks(function);

  // Within a block, most reads follow their write. What is left open needs the paths.
  std::vector<OpenRead> open;
  std::vector<uint32_t> writtenIn(registers, kNone); ///< the block that wrote it last
  for (uint32_t b = 0; b < blocks.size(); ++b)
    for (uint32_t i = blocks[b].first; i < blocks[b].last; ++i) {
      for (uint32_t reg : uses[i].reads)
        if (reg >= defined && writtenIn[reg] != b)
          open.push_back({b, i, reg});
      if (!function.instructions[i].guard)
        for (uint32_t reg : uses[i].writes)
          writtenIn[reg] = b;
    }

  // Forward over the blocks: a register is assigned at the start of one if it is at the end of all before it.
  std::vector<uint32_t> numbered(registers, kNone); ///< of those that are open somewhere
  uint32_t candidates = 0;
  for (const OpenRead &read : open)
    if (numbered[read.reg] == kNone)
      numbered[read.reg] = candidates++;
  uint64_t words = (candidates + 63) / 64;
  bool isProvable = candidates && words * 64 * blocks.size() <= kMaxBits;
  std::vector<Bits> assigned; ///< at the start of each block; all ones until a path reached it
  if (isProvable) {
    assigned.assign(blocks.size(), Bits(words, ~uint64_t(0)));
    assigned[0].assign(words, 0);
    std::vector<std::vector<uint32_t>> written(blocks.size()); ///< candidates that a block writes
    for (uint32_t b = 0; b < blocks.size(); ++b)
      for (uint32_t i = blocks[b].first; i < blocks[b].last; ++i)
        if (!function.instructions[i].guard)
          for (uint32_t reg : uses[i].writes)
            if (numbered[reg] != kNone)
              written[b].push_back(numbered[reg]);
    std::deque<uint32_t> work;
    std::vector<bool> waits(blocks.size(), false);
    auto enqueue = [&](uint32_t b) {
      if (!waits[b])
        work.push_back(b);
      waits[b] = true;
    };
    for (uint32_t b = 0; b < blocks.size(); ++b)
      enqueue(b);
    while (!work.empty()) {
      uint32_t b = work.front();
      work.pop_front();
      waits[b] = false;
      Bits end = assigned[b];
      for (uint32_t candidate : written[b])
        add(end, candidate);
      for (uint32_t successor : blocks[b].successors) {
        bool changed = false;
        for (uint64_t w = 0; w < words; ++w) {
          uint64_t both = assigned[successor][w] & end[w];
          changed |= both != assigned[successor][w];
          assigned[successor][w] = both;
        }
        if (changed)
          enqueue(successor);
      }
    }
  }

  std::vector<bool> isChecked(registers, false);
  for (RegisterUses &each : uses)
    each.reads.clear();
  for (const OpenRead &read : open) {
    if (isProvable && has(assigned[read.block], numbered[read.reg]))
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
