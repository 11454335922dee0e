// Bugs of order: barriers, fences, waits, phases that are missing or wrong.
#include "test/runtime/ptx/programs/Planted.h"

namespace glm::cuda {
namespace {

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

} // namespace
} // namespace glm::cuda
