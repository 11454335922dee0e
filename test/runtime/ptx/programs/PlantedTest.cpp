// The programs of this folder with one bug each, planted in their PTX: the check that is made for it must find it, and say where.
// Only the interpreting driver can run these; their suites are not among those that compare.sh runs on a GPU.
#include "test/runtime/ptx/programs/Program.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <regex>

namespace glm::cuda {
namespace {

constexpr const char *kDeadlock = "warps must be able to go on, but found all of them waiting";

class Planted : public Program {
protected:
  /// A fault is sticky: what the test allocated goes with the context.
  void TearDown() override {
    cuDevicePrimaryCtxRelease(0);
    testing::internal::GetCapturedStderr();
  }

  void open(const std::string &name) { read(name, text); }

  /// Change the one place that reads `from`.
  void plant(const std::string &from, const std::string &to) { plant(from, to, 0, 1); }

  /// Change place number `which` of the `count` places that read `from`. Lines keep their numbers.
  void plant(const std::string &from, const std::string &to, size_t which, size_t count) {
    std::vector<size_t> places;
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + from.size()))
      places.push_back(at);
    ASSERT_EQ(places.size(), count) << from;
    ASSERT_EQ(std::ranges::count(from, '\n'), std::ranges::count(to, '\n')) << from;
    ASSERT_NE(from, to);
    text.replace(places[which], from.size(), to);
  }

  void start() { GLM_CHECK_CUDA(cuModuleLoadData(&module, text.c_str())); }

  /// What the driver has said, once.
  std::string takeErrors() {
    std::string errors = testing::internal::GetCapturedStderr();
    testing::internal::CaptureStderr();
    return errors;
  }

  /// The launch ends with `result` and one report: of `kernel`, at a line of the PTX that holds `instruction`, of a rule that was
  /// broken, which what follows the place must hold.
  void expectReport(CUresult result, const std::string &kernel, const std::string &instruction, const std::string &rule,
                    const std::string &found = "but found") {
    EXPECT_EQ(cuCtxSynchronize(), result);
    const std::string errors = takeErrors();
    static const std::regex kReport(
        R"(glm-ptx: launch: kernel (\w+), block \(\d+,\d+,\d+\), warp \d+(?:, lane \d+)?, [^:]+:(\d+)(?: \(source \S+\))?: ([^]*)\n)");
    std::smatch report;
    ASSERT_TRUE(std::regex_match(errors, report, kReport)) << errors;
    EXPECT_EQ(report[1], kernel) << errors;
    EXPECT_NE(line(std::stoul(report[2])).find(instruction), std::string::npos) << errors;
    const std::string message = report[3];
    size_t at = message.find(rule);
    ASSERT_NE(at, std::string::npos) << errors;
    EXPECT_NE(message.find(found, at + rule.size()), std::string::npos) << errors;
    EXPECT_EQ(message.find("glm-ptx: "), std::string::npos) << errors;
  }

  /// Nothing may run: the module is refused at a line that holds `instruction`.
  void expectRefusal(const std::string &instruction, const std::string &rule) {
    EXPECT_EQ(cuModuleLoadData(&module, text.c_str()), CUDA_ERROR_INVALID_PTX);
    const std::string errors = takeErrors();
    static const std::regex kReport(R"(glm-ptx: cuModuleLoadDataEx: [^:]+:(\d+): ([^\n]*)\n)");
    std::smatch report;
    ASSERT_TRUE(std::regex_match(errors, report, kReport)) << errors;
    EXPECT_NE(line(std::stoul(report[1])).find(instruction), std::string::npos) << errors;
    EXPECT_NE(report[2].str().find(rule), std::string::npos) << errors;
  }

