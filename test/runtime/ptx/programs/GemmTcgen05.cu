// C = A B^T in bf16 by tcgen05 (sm_100a): the accumulator in tensor memory, one thread issues, an mbarrier says when it is done.
//
// A block of four warps computes 128 x 64 of C.
#include "Hopper.h"

#include <cuda.h>

constexpr int kRows = 128, kColumns = 64, kStep = 64, kStages = 2; ///< a row of a stage: 64 bf16 = 128 bytes
constexpr int kBytesA = kRows * kStep * 2, kBytesB = kColumns * kStep * 2;

/// Shared-memory matrix descriptor of Blackwell: K-major, swizzle 128 bytes, 8 rows of 128 bytes apart 1024 bytes.
__device__ uint64_t descriptor(uint32_t address) {
  return (address & 0x3ffff) >> 4 | uint64_t(1) << 16 | uint64_t(1024 >> 4) << 32 | uint64_t(1) << 46 | uint64_t(2) << 61;
}

/// Instruction descriptor of kind::f16: D f32, A and B bf16, N / 8, M / 16.
constexpr uint32_t kInstruction = 1u << 4 | 1u << 7 | 1u << 10 | (kColumns / 8) << 17 | (kRows / 16) << 24;

/// The barrier hears when everything issued so far is done.
__device__ void commit(uint32_t barrier) {
  asm volatile("tcgen05.commit.cta_group::1.mbarrier::arrive::one.shared::cluster.b64 [%0];" ::"r"(barrier) : "memory");
}

/// Tensor maps: A [m][k] in boxes of 64 x 128, B [n][k] in boxes of 64 x 64; C [m][n] in floats.
extern "C" __global__ void __launch_bounds__(128)
    gemmTcgen05(const __grid_constant__ CUtensorMap a, const __grid_constant__ CUtensorMap b, float *c, int n, int k) {
  extern __shared__ __align__(1024) uint8_t tiles[]; // [kStages][A, B]
  __shared__ __align__(8) uint64_t full[kStages], done[kStages], whole;
  __shared__ uint32_t tensor;
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  int row = blockIdx.y * kRows, column = blockIdx.x * kColumns;
  int steps = k / kStep;

  if (threadIdx.x == 0) {
    for (int i = 0; i < kStages; ++i) {
      barrierInit(sharedAddress(&full[i]), 1);
      barrierInit(sharedAddress(&done[i]), 1);
    }
    barrierInit(sharedAddress(&whole), 1);
    fenceBarrierInit();
  }
  if (warp == 0) {
    asm volatile("tcgen05.alloc.cta_group::1.sync.aligned.shared::cta.b32 [%0], 64;" ::"r"(sharedAddress(&tensor)) : "memory");
    asm volatile("tcgen05.relinquish_alloc_permit.cta_group::1.sync.aligned;");
  }
  asm volatile("tcgen05.fence::before_thread_sync;" ::: "memory");
  __syncthreads();
  asm volatile("tcgen05.fence::after_thread_sync;" ::: "memory");
  uint32_t accumulator = tensor;

  if (threadIdx.x == 0) {
    auto fetch = [&](int step) {
      int stage = step % kStages;
      uint32_t barrier = sharedAddress(&full[stage]), to = sharedAddress(tiles) + stage * (kBytesA + kBytesB);
      barrierExpect(barrier, kBytesA + kBytesB);
      copyTile(to, &a, step * kStep, row, barrier);
      copyTile(to + kBytesA, &b, step * kStep, column, barrier);
    };
    for (int step = 0; step < kStages && step < steps; ++step)
      fetch(step);
    for (int step = 0; step < steps; ++step) {
      int stage = step % kStages;
      barrierWait(sharedAddress(&full[stage]), step / kStages & 1);
      uint64_t da = descriptor(sharedAddress(tiles) + stage * (kBytesA + kBytesB));
      uint64_t db = descriptor(sharedAddress(tiles) + stage * (kBytesA + kBytesB) + kBytesA);
      for (int i = 0; i < kStep / 16; ++i)
        asm volatile("{\n"
                     ".reg .pred accumulate;\n"
                     "setp.ne.b32 accumulate, %4, 0;\n"
                     "tcgen05.mma.cta_group::1.kind::f16 [%0], %1, %2, %3, accumulate;\n"
                     "}" ::"r"(accumulator),
                     "l"(da + i * 2), "l"(db + i * 2), "r"(kInstruction), "r"(step | i)
                     : "memory");
      commit(sharedAddress(&done[stage]));
      if (step + kStages < steps) {
        barrierWait(sharedAddress(&done[stage]), step / kStages & 1);
        fetch(step + kStages);
      }
    }
    // The others wait for this one: a barrier that goes through many phases may be the same parity again when they look.
    commit(sharedAddress(&whole));
  }
  // What follows is .aligned: the issuing thread's warp must be whole again.
  __syncwarp();
  barrierWait(sharedAddress(&whole), 0);
  __syncwarp();
  asm volatile("tcgen05.fence::after_thread_sync;" ::: "memory");

  // Warp w reads lanes 32 w to 32 w + 31, a row of C each.
  for (int part = 0; part < kColumns; part += 16) {
    uint32_t r[16];
    asm volatile("tcgen05.ld.sync.aligned.32x32b.x16.b32 {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, "
                 "%15}, [%16];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]), "=r"(r[4]), "=r"(r[5]), "=r"(r[6]), "=r"(r[7]),
                   "=r"(r[8]), "=r"(r[9]), "=r"(r[10]), "=r"(r[11]), "=r"(r[12]), "=r"(r[13]), "=r"(r[14]), "=r"(r[15])
                 : "r"(accumulator + (warp * 32 << 16) + part));
    asm volatile("tcgen05.wait::ld.sync.aligned;" ::: "memory");
    for (int i = 0; i < 16; ++i)
      c[static_cast<int64_t>(row + warp * 32 + lane) * n + column + part + i] = __uint_as_float(r[i]);
  }
  asm volatile("tcgen05.fence::before_thread_sync;" ::: "memory");
  __syncthreads();
  if (warp == 0)
    asm volatile("tcgen05.dealloc.cta_group::1.sync.aligned.b32 %0, 64;" ::"r"(accumulator));
}
