// Places in the frame, constants, and lists that ops point to.
#include "runtime/ptx/isa/ProgramBuilder.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace glm::ptx {
namespace {

constexpr uint32_t kSlotAlign = 64; ///< bytes; a vector register of the host
constexpr size_t kArenaWords = 4096;

} // namespace

uint32_t ProgramBuilder::slotBytes(Type type) {
  uint32_t bits = bitsOf(type);
  return bits == 1 ? kSlotAlign : std::max(bits, 16u) / 8 * kWarpSize;
}

Slot ProgramBuilder::allocate(Type type) {
  Slot slot = code->frameBytes;
  code->frameBytes += slotBytes(type);
  return slot;
}

Type ProgramBuilder::typeOf(uint32_t reg) const {
  size_t count = function->registers.size();
  return reg < count ? function->registers[reg].type : temporaries[reg - count].type;
}

Slot ProgramBuilder::slotOf(uint32_t reg) const {
  size_t count = function->registers.size();
  return reg < count ? code->registers[reg] : temporaries[reg - count].slot;
}

uint32_t ProgramBuilder::newTemporary(Type type) {
  uint32_t bytes = slotBytes(type);
  std::vector<Slot> &pool = temporaryPool[bytes];
  size_t &taken = temporariesTaken[bytes];
  if (taken == pool.size())
    pool.push_back(allocate(type));
  temporaries.push_back({type, pool[taken++]});
  return static_cast<uint32_t>(function->registers.size() + temporaries.size() - 1);
}

Slot ProgramBuilder::constantSlot(Type type, uint64_t bits) {
  uint32_t width = bitsOf(type);
  uint32_t bytes = slotBytes(type);
  if (width > 1 && width < 64)
    bits &= (uint64_t(1) << width) - 1;
  auto [found, isNew] = constantPool.try_emplace({bytes, bits}, kNoSlot);
  if (!isNew)
    return found->second;
  size_t place = program.constants.size();
  program.constants.resize(place + bytes);
  std::byte *slot = program.constants.data() + place;
  if (type == Type::Pred) {
    LaneMask mask = bits ? ~LaneMask(0) : 0;
    std::memcpy(slot, &mask, sizeof(mask));
  } else {
    uint32_t each = bytes / kWarpSize;
    for (uint32_t lane = 0; lane < kWarpSize; ++lane)
      std::memcpy(slot + static_cast<size_t>(lane) * each, &bits, std::min<size_t>(each, sizeof(bits)));
  }
  return found->second = static_cast<Slot>(place) | kConstantSlot;
}

Slot ProgramBuilder::specialSlot(const SpecialUse &wanted) {
  auto [found, isNew] = specialPool.try_emplace({wanted.special, wanted.component, wanted.index, wanted.type}, kNoSlot);
  if (isNew) {
    found->second = allocate(wanted.type);
    code->specials.push_back(wanted);
    code->specials.back().slot = found->second;
  }
  return found->second;
}

Slot ProgramBuilder::addressSlot(const AddressUse &wanted, bool inFrame) {
  auto &pool = inFrame ? frameAddressPool : addressPool;
  auto [found, isNew] = pool.try_emplace({wanted.scope, wanted.symbol, wanted.wide, wanted.addend}, kNoSlot);
  if (!isNew)
    return found->second;
  Type type = wanted.wide ? Type::U64 : Type::U32;
  std::vector<AddressUse> &uses = inFrame ? code->frameAddresses : program.addresses;
  uses.push_back(wanted);
  if (inFrame) {
    uses.back().slot = allocate(type);
  } else {
    uses.back().slot = static_cast<Slot>(program.constants.size()) | kConstantSlot;
    program.constants.resize(program.constants.size() + slotBytes(type));
  }
  return found->second = uses.back().slot;
}

const uint32_t *ProgramBuilder::store(const std::vector<uint32_t> &values) {
  if (!arena || arena->capacity() - arena->size() < values.size()) {
    arena = std::make_shared<std::vector<uint32_t>>();
    arena->reserve(std::max(kArenaWords, values.size()));
    program.owned.push_back(arena);
  }
  size_t start = arena->size();
  arena->insert(arena->end(), values.begin(), values.end());
  return arena->data() + start;
}

void ProgramBuilder::nameShared(uint32_t variable) {
  if (std::exchange(sharedNamed[variable], code) != code)
    code->sharedVariables.push_back(variable);
}

void ProgramBuilder::nameFunction(uint32_t callee) {
  if (std::exchange(calleeNamed[callee], code) != code)
    code->callees.push_back(callee);
}

} // namespace glm::ptx
