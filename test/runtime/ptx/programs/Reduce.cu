// Sums in the ways that CUDA programs take them: shuffles, shared memory, atomics, the last block of a grid, a cooperative
// grid, a cluster through distributed shared memory.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>

namespace cg = cooperative_groups;

__device__ unsigned blocksDone;
__device__ float partial[256];

template <typename T>
__device__ T warpSum(T value) {
  for (int offset = 16; offset; offset >>= 1)
    value += __shfl_xor_sync(~0u, value, offset);
  return value;
}

template <typename T>
__device__ T blockSum(T value) {
  __shared__ T sums[32];
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  value = warpSum(value);
  if (lane == 0)
    sums[warp] = value;
  __syncthreads();
  value = threadIdx.x < blockDim.x / 32 ? sums[lane] : T(0);
  return warp == 0 ? warpSum(value) : value;
}

/// out[0] = sum of in[0..n): every block writes a part, the last one adds them in order.
extern "C" __global__ void sumLastBlock(const float *in, float *out, int n) {
  float value = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
    value += in[i];
  value = blockSum(value);
  __shared__ bool isLast;
  if (threadIdx.x == 0) {
    partial[blockIdx.x] = value;
    __threadfence();
    isLast = atomicInc(&blocksDone, gridDim.x - 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (isLast) {
    __threadfence();
    float sum = threadIdx.x < gridDim.x ? *(volatile float *)&partial[threadIdx.x] : 0;
    sum = blockSum(sum);
    if (threadIdx.x == 0)
      out[0] = sum;
  }
}

/// Integer sums, minima, maxima and counts by warp collectives and atomics: exact in any order.
/// out: sum, minimum, maximum, number of odd ones, number of distinct leaders.
extern "C" __global__ void statistics(const int *in, int *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  unsigned mask = __activemask();
  int value = in[i];
  unsigned odd = __ballot_sync(mask, value & 1);
  unsigned same = __match_any_sync(mask, value);
  int sum = __reduce_add_sync(mask, value);
  int least = __reduce_min_sync(mask, value), most = __reduce_max_sync(mask, value);
  int lane = threadIdx.x % 32;
  if (lane == __ffs(same) - 1)
    atomicAdd(&out[4], 1);
  if (lane == __ffs(mask) - 1) {
    atomicAdd(&out[0], sum);
    atomicMin(&out[1], least);
    atomicMax(&out[2], most);
    atomicAdd(&out[3], __popc(odd));
  }
}

/// The whole grid works in steps: in place prefix sums by doubling, a grid barrier between steps.
extern "C" __global__ void scanCooperative(unsigned *data, unsigned *other, int n) {
  cg::grid_group grid = cg::this_grid();
  int i = grid.thread_rank();
  for (int distance = 1; distance < n; distance *= 2) {
    if (i < n)
      other[i] = data[i] + (i >= distance ? data[i - distance] : 0);
    grid.sync();
    if (i < n)
      data[i] = other[i];
    grid.sync();
  }
}

/// A histogram over the blocks of a cluster: each block owns a part of the bins in its shared memory.
extern "C" __global__ void __cluster_dims__(4, 1, 1) histogramCluster(const unsigned char *in, unsigned *bins, int n) {
  __shared__ unsigned mine[64];
  cg::cluster_group cluster = cg::this_cluster();
  for (int i = threadIdx.x; i < 64; i += blockDim.x)
    mine[i] = 0;
  cluster.sync();
  int first = cluster.block_rank() * blockDim.x + threadIdx.x;
  for (int i = first; i < n; i += cluster.num_blocks() * blockDim.x) {
    unsigned value = in[i];
    unsigned *remote = cluster.map_shared_rank(mine, value / 64);
    atomicAdd(&remote[value % 64], 1u);
  }
  cluster.sync();
  for (int i = threadIdx.x; i < 64; i += blockDim.x)
    bins[cluster.block_rank() * 64 + i] = mine[i];
}

/// Calls, recursion, a table of functions, local arrays, double precision, switches.
__device__ __noinline__ unsigned collatz(unsigned n) { return n == 1 ? 0 : 1 + collatz(n & 1 ? 3 * n + 1 : n / 2); }
__device__ __noinline__ double square(double x) { return x * x; }
__device__ __noinline__ double inverse(double x) { return 1.0 / x; }
__device__ __noinline__ double root(double x) { return sqrt(x); }
__device__ double (*const functions[3])(double) = {square, inverse, root};
struct Pair {
  double value;
  unsigned steps;
};
__device__ __noinline__ Pair both(double x, unsigned n) { return {functions[n % 3](x), collatz(n)}; }

extern "C" __global__ void calls(double *values, unsigned *steps, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  Pair pair = both(1.0 + i, i + 1);
  double window[8];
  for (int k = 0; k < 8; ++k)
    window[k] = pair.value * (k + 1);
  double result = window[i % 8];
  switch (i % 7) {
  case 0:
    result += 1;
    break;
  case 1:
    result -= 2;
    break;
  case 2:
    result *= 3;
    break;
  case 3:
    result = -result;
    break;
  case 4:
    result = fabs(result);
    break;
  case 5:
    result = fma(result, 2.0, 1.0);
    break;
  default:
    result = floor(result);
  }
  values[i] = result;
  steps[i] = pair.steps;
}
