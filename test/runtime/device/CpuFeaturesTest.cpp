#include "runtime/device/CpuFeatures.h"

#include <gtest/gtest.h>

using namespace glm;

namespace {

// A shortened flags line of a server processor, in the kernel's spelling.
const std::set<std::string> kFlags = {
    "fpu", "sse4_2",           "abm",      "bmi1",   "bmi2",          "avx512f", "avx512_bf16", "avx512_vnni",
    "pni", "avx512_vpopcntdq", "amx_bf16", "rdrand", "3dnowprefetch", "sha_ni",  "lahf_lm",     "avx_vnni"};

TEST(CpuFeatures, readsLlvmSpelling) {
  EXPECT_TRUE(missingFeatures({"avx512bf16", "avx512vnni", "avx512vpopcntdq", "amx-bf16", "avxvnni", "sse4.2"}, kFlags)
                  .empty());
}

TEST(CpuFeatures, knowsNamesThatDiffer) {
  EXPECT_TRUE(
      missingFeatures({"lzcnt", "bmi", "sse3", "rdrnd", "prfchw", "sha", "sahf", "crc32", "x87", "+bmi2"}, kFlags)
          .empty());
}

TEST(CpuFeatures, namesWhatIsMissing) {
  EXPECT_EQ(missingFeatures({"avx512f", "avx512fp16", "amx-tile", "bmi2"}, kFlags),
            (std::vector<std::string>{"avx512fp16", "amx-tile"}));
}

TEST(CpuFeatures, doesNotKnowIsMissing) { EXPECT_EQ(missingFeatures({"evex9000"}, kFlags).size(), 1u); }

TEST(CpuFeatures, readsThisMachine) {
#if defined(__x86_64__)
  EXPECT_TRUE(missingFeatures({"sse2", "fxsr", "cmov"}, cpuFlags()).empty()); // the base of x86-64
#endif
}

} // namespace
