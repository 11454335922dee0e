#include "test/runtime/ptx/driver/Fixture.h"

#include <atomic>

namespace glm::cuda {
namespace {

class StreamTest : public DriverTest {};

TEST_F(StreamTest, keepsTheOrderOfOneStream) {
  CUstream stream = nullptr;
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  std::vector<uint32_t> values = random(300, 4);
  CUdeviceptr data = upload(values);
  for (int i = 0; i < 10; ++i)
    ASSERT_EQ(addOne(data, 300, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32Async(data + 4, 9, 2, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  std::vector<uint32_t> expected = plus(values, 10);
  expected[1] = expected[2] = 9;
  EXPECT_EQ(download(data, 300), expected);
  EXPECT_EQ(cuStreamQuery(stream), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy(stream), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamDestroy(stream), CUDA_ERROR_INVALID_HANDLE);
  EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
}

// Two kernels that wait for each other's signal finish only if both run at once.
TEST_F(StreamTest, runsStreamsBesideEachOther) {
  CUstream streams[2];
  CUdeviceptr flags = upload({0, 0, 0, 0});
  for (CUstream &stream : streams)
    ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  void *waits[] = {&flags};
  ASSERT_EQ(cuLaunchKernel(kernel("spin"), 1, 1, 1, 1, 1, 1, 0, streams[0], waits, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(cuStreamQuery(streams[0]), CUDA_ERROR_NOT_READY);
  ASSERT_EQ(addOne(flags, 1, streams[1]), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(streams[0]), CUDA_SUCCESS);
  EXPECT_EQ(download(flags, 2), (std::vector<uint32_t>{1, 1}));
}

TEST_F(StreamTest, waitsForEventsOfOtherStreams) {
  CUstream first = nullptr, second = nullptr;
  ASSERT_EQ(cuStreamCreate(&first, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamCreate(&second, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  CUdeviceptr flags = upload({0, 0}), data = upload({100});
  CUevent event = nullptr;
  ASSERT_EQ(cuEventCreate(&event, CU_EVENT_DEFAULT), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(event), CUDA_SUCCESS) << "never recorded";
  void *waits[] = {&flags};
  ASSERT_EQ(cuLaunchKernel(kernel("spin"), 1, 1, 1, 1, 1, 1, 0, first, waits, nullptr), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32Async(data, 7, 1, first), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(event, first), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWaitEvent(second, event, 0), CUDA_SUCCESS);
  ASSERT_EQ(addOne(data, 1, second), CUDA_SUCCESS);
  EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_NOT_READY);
  CUstream signal = nullptr;
  ASSERT_EQ(cuStreamCreate(&signal, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWriteValue32(signal, flags, 1, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(second), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 1), (std::vector<uint32_t>{8})) << "set to 7 before 1 is added";
  CUevent later = nullptr;
  ASSERT_EQ(cuEventCreate(&later, CU_EVENT_DEFAULT), CUDA_SUCCESS);
  ASSERT_EQ(cuEventRecord(later, second), CUDA_SUCCESS);
  ASSERT_EQ(cuEventSynchronize(later), CUDA_SUCCESS);
  float milliseconds = -1;
  ASSERT_EQ(cuEventElapsedTime(&milliseconds, event, later), CUDA_SUCCESS);
  EXPECT_GE(milliseconds, 0);
}

// The default stream waits for blocking streams, and they for it.
TEST_F(StreamTest, ordersTheDefaultStreamWithBlockingOnes) {
  CUstream blocking = nullptr;
  ASSERT_EQ(cuStreamCreate(&blocking, CU_STREAM_DEFAULT), CUDA_SUCCESS);
  std::vector<uint32_t> values = random(4000, 5);
  CUdeviceptr data = upload(values);
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(addOne(data, 4000, blocking), CUDA_SUCCESS);
    ASSERT_EQ(addOne(data, 4000, nullptr), CUDA_SUCCESS);
  }
  ASSERT_EQ(cuStreamSynchronize(blocking), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 4000), plus(values, 10));
}

TEST_F(StreamTest, callsTheHostInOrder) {
  CUstream stream = nullptr;
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  std::vector<int> seen;
  struct Note {
    std::vector<int> *seen;
    int value;
  } notes[3] = {{&seen, 1}, {&seen, 2}, {&seen, 3}};
  for (Note &note : notes)
    ASSERT_EQ(cuLaunchHostFunc(
                  stream,
                  [](void *data) { static_cast<Note *>(data)->seen->push_back(static_cast<Note *>(data)->value); },
                  &note),
              CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(seen, (std::vector<int>{1, 2, 3}));
}

TEST_F(StreamTest, givesPropertiesBack) {
  CUstream stream = nullptr;
  ASSERT_EQ(cuStreamCreateWithPriority(&stream, CU_STREAM_NON_BLOCKING, -3), CUDA_SUCCESS);
  unsigned flags = 0;
  int priority = 0;
  CUcontext owner = nullptr;
  ASSERT_EQ(cuStreamGetFlags(stream, &flags), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamGetPriority(stream, &priority), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamGetCtx(stream, &owner), CUDA_SUCCESS);
  EXPECT_EQ(flags, CU_STREAM_NON_BLOCKING);
  EXPECT_EQ(priority, -3);
  EXPECT_EQ(owner, context);
  EXPECT_EQ(cuStreamCreate(&stream, 2), CUDA_ERROR_INVALID_VALUE);
}

} // namespace
} // namespace glm::cuda