  /// The bug reads other data that is as valid, which no check can know: the results are others than those of the program without
  /// it, which its own test compares with plain C++.
  void expectWrongResults(const std::function<std::vector<float>()> &run, const std::function<void()> &bug) {
    std::vector<float> right = run();
    GLM_CHECK_CUDA(cuModuleUnload(module));
    bug();
    if (HasFatalFailure())
      return;
    EXPECT_NE(run(), right);
    EXPECT_EQ(takeErrors(), "");
  }

private:
  std::string line(size_t number) const {
    std::istringstream lines(text);
    std::string each;
    for (size_t i = 0; i < number; ++i)
      std::getline(lines, each);
    return each;
  }

  std::string text;
};

/// Values that differ from their neighbours, in every row in another way; bf16 from -8 to 8.
std::vector<uint16_t> someBf16(size_t count) {
  std::vector<uint16_t> values(count);
  for (size_t i = 0; i < count; ++i) {
    float value = static_cast<float>((i * 7 + i / 61) % 17) - 8;
    values[i] = static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16);
  }
  return values;
}

class PlantedOfSm90a : public Planted {
protected:
  void scaleTiles() {
    start();
    constexpr size_t kRows = 40, kColumns = 68, kStride = 72;
    CUdeviceptr in = uploadFilled<float>(kRows * kStride, 3), out = uploadFilled<float>(kRows * kStride, -7);
    auto map = [&](CUdeviceptr data) {
      return tensorMap(CU_TENSOR_MAP_DATA_TYPE_FLOAT32, data, kRows, kColumns, kStride * 4, 16, 32,
                       CU_TENSOR_MAP_SWIZZLE_NONE);
    };
    launch("scaleTiles", {3}, {160}, 0, map(in), map(out), 7, 3.0f, 5.0f);
  }

  void shareTile() {
    start();
    CUdeviceptr in = uploadFilled<float>(32 * 32, 3), out = allocate(2 * 32 * 32 * 4);
    CUtensorMap map =
        tensorMap(CU_TENSOR_MAP_DATA_TYPE_FLOAT32, in, 32, 32, 32 * 4, 16, 32, CU_TENSOR_MAP_SWIZZLE_NONE);
    launch("shareTile", {2}, {64}, 0, map, out);
  }

  void storeBox() {
    start();
    CUdeviceptr out = uploadFilled<float>(3 * 64, 0);
    CUtensorMap map = tensorMap(CU_TENSOR_MAP_DATA_TYPE_FLOAT32, out, 3, 37, 256, 2, 16, CU_TENSOR_MAP_SWIZZLE_NONE);
    launch("storeBox", {1}, {32}, 0, map, 128, 16, 0, 0);
  }

  static constexpr int kM = 128, kN = 64, kK = 320;

  CUdeviceptr gemmWgmma() {
    start();
    CUdeviceptr a = upload(someBf16(kM * kK)), b = upload(someBf16(kN * kK)), c = allocate(kM * kN * 4);
    auto map = [](CUdeviceptr data, uint64_t rows) {
      return tensorMap(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, data, rows, kK, kK * 2, 64, 64, CU_TENSOR_MAP_SWIZZLE_128B);
    };
    launch("gemmWgmma", {kN / 64, kM / 64}, {256}, 3 * 2 * 64 * 128, map(a, kM), map(b, kN), c, kN, kK);
    return c;
  }
};

class PlantedOfSm100a : public Planted {
protected:
  static constexpr int kM = 256, kN = 128, kK = 320;

  CUdeviceptr gemmTcgen05() {
    start();
    CUdeviceptr a = upload(someBf16(kM * kK)), b = upload(someBf16(kN * kK)), c = allocate(kM * kN * 4);
    auto map = [](CUdeviceptr data, uint64_t rows, uint32_t boxRows) {
      return tensorMap(CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, data, rows, kK, kK * 2, boxRows, 64,
                       CU_TENSOR_MAP_SWIZZLE_128B);
    };
    launch("gemmTcgen05", {kN / 64, kM / 128}, {128}, 2 * (128 + 64) * 128, map(a, kM, 128), map(b, kN, 64), c, kN, kK);
    return c;
  }
};

