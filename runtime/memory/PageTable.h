// Who owns which page of the paged caches.
//
// All caches of an artifact share one numbering of pages: page p of the pool is page p of every cache buffer. A sequence
// that is let in holds a slot and a promise of all pages that it can ever need; the pages themselves are handed out when
// its positions reach them. So an admitted sequence always finishes, and no order of sequences can deadlock.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace glm {

class PageTable {
public:
  /// `slots` sequences at once, each of at most `pagesPerSlot` pages of `pageSize` positions, out of a pool of `pages`.
  PageTable(int64_t slots, int64_t pagesPerSlot, int64_t pageSize, int64_t pages);

  /// Whether a sequence of this many positions could ever be let in, with everything free.
  bool canHold(int64_t positions) const;

  /// A slot for a sequence that will fill positions 0 .. positions-1; none while slots or pages are short.
  std::optional<int32_t> open(int64_t positions);

  /// Make sure that a position of the slot, within what `open` promised, has its page.
  void cover(int32_t slot, int64_t position);

  /// The sequence is over: its slot, its pages and its promise are free again.
  void close(int32_t slot);

  /// int32 [slots, pagesPerSlot], row by row: the input `page_table`. Entries without a page are 0, a page that exists,
  /// so that a kernel may load it before it masks it.
  std::span<const int32_t> entries() const { return table; }

  int64_t pagesInUse() const;

private:
  struct Slot {
    bool open = false;
    int64_t promised = 0; ///< pages
    int64_t covered = 0;  ///< pages handed out; they are the first ones of the row
  };

  int64_t pagesFor(int64_t positions) const { return (positions + pageSize - 1) / pageSize; }
  int32_t take();

  int64_t pagesPerSlot;
  int64_t pageSize;
  int64_t pages;
  int64_t promisedPages = 0;
  std::vector<Slot> slots;
  std::vector<int32_t> table;
  /// Pages that came back, a heap with the lowest on top: low numbers first keeps the touched part of a reserve small.
  std::vector<int32_t> returned;
  int32_t untouched = 0; ///< pages from here on were never handed out
};

} // namespace glm
