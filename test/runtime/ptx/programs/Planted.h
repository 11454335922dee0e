// The programs of this folder with one bug each, planted in their PTX: the check that is made for it must find it, and say where.
// Only the interpreting driver can run these; their suites are not among those that compare.sh runs on a GPU.
#pragma once

#include "test/runtime/ptx/programs/Program.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <regex>

namespace glm::cuda {

inline constexpr const char *kDeadlock = "warps must be able to go on, but found all of them waiting";

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
inline std::vector<uint16_t> someBf16(size_t count) {
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
    return Program::gemmWgmma(someBf16(kM * kK), someBf16(kN * kK), kN, kK);
  }
};

class PlantedOfSm100a : public Planted {
protected:
  static constexpr int kM = 256, kN = 128, kK = 320;

  CUdeviceptr gemmTcgen05() {
    start();
    return Program::gemmTcgen05(someBf16(kM * kK), someBf16(kN * kK), kN, kK);
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
    return Program::gemmMma(someBf16(128 * 160), someBf16(192 * 160), 192, 160);
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

} // namespace glm::cuda