class PlantedOfSm120a : public Planted {
protected:
  void sumLastBlock() {
    start();
    constexpr int kCount = 10007;
    CUdeviceptr in = uploadFilled<float>(kCount, 3), out = uploadFilled<float>(1, -1);
    launch("sumLastBlock", {8}, {256}, 0, in, out, kCount);
  }

  void statistics() {
    start();
    CUdeviceptr in = uploadFilled<int>(1000, 3), out = uploadFilled<int>(5, 0);
    launch("statistics", {4}, {256}, 0, in, out, 1000); // the last warp has 8 lanes
  }

  void histogramCluster() {
    start();
    std::vector<uint8_t> values(5000);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<uint8_t>(i);
    CUdeviceptr in = upload(values), bins = allocate(256 * 4);
    launch("histogramCluster", {4}, {128}, 0, in, bins, 5000);
  }

  void sortBlocks() {
    start();
    CUdeviceptr keys = uploadFilled<unsigned>(3 * 512, 3), values = uploadFilled<unsigned>(3 * 512, 4);
    launch("sortBlocks", {3}, {128}, 0, keys, values);
  }

  void histogramBlocks() {
    start();
    CUdeviceptr in = uploadFilled<uint8_t>(3 * 512, 3), bins = allocate(3 * 64 * 4);
    launch("histogramBlocks", {3}, {128}, 0, in, bins);
  }

  CUdeviceptr gemmMma() {
    start();
    CUdeviceptr a = upload(someBf16(128 * 160)), b = upload(someBf16(192 * 160)), c = allocate(128 * 192 * 4);
    launch("gemmMma", {192 / 64, 128 / 64}, {128}, 0, a, b, c, 192, 160);
    return c;
  }

  CUdeviceptr gemmBlockScale() {
    start();
    constexpr int kM = 128, kN = 64, kK = 192;
    std::vector<uint8_t> values(kM * kK / 2), scales(kM * kK / 16);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<uint8_t>(i * 37);
    for (size_t i = 0; i < scales.size(); ++i)
      scales[i] = static_cast<uint8_t>(0x30 + i % 13);
    CUdeviceptr a = upload(values), b = upload(values), scalesA = upload(scales), scalesB = upload(scales);
    CUdeviceptr c = allocate(kM * kN * 4);
    launch("gemmBlockScale", {kN / 32, kM / 64}, {128}, 0, a, b, scalesA, scalesB, c, kN, kK);
    return c;
  }
};

// Missing barriers.

TEST_F(PlantedOfSm120a, SumsReadBeforeTheBarrier) {
  open("Reduce");
  plant("bar.sync \t0;", "", 0, 3);
  sumLastBlock();
  // Warp 0 is there first: nobody has written yet.
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "sumLastBlock", "ld.shared.f32", "must be written before it is read",
               "but found no write");
}

TEST_F(PlantedOfSm120a, FlagReadWithoutABarrier) {
  open("Reduce");
  plant("bar.sync \t0;", "", 1, 3);
  sumLastBlock();
  // Warp 7 came last to the barrier before and goes on first: warp 0 has not written yet.
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "sumLastBlock", "ld.shared.u8", "must be written before it is read",
               "but found no write");
}

TEST_F(PlantedOfSm120a, HistogramZeroedWithoutABarrier) {
  open("Cub");
  plant("setp.gt.u32 \t%p2, %r1, 63;\n\tbar.sync \t0;", "setp.gt.u32 \t%p2, %r1, 63;\n");
  histogramBlocks();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "histogramBlocks", "atom.shared.add.u32",
               "must be written after a barrier that orders it with the other", "but found a");
}

TEST_F(PlantedOfSm120a, SortOverwritesWithoutABarrier) {
  open("Cub");
  plant("[%r3];\n\tbar.sync \t0;\n\tadd.s64 \t%rd2, %rd6, %rd10;", "[%r3];\n\n\tadd.s64 \t%rd2, %rd6, %rd10;");
  sortBlocks();
  // Warp 3 came last to the barrier before, goes on first and overwrites what warp 0 has not read yet.
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "sortBlocks", "ld.shared.v4.u32",
               "must be read after a barrier that orders it with the other write", "but found a write by warp 3");
}

