#include "runtime/ptx/machine/Loop.h"

#include "runtime/ptx/machine/Counters.h"
#include "runtime/ptx/machine/Fragments.h"

#include <bit>
#include <fmt/format.h>

namespace glm::ptx {
namespace {

/// The first register that `op` reads and that some of `lanes` never wrote.
Outcome faultUndefined(Warp &warp, const Op &op, LaneMask lanes) {
  for (uint32_t index = 0; index < op.readCount; ++index)
    if (LaneMask missing = lanes & ~warp.defined[op.reads[index]]) {
      const Function &function = *warp.fragment().frames.back().code->function;
      return warp.fault(op, std::countr_zero(missing), LaunchFault::Kind::LaunchFailed,
                        fmt::format("register {} must hold a value before it is read, but found none written",
                                    function.registers[op.reads[index]].name));
    }
  return Outcome::Next;
}

/// Registers that must hold a value do. Moves only pass on what is missing: compilers copy and pack registers that they never
/// wrote, and do not use what comes of it.
bool readsDefined(const Warp &warp, const Op &op, LaneMask lanes) {
  LaneMask missing = 0;
  for (uint32_t index = 0; index < op.readCount; ++index)
    missing |= lanes & ~warp.defined[op.reads[index]];
  return !missing || op.opClass == OpClass::Move;
}

void define(Warp &warp, const Op &op, LaneMask lanes) {
  LaneMask known = op.late ? 0 : lanes;
  if (op.opClass == OpClass::Move)
    for (uint32_t index = 0; index < op.readCount; ++index)
      known &= warp.defined[op.reads[index]];
  for (uint32_t index = 0; index < op.writeCount; ++index) {
    LaneMask &defined = warp.defined[op.writes[index]];
    defined = (defined & ~lanes) | known;
  }
}

template <bool Checks, bool Counts>
class Runner {
public:
  Runner(Warp &warp, uint64_t limit) : warp(warp), end(warp.executed + limit) {}

  Turn run() {
    for (Fragment &fragment : warp.fragments)
      fragment.waiting = false;
    uint64_t before = warp.executed;
    while (warp.alive) {
      if (!selectFragment(warp))
        return warp.executed != before ? Turn::Ran : Turn::Waits;
      if (std::optional<Turn> turn = runFragment())
        return *turn;
    }
    return Turn::Ended;
  }

private:
  /// Until another fragment is to be selected (nothing), or the turn is over.
  std::optional<Turn> runFragment() {
    enterFragment(warp);
    Fragment *fragment = &warp.fragment();
    const Op *ops = warp.ops;
    const Op *op = ops + warp.fragment().op;
    uint32_t meeting = warp.fragments.size() > 1 ? nextMeeting(warp) : UINT32_MAX;
    const Op *stop = meeting == UINT32_MAX ? nullptr : ops + meeting;
    if constexpr (Counts)
      enterCounters(warp);
    for (;;) {
      if (op == stop) {
        warp.fragment().op = static_cast<uint32_t>(op - ops);
        return std::nullopt;
      }
      LaneMask lanes = warp.active;
      if (op->guard != kNoSlot) {
        LaneMask guard = warp.predicate(op->guard);
        lanes &= op->guardNegated ? ~guard : guard;
        if (!lanes) {
          ++warp.executed;
          ++op;
          continue;
        }
      }
      if constexpr (Checks)
        if (op->readCount && !readsDefined(warp, *op, lanes)) {
          faultUndefined(warp, *op, lanes);
          return Turn::Faulted;
        }
      if constexpr (Counts)
        countOp(warp, *op, lanes);
      Outcome outcome = op->run(warp, *op, lanes);
      switch (outcome) {
      case Outcome::Next:
        ++warp.executed;
        if (fragment->wait || fragment->retried)
          clearWait(*fragment);
        if constexpr (Checks)
          if (op->writeCount)
            define(warp, *op, lanes);
        ++op;
        continue;
      case Outcome::Jump: {
        ++warp.executed;
        if (warp.executed >= end)
          return warp.alive ? Turn::Ran : Turn::Ended;
        if (warp.fragments.size() > 1) {
          ++warp.divergentJumps;
          return std::nullopt;
        }
        if (!warp.alive)
          return Turn::Ended;
        Fragment &only = warp.fragments[0];
        if (only.frames.back().code->ops.data() != ops || warp.current || warp.active != only.lanes ||
            warp.frame != warp.registers.data() + only.frames.back().base)
          return std::nullopt;
        op = ops + only.op;
        stop = nullptr;
        continue;
      }
      case Outcome::Yield:
        if constexpr (Checks)
          if (op->writeCount)
            define(warp, *op, lanes);
        ++warp.executed;
        warp.divergentJumps += kYieldWeight;
        warp.fragment().op = static_cast<uint32_t>(op - ops) + 1;
        clearWait(warp.fragment());
        return Turn::Yielded;
      case Outcome::Retry:
        // The handler may have split the fragment: what waits is the current one, wherever it lies now.
        warp.fragment().op = static_cast<uint32_t>(op - ops);
        warp.fragment().waiting = true;
        if constexpr (Counts)
          countWait(warp, *op);
        warp.fragment().retried = true;
        return std::nullopt;
      case Outcome::Fault:
        return Turn::Faulted;
      }
    }
  }

  static void clearWait(Fragment &fragment) {
    fragment.wait = 0;
    fragment.retried = false;
    fragment.waitingFor = nullptr;
  }

  /// A poll is worth so many jumps when fragments take turns.
  static constexpr uint32_t kYieldWeight = 256;

  Warp &warp;
  uint64_t end;
};

} // namespace

Turn runTurn(Warp &warp, uint64_t limit) {
  if (warp.counters)
    return warp.checks ? Runner<true, true>(warp, limit).run() : Runner<false, true>(warp, limit).run();
  return warp.checks ? Runner<true, false>(warp, limit).run() : Runner<false, false>(warp, limit).run();
}

} // namespace glm::ptx
