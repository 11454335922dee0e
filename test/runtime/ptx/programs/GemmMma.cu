// C = A B^T in bf16 by mma.sync, ldmatrix and a pipeline of cp.async: the shape of an Ampere GEMM.
//
// A block of four warps computes 64 x 64 of C, each warp 32 x 32; k goes in steps of 32 through three stages of shared
// memory. Rows of 64 bytes, their 16-byte pieces permuted so that ldmatrix meets no bank twice.
#include <cuda_bf16.h>
#include <cstdint>

constexpr int kTile = 64, kStep = 32, kStages = 3;

__device__ uint32_t sharedAddress(const void *pointer) { return static_cast<uint32_t>(__cvta_generic_to_shared(pointer)); }

/// Byte offset of piece `piece` (16 bytes) of row `row` within a tile of 64-byte rows.
__device__ int place(int row, int piece) { return row * 64 + ((piece ^ (row >> 1)) & 3) * 16; }

__device__ void copy16(uint32_t to, const void *from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}

__device__ void load4(uint32_t (&r)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

__device__ void mma(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
               "{%0, %1, %2, %3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/// A [m][k], B [n][k], C [m][n]; m and n multiples of 64, k of 32.
extern "C" __global__ void __launch_bounds__(128) gemmMma(const __nv_bfloat16 *a, const __nv_bfloat16 *b, float *c, int n,
                                                          int k) {
  __shared__ __align__(128) uint8_t tiles[kStages][2][kTile * 64];
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  int row = blockIdx.y * kTile, column = blockIdx.x * kTile;
  int steps = k / kStep;

  auto fetch = [&](int step) {
    if (step < steps)
      for (int i = threadIdx.x; i < kTile * 4; i += 128) {
        int r = i / 4, piece = i % 4;
        uint8_t(*stage)[kTile * 64] = tiles[step % kStages];
        copy16(sharedAddress(stage[0] + place(r, piece)), a + static_cast<int64_t>(row + r) * k + step * kStep + piece * 8);
        copy16(sharedAddress(stage[1] + place(r, piece)), b + static_cast<int64_t>(column + r) * k + step * kStep + piece * 8);
      }
    asm volatile("cp.async.commit_group;" ::: "memory");
  };

  float sums[2][4][4] = {};
  for (int i = 0; i < kStages - 1; ++i)
    fetch(i);
  for (int step = 0; step < steps; ++step) {
    asm volatile("cp.async.wait_group %0;" ::"n"(kStages - 2) : "memory");
    __syncthreads();
    fetch(step + kStages - 1);
    const uint8_t(*stage)[kTile * 64] = tiles[step % kStages];
    for (int half = 0; half < 2; ++half) {
      uint32_t fa[2][4], fb[2][4];
      for (int i = 0; i < 2; ++i) {
        int ra = warp / 2 * 32 + i * 16 + lane % 16, rb = warp % 2 * 32 + i * 16 + lane % 16;
        load4(fa[i], sharedAddress(stage[0] + place(ra, half * 2 + lane / 16)));
        load4(fb[i], sharedAddress(stage[1] + place(rb, half * 2 + lane / 16)));
      }
      for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 4; ++j)
          mma(sums[i][j], fa[i], fb[j / 2][j % 2], fb[j / 2][j % 2 + 2]);
    }
  }
  asm volatile("cp.async.wait_all;" ::: "memory");

  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 4; ++j) {
      int r = row + warp / 2 * 32 + i * 16 + lane / 4, q = column + warp % 2 * 32 + j * 8 + lane % 4 * 2;
      *reinterpret_cast<float2 *>(c + static_cast<int64_t>(r) * n + q) = {sums[i][j][0], sums[i][j][1]};
      *reinterpret_cast<float2 *>(c + static_cast<int64_t>(r + 8) * n + q) = {sums[i][j][2], sums[i][j][3]};
    }
}
