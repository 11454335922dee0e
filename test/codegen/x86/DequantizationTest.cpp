// What a packed weight means, for every E2M1 code and every E4M3 scale: one-hot activations bring single weights to light.
#include "codegen/x86/Families.h"
#include "test/codegen/harness/Kernel.h"
#include "test/codegen/x86/ChipTest.h"

#include <cmath>
#include <cstring>

namespace glm::test {
namespace {

constexpr float kGlobal = 0.0123456789f;
constexpr int64_t kCodes = 16, kScales = 256;

/// OCP Microscaling Formats 1.0, 5.3.3.
float e2m1(int64_t code) {
  constexpr float magnitudes[] = {0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f};
  return code < 8 ? magnitudes[code] : -magnitudes[code - 8];
}

/// OCP 8-bit Floating Point Specification 1.0, table 1: bias 7, subnormals, no infinity.
float e4m3(int64_t bits) {
  int64_t exponent = bits >> 3 & 15, mantissa = bits & 7;
  double magnitude =
      exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8 + mantissa, static_cast<int>(exponent) - 10);
  return static_cast<float>(bits < 128 ? magnitude : -magnitude);
}

bool isNan(int64_t scale) { return (scale & 0x7f) == 0x7f; }

uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// weight[n, k]: scale byte n and code k mod 16, for all blocks of the row.
Operand everyWeight(int64_t width) {
  Operand weight = Operand::packed({kScales, width});
  std::vector<void *> pointers = weight.pointers();
  auto *codes = static_cast<uint8_t *>(pointers[0]), *scales = static_cast<uint8_t *>(pointers[1]);
  for (int64_t n = 0; n < kScales; ++n) {
    for (int64_t k = 0; k < width; k += 2)
      codes[(n * width + k) / 2] = static_cast<uint8_t>(k % kCodes | (k + 1) % kCodes << 4);
    for (int64_t block = 0; block < width / 16; ++block)
      scales[n * width / 16 + block] = static_cast<uint8_t>(n);
  }
  static_cast<float *>(pointers[2])[0] = kGlobal;
  return weight;
}

/// The product of everyWeight(width) with the identity: result[k * 256 + n] is weight[n, k].
std::vector<double> lightUp(const std::string &activation, int64_t width, const std::string &chip) {
  std::vector<double> identity(width * width, 0.0);
  for (int64_t k = 0; k < width; ++k)
    identity[k * width + k] = 1.0;
  std::vector<Operand> operands = {Operand::buffer(activation, {width, width}).set(identity), everyWeight(width),
                                   Operand::buffer("f32", {width, kScales})};
  auto kernel =
      Kernel::compile(*makeGemmFamily(), "glm.kernel.gemm <store> %0 by %1 to %2 : $0 by $1 to $2", operands, chip);
  if (!kernel) {
    ADD_FAILURE() << kernel.error().message;
    return {};
  }
  kernel->run(operands, width, 2);
  return operands[2].values();
}

class Dequantization : public ChipTest {};

TEST_P(Dequantization, IsExactInFloat32) {
  for (int64_t width : {16, 48, 128, 272}) {
    std::vector<double> found = lightUp("f32", width, chip());
    ASSERT_EQ(found.size(), static_cast<size_t>(width * kScales));
    for (int64_t k = 0; k < width; ++k)
      for (int64_t n = 0; n < kScales; ++n) {
        if (isNan(n))
          continue;
        float wanted = e2m1(k % kCodes) * (e4m3(n) * kGlobal);
        // A sum of zeros of both signs is +0.
        ASSERT_EQ(bitsOf(static_cast<float>(found[k * kScales + n])), bitsOf(wanted + 0.0f))
            << "width " << width << ", column " << k << ", code " << k % kCodes << ", scale " << n << ": "
            << found[k * kScales + n] << " for " << wanted;
      }
  }
}

TEST_P(Dequantization, IsExactButForOneRoundingInBfloat16) {
  // Block sums are scaled once more: the product of code and scale is exact, that with the global scale is rounded once, where the
  // definition rounds twice. Scales with a sign never arrive: the loader refuses them.
  for (int64_t width : {16, 128, 144, 272}) {
    std::vector<double> found = lightUp("bf16", width, chip());
    ASSERT_EQ(found.size(), static_cast<size_t>(width * kScales));
    for (int64_t k = 0; k < width; ++k)
      for (int64_t n = 0; n < 0x7f; ++n) {
        double wanted = static_cast<double>(e2m1(k % kCodes)) * e4m3(n) * kGlobal;
        ASSERT_NEAR(found[k * kScales + n], wanted, std::fabs(wanted) * 0x1p-23)
            << "width " << width << ", column " << k << ", code " << k % kCodes << ", scale " << n;
      }
  }
}

GLM_ON_EACH_CHIP(Dequantization);

} // namespace
} // namespace glm::test
