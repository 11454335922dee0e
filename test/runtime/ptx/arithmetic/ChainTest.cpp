// The room in the machine: what a snippet without one cannot show.
#include "test/runtime/ptx/harness/Harness.h"

namespace glm::ptx::test {
namespace {

TEST(ChainTest, CarriesOutliveBranches) {
  // Lanes with an odd input go another way between the two halves of the sum.
  LaneProgram program;
  std::vector<uint64_t> low, parity;
  for (uint64_t lane = 0; lane < kWarpSize; ++lane) {
    low.push_back(lane % 3 == 0 ? 0xffffffff : 5);
    parity.push_back(lane % 2);
  }
  program.input(Type::B32, low);
  program.input(Type::B32, parity);
  program.output(Type::B32);
  program.declarations = ".reg .b32 %t0, %t1; .reg .pred %odd;";
  const Outputs out = program.run("setp.ne.u32 %odd, %in1, 0;\n"
                                  "add.cc.u32 %t0, %in0, 1;\n"
                                  "mov.b32 %t1, 100;\n"
                                  "@%odd bra other;\n"
                                  "mov.b32 %t1, 10;\n"
                                  "other:\n"
                                  "addc.u32 %out0, %t1, 0;\n");
  for (size_t lane = 0; lane < kWarpSize; ++lane)
    EXPECT_EQ(out[0][lane], (lane % 2 != 0 ? 100 : 10) + (lane % 3 == 0 ? 1 : 0)) << lane;
}

TEST(ChainTest, AddressesOfVariablesAndLanes) {
  LaneProgram program;
  program.moduleScope = ".global .align 8 .b32 table[4] = {11, 22, 33, 44};\n.shared .align 16 .b8 tile[64];";
  program.output(Type::B32);
  program.output(Type::B32);
  program.output(Type::B32);
  program.declarations = ".reg .b64 %address; .reg .b32 %shared;";
  const Outputs out = program.run("mov.u64 %address, table+8;\n"
                                  "ld.global.u32 %out0, [%address];\n"
                                  "mov.u32 %out1, %laneid;\n"
                                  "mov.u32 %shared, tile;\n"
                                  "st.shared.u32 [%shared], 7;\n"
                                  "ld.shared.u32 %out2, [tile];\n");
  for (size_t lane = 0; lane < kWarpSize; ++lane) {
    EXPECT_EQ(out[0][lane], 33u);
    EXPECT_EQ(out[1][lane], lane);
    EXPECT_EQ(out[2][lane], 7u);
  }
}

TEST(ChainTest, GuardsLeaveTheOthersAlone) {
  LaneProgram program;
  program.input(Type::B32, std::vector<uint64_t>{1, 2, 3, 4, 5, 6, 7, 8});
  program.output(Type::B32, 99);
  program.declarations = ".reg .pred %p;";
  const Outputs out = program.run("setp.gt.u32 %p, %in0, 4;\n@%p mul.lo.u32 %out0, %in0, %in0;\n");
  for (size_t lane = 0; lane < kWarpSize; ++lane) {
    const uint64_t in = lane % 8 + 1;
    EXPECT_EQ(out[0][lane], in > 4 ? in * in : 99) << lane;
  }
}

} // namespace
} // namespace glm::ptx::test
