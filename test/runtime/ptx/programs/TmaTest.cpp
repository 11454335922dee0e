#include "test/runtime/ptx/programs/Program.h"

#include <array>
#include <random>

namespace glm::cuda {
namespace {

std::vector<float> randomFloats(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values(count);
  for (float &value : values)
    value = static_cast<float>(static_cast<int>(random() % 2001) - 1000);
  return values;
}

TEST_F(Programs, PipelineOfTiles) {
  load("Tma");
  // Tiles of 16 x 32 hang over the last row and the last column.
  constexpr size_t kRows = 40, kColumns = 68, kStride = 72;
  std::vector<float> values = randomFloats(kRows * kStride, 1);
  CUdeviceptr in = upload(values), out = uploadFilled<float>(values.size(), -7);
  CUtensorMap inMap =
      tensorMap(CU_TENSOR_MAP_DATA_TYPE_FLOAT32, in, kRows, kColumns, kStride * 4, 16, 32, CU_TENSOR_MAP_SWIZZLE_NONE);
  CUtensorMap outMap =
      tensorMap(CU_TENSOR_MAP_DATA_TYPE_FLOAT32, out, kRows, kColumns, kStride * 4, 16, 32, CU_TENSOR_MAP_SWIZZLE_NONE);
  // Seven tiles: more than stages, and the last ones lie outside altogether.
  launch("scaleTiles", {3}, {160}, 0, inMap, outMap, 7, 3.0f, 5.0f);
  std::vector<float> got = download<float>(out, values.size());
  for (size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ(got[i], i % kStride < kColumns ? 3 * values[i] + 5 : -7) << i;
}

/// A box of two rows of 64 bytes at (column, row) of a matrix of three rows of `columns` elements of `size` bytes.
struct Box {
  CUtensorMapDataType type;
  unsigned size, columns;
  int column, row;

  /// Byte `i` of row `r` of the box as a byte of the matrix, whose rows are kRowBytes apart.
  size_t place(unsigned r, unsigned i) const { return (row + r) * kRowBytes + column * size + i; }

  static constexpr unsigned kRowBytes = 256, kRows = 3, kBoxBytes = 64;
};

const Box kStoredBoxes[] = {
    {CU_TENSOR_MAP_DATA_TYPE_UINT8, 1, 33, 0, 0},    {CU_TENSOR_MAP_DATA_TYPE_UINT8, 1, 52, 32, 2},
    {CU_TENSOR_MAP_DATA_TYPE_UINT16, 2, 38, 16, 1},  {CU_TENSOR_MAP_DATA_TYPE_UINT16, 2, 47, 8, 2},
    {CU_TENSOR_MAP_DATA_TYPE_INT32, 4, 38, 28, 1},   {CU_TENSOR_MAP_DATA_TYPE_INT32, 4, 40, 32, 0},
    {CU_TENSOR_MAP_DATA_TYPE_INT32, 4, 19, 200, 0},  {CU_TENSOR_MAP_DATA_TYPE_INT32, 4, 19, 16, 9},
    {CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 4, 37, 32, 1},
};

// What an H100 does and the PTX ISA does not say: rows are stored in whole 16 bytes, beyond the matrix where its rows end within them.
TEST_F(Programs, StoresBesideTheEdge) {
  load("Tma");
  for (const Box &box : kStoredBoxes)
    for (int reduces : {0, 1}) {
      if (reduces && box.type != CU_TENSOR_MAP_DATA_TYPE_INT32)
        continue;
      std::vector<uint8_t> expected(Box::kRowBytes * Box::kRows, 0);
      CUdeviceptr out = upload(expected);
      CUtensorMap map = tensorMap(box.type, out, Box::kRows, box.columns, Box::kRowBytes, 2, Box::kBoxBytes / box.size,
                                  CU_TENSOR_MAP_SWIZZLE_NONE);
      launch("storeBox", {1}, {32}, 0, map, 2 * Box::kBoxBytes, box.column, box.row, reduces);
      unsigned end = (box.columns * box.size + 15) / 16 * 16;
      for (unsigned i = 0; i < 2 * Box::kBoxBytes; ++i) {
        unsigned r = i / Box::kBoxBytes, byte = i % Box::kBoxBytes;
        if (box.row + r < Box::kRows && box.column * box.size + byte < end)
          expected[box.place(r, byte)] = static_cast<uint8_t>(i % 250 + 1);
      }
      EXPECT_EQ(download<uint8_t>(out, expected.size()), expected)
          << box.columns << " from " << box.column << ", " << box.row;
    }
}

const Box kLoadedBoxes[] = {
    {CU_TENSOR_MAP_DATA_TYPE_UINT8, 1, 39, 16, 0},    {CU_TENSOR_MAP_DATA_TYPE_UINT8, 1, 39, -16, 1},
    {CU_TENSOR_MAP_DATA_TYPE_UINT16, 2, 39, 8, 2},    {CU_TENSOR_MAP_DATA_TYPE_UINT16, 2, 39, -16, -1},
    {CU_TENSOR_MAP_DATA_TYPE_INT32, 4, 19, -4, 0},    {CU_TENSOR_MAP_DATA_TYPE_INT32, 4, 19, 200, 0},
    {CU_TENSOR_MAP_DATA_TYPE_FLOAT32, 4, 19, 12, -1},
};

TEST_F(Programs, LoadsAcrossTheEdge) {
  load("Tma");
  std::vector<uint8_t> values(Box::kRowBytes * Box::kRows);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<uint8_t>(i % 251 + 1);
  for (const Box &box : kLoadedBoxes) {
    CUdeviceptr in = upload(values), out = uploadFilled<uint8_t>(2 * Box::kBoxBytes, 0xee);
    CUtensorMap map = tensorMap(box.type, in, Box::kRows, box.columns, Box::kRowBytes, 2, Box::kBoxBytes / box.size,
                                CU_TENSOR_MAP_SWIZZLE_NONE);
    launch("loadBox", {1}, {32}, 0, map, out, 2 * Box::kBoxBytes, box.column, box.row);
    std::vector<uint8_t> expected(2 * Box::kBoxBytes, 0);
    for (int i = 0; i < static_cast<int>(expected.size()); ++i) {
      int r = i / static_cast<int>(Box::kBoxBytes), byte = i % static_cast<int>(Box::kBoxBytes);
      int column = box.column * static_cast<int>(box.size) + byte, row = box.row + r;
      if (row >= 0 && row < static_cast<int>(Box::kRows) && column >= 0 &&
          column < static_cast<int>(box.columns * box.size))
        expected[static_cast<size_t>(i)] = values[box.place(static_cast<unsigned>(r), static_cast<unsigned>(byte))];
    }
    EXPECT_EQ(download<uint8_t>(out, expected.size()), expected)
        << box.columns << " from " << box.column << ", " << box.row;
  }
}

TEST_F(Programs, TileForTwoBlocks) {
  load("Tma");
  constexpr size_t kRows = 32, kColumns = 32;
  std::vector<float> values = randomFloats(kRows * kColumns, 2);
  CUdeviceptr in = upload(values), out = allocate(2 * values.size() * 4);
  CUtensorMap map =
      tensorMap(CU_TENSOR_MAP_DATA_TYPE_FLOAT32, in, kRows, kColumns, kColumns * 4, 16, 32, CU_TENSOR_MAP_SWIZZLE_NONE);
  launch("shareTile", {2}, {64}, 0, map, out);
  std::vector<float> got = download<float>(out, 2 * values.size());
  for (size_t i = 0; i < got.size(); ++i)
    ASSERT_EQ(got[i], values[i % values.size()] + static_cast<float>(i / values.size())) << i;
}

/// Streams, events, a captured graph and programmatic launches, all around one kernel.
TEST_F(Programs, StreamsEventsAndGraphs) {
  load("Tma");
  int count = 1000;
  std::vector<int> values(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i)
    values[static_cast<size_t>(i)] = i * i;
  CUdeviceptr a = upload(values), b = allocate(values.size() * 4), c = allocate(values.size() * 4);
  CUfunction addOne = kernel("addOne");
  CUstream first = nullptr, second = nullptr;
  CUevent fork = nullptr, join = nullptr;
  GLM_CHECK_CUDA(cuStreamCreate(&first, CU_STREAM_NON_BLOCKING));
  GLM_CHECK_CUDA(cuStreamCreate(&second, CU_STREAM_NON_BLOCKING));
  GLM_CHECK_CUDA(cuEventCreate(&fork, CU_EVENT_DISABLE_TIMING));
  GLM_CHECK_CUDA(cuEventCreate(&join, CU_EVENT_DISABLE_TIMING));
  auto enqueue = [&](CUdeviceptr in, CUdeviceptr out, CUstream stream) {
    void *parameters[] = {&in, &out, &count};
    CUlaunchAttribute attribute{};
    attribute.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
    attribute.value.programmaticStreamSerializationAllowed = 1;
    CUlaunchConfig config{};
    config.gridDimX = 8;
    config.blockDimX = 128;
    config.gridDimY = config.gridDimZ = config.blockDimY = config.blockDimZ = 1;
    config.hStream = stream;
    config.attrs = &attribute;
    config.numAttrs = 1;
    ASSERT_EQ(cuLaunchKernelEx(&config, addOne, parameters, nullptr), CUDA_SUCCESS);
  };

  // a -> b on the first stream; b -> c on the second after it; c -> a on the first after that.
  CUgraph graph = nullptr;
  CUgraphExec exec = nullptr;
  GLM_CHECK_CUDA(cuStreamBeginCapture(first, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
  enqueue(a, b, first);
  GLM_CHECK_CUDA(cuEventRecord(fork, first));
  GLM_CHECK_CUDA(cuStreamWaitEvent(second, fork, 0));
  enqueue(b, c, second);
  GLM_CHECK_CUDA(cuEventRecord(join, second));
  GLM_CHECK_CUDA(cuStreamWaitEvent(first, join, 0));
  enqueue(c, a, first);
  GLM_CHECK_CUDA(cuStreamEndCapture(first, &graph));
  GLM_CHECK_CUDA(cuGraphInstantiate(&exec, graph, 0));
  for (int i = 0; i < 5; ++i)
    GLM_CHECK_CUDA(cuGraphLaunch(exec, first));
  enqueue(a, b, first);
  GLM_CHECK_CUDA(cuStreamSynchronize(first));

  std::vector<int> gotA = download<int>(a, values.size()), gotB = download<int>(b, values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(gotA[i], values[i] + 15) << i;
    ASSERT_EQ(gotB[i], values[i] + 16) << i;
  }
  GLM_CHECK_CUDA(cuGraphExecDestroy(exec));
  GLM_CHECK_CUDA(cuGraphDestroy(graph));
  GLM_CHECK_CUDA(cuEventDestroy(fork));
  GLM_CHECK_CUDA(cuEventDestroy(join));
  GLM_CHECK_CUDA(cuStreamDestroy(first));
  GLM_CHECK_CUDA(cuStreamDestroy(second));
}

} // namespace
} // namespace glm::cuda
