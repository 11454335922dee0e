#include "runtime/ptx/async/Mbarrier.h"

#include <gtest/gtest.h>
#include <random>

namespace glm::ptx {
namespace {

/// The rules of the PTX ISA with plain numbers: what the bits must say after any history.
struct Model {
  int64_t pending, expected, transactions = 0;
  uint32_t phase = 0;

  void settle() {
    if (pending != 0 || transactions != 0)
      return;
    ++phase;
    pending = expected;
  }
};

void expectSame(const Mbarrier &barrier, const Model &model) {
  ASSERT_TRUE(barrier.isValid());
  ASSERT_EQ(barrier.pending(), model.pending);
  ASSERT_EQ(barrier.expected(), model.expected);
  ASSERT_EQ(barrier.transactions(), model.transactions);
  ASSERT_EQ(barrier.parity(), model.phase % 2);
}

TEST(MbarrierTest, followsTheRulesThroughRandomHistories) {
  std::mt19937_64 random(7);
  for (int history = 0; history < 300; ++history) {
    uint32_t count = 1 + random() % 40;
    Mbarrier barrier = Mbarrier::initial(count);
    Model model{count, count};
    for (int step = 0; step < 400; ++step) {
      uint32_t amount = random() % 9;
      switch (random() % 4) {
      case 0:
        if (amount == 0 || amount > model.pending) {
          EXPECT_TRUE(barrier.arrive(amount));
          break;
        }
        EXPECT_FALSE(barrier.arrive(amount));
        model.pending -= amount;
        model.settle();
        break;
      case 1:
        if (model.expected < 3 || amount != 1 || model.pending < 1)
          break;
        EXPECT_FALSE(barrier.arriveDrop(1));
        --model.expected;
        --model.pending;
        model.settle();
        break;
      case 2:
        EXPECT_FALSE(barrier.expectTransactions(amount * 16));
        model.transactions += amount * 16;
        if (amount != 0)
          model.settle();
        break;
      default:
        EXPECT_FALSE(barrier.completeTransactions(amount * 16));
        model.transactions -= amount * 16;
        if (amount != 0)
          model.settle();
        break;
      }
      expectSame(barrier, model);
    }
  }
}

TEST(MbarrierTest, aPhaseWaitsForArrivalsAndTransactions) {
  Mbarrier barrier = Mbarrier::initial(1);
  EXPECT_FALSE(barrier.expectTransactions(4096));
  Mbarrier before = barrier;
  EXPECT_FALSE(barrier.arrive(1));
  EXPECT_FALSE(barrier.isComplete(0));
  EXPECT_FALSE(barrier.isComplete(before));
  EXPECT_FALSE(barrier.completeTransactions(4080));
  EXPECT_FALSE(barrier.isComplete(0));
  EXPECT_FALSE(barrier.completeTransactions(16));
  EXPECT_TRUE(barrier.isComplete(0));
  EXPECT_TRUE(barrier.isComplete(before));
  EXPECT_FALSE(barrier.isComplete(1));
  EXPECT_EQ(barrier.pending(), 1u);
}

TEST(MbarrierTest, bytesThatCameEarlyAreMadeUpFor) {
  Mbarrier barrier = Mbarrier::initial(2);
  EXPECT_FALSE(barrier.completeTransactions(64));
  EXPECT_EQ(barrier.transactions(), -64);
  EXPECT_FALSE(barrier.arrive(2));
  EXPECT_FALSE(barrier.isComplete(0));
  EXPECT_FALSE(barrier.expectTransactions(64));
  EXPECT_TRUE(barrier.isComplete(0));
}

TEST(MbarrierTest, droppedArrivalsStayAway) {
  Mbarrier barrier = Mbarrier::initial(5);
  EXPECT_FALSE(barrier.arriveDrop(2));
  EXPECT_EQ(barrier.pending(), 3u);
  EXPECT_EQ(barrier.expected(), 3u);
  EXPECT_FALSE(barrier.arrive(3));
  EXPECT_EQ(barrier.pending(), 3u);
  EXPECT_EQ(barrier.parity(), 1u);
}

TEST(MbarrierTest, anAddedArrivalCountsForItsPhaseOnly) {
  Mbarrier barrier = Mbarrier::initial(1);
  EXPECT_FALSE(barrier.addPending());
  EXPECT_FALSE(barrier.arrive(1));
  EXPECT_FALSE(barrier.isComplete(0));
  EXPECT_FALSE(barrier.arrive(1));
  EXPECT_TRUE(barrier.isComplete(0));
  EXPECT_EQ(barrier.pending(), 1u);
  Mbarrier full = Mbarrier::initial(Mbarrier::kMaxCount);
  EXPECT_EQ(full.addPending(), "has at most 1048575 pending arrivals, but found one more");
}

TEST(MbarrierTest, limitsAreKept) {
  Mbarrier barrier = Mbarrier::initial(Mbarrier::kMaxCount);
  EXPECT_EQ(barrier.pending(), (1u << 20) - 1);
  EXPECT_FALSE(barrier.expectTransactions((1u << 20) - 1));
  EXPECT_EQ(barrier.expectTransactions(1), "keeps the transaction count up to 1048575, but found 1048576");
  EXPECT_FALSE(barrier.completeTransactions((1u << 20) - 1));
  EXPECT_FALSE(barrier.completeTransactions((1u << 20) - 1));
  EXPECT_EQ(barrier.transactions(), -((1 << 20) - 1));
  EXPECT_EQ(barrier.completeTransactions(1), "keeps the transaction count from -1048575 on, but found -1048576");
  EXPECT_EQ(barrier.arrive(0), "counts arrivals from 1 to 1048575, but found 0");
  Mbarrier small = Mbarrier::initial(2);
  EXPECT_EQ(small.arrive(3), "arrives at most 2 more times in this phase, but found 3");
  EXPECT_EQ(small.arriveDrop(3), "drops at most the 2 expected arrivals, but found 3");
  EXPECT_EQ(small.arrive(2, true), "with .noComplete leaves the phase incomplete, but found the last 2 arrivals");
  EXPECT_EQ(small.bits(), Mbarrier::initial(2).bits());
}

TEST(MbarrierTest, saysWhatIsMissing) {
  Mbarrier barrier = Mbarrier::initial(2);
  EXPECT_FALSE(barrier.arrive(1));
  EXPECT_FALSE(barrier.expectTransactions(4096));
  EXPECT_EQ(barrier.describe(), "phase parity 0, 1 of 2 arrivals pending, 4096 bytes of transactions outstanding");
  EXPECT_EQ(Mbarrier(0).describe(), "not an initialized mbarrier");
}

} // namespace
} // namespace glm::ptx
