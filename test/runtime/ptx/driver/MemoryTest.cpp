#include "test/runtime/ptx/driver/Fixture.h"

#include <unistd.h>

#include <cstring>

namespace glm::cuda {
namespace {

class MemoryTest : public DriverTest {};

TEST_F(MemoryTest, allocatesAndGivesBack) {
  size_t before = 0, during = 0, after = 0, total = 0;
  ASSERT_EQ(cuMemGetInfo(&before, &total), CUDA_SUCCESS);
  CUdeviceptr data = 0;
  ASSERT_EQ(cuMemAlloc(&data, 1 << 20), CUDA_SUCCESS);
  EXPECT_EQ(data % 256, 0u);
  ASSERT_EQ(cuMemGetInfo(&during, &total), CUDA_SUCCESS);
  EXPECT_GE(before - during, size_t{1} << 20);
  CUdeviceptr base = 0;
  size_t bytes = 0;
  ASSERT_EQ(cuMemGetAddressRange(&base, &bytes, data + 5000), CUDA_SUCCESS);
  EXPECT_EQ(base, data);
  EXPECT_EQ(bytes, size_t{1} << 20);
  EXPECT_EQ(cuMemFree(data + 256), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemFree(data), CUDA_SUCCESS);
  EXPECT_EQ(cuMemFree(data), CUDA_ERROR_INVALID_VALUE) << "twice";
  EXPECT_EQ(cuMemFree(0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemGetInfo(&after, &total), CUDA_SUCCESS);
  EXPECT_EQ(after, before);
  EXPECT_EQ(cuMemAlloc(&data, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAlloc(&data, total + 1), CUDA_ERROR_OUT_OF_MEMORY);
}

TEST_F(MemoryTest, copiesInEveryDirectionAndChecksRanges) {
  std::vector<uint32_t> values = random(100, 8);
  CUdeviceptr a = upload(values), b = upload(random(100, 9));
  EXPECT_EQ(cuMemcpyDtoD(b + 40, a, 100), CUDA_SUCCESS);
  std::vector<uint32_t> got = download(b, 100);
  EXPECT_TRUE(std::equal(got.begin() + 10, got.begin() + 35, values.begin()));
  EXPECT_EQ(cuMemcpy(b, reinterpret_cast<CUdeviceptr>(values.data()), 400), CUDA_SUCCESS) << "unified addressing";
  EXPECT_EQ(download(b, 100), values);
  uint32_t word = 0;
  EXPECT_EQ(cuMemcpyHtoD(a + 399, &word, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyDtoH(&word, a + 400, 4), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemcpyHtoD(reinterpret_cast<CUdeviceptr>(&word), &word, 4), CUDA_ERROR_INVALID_VALUE)
      << "no device memory";
  EXPECT_EQ(cuMemsetD32(a + 2, 1, 1), CUDA_ERROR_INVALID_VALUE) << "not aligned";
  EXPECT_EQ(cuMemsetD32(a, 1, 101), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(MemoryTest, readsPageableMemoryAtOnceAndPinnedLater) {
  CUstream stream = nullptr;
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  uint32_t *pinned = nullptr;
  ASSERT_EQ(cuMemHostAlloc(reinterpret_cast<void **>(&pinned), 4, 0), CUDA_SUCCESS);
  CUdeviceptr flags = upload({0, 0}), data = upload({0, 0});
  uint32_t pageable = 1;
  *pinned = 1;
  void *waits[] = {&flags};
  ASSERT_EQ(cuLaunchKernel(kernel("spin"), 1, 1, 1, 1, 1, 1, 0, stream, waits, nullptr), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyHtoDAsync(data, &pageable, 4, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuMemcpyHtoDAsync(data + 4, pinned, 4, stream), CUDA_SUCCESS);
  pageable = *pinned = 2;
  CUstream signal = nullptr;
  ASSERT_EQ(cuStreamCreate(&signal, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamWriteValue32(signal, flags, 1, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(download(data, 2), (std::vector<uint32_t>{1, 2}));
  EXPECT_EQ(cuMemFreeHost(pinned), CUDA_SUCCESS);
}

TEST_F(MemoryTest, copiesAndFillsBoxes) {
  // 6 x 5 bytes at (2, 1) of a pitched picture, into the middle of another.
  CUdeviceptr from = 0, to = 0;
  size_t fromPitch = 0;
  ASSERT_EQ(cuMemAllocPitch(&from, &fromPitch, 20, 10, 4), CUDA_SUCCESS);
  EXPECT_GE(fromPitch, 20u);
  ASSERT_EQ(cuMemAlloc(&to, 30 * 12), CUDA_SUCCESS);
  std::vector<uint8_t> picture(20 * 10);
  std::mt19937 generator(10);
  for (uint8_t &value : picture)
    value = static_cast<uint8_t>(generator());
  CUDA_MEMCPY2D in{};
  in.srcMemoryType = CU_MEMORYTYPE_HOST;
  in.srcHost = picture.data();
  in.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  in.dstDevice = from;
  in.dstPitch = fromPitch;
  in.WidthInBytes = 20;
  in.Height = 10;
  ASSERT_EQ(cuMemcpy2D(&in), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD8(to, 0xee, 30 * 12), CUDA_SUCCESS);
  CUDA_MEMCPY2D box{};
  box.srcMemoryType = box.dstMemoryType = CU_MEMORYTYPE_DEVICE;
  box.srcDevice = from;
  box.srcPitch = fromPitch;
  box.srcXInBytes = 2;
  box.srcY = 1;
  box.dstDevice = to;
  box.dstPitch = 30;
  box.dstXInBytes = 7;
  box.dstY = 3;
  box.WidthInBytes = 6;
  box.Height = 5;
  ASSERT_EQ(cuMemcpy2D(&box), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD2D16(to + 60, 30, 0x1234, 2, 1), CUDA_SUCCESS);
  std::vector<uint8_t> got(30 * 12);
  ASSERT_EQ(cuMemcpyDtoH(got.data(), to, got.size()), CUDA_SUCCESS);
  for (size_t y = 0; y < 12; ++y)
    for (size_t x = 0; x < 30; ++x) {
      bool inside = x >= 7 && x < 13 && y >= 3 && y < 8;
      bool filled = y == 2 && x < 4;
      uint8_t expected = inside ? picture[(y - 3 + 1) * 20 + x - 7 + 2] : filled ? (x % 2 ? 0x12 : 0x34) : 0xee;
      ASSERT_EQ(got[y * 30 + x], expected) << x << " " << y;
    }
  box.dstY = 8;
  EXPECT_EQ(cuMemcpy2D(&box), CUDA_ERROR_INVALID_VALUE) << "one row beyond the end";
  box.dstPitch = 12;
  EXPECT_EQ(cuMemcpy2D(&box), CUDA_ERROR_INVALID_VALUE) << "a pitch shorter than a row";
}

TEST_F(MemoryTest, knowsWhatAPointerIs) {
  CUdeviceptr device = 0, managed = 0;
  void *host = nullptr;
  uint32_t plain[8] = {};
  ASSERT_EQ(cuMemAlloc(&device, 64), CUDA_SUCCESS);
  ASSERT_EQ(cuMemAllocManaged(&managed, 64, CU_MEM_ATTACH_GLOBAL), CUDA_SUCCESS);
  ASSERT_EQ(cuMemAllocHost(&host, 64), CUDA_SUCCESS);
  auto typeOf = [](CUdeviceptr address) {
    unsigned type = 0;
    CUresult result = cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address);
    return result ? -static_cast<int>(result) : static_cast<int>(type);
  };
  EXPECT_EQ(typeOf(device + 63), CU_MEMORYTYPE_DEVICE);
  EXPECT_EQ(typeOf(managed), CU_MEMORYTYPE_DEVICE);
  EXPECT_EQ(typeOf(reinterpret_cast<CUdeviceptr>(host)), CU_MEMORYTYPE_HOST);
  EXPECT_EQ(typeOf(reinterpret_cast<CUdeviceptr>(plain)), -CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuMemHostRegister(plain, sizeof plain, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemHostRegister(plain, sizeof plain, 0), CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
  EXPECT_EQ(typeOf(reinterpret_cast<CUdeviceptr>(plain)), CU_MEMORYTYPE_HOST);
  ASSERT_EQ(addOne(reinterpret_cast<CUdeviceptr>(plain), 8, nullptr), CUDA_SUCCESS)
      << "kernels reach registered memory";
  ASSERT_EQ(cuCtxSynchronize(), CUDA_SUCCESS);
  EXPECT_EQ(plain[7], 1u);
  EXPECT_EQ(cuMemHostUnregister(plain), CUDA_SUCCESS);
  EXPECT_EQ(cuMemHostUnregister(plain), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
  bool isManaged = false;
  ASSERT_EQ(cuPointerGetAttribute(&isManaged, CU_POINTER_ATTRIBUTE_IS_MANAGED, managed), CUDA_SUCCESS);
  EXPECT_TRUE(isManaged);
  CUpointer_attribute attributes[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL};
  unsigned type = 7;
  int ordinal = 7;
  void *values[] = {&type, &ordinal};
  ASSERT_EQ(cuPointerGetAttributes(2, attributes, values, reinterpret_cast<CUdeviceptr>(plain)), CUDA_SUCCESS);
  EXPECT_EQ(type, 0u);
  EXPECT_EQ(ordinal, -2);
}

TEST_F(MemoryTest, allocatesInStreamOrder) {
  CUstream stream = nullptr;
  ASSERT_EQ(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING), CUDA_SUCCESS);
  CUmemoryPool pool = nullptr;
  ASSERT_EQ(cuDeviceGetDefaultMemPool(&pool, 0), CUDA_SUCCESS);
  uint64_t used = 0, threshold = 1 << 20;
  ASSERT_EQ(cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &threshold), CUDA_SUCCESS);
  CUdeviceptr data = 0;
  ASSERT_EQ(cuMemAllocAsync(&data, 4000, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32Async(data, 3, 1000, stream), CUDA_SUCCESS);
  ASSERT_EQ(addOne(data, 1000, stream), CUDA_SUCCESS);
  std::vector<uint32_t> got(1000);
  ASSERT_EQ(cuMemcpyDtoHAsync(got.data(), data, 4000, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used), CUDA_SUCCESS);
  EXPECT_EQ(used, 4000u);
  ASSERT_EQ(cuMemFreeAsync(data, stream), CUDA_SUCCESS);
  ASSERT_EQ(cuStreamSynchronize(stream), CUDA_SUCCESS);
  EXPECT_EQ(got, std::vector<uint32_t>(1000, 4));
  ASSERT_EQ(cuMemPoolGetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &used), CUDA_SUCCESS);
  EXPECT_EQ(used, 0u);
  EXPECT_EQ(cuMemFreeAsync(data, stream), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(MemoryTest, mapsOnePieceTwice) {
  CUmemAllocationProp properties{};
  properties.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  properties.requestedHandleTypes = CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR;
  properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
  size_t step = 0;
  ASSERT_EQ(cuMemGetAllocationGranularity(&step, &properties, CU_MEM_ALLOC_GRANULARITY_MINIMUM), CUDA_SUCCESS);
  CUmemGenericAllocationHandle handle = 0, imported = 0;
  EXPECT_EQ(cuMemCreate(&handle, step + 1, &properties, 0), CUDA_ERROR_INVALID_VALUE);
  ASSERT_EQ(cuMemCreate(&handle, step, &properties, 0), CUDA_SUCCESS);
  CUdeviceptr range = 0;
  ASSERT_EQ(cuMemAddressReserve(&range, 2 * step, 0, 0, 0), CUDA_SUCCESS);
  EXPECT_EQ(range % step, 0u);
  ASSERT_EQ(cuMemMap(range, step, 0, handle, 0), CUDA_SUCCESS);
  EXPECT_EQ(cuMemMap(range, step, 0, handle, 0), CUDA_ERROR_ALREADY_MAPPED);
  EXPECT_EQ(cuMemsetD32(range, 1, 1), CUDA_ERROR_INVALID_VALUE) << "no access yet";
  int file = -1;
  ASSERT_EQ(cuMemExportToShareableHandle(&file, handle, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0), CUDA_SUCCESS);
  ASSERT_EQ(cuMemImportFromShareableHandle(&imported, reinterpret_cast<void *>(static_cast<intptr_t>(file)),
                                           CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR),
            CUDA_SUCCESS);
  close(file);
  ASSERT_EQ(cuMemMap(range + step, step, 0, imported, 0), CUDA_SUCCESS);
  CUmemAccessDesc access{{CU_MEM_LOCATION_TYPE_DEVICE, 0}, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
  ASSERT_EQ(cuMemSetAccess(range, step, &access, 1), CUDA_SUCCESS);
  ASSERT_EQ(cuMemSetAccess(range + step, step, &access, 1), CUDA_SUCCESS);
  ASSERT_EQ(cuMemsetD32(range, 30, 64), CUDA_SUCCESS);
  ASSERT_EQ(addOne(range + step, 64, nullptr), CUDA_SUCCESS);
  EXPECT_EQ(download(range, 64), std::vector<uint32_t>(64, 31)) << "both addresses are the same memory";
  unsigned long long flags = 0;
  CUmemLocation other{CU_MEM_LOCATION_TYPE_DEVICE, 1};
  ASSERT_EQ(cuMemGetAccess(&flags, &access.location, range), CUDA_SUCCESS);
  EXPECT_EQ(flags, static_cast<unsigned long long>(CU_MEM_ACCESS_FLAGS_PROT_READWRITE));
  ASSERT_EQ(cuMemGetAccess(&flags, &other, range), CUDA_SUCCESS);
  EXPECT_EQ(flags, static_cast<unsigned long long>(CU_MEM_ACCESS_FLAGS_PROT_NONE));
  EXPECT_EQ(cuMemRelease(handle), CUDA_SUCCESS);
  EXPECT_EQ(download(range, 1), std::vector<uint32_t>{31}) << "a mapping keeps the memory";
  EXPECT_EQ(cuMemAddressFree(range, 2 * step), CUDA_ERROR_INVALID_VALUE) << "still mapped";
  EXPECT_EQ(cuMemUnmap(range, step), CUDA_SUCCESS);
  EXPECT_EQ(cuMemUnmap(range + step, step), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(imported), CUDA_SUCCESS);
  EXPECT_EQ(cuMemRelease(imported), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cuMemAddressFree(range, 2 * step), CUDA_SUCCESS);
}

TEST_F(MemoryTest, opensItsOwnIpcHandlesOnly) {
  CUdeviceptr data = upload({1, 2});
  CUipcMemHandle handle{};
  ASSERT_EQ(cuIpcGetMemHandle(&handle, data + 4), CUDA_SUCCESS);
  CUdeviceptr opened = 0;
  ASSERT_EQ(cuIpcOpenMemHandle(&opened, handle, 1), CUDA_SUCCESS);
  EXPECT_EQ(opened, data);
  EXPECT_EQ(cuIpcCloseMemHandle(opened), CUDA_SUCCESS);
  handle.reserved[8] = static_cast<char>(handle.reserved[8] + 1); // another process
  EXPECT_EQ(cuIpcOpenMemHandle(&opened, handle, 1), CUDA_ERROR_NOT_SUPPORTED);
}

} // namespace
} // namespace glm::cuda
