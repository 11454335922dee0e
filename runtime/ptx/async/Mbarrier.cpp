#include "runtime/ptx/async/Mbarrier.h"

#include <fmt/format.h>

namespace glm::ptx {

namespace {
constexpr uint32_t kTransactionBits = 21;
constexpr uint64_t kTransactionMask = (1u << kTransactionBits) - 1;
} // namespace

void Mbarrier::set(uint32_t pending, uint32_t expected, int32_t transactions, uint32_t parity) {
  word = uint64_t{2} << 62 | uint64_t{parity} << 61 | (static_cast<uint64_t>(transactions) & kTransactionMask) << 40 |
         uint64_t{expected} << 20 | pending;
}

Mbarrier Mbarrier::initial(uint32_t count) {
  Mbarrier barrier;
  barrier.set(count, count, 0, 0);
  return barrier;
}

int32_t Mbarrier::transactions() const {
  auto value = static_cast<uint32_t>(word >> 40 & kTransactionMask);
  constexpr uint32_t kUnused = 32 - kTransactionBits;
  return static_cast<int32_t>(value << kUnused) >> kUnused;
}

void Mbarrier::advance() {
  if (pending() == 0 && transactions() == 0)
    set(expected(), expected(), 0, parity() ^ 1);
}

Mbarrier::Problem Mbarrier::arrive(uint32_t count, bool noComplete) {
  if (count == 0 || count > kMaxCount)
    return fmt::format("counts arrivals from 1 to {}, but found {}", kMaxCount, count);
  if (count > pending())
    return fmt::format("arrives at most {} more times in this phase, but found {}", pending(), count);
  if (noComplete && count == pending() && transactions() == 0)
    return fmt::format("with .noComplete leaves the phase incomplete, but found the last {} arrivals", count);
  set(pending() - count, expected(), transactions(), parity());
  advance();
  return std::nullopt;
}

Mbarrier::Problem Mbarrier::arriveDrop(uint32_t count, bool noComplete) {
  if (count > expected())
    return fmt::format("drops at most the {} expected arrivals, but found {}", expected(), count);
  Mbarrier dropped = *this;
  dropped.set(pending(), expected() - count, transactions(), parity());
  if (Problem problem = dropped.arrive(count, noComplete))
    return problem;
  *this = dropped;
  return std::nullopt;
}

Mbarrier::Problem Mbarrier::addPending() {
  if (pending() == kMaxCount)
    return fmt::format("has at most {} pending arrivals, but found one more", kMaxCount);
  set(pending() + 1, expected(), transactions(), parity());
  return std::nullopt;
}

Mbarrier::Problem Mbarrier::expectTransactions(uint32_t bytes) {
  int64_t sum = int64_t{transactions()} + bytes;
  if (sum > int64_t{kMaxCount})
    return fmt::format("keeps the transaction count up to {}, but found {}", kMaxCount, sum);
  set(pending(), expected(), static_cast<int32_t>(sum), parity());
  // Bytes that came before they were expected are made up for: with all arrivals there, that is the end of the phase.
  if (bytes != 0)
    advance();
  return std::nullopt;
}

Mbarrier::Problem Mbarrier::completeTransactions(uint32_t bytes) {
  int64_t sum = int64_t{transactions()} - bytes;
  if (sum < -int64_t{kMaxCount})
    return fmt::format("keeps the transaction count from -{} on, but found {}", kMaxCount, sum);
  set(pending(), expected(), static_cast<int32_t>(sum), parity());
  if (bytes != 0)
    advance();
  return std::nullopt;
}

std::string Mbarrier::describe() const {
  if (!isValid())
    return "not an initialized mbarrier";
  return fmt::format("phase parity {}, {} of {} arrivals pending, {} bytes of transactions outstanding", parity(),
                     pending(), expected(), transactions());
}

} // namespace glm::ptx
