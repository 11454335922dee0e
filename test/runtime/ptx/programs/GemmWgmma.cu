// C = A B^T in bf16 by wgmma (sm_90a): tensor maps with a swizzle of 128 bytes, a ring of stages, warp specialization with
// setmaxnreg.
//
// A block computes 64 x 64 of C: warps 0 to 3 are the consumer warp group, warps 4 to 7 the producer's.
#include "Hopper.h"

#include <cuda.h>

constexpr int kTile = 64, kStep = 64, kStages = 3; ///< a row of a stage: 64 bf16 = 128 bytes
constexpr int kTileBytes = kTile * kStep * 2;

/// Shared-memory matrix descriptor: K-major, swizzle 128 bytes, 8 rows of 128 bytes apart 1024 bytes.
__device__ uint64_t descriptor(uint32_t address) {
  return (address & 0x3ffff) >> 4 | uint64_t(1) << 16 | uint64_t(1024 >> 4) << 32 | uint64_t(1) << 62;
}

__device__ void wgmma(float (&d)[32], uint64_t a, uint64_t b) {
  asm volatile("wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, "
               "%13, %14, %15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, %32, %33, 1, "
               "1, 1, 0, 0;"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]), "+f"(d[8]),
                 "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]), "+f"(d[16]),
                 "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23]), "+f"(d[24]),
                 "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31])
               : "l"(a), "l"(b));
}

/// Tensor maps: A [m][k] and B [n][k] of bf16 in boxes of 64 x 64; C [m][n] in floats.
extern "C" __global__ void __launch_bounds__(256)
    gemmWgmma(const __grid_constant__ CUtensorMap a, const __grid_constant__ CUtensorMap b, float *c, int n, int k) {
  extern __shared__ __align__(1024) uint8_t tiles[]; // [kStages][A, B][kTileBytes]
  __shared__ __align__(8) uint64_t full[kStages], empty[kStages];
  int steps = k / kStep;
  int row = blockIdx.y * kTile, column = blockIdx.x * kTile;
  if (threadIdx.x == 0) {
    for (int i = 0; i < kStages; ++i) {
      barrierInit(sharedAddress(&full[i]), 1);
      barrierInit(sharedAddress(&empty[i]), 4);
    }
    fenceBarrierInit();
  }
  __syncthreads();

  if (threadIdx.x >= 128) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
    if (threadIdx.x == 128)
      for (int step = 0; step < steps; ++step) {
        int stage = step % kStages;
        uint32_t barrier = sharedAddress(&full[stage]), to = sharedAddress(tiles) + stage * 2 * kTileBytes;
        barrierWait(sharedAddress(&empty[stage]), (step / kStages & 1) ^ 1);
        barrierExpect(barrier, 2 * kTileBytes);
        copyTile(to, &a, step * kStep, row, barrier);
        copyTile(to + kTileBytes, &b, step * kStep, column, barrier);
      }
    return;
  }

  asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
  float sums[32] = {};
  for (int step = 0; step < steps; ++step) {
    int stage = step % kStages;
    barrierWait(sharedAddress(&full[stage]), step / kStages & 1);
    uint64_t da = descriptor(sharedAddress(tiles) + stage * 2 * kTileBytes);
    uint64_t db = descriptor(sharedAddress(tiles) + stage * 2 * kTileBytes + kTileBytes);
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
    for (int i = 0; i < kStep / 16; ++i)
      wgmma(sums, da + i * 2, db + i * 2);
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
    if (threadIdx.x % 32 == 0)
      barrierArrive(sharedAddress(&empty[stage]));
  }

  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  for (int j = 0; j < 8; ++j)
    for (int h = 0; h < 2; ++h)
      *reinterpret_cast<float2 *>(c + static_cast<int64_t>(row + warp * 16 + lane / 4 + h * 8) * n + column + j * 8 +
                                  lane % 4 * 2) = {sums[j * 4 + h * 2], sums[j * 4 + h * 2 + 1]};
}
