// Bugs of data: bounds, addresses, what was never written, lanes, swizzles, selectors.
#include "test/runtime/ptx/programs/Planted.h"

namespace glm::cuda {
namespace {

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
