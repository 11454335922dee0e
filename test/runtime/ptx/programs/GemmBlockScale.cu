// C = A B^T in NVFP4 by mma.sync with block scales (sm_120a): values of 4 bits, a ue4m3 scale for every 16 along k.
//
// A block of four warps computes 64 x 32 of C, each warp 16 rows; k goes in steps of 64 (32 bytes a row).
#include <cstdint>

constexpr int kRows = 64, kColumns = 32, kStep = 64;

__device__ uint32_t sharedAddress(const void *pointer) { return static_cast<uint32_t>(__cvta_generic_to_shared(pointer)); }

__device__ void copy16(uint32_t to, const void *from) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
}

__device__ void load4(uint32_t (&r)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

/// A [m][k / 2], B [n][k / 2]: two values a byte, the lower k in the low bits. Scales [m][k / 16], [n][k / 16]. C [m][n].
extern "C" __global__ void __launch_bounds__(128) gemmBlockScale(const uint8_t *a, const uint8_t *b, const uint8_t *scalesA,
                                                                 const uint8_t *scalesB, float *c, int n, int k) {
  __shared__ __align__(128) uint8_t tileA[kRows][32], tileB[kColumns][32];
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  int row = blockIdx.y * kRows, column = blockIdx.x * kColumns;
  float sums[4][4] = {};
  for (int step = 0; step < k / kStep; ++step) {
    int64_t offset = step * 32;
    copy16(sharedAddress(&tileA[threadIdx.x / 2][threadIdx.x % 2 * 16]),
           a + static_cast<int64_t>(row + threadIdx.x / 2) * (k / 2) + offset + threadIdx.x % 2 * 16);
    if (threadIdx.x < kColumns * 2)
      copy16(sharedAddress(&tileB[threadIdx.x / 2][threadIdx.x % 2 * 16]),
             b + static_cast<int64_t>(column + threadIdx.x / 2) * (k / 2) + offset + threadIdx.x % 2 * 16);
    asm volatile("cp.async.commit_group;\ncp.async.wait_group 0;" ::: "memory");
    __syncthreads();

    uint32_t fa[4], fb[2][4];
    load4(fa, sharedAddress(&tileA[warp * 16 + lane % 16][lane / 16 * 16]));
    for (int i = 0; i < 2; ++i)
      load4(fb[i], sharedAddress(&tileB[i * 16 + lane % 16][lane / 16 * 16]));
    // Lanes 0 and 1 of a quad give the scales of rows lane / 4 and lane / 4 + 8, lane 0 those of column lane / 4.
    int64_t scaleRow = row + warp * 16 + lane / 4 + lane % 2 * 8;
    uint32_t scaleA = *reinterpret_cast<const uint32_t *>(scalesA + scaleRow * (k / 16) + step * 4);
    for (int j = 0; j < 4; ++j) {
      int64_t scaleColumn = column + j * 8 + lane / 4;
      uint32_t scaleB = *reinterpret_cast<const uint32_t *>(scalesB + scaleColumn * (k / 16) + step * 4);
      float(&d)[4] = sums[j];
      asm volatile("mma.sync.aligned.m16n8k64.row.col.kind::mxf4nvf4.block_scale.scale_vec::4X.f32.e2m1.e2m1.f32.ue4m3 "
                   "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3}, %10, {0, 0}, %11, {0, 0};"
                   : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                   : "r"(fa[0]), "r"(fa[1]), "r"(fa[2]), "r"(fa[3]), "r"(fb[j / 2][j % 2]), "r"(fb[j / 2][j % 2 + 2]),
                     "r"(scaleA), "r"(scaleB));
    }
    __syncthreads();
  }
  for (int j = 0; j < 4; ++j)
    for (int h = 0; h < 2; ++h)
      *reinterpret_cast<float2 *>(c + static_cast<int64_t>(row + warp * 16 + lane / 4 + h * 8) * n + column + j * 8 +
                                  lane % 4 * 2) = {sums[j][h * 2], sums[j][h * 2 + 1]};
}
