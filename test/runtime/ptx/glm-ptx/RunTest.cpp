#include "test/runtime/ptx/glm-ptx/Program.h"

#include <cmath>

namespace glm::ptx {
namespace {

using testing::HasSubstr;

class RunTest : public GlmPtxTest {
protected:
  void SetUp() override {
    write("k.ptx", kAxpy);
    for (int i = 0; i < kCount; ++i) {
      x.push_back(0.25f * static_cast<float>(i * i - 50));
      y.push_back(static_cast<float>(7 - i));
    }
    write("x.npy", npy("<f4", "(20, 5)", x));
    write("y.npy", npy("<f4", "(100,)", y));
  }

  static constexpr int kCount = 100;
  const std::string launch = "run k.ptx -k axpy --grid=2 --block=64 ";
  const std::string arguments =
      "--arg=in:x.npy --arg=in:y.npy:y2.npy --arg=f64:1.5 --arg=out:f32:10x10:out.npy --arg=u32:100";
  std::vector<float> x, y;
};

TEST_F(RunTest, buffersComeFromAndGoToNpy) {
  Outcome outcome = glmPtx(launch + arguments);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  std::vector<float> out, more;
  for (size_t i = 0; i < kCount; ++i) {
    out.push_back(std::fma(1.5f, x[i], y[i]));
    more.push_back(y[i] + 1);
  }
  EXPECT_EQ(read("out.npy"), npy("<f4", "(10, 10)", out));
  EXPECT_EQ(read("y2.npy"), npy("<f4", "(100,)", more));
  EXPECT_EQ(read("y.npy"), npy("<f4", "(100,)", y));
}

TEST_F(RunTest, aFaultIsReportedAndWritesNothing) {
  Outcome outcome =
      glmPtx(launch + "--arg=in:x.npy --arg=in:y.npy:y2.npy --arg=f64:1.5 --arg=out:f32:99:out.npy --arg=u32:100");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("kernel axpy, block (1,0,0), warp 1, lane 3, k.ptx:30: global memory at "));
  EXPECT_THAT(
      outcome.err,
      testing::EndsWith("error: k.ptx: kernel axpy must run without a fault, but found CUDA_ERROR_ILLEGAL_ADDRESS\n"));
  EXPECT_FALSE(std::filesystem::exists(path("out.npy")));
  EXPECT_FALSE(std::filesystem::exists(path("y2.npy")));
}

TEST_F(RunTest, launchesAreCheckedAsTheDriverDoes) {
  expectError("run k.ptx -k axpy --block=2048 " + arguments,
              "k.ptx: kernel axpy must be launched, but found CUDA_ERROR_INVALID_VALUE");
  expectError("run k.ptx -k axp " + arguments, "k.ptx: kernel axp must be in the text, but found CUDA_ERROR_NOT_FOUND");
  expectError(launch + "--arg=u32:100",
              "k.ptx: kernel axpy must get an --arg for each of its 5 parameters, but found 1");
  expectError(launch + "--step-limit=10 " + arguments,
              "k.ptx: kernel axpy must run without a fault, but found CUDA_ERROR_LAUNCH_TIMEOUT");
}

TEST_F(RunTest, argumentsAreChecked) {
  auto first = [&](const std::string &argument, const std::string &message) {
    expectError(launch + "--arg=" + argument + " --arg=u64:0 --arg=u64:0 --arg=u64:0 --arg=u32:0", message);
  };
  first("u32:1", "--arg=u32:1: argument must have the 8 bytes of its parameter, but found 4");
  first("u64:-1", "--arg=u64:-1: value must be a number of type u64, but found -1");
  first("u8:256", "--arg=u8:256: value must be a number of type u8, but found 256");
  first("f64:1e999x", "--arg=f64:1e999x: value must be a number of type f64, but found 1e999x");
  first("in:absent.npy", "absent.npy: file must be readable, but found No such file or directory");
  first("out:f33:2:o.npy",
        "--arg=out:f33:2:o.npy: the type of a result must be one of f64, f32, f16, s64, s32, s16, s8, u64, u32, "
        "u16, u8, but found f33");
  first("out:f32:2x0:o.npy",
        "--arg=out:f32:2x0:o.npy: the shape of a result must be sizes from 1 on with x between, but found 2x0");
  first("out:f32:9999999999x9999999999:o.npy",
        "--arg=out:f32:9999999999x9999999999:o.npy: shape must fit 64 bits, but found 9999999999x9999999999");
  first("out:f32:4:absent/o.npy",
        "absent/o.npy: the folder of an output must be writable, but found No such file or directory");
}

TEST_F(RunTest, otherFilesAreRefused) {
  auto refused = [&](const std::string &bytes, const std::string &message) {
    write("b.npy", bytes);
    expectError(launch + "--arg=in:b.npy --arg=u64:0 --arg=u64:0 --arg=u64:0 --arg=u32:0", "b.npy: " + message);
  };
  std::string whole = npy("<f4", "(100,)", y);
  refused("", "file must be an array in NumPy's format, but found another start");
  refused("PK\3\4 an archive", "file must be an array in NumPy's format, but found another start");
  refused(whole.substr(0, 60), "file must be an array in NumPy's format, but found another start");
  refused(whole.substr(0, whole.size() - 1), "data must have the 400 bytes of its shape, but found 399");
  refused(npy("<c8", "(50,)", y),
          "array must be of one of f64, f32, f16, s64, s32, s16, s8, u64, u32, u16, u8, but found <c8");
  refused(npy("<f4", "(99999999999, 99999999999)", y), "shape must fit 64 bits, but found 99999999999x99999999999");
  std::string columns = whole;
  columns.replace(columns.find("False"), 5, "True ");
  refused(columns, "array must be row-major, but found fortran_order");
  std::string nameless = whole;
  nameless.replace(nameless.find("shape"), 5, "shade");
  refused(nameless, "header must have descr, fortran_order and shape, but found one missing");
}

/// Each type of number, stored by a kernel that copies its parameters.
TEST_F(RunTest, numbersOfEveryType) {
  struct Row {
    const char *argument, *type;
    uint64_t bits;
  };
  for (const Row &row :
       {Row{"s8:-3", "u8", 0xfd}, Row{"u8:200", "u8", 200}, Row{"b8:0xa5", "u8", 0xa5}, Row{"s16:-2", "u16", 0xfffe},
        Row{"u16:65535", "u16", 65535}, Row{"b16:beef", "u16", 0xbeef}, Row{"f16:1.5", "u16", 0x3e00},
        Row{"s32:-1", "u32", 0xffffffff}, Row{"u32:7", "u32", 7}, Row{"b32:0x7f800000", "u32", 0x7f800000},
        Row{"f32:-0.5", "u32", 0xbf000000}, Row{"s64:-1", "u64", ~uint64_t{0}},
        Row{"u64:18446744073709551615", "u64", ~uint64_t{0}}, Row{"b64:0x123456789abcdef0", "u64", 0x123456789abcdef0},
        Row{"f64:2", "u64", 0x4000000000000000}}) {
    std::string type = row.type, reg = type == "u8" ? "u16" : type;
    write("copy.ptx", ".version 8.0\n.target sm_90\n.address_size 64\n.visible .entry copy(.param ." + type +
                          " value, .param .u64 out)\n{\n  .reg ." + reg +
                          " %v;\n  .reg .b64 %d;\n  ld.param.u64 %d, [out];\n  ld.param." + type +
                          " %v, [value];\n  st.global." + type + " [%d], %v;\n  ret;\n}\n");
    Outcome outcome =
        glmPtx(std::string("run copy.ptx -k copy --arg=") + row.argument + " --arg=out:" + type + ":1:o.npy");
    EXPECT_EQ(outcome.code, 0) << row.argument << outcome.err;
    std::string bytes = read("o.npy");
    size_t width = static_cast<size_t>(std::atoi(row.type + 1)) / 8;
    uint64_t got = 0;
    std::memcpy(&got, bytes.data() + bytes.size() - width, width);
    EXPECT_EQ(got, row.bits) << row.argument;
  }
}

} // namespace
} // namespace glm::ptx
