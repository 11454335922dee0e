#include "runtime/ptx/isa/Flow.h"

namespace glm::ptx {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

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

} // namespace

std::vector<BasicBlock> findBlocks(const Function &function) {
  auto count = static_cast<uint32_t>(function.instructions.size());
  std::vector<bool> leads(count + 1, false);
  leads[0] = true;
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

std::vector<OpenRead> findOpenReads(const Function &function, const std::vector<BasicBlock> &blocks,
                                    const std::vector<RegisterUses> &uses, uint32_t registers) {
  std::vector<OpenRead> open;
  std::vector<uint32_t> writtenIn(registers, kNone); ///< the block that wrote it last
  for (uint32_t b = 0; b < blocks.size(); ++b)
    for (uint32_t i = blocks[b].first; i < blocks[b].last; ++i) {
      for (uint32_t reg : uses[i].reads)
        if (writtenIn[reg] != b)
          open.push_back({b, i, reg});
      if (!function.instructions[i].guard)
        for (uint32_t reg : uses[i].writes)
          writtenIn[reg] = b;
    }
  return open;
}

Candidates::Candidates(const std::vector<OpenRead> &open, uint32_t registerCount) : numbers(registerCount, kNone) {
  for (const OpenRead &read : open)
    if (numbers[read.reg] == kNone) {
      numbers[read.reg] = static_cast<uint32_t>(registers.size());
      registers.push_back(read.reg);
    }
  words = (registers.size() + 63) / 64;
}

std::vector<Bits> Candidates::certainWrites(const Function &function, const std::vector<BasicBlock> &blocks,
                                            const std::vector<RegisterUses> &uses) const {
  std::vector<Bits> written(blocks.size(), Bits(words, 0));
  for (uint32_t b = 0; b < blocks.size(); ++b)
    for (uint32_t i = blocks[b].first; i < blocks[b].last; ++i)
      if (!function.instructions[i].guard)
        for (uint32_t reg : uses[i].writes)
          if (numbers[reg] != kNone)
            addBit(written[b], numbers[reg]);
  return written;
}

} // namespace glm::ptx
