#include "runtime/memory/PageTable.h"

#include <algorithm>
#include <cassert>
#include <functional>

namespace glm {

PageTable::PageTable(int64_t slotCount, int64_t pagesPerSlot, int64_t pageSize, int64_t pages)
    : pagesPerSlot(pagesPerSlot), pageSize(pageSize), pages(pages), slots(slotCount),
      table(slotCount * pagesPerSlot, 0) {}

bool PageTable::canHold(int64_t positions) const {
  int64_t needed = pagesFor(positions);
  return needed <= pagesPerSlot && needed <= pages;
}

std::optional<int32_t> PageTable::open(int64_t positions) {
  int64_t needed = pagesFor(positions);
  if (!canHold(positions) || promisedPages + needed > pages)
    return std::nullopt;
  auto free = std::find_if(slots.begin(), slots.end(), [](const Slot &slot) { return !slot.open; });
  if (free == slots.end())
    return std::nullopt;
  *free = {true, needed, 0};
  promisedPages += needed;
  return static_cast<int32_t>(free - slots.begin());
}

void PageTable::cover(int32_t slot, int64_t position) {
  Slot &owner = slots[slot];
  assert(owner.open && position / pageSize < owner.promised);
  for (; owner.covered <= position / pageSize; ++owner.covered)
    table[slot * pagesPerSlot + owner.covered] = take();
}

void PageTable::close(int32_t slot) {
  Slot &owner = slots[slot];
  for (int64_t page = 0; page < owner.covered; ++page) {
    int32_t &entry = table[slot * pagesPerSlot + page];
    returned.push_back(entry);
    std::push_heap(returned.begin(), returned.end(), std::greater<>());
    entry = 0;
  }
  promisedPages -= owner.promised;
  owner = {};
}

int64_t PageTable::pagesInUse() const { return untouched - static_cast<int64_t>(returned.size()); }

int32_t PageTable::take() {
  if (returned.empty())
    return untouched++;
  std::pop_heap(returned.begin(), returned.end(), std::greater<>());
  int32_t page = returned.back();
  returned.pop_back();
  return page;
}

} // namespace glm