TEST_F(PlantedOfSm120a, GemmPipelineWithoutABarrier) {
  open("GemmMma");
  plant("bar.sync \t0;", "");
  gemmMma();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmMma", "ldmatrix", "must be written before it is read",
               "but found no write");
}

TEST_F(PlantedOfSm120a, TileOverwrittenWithoutABarrier) {
  open("GemmBlockScale");
  plant("bar.sync \t0;", "", 1, 6);
  gemmBlockScale();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmBlockScale", "cp.async",
               "must be written after a barrier that orders it with the other read", "but found a read by warp");
}

TEST_F(PlantedOfSm120a, RemoteHistogramBeforeTheClusterBarrier) {
  open("Reduce");
  plant("barrier.cluster.arrive;", "", 0, 2);
  plant("barrier.cluster.wait;", "", 0, 2);
  histogramCluster();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "histogramCluster", "atom.add.u32", "must be written before it is read",
               "but found no write");
}

TEST_F(PlantedOfSm120a, HistogramReadBeforeTheClusterBarrier) {
  open("Reduce");
  plant("barrier.cluster.arrive;", "", 1, 2);
  plant("barrier.cluster.wait;", "", 1, 2);
  histogramCluster();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "histogramCluster", "ld.shared.u32",
               "must be read after a barrier that orders it with the other write", "of block rank 0");
}

TEST_F(PlantedOfSm90a, RemoteTileBeforeTheClusterBarrier) {
  open("Tma");
  plant("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;", "\n", 0, 2);
  shareTile();
  // The mbarrier of the other block.
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "shareTile", "cp.async.bulk", "must be written before it is read",
               "but found no write");
}

TEST_F(PlantedOfSm90a, BarriersUsedBeforeTheBlockKnowsThem) {
  open("Tma");
  plant("bar.sync \t0;", "");
  scaleTiles();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "scaleTiles", "mbarrier.try_wait",
               "must be used after a barrier that orders it with its mbarrier.init", "but found that of warp 0");
}

TEST_F(PlantedOfSm100a, TensorAddressReadWithoutABarrier) {
  open("GemmTcgen05");
  plant("bar.sync \t0;", "", 0, 2);
  gemmTcgen05();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmTcgen05", "ld.shared.u32",
               "must be read after a barrier that orders it with the other write", "but found a write by warp 0");
}

// Barriers that not everybody reaches.

TEST_F(PlantedOfSm120a, BarrierUnderAGuardOfSomeLanes) {
  open("Reduce");
  plant("bar.sync \t0;", "@%p9 bar.sync \t0;", 0, 3);
  sumLastBlock();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "sumLastBlock", "bar.sync",
               "an .aligned instruction must be run by all lanes of the warp",
               "but found its guard false in lanes 0x00000001");
}

TEST_F(PlantedOfSm90a, BarrierThatTheProducerNeverReaches) {
  open("Tma");
  plant("bar.sync 1, 128;", "bar.sync 0;", 0, 2);
  scaleTiles();
  expectReport(CUDA_ERROR_LAUNCH_TIMEOUT, "scaleTiles", "mbarrier.try_wait", kDeadlock,
               "barrier 0: 128 of 129 threads arrived");
}

TEST_F(PlantedOfSm90a, BarrierOfMoreThreadsThanCome) {
  open("Tma");
  plant("bar.sync 1, 128;", "bar.sync 1, 160;", 0, 2);
  scaleTiles();
  expectReport(CUDA_ERROR_LAUNCH_TIMEOUT, "scaleTiles", "mbarrier.try_wait", kDeadlock,
               "barrier 1: 128 of 160 threads arrived");
}

// Missing fences and waits.

TEST_F(PlantedOfSm90a, StoreOfATileWithoutAProxyFence) {
  open("Tma");
  plant("fence.proxy.async.shared::cta;", "", 0, 2);
  scaleTiles();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "scaleTiles", "cp.async.bulk.tensor.2d.global",
               "must be made visible by fence.proxy.async before an asynchronous operation reads it",
               "but found a write by warp");
}

