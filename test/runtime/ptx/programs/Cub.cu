// The block collectives of CUB: sort, scan, histogram.
#include <cub/block/block_histogram.cuh>
#include <cub/block/block_load.cuh>
#include <cub/block/block_radix_sort.cuh>
#include <cub/block/block_scan.cuh>
#include <cub/block/block_store.cuh>

constexpr int kThreads = 128, kItems = 4;

/// Each block sorts its 512 keys, and their values with them.
extern "C" __global__ void __launch_bounds__(kThreads) sortBlocks(unsigned *keys, unsigned *values) {
  using Load = cub::BlockLoad<unsigned, kThreads, kItems, cub::BLOCK_LOAD_TRANSPOSE>;
  using Store = cub::BlockStore<unsigned, kThreads, kItems, cub::BLOCK_STORE_TRANSPOSE>;
  using Sort = cub::BlockRadixSort<unsigned, kThreads, kItems, unsigned>;
  __shared__ union {
    typename Load::TempStorage load;
    typename Store::TempStorage store;
    typename Sort::TempStorage sort;
  } storage;
  unsigned key[kItems], value[kItems];
  int offset = blockIdx.x * kThreads * kItems;
  Load(storage.load).Load(keys + offset, key);
  __syncthreads();
  Load(storage.load).Load(values + offset, value);
  __syncthreads();
  Sort(storage.sort).Sort(key, value);
  __syncthreads();
  Store(storage.store).Store(keys + offset, key);
  __syncthreads();
  Store(storage.store).Store(values + offset, value);
}

/// Exclusive prefix sums of each block's 512 numbers, and their total.
extern "C" __global__ void __launch_bounds__(kThreads) scanBlocks(const int *in, int *out, int *totals) {
  using Scan = cub::BlockScan<int, kThreads, cub::BLOCK_SCAN_WARP_SCANS>;
  __shared__ typename Scan::TempStorage storage;
  int item[kItems];
  cub::LoadDirectBlocked(threadIdx.x, in + blockIdx.x * kThreads * kItems, item);
  int total;
  Scan(storage).ExclusiveSum(item, item, total);
  cub::StoreDirectBlocked(threadIdx.x, out + blockIdx.x * kThreads * kItems, item);
  if (threadIdx.x == 0)
    totals[blockIdx.x] = total;
}

/// Counts of each block's 512 bytes in 64 bins.
extern "C" __global__ void __launch_bounds__(kThreads) histogramBlocks(const unsigned char *in, unsigned *bins) {
  using Histogram = cub::BlockHistogram<unsigned char, kThreads, kItems, 64, cub::BLOCK_HISTO_ATOMIC>;
  __shared__ typename Histogram::TempStorage storage;
  __shared__ unsigned counts[64];
  unsigned char item[kItems];
  cub::LoadDirectStriped<kThreads>(threadIdx.x, in + blockIdx.x * kThreads * kItems, item);
  Histogram(storage).Histogram(item, counts);
  __syncthreads();
  if (threadIdx.x < 64)
    bins[blockIdx.x * 64 + threadIdx.x] = counts[threadIdx.x];
}
