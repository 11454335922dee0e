// A producer warp and consumer warps around a ring of shared-memory tiles: tensor maps, bulk copies, mbarriers.
#include "Hopper.h"

#include <cuda.h>

constexpr int kRows = 16, kColumns = 32, kStages = 3, kConsumers = 128;

/// out = alpha * in + beta over a matrix of `rows` x `columns` floats, tile by tile down a column of tiles; the last tiles hang
/// over the edge. Warp 0 copies tiles in, four warps compute and copy them out with bulk stores.
extern "C" __global__ void __launch_bounds__(kConsumers + 32)
    scaleTiles(const __grid_constant__ CUtensorMap in, const __grid_constant__ CUtensorMap out, int tiles, float alpha,
               float beta) {
  __shared__ __align__(128) float ring[kStages][kRows][kColumns];
  __shared__ __align__(128) float result[2][kRows][kColumns];
  __shared__ __align__(8) uint64_t full[kStages], empty[kStages];
  if (threadIdx.x == 0) {
    for (int i = 0; i < kStages; ++i) {
      barrierInit(sharedAddress(&full[i]), 1);
      barrierInit(sharedAddress(&empty[i]), kConsumers);
    }
    fenceBarrierInit();
  }
  __syncthreads();

  if (threadIdx.x < 32) {
    if (threadIdx.x == 0) {
      asm volatile("prefetch.tensormap [%0];" ::"l"(&in) : "memory");
      for (int tile = 0; tile < tiles; ++tile) {
        int stage = tile % kStages;
        barrierWait(sharedAddress(&empty[stage]), (tile / kStages & 1) ^ 1);
        barrierExpect(sharedAddress(&full[stage]), sizeof(ring[stage]));
        copyTile(sharedAddress(ring[stage]), &in, blockIdx.x * kColumns, tile * kRows, sharedAddress(&full[stage]));
      }
    }
    return;
  }

  int thread = threadIdx.x - 32;
  for (int tile = 0; tile < tiles; ++tile) {
    int stage = tile % kStages, side = tile % 2;
    barrierWait(sharedAddress(&full[stage]), tile / kStages & 1);
    // The store of two tiles ago has read its side when at most one is pending.
    if (thread == 0)
      asm volatile("cp.async.bulk.wait_group.read 1;" ::: "memory");
    asm volatile("bar.sync 1, %0;" ::"n"(kConsumers) : "memory");
    for (int i = thread; i < kRows * kColumns; i += kConsumers)
      result[side][i / kColumns][i % kColumns] = alpha * ring[stage][i / kColumns][i % kColumns] + beta;
    barrierArrive(sharedAddress(&empty[stage]));
    fenceAsync();
    asm volatile("bar.sync 1, %0;" ::"n"(kConsumers) : "memory");
    if (thread == 0) {
      asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%1, %2}], [%3];" ::"l"(&out),
                   "r"(static_cast<int>(blockIdx.x) * kColumns), "r"(tile * kRows), "r"(sharedAddress(result[side]))
                   : "memory");
      asm volatile("cp.async.bulk.commit_group;" ::: "memory");
    }
  }
  if (thread == 0)
    asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
}

/// One tile for two blocks of a cluster: each block copies half of it to both by multicast, and each writes the whole, with
/// its rank added, to its own place.
extern "C" __global__ void __cluster_dims__(2, 1, 1) __launch_bounds__(64)
    shareTile(const __grid_constant__ CUtensorMap in, float *out) {
  __shared__ __align__(128) float tile[2][kRows][kColumns];
  __shared__ __align__(8) uint64_t full;
  uint32_t rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  if (threadIdx.x == 0) {
    barrierInit(sharedAddress(&full), 1);
    fenceBarrierInit();
  }
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
  if (threadIdx.x == 0) {
    barrierExpect(sharedAddress(&full), sizeof(tile));
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1, "
                 "{%2, %3}], [%4], %5;" ::"r"(sharedAddress(tile[rank])),
                 "l"(&in), "r"(0), "r"(static_cast<int>(rank) * kRows), "r"(sharedAddress(&full)),
                 "h"(static_cast<uint16_t>(3))
                 : "memory");
  }
  barrierWait(sharedAddress(&full), 0);
  for (int i = threadIdx.x; i < 2 * kRows * kColumns; i += blockDim.x)
    out[rank * 2 * kRows * kColumns + i] = (&tile[0][0][0])[i] + static_cast<float>(rank);
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
}

/// Programmatic dependent launch: what the kernel before wrote is read after griddepcontrol.wait.
extern "C" __global__ void addOne(const int *in, int *out, int n) {
  asm volatile("griddepcontrol.launch_dependents;");
  asm volatile("griddepcontrol.wait;" ::: "memory");
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    out[i] = in[i] + 1;
}

/// One box, whose bytes are 1, 2, 3 ... 250, 1, ..., stored to `out` at (column, row), or added to it.
extern "C" __global__ void __launch_bounds__(32)
    storeBox(const __grid_constant__ CUtensorMap out, int bytes, int column, int row, int reduces) {
  __shared__ __align__(128) uint8_t box[4096];
  for (int i = threadIdx.x; i < bytes; i += 32)
    box[i] = static_cast<uint8_t>(i % 250 + 1);
  fenceAsync();
  __syncwarp();
  if (threadIdx.x != 0)
    return;
  if (reduces)
    asm volatile("cp.reduce.async.bulk.tensor.2d.global.shared::cta.add.tile.bulk_group [%0, {%1, %2}], [%3];" ::"l"(&out),
                 "r"(column), "r"(row), "r"(sharedAddress(box))
                 : "memory");
  else
    asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%1, %2}], [%3];" ::"l"(&out), "r"(column),
                 "r"(row), "r"(sharedAddress(box))
                 : "memory");
  asm volatile("cp.async.bulk.commit_group;\ncp.async.bulk.wait_group 0;" ::: "memory");
}

/// One box from (column, row), as it lies in shared memory.
extern "C" __global__ void __launch_bounds__(32)
    loadBox(const __grid_constant__ CUtensorMap in, uint8_t *out, int bytes, int column, int row) {
  __shared__ __align__(128) uint8_t box[4096];
  __shared__ __align__(8) uint64_t full;
  if (threadIdx.x == 0) {
    barrierInit(sharedAddress(&full), 1);
    fenceBarrierInit();
    barrierExpect(sharedAddress(&full), bytes);
    copyTile(sharedAddress(box), &in, column, row, sharedAddress(&full));
  }
  __syncwarp();
  barrierWait(sharedAddress(&full), 0);
  for (int i = threadIdx.x; i < bytes; i += 32)
    out[i] = box[i];
}