TEST_F(PlantedOfSm90a, StoreOfABoxWithoutAProxyFence) {
  open("Tma");
  plant("fence.proxy.async.shared::cta;", "", 1, 2);
  storeBox();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "storeBox", "cp.async.bulk.tensor.2d.global",
               "must be made visible by fence.proxy.async before an asynchronous operation reads it",
               "but found a write by warp");
}

TEST_F(PlantedOfSm90a, ResultOverwrittenBeforeItsStoreWasWaitedFor) {
  open("Tma");
  plant("cp.async.bulk.wait_group.read 1;", "");
  scaleTiles();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "scaleTiles", "st.shared.f32",
               "must not be written before the asynchronous copy of line", "but found it under way");
}

TEST_F(PlantedOfSm120a, GemmPipelineThatDoesNotWait) {
  open("GemmMma");
  plant("cp.async.wait_group 1;", "");
  gemmMma();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmMma", "ldmatrix", "must not be read before the asynchronous copy of line",
               "but found it under way");
}

TEST_F(PlantedOfSm120a, GemmPipelineThatWaitsForOneGroupLess) {
  open("GemmMma");
  plant("cp.async.wait_group 1;", "cp.async.wait_group 2;");
  gemmMma();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmMma", "ldmatrix", "must not be read before the asynchronous copy of line",
               "but found it under way");
}

TEST_F(PlantedOfSm120a, BlockScaledGemmThatDoesNotWait) {
  open("GemmBlockScale");
  plant("cp.async.wait_group 0;", "", 0, 3);
  gemmBlockScale();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmBlockScale", "ldmatrix",
               "must not be read before the asynchronous copy of line", "but found it under way");
}

TEST_F(PlantedOfSm90a, WgmmaWithoutAFence) {
  open("GemmWgmma");
  plant("wgmma.fence.sync.aligned;", "", 0, 5);
  gemmWgmma();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmWgmma", "wgmma.mma_async",
               "the first wgmma.mma_async must follow a wgmma.fence", "but found none before");
}

TEST_F(PlantedOfSm90a, StageGivenBackBeforeWgmmaWasWaitedFor) {
  open("GemmWgmma");
  plant("wgmma.wait_group.sync.aligned 0;", "", 0, 5);
  gemmWgmma();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmWgmma", "cp.async.bulk",
               "must not be written by two asynchronous copies at once", "under way");
}

TEST_F(PlantedOfSm90a, SumsReadBeforeWgmmaWasWaitedFor) {
  open("GemmWgmma");
  plant("wgmma.wait_group.sync.aligned 0;", "", 4, 5);
  gemmWgmma();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmWgmma", "st.global", "must hold a value before it is read",
               "but found none");
}

TEST_F(PlantedOfSm100a, TensorLoadThatIsNotWaitedFor) {
  open("GemmTcgen05");
  plant("tcgen05.wait::ld.sync.aligned;", "", 0, 4);
  gemmTcgen05();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmTcgen05", "st.global.u32", "must hold a value before it is read",
               "but found none");
}

TEST_F(PlantedOfSm100a, ProductThatIsNotCommitted) {
  open("GemmTcgen05");
  plant("tcgen05.commit.cta_group::1.mbarrier::arrive::one.shared::cluster.b64 [%r244];", "");
  gemmTcgen05();
  expectReport(CUDA_ERROR_LAUNCH_TIMEOUT, "gemmTcgen05", "mbarrier.try_wait", kDeadlock,
               "1 of 1 arrivals pending, 0 bytes of transactions outstanding");
}

TEST_F(PlantedOfSm100a, ProductThatIsNotWaitedFor) {
  open("GemmTcgen05");
  plant("done, [%r245], %r246;", "done, [%r245], 1;");
  gemmTcgen05();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmTcgen05", "tcgen05.ld", "tcgen05.ld must read what was written",
               "never written");
}

