// What a launch costs, by op.
#pragma once

#include "runtime/ptx/machine/Warp.h"

#include <array>
#include <unordered_map>
#include <vector>

namespace glm::ptx {

/// Bytes of a sector: what the caches and the memory of a chip are asked for.
inline constexpr uint32_t kSectorBytes = 32;

struct LineCounters {
  uint64_t executed = 0;  ///< warp instructions
  uint64_t lanes = 0;     ///< of these, by lane
  uint64_t bytesRead = 0; ///< of global memory, as requested by lanes
  uint64_t bytesWritten = 0;
  uint64_t sectorsRead = 0; ///< of global memory, distinct within a warp instruction
  uint64_t sectorsWritten = 0;
  uint64_t sharedBytes = 0;     ///< of shared memory, read and written
  uint64_t wavefronts = 0;      ///< shared-memory cycles
  uint64_t idealWavefronts = 0; ///< without bank conflicts
  uint64_t waits = 0;           ///< times that a warp had to wait here

  void add(const LineCounters &other);
};

/// The distinct sectors of global memory that a launch touched.
class SectorSet {
public:
  void add(uint64_t sector) {
    uint64_t page = sector / kPageSectors;
    if (page != lastPage) {
      lastPage = page;
      last = &pages[page];
    }
    (*last)[sector % kPageSectors / 64] |= uint64_t{1} << sector % 64;
  }
  void add(const SectorSet &other);
  uint64_t count() const;

private:
  static constexpr uint64_t kPageSectors = 512; ///< 16 KiB
  using Page = std::array<uint64_t, kPageSectors / 64>;
  std::unordered_map<uint64_t, Page> pages;
  uint64_t lastPage = ~uint64_t{0};
  Page *last = nullptr; ///< elements of an unordered_map stay where they are
};

/// Of one launch, or of the part of it that one host thread ran.
class LaunchCounters {
public:
  explicit LaunchCounters(const Program &program);

  std::vector<std::vector<LineCounters>> lines; ///< by function and op
  SectorSet sectorsRead, sectorsWritten;
  uint64_t blocks = 0;

  void add(const LaunchCounters &other);

  /// A warp instruction that touches global memory at `addresses` of `lanes`, each `bytes` bytes.
  void countGlobal(LineCounters &line, LaneMask lanes, const uint64_t *addresses, uint32_t bytes, bool writes);
  /// The same for shared memory, as offsets: 32 banks of 4 bytes; 8-byte accesses take a wavefront per half warp, 16-byte
  /// ones per quarter (Nsight Compute, "Shared Memory").
  void countShared(LineCounters &line, LaneMask lanes, const uint64_t *addresses, uint32_t bytes);
  /// Asynchronous work of `issuer` touches a range of global memory.
  void countBulk(const Op &issuer, uint64_t address, uint64_t bytes, bool writes);

private:
  const Program *program;
};

/// Called by the loop.
void enterCounters(Warp &warp);
void countOp(Warp &warp, const Op &op, LaneMask lanes);
void countWait(Warp &warp, const Op &op);

} // namespace glm::ptx
