// The state of an mbarrier object, as 64 bits of shared memory, and what each operation does to it.
//
// Source: PTX ISA, "mbarrier": Contents of the mbarrier object, Phase of the mbarrier object, Tracking asynchronous
// operations by the mbarrier object. The content is opaque to programs; ours is, from bit 0: pending arrivals (20 bits),
// expected arrivals (20), transaction count (21, two's complement), the phase's parity (1), and two bits that say that
// this is an mbarrier at all: 10.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace glm::ptx {

class Mbarrier {
public:
  static constexpr uint32_t kMaxCount = (1u << 20) - 1; ///< arrivals, and transactions in either direction

  Mbarrier() = default;
  explicit Mbarrier(uint64_t word) : word(word) {}

  /// A new object in its first phase; `count` from 1 to kMaxCount.
  static Mbarrier initial(uint32_t count);

  uint64_t bits() const { return word; }
  bool isValid() const { return word >> 62 == 2; }
  uint32_t pending() const { return word & kMaxCount; }
  uint32_t expected() const { return word >> 20 & kMaxCount; }
  int32_t transactions() const; ///< bytes that are expected and have not come; negative when they came first
  uint32_t parity() const { return word >> 61 & 1; } ///< of the phase that is not complete yet

  /// Whether the phase with this parity is complete: it is not the current one. What test_wait.parity answers.
  bool isComplete(uint32_t phaseParity) const { return (phaseParity & 1) != parity(); }
  /// The same for a state that `arrive` gave: it is the object's content before the arrival.
  bool isComplete(Mbarrier state) const { return state.parity() != parity(); }

  /// What went wrong, as "<rule>, but <found>"; the object is unchanged then.
  using Problem = std::optional<std::string>;

  /// `count` arrivals, possibly the last ones of the phase. `noComplete` promises that they are not.
  Problem arrive(uint32_t count, bool noComplete = false);
  /// Arrive, and expect that many fewer from the next phase on.
  Problem arriveDrop(uint32_t count, bool noComplete = false);
  /// One more arrival before this phase can end: what cp.async.mbarrier.arrive without .noinc adds and takes away later.
  Problem addPending();
  Problem expectTransactions(uint32_t bytes);
  Problem completeTransactions(uint32_t bytes);

  /// "phase parity 0, 1 of 2 arrivals pending, 4096 bytes of transactions outstanding".
  std::string describe() const;

private:
  void set(uint32_t pending, uint32_t expected, int32_t transactions, uint32_t parity);
  /// The next phase, if nothing is missing.
  void advance();
  uint64_t word = 0;
};

} // namespace glm::ptx