TEST_F(PlantedOfSm100a, TileOverwrittenUnderTheProduct) {
  open("GemmTcgen05");
  plant("mov.b32 \t%r103, 0;", "mov.b32 \t%r103, 1;");
  gemmTcgen05();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmTcgen05", "cp.async.bulk",
               "must not be written by two asynchronous copies at once", "under way");
}

TEST_F(PlantedOfSm100a, TensorMemoryThatIsKept) {
  open("GemmTcgen05");
  plant("tcgen05.dealloc.cta_group::1.sync.aligned.b32 %r5, 64;", "");
  gemmTcgen05();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmTcgen05", "tcgen05.alloc",
               "tensor memory must be given back by tcgen05.dealloc before its block ends",
               "but found 64 columns in use");
}

TEST_F(PlantedOfSm100a, TensorMemoryThatIsGivenBackInPart) {
  open("GemmTcgen05");
  plant("tcgen05.dealloc.cta_group::1.sync.aligned.b32 %r5, 64;",
        "tcgen05.dealloc.cta_group::1.sync.aligned.b32 %r5, 32;");
  gemmTcgen05();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmTcgen05", "tcgen05.dealloc", "must give back what tcgen05.alloc gave",
               "but found 32 columns");
}

// Transactions and phases.

TEST_F(PlantedOfSm90a, TransactionCountThatIsTooShort) {
  open("Tma");
  plant("mov.u32 \t%r229, 2048;", "mov.u32 \t%r229, 2032;");
  scaleTiles();
  expectReport(CUDA_ERROR_LAUNCH_TIMEOUT, "scaleTiles", "mbarrier.try_wait", kDeadlock,
               "0 of 1 arrivals pending, -16 bytes of transactions outstanding");
}

TEST_F(PlantedOfSm90a, TransactionCountThatIsTooLong) {
  open("Tma");
  plant("mov.u32 \t%r229, 2048;", "mov.u32 \t%r229, 2064;");
  scaleTiles();
  expectReport(CUDA_ERROR_LAUNCH_TIMEOUT, "scaleTiles", "mbarrier.try_wait", kDeadlock,
               "0 of 1 arrivals pending, 16 bytes of transactions outstanding");
}

TEST_F(PlantedOfSm90a, TransactionCountOfOneTileOfTwo) {
  open("GemmWgmma");
  plant("mov.u32 \t%r220, 16384;", "mov.u32 \t%r220, 8192;");
  gemmWgmma();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmWgmma", "wgmma.mma_async",
               "must not be touched by two asynchronous copies at once", "under way");
}

TEST_F(PlantedOfSm90a, ConsumerThatWaitsForTheOtherPhase) {
  open("Tma");
  plant("done, [%r81], %r82;", "done, [%r81], 1;");
  scaleTiles();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "scaleTiles", "ld.shared.f32",
               "must not be read before the asynchronous copy of line", "but found it under way");
}

TEST_F(PlantedOfSm90a, ProducerThatWaitsForTheOtherPhase) {
  open("Tma");
  plant("done, [%r202], %r203;", "done, [%r202], 0;");
  scaleTiles();
  expectReport(CUDA_ERROR_LAUNCH_TIMEOUT, "scaleTiles", "mbarrier.try_wait", kDeadlock, "128 of 128 arrivals pending");
}

TEST_F(PlantedOfSm90a, StageThatIsNeverGivenBack) {
  open("Tma");
  plant("mbarrier.arrive.shared::cta.b64 _, [%r183];", "");
  scaleTiles();
  expectReport(CUDA_ERROR_LAUNCH_TIMEOUT, "scaleTiles", "mbarrier.try_wait", kDeadlock, "128 of 128 arrivals pending");
}

// Off by one.

TEST_F(PlantedOfSm120a, LoopThatLeavesItsAllocation) {
  open("Reduce");
  plant("setp.lt.s32 \t%p3, %r62, %r12;", "setp.le.s32 \t%p3, %r62, %r12;");
  sumLastBlock();
  expectReport(CUDA_ERROR_ILLEGAL_ADDRESS, "sumLastBlock", "ld.global.f32", "must be allocated to be read",
               "but found 0 bytes past the end of device allocation of 40028 bytes");
}

