// Vector clocks: what happened before what (Lamport; Mattern; for races: Flanagan and Freund, "FastTrack", PLDI 2009).
//
// Each warp of a cluster is an agent, and so is the asynchronous work of each block. An agent counts its own releases; entry
// a of somebody's clock says up to which count of agent a everything happened before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace glm::ptx {

class VectorClock {
public:
  void reset(size_t agents) { counts.assign(agents, 0); }
  bool empty() const { return counts.empty(); }
  uint32_t operator[](size_t agent) const { return counts[agent]; }
  uint32_t &operator[](size_t agent) { return counts[agent]; }

  /// The later of both, entry by entry.
  void join(const VectorClock &other) {
    if (counts.size() < other.counts.size())
      counts.resize(other.counts.size(), 0);
    for (size_t agent = 0; agent < other.counts.size(); ++agent)
      counts[agent] = counts[agent] < other.counts[agent] ? other.counts[agent] : counts[agent];
  }

private:
  std::vector<uint32_t> counts;
};

/// What happened before, and what of it the async proxy can see.
struct ClockPair {
  VectorClock before, fenced;

  void join(const ClockPair &other) {
    before.join(other.before);
    fenced.join(other.fenced);
  }
};

} // namespace glm::ptx
