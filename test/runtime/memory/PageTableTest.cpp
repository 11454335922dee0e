#include "runtime/memory/PageTable.h"

#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>

using namespace glm;

namespace {

TEST(PageTable, handsOutPagesWhenReached) {
  PageTable table(2, 5, 4, 9);
  ASSERT_EQ(table.open(17), 0); // 5 pages promised
  EXPECT_EQ(table.pagesInUse(), 0);
  table.cover(0, 3);
  EXPECT_EQ(table.pagesInUse(), 1);
  table.cover(0, 4);
  table.cover(0, 4);
  EXPECT_EQ(table.pagesInUse(), 2);
  EXPECT_EQ(std::vector<int32_t>(table.entries().begin(), table.entries().begin() + 5),
            (std::vector<int32_t>{0, 1, 0, 0, 0}));
}

TEST(PageTable, keepsPromises) {
  PageTable table(3, 5, 4, 9);
  ASSERT_EQ(table.open(20), 0);
  ASSERT_EQ(table.open(16), 1); // all nine pages are promised now, none is handed out
  EXPECT_EQ(table.open(1), std::nullopt);
  table.close(1);
  EXPECT_EQ(table.open(1), 1);
}

TEST(PageTable, refusesWithoutSlot) {
  PageTable table(1, 5, 4, 9);
  ASSERT_EQ(table.open(1), 0);
  EXPECT_EQ(table.open(1), std::nullopt);
}

TEST(PageTable, knowsWhatNeverFits) {
  PageTable table(2, 5, 4, 3);
  EXPECT_TRUE(table.canHold(12));
  EXPECT_FALSE(table.canHold(13)); // pool
  PageTable wide(2, 2, 4, 30);
  EXPECT_TRUE(wide.canHold(8));
  EXPECT_FALSE(wide.canHold(9)); // row of the table
  EXPECT_EQ(wide.open(9), std::nullopt);
}

TEST(PageTable, prefersLowPages) {
  PageTable table(3, 2, 4, 6);
  for (int32_t slot : {0, 1, 2}) {
    ASSERT_EQ(table.open(4), slot);
    table.cover(slot, 0);
  }
  table.close(1);
  table.close(0);
  ASSERT_EQ(table.open(8), 0);
  table.cover(0, 7);
  EXPECT_EQ(table.entries()[0], 0);
  EXPECT_EQ(table.entries()[1], 1);
}

// Random sequences come, grow and go; no page may have two owners, and every promise must be kept.
TEST(PageTable, neverSharesAPage) {
  constexpr int64_t slots = 5, perSlot = 7, pageSize = 3, pages = 19;
  PageTable table(slots, perSlot, pageSize, pages);
  std::mt19937 generator(42);
  struct Life {
    int64_t positions, filled;
  };
  std::map<int32_t, Life> lives;
  int64_t opened = 0, refused = 0;
  for (int round = 0; round < 20000; ++round) {
    int64_t positions = 1 + generator() % (perSlot * pageSize);
    if (generator() % 3 == 0) {
      std::optional<int32_t> slot = table.open(positions);
      slot ? ++opened : ++refused;
      if (slot) {
        ASSERT_TRUE(lives.try_emplace(*slot, Life{positions, 0}).second);
      }
    }
    for (auto life = lives.begin(); life != lives.end();) {
      if (life->second.filled == life->second.positions) {
        table.close(life->first);
        life = lives.erase(life);
        continue;
      }
      if (generator() % 2)
        table.cover(life->first, life->second.filled++);
      ++life;
    }
    std::set<int32_t> owned;
    for (auto [slot, life] : lives)
      for (int64_t page = 0; page < (life.filled + pageSize - 1) / pageSize; ++page) {
        int32_t entry = table.entries()[slot * perSlot + page];
        ASSERT_TRUE(entry >= 0 && entry < pages);
        ASSERT_TRUE(owned.insert(entry).second) << "page " << entry << " in round " << round;
      }
    ASSERT_EQ(table.pagesInUse(), static_cast<int64_t>(owned.size()));
  }
  EXPECT_GT(opened, 100);
  EXPECT_GT(refused, 100);
}

} // namespace