TEST_F(PlantedOfSm120a, ThreadThatReadsOneSumTooMany) {
  open("Reduce");
  plant("setp.ge.u32 \t%p10, %r3, %r10;", "setp.gt.u32 \t%p10, %r3, %r10;");
  sumLastBlock();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "sumLastBlock", "ld.shared.f32", "must be written before it is read",
               "but found no write");
}

TEST_F(PlantedOfSm120a, PipelineThatFetchesOneStepTooMany) {
  open("GemmMma");
  plant("setp.ge.s32 \t%p11, %r18, %r6;", "setp.gt.s32 \t%p11, %r18, %r6;");
  gemmMma();
  expectReport(CUDA_ERROR_ILLEGAL_ADDRESS, "gemmMma", "cp.async", "must be allocated to be read",
               "but found 0 bytes past the end of device allocation of 61440 bytes");
}

TEST_F(PlantedOfSm100a, TensorMemoryOfTooFewColumns) {
  open("GemmTcgen05");
  plant("[%r56], 64;", "[%r56], 32;");
  gemmTcgen05();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmTcgen05", "tcgen05.mma", "matrix d must lie in allocated tensor memory",
               "but found column 32");
}

// What was never written.

TEST_F(PlantedOfSm120a, HistogramThatIsNotZeroed) {
  open("Cub");
  plant("st.shared.u32 \t[%r4], %r8;", "");
  histogramBlocks();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "histogramBlocks", "atom.shared.add.u32", "must be written before it is read",
               "but found no write");
}

TEST_F(PlantedOfSm120a, RegisterThatIsNotZeroed) {
  open("Reduce");
  plant("mov.f32 \t%f59, 0f00000000;", "");
  sumLastBlock();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "sumLastBlock", "", "must hold a value before it is read",
               "but found none written");
}

// Addresses.

TEST_F(PlantedOfSm120a, VectorLoadOfAnUnalignedAddress) {
  open("Cub");
  plant("ld.shared.v4.u32 \t{%r220, %r219, %r218, %r217}, [%r3];",
        "ld.shared.v4.u32 \t{%r220, %r219, %r218, %r217}, [%r3+4];", 0, 2);
  sortBlocks();
  expectReport(CUDA_ERROR_MISALIGNED_ADDRESS, "sortBlocks", "ld.shared.v4.u32", "must be a multiple of 16",
               "but found remainder 4");
}

TEST_F(PlantedOfSm120a, VectorStoreToAnUnalignedAddress) {
  open("GemmMma");
  plant("st.global.v2.f32 \t[%rd46], ", "st.global.v2.f32 \t[%rd46+4], ");
  gemmMma();
  expectReport(CUDA_ERROR_MISALIGNED_ADDRESS, "gemmMma", "st.global.v2.f32", "must be a multiple of 8",
               "but found remainder 4");
}

TEST_F(PlantedOfSm120a, MatrixLoadOfAnUnalignedRow) {
  open("GemmMma");
  plant("add.s32 \t%r105, %r243, %r8;", "add.s32 \t%r105, %r8, 8;");
  gemmMma();
  expectReport(CUDA_ERROR_MISALIGNED_ADDRESS, "gemmMma", "ldmatrix", "must be a multiple of 16",
               "but found remainder 8");
}

// Warp collectives.

TEST_F(PlantedOfSm120a, ShuffleFromAnInactiveLane) {
  open("Reduce");
  plant("shfl.sync.bfly.b32\t%r29|%p14, %r28, 16, 31, -1;",
        "{ .reg .pred low; setp.lt.u32 low, %r8, 16; @low shfl.sync.bfly.b32 %r29|%p14, %r28, 16, 31, 65535; }");
  sumLastBlock();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "sumLastBlock", "shfl.sync.bfly",
               "shuffle must read a lane that takes part in it", "but found lane 16, which does not");
}

