#include "runtime/ptx/machine/Fragments.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace glm::ptx {
namespace {

/// After so many jumps in a row with several fragments, the next one is favoured: lanes may wait for lanes of their own warp
/// (a lock that one of them holds).
constexpr uint32_t kPatience = 4096;

/// The same functions called from the same places; where their registers lie may differ.
bool samePath(const Fragment &a, const Fragment &b) {
  return a.op == b.op && std::ranges::equal(a.frames, b.frames, [](const Frame &x, const Frame &y) {
           return x.code == y.code && x.localBase == y.localBase && x.returnOp == y.returnOp && x.call == y.call;
         });
}

void copyLanes(std::byte *to, const std::byte *from, size_t width, LaneMask lanes) {
  for (; lanes; lanes &= lanes - 1) {
    size_t at = std::countr_zero(lanes) * width;
    std::memcpy(to + at, from + at, width);
  }
}

/// Bring the lanes' registers of `from` into the frame `to` of the same function.
void moveRegisters(Warp &warp, const Frame &from, const Frame &to, LaneMask lanes) {
  if (from.base == to.base)
    return;
  const Code &code = *from.code;
  std::byte *source = warp.registers.data() + from.base, *target = warp.registers.data() + to.base;
  for (size_t index = 0; index < code.registers.size(); ++index) {
    Slot slot = code.registers[index];
    if (slot == kNoSlot)
      continue;
    Type type = code.function->registers[index].type;
    if (type == Type::Pred) {
      LaneMask value, kept;
      std::memcpy(&value, source + slot, sizeof(value));
      std::memcpy(&kept, target + slot, sizeof(kept));
      kept = (kept & ~lanes) | (value & lanes);
      std::memcpy(target + slot, &kept, sizeof(kept));
    } else {
      copyLanes(target + slot, source + slot, std::max(bitsOf(type), 16u) / 8, lanes);
    }
  }
  auto *known = reinterpret_cast<LaneMask *>(target + code.frameBytes);
  const auto *other = reinterpret_cast<const LaneMask *>(source + code.frameBytes);
  for (size_t index = 0; index < code.registers.size(); ++index)
    known[index] = (known[index] & ~lanes) | (other[index] & lanes);
}

/// Whether `a` is to run before `b`.
bool before(const Fragment &a, const Fragment &b) {
  if (a.frames.size() != b.frames.size())
    return a.frames.size() > b.frames.size();
  const Code *codeA = a.frames.back().code, *codeB = b.frames.back().code;
  // Functions of one program lie in one array: the order of their addresses is that of the text.
  return codeA != codeB ? codeA < codeB : a.op < b.op;
}

} // namespace

size_t splitFragment(Warp &warp, LaneMask lanes) {
  Fragment other = warp.fragment();
  other.lanes = lanes;
  other.wait = 0;
  other.waiting = false;
  warp.fragment().lanes &= ~lanes;
  warp.active = warp.fragment().lanes;
  warp.fragments.push_back(std::move(other));
  return warp.fragments.size() - 1;
}

void removeLanes(Warp &warp, LaneMask lanes) {
  warp.fragment().lanes &= ~lanes;
  warp.active = warp.fragment().lanes;
  if (warp.active)
    return;
  warp.fragments.erase(warp.fragments.begin() + static_cast<ptrdiff_t>(warp.current));
  warp.current = 0;
}

void mergeFragments(Warp &warp) {
  for (size_t first = 0; first < warp.fragments.size(); ++first)
    for (size_t second = first + 1; second < warp.fragments.size();) {
      Fragment &a = warp.fragments[first], &b = warp.fragments[second];
      if (a.wait || b.wait || !samePath(a, b)) {
        ++second;
        continue;
      }
      for (size_t depth = 0; depth < a.frames.size(); ++depth)
        moveRegisters(warp, b.frames[depth], a.frames[depth], b.lanes);
      a.lanes |= b.lanes;
      a.waiting = false;
      warp.fragments.erase(warp.fragments.begin() + static_cast<ptrdiff_t>(second));
      warp.divergentJumps = 0;
    }
}

bool selectFragment(Warp &warp) {
  if (warp.fragments.size() == 1) {
    warp.current = 0;
    return !warp.fragments[0].waiting;
  }
  mergeFragments(warp);
  size_t ready = 0, best = warp.fragments.size();
  for (size_t index = 0; index < warp.fragments.size(); ++index)
    if (!warp.fragments[index].waiting) {
      ++ready;
      if (best == warp.fragments.size() || before(warp.fragments[index], warp.fragments[best]))
        best = index;
    }
  if (!ready)
    return false;
  size_t skip = warp.divergentJumps / kPatience % ready;
  for (size_t index = best; skip;) {
    index = (index + 1) % warp.fragments.size();
    if (!warp.fragments[index].waiting) {
      --skip;
      best = index;
    }
  }
  warp.current = best;
  return true;
}

void enterFragment(Warp &warp) {
  const Fragment &fragment = warp.fragment();
  const Frame &frame = fragment.frames.back();
  warp.active = fragment.lanes;
  warp.frame = warp.registers.data() + frame.base;
  warp.stackTop = frame.localBase + static_cast<uint32_t>(frame.code->localBytes);
  warp.stackBase = warp.stacks.data();
  warp.defined = warp.checks ? reinterpret_cast<LaneMask *>(warp.frame + frame.code->frameBytes) : nullptr;
  warp.ops = frame.code->ops.data();
  warp.localBase = frame.localBase;
}

uint32_t nextMeeting(const Warp &warp) {
  uint32_t meeting = UINT32_MAX;
  const Fragment &own = warp.fragments[warp.current];
  for (size_t index = 0; index < warp.fragments.size(); ++index) {
    const Fragment &other = warp.fragments[index];
    if (index != warp.current && other.op > own.op && other.frames.back().code == own.frames.back().code)
      meeting = std::min(meeting, other.op);
  }
  return meeting;
}

} // namespace glm::ptx