TEST_F(PlantedOfSm120a, ShuffleFromALaneThatHasLeft) {
  open("Reduce");
  plant("redux.sync.add.s32 %r5, %r13, %r12;", "shfl.sync.bfly.b32 %r5, %r13, 16, 31, %r12;");
  statistics();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "statistics", "shfl.sync.bfly",
               "shuffle must read a lane that takes part in it", "but found lane 16");
}

TEST_F(PlantedOfSm120a, ShuffleWhoseMaskForgetsItsReader) {
  open("Reduce");
  plant("shfl.sync.bfly.b32\t%r29|%p14, %r28, 16, 31, -1;", "shfl.sync.bfly.b32\t%r29|%p14, %r28, 16, 31, 65535;");
  sumLastBlock();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "sumLastBlock", "shfl.sync.bfly",
               "member mask must name every lane that runs the instruction", "but found 0x0000ffff");
}

// Swizzles and scale selectors. One that is as valid reads other data, and no check can know that it was not meant; one that the
// ISA does not have is refused.

TEST_F(PlantedOfSm120a, MatrixLoadsWithoutTheSwizzle) {
  open("GemmMma");
  expectWrongResults([&] { return download<float>(gemmMma(), 128 * 192); },
                     [&] { plant("xor.b32  \t%r72, %r70, %r71;", "mov.b32  \t%r72, %r70;"); });
}

TEST_F(PlantedOfSm90a, WgmmaDescriptorOfAnotherSwizzle) {
  open("GemmWgmma");
  // Bits 62 and 63: 64 bytes instead of 128.
  expectWrongResults(
      [&] { return download<float>(gemmWgmma(), kM * kN); },
      [&] { plant("or.b64  \t%rd6, %rd16, 4611686293305360384;", "or.b64  \t%rd6, %rd16, 9223372311732748288;"); });
}

TEST_F(PlantedOfSm100a, Tcgen05DescriptorOfAnotherSwizzle) {
  open("GemmTcgen05");
  // Bits 61 to 63: 4 is 64 bytes, 2 is 128.
  expectWrongResults(
      [&] { return download<float>(gemmTcgen05(), kM * kN); },
      [&] { plant("or.b64  \t%rd4, %rd27, 4611756662049538048;", "or.b64  \t%rd4, %rd27, 9223442680476925952;"); });
}

TEST_F(PlantedOfSm100a, Tcgen05DescriptorOfNoSwizzle) {
  open("GemmTcgen05");
  plant("or.b64  \t%rd4, %rd27, 4611756662049538048;", "or.b64  \t%rd4, %rd27, 6917599671263232000;");
  gemmTcgen05();
  expectReport(CUDA_ERROR_LAUNCH_FAILED, "gemmTcgen05", "tcgen05.mma",
               "the swizzle of a matrix descriptor must be 0, 1, 2, 4 or 6", "but found 3");
}

TEST_F(PlantedOfSm120a, ScalesInOtherLanesThanTheSelectorNames) {
  open("GemmBlockScale");
  // thread-id-a 0 names lanes 0 and 1 of a quad; the rows' scales are now in lanes 0 and 2.
  expectWrongResults([&] { return download<float>(gemmBlockScale(), 128 * 64); },
                     [&] { plant("shl.b32 \t%r51, %r1, 3;", "shl.b32 \t%r51, %r1, 2;"); });
}

TEST_F(PlantedOfSm120a, ByteSelectorThatTheIsaForbids) {
  open("GemmBlockScale");
  plant("%r109, {0, 0}", "%r109, {1, 0}", 0, 4);
  expectRefusal("mma.sync", "byte-id-a must be 0, but found 1");
}

TEST_F(PlantedOfSm120a, ThreadSelectorThatTheIsaForbids) {
  open("GemmBlockScale");
  plant("%r109, {0, 0}", "%r109, {0, 2}", 0, 4);
  expectRefusal("mma.sync", "thread-id-a must be 0 or 1, but found 2");
}

} // namespace
} // namespace glm::cuda
