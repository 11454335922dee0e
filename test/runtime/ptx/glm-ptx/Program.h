// Calls glm-ptx in a folder of its own and collects what it says.
#pragma once

#include "test/runtime/artifact/Outcome.h"

#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vector>

namespace glm::ptx {

using test::Outcome;

class GlmPtxTest : public testing::Test {
protected:
  std::string path(const std::string &name) const { return folder.path() / name; }
  std::string write(const std::string &name, const std::string &bytes) const { return folder.write(name, bytes); }
  std::string read(const std::string &name) const { return folder.read(name); }

  /// Run with arguments as a shell reads them, in the test's folder.
  Outcome glmPtx(const std::string &arguments) const {
    return test::runProgram(folder,
                            "cd " + folder.path().string() + " && env -u GLM_PTX_CHIP " GLM_PTX " " + arguments);
  }

  void expectError(const std::string &arguments, const std::string &message) const {
    Outcome outcome = glmPtx(arguments);
    EXPECT_EQ(outcome.code, 1) << arguments;
    EXPECT_THAT(outcome.err, testing::EndsWith("error: " + message + "\n")) << arguments;
    EXPECT_EQ(outcome.out, "") << arguments;
  }

  /// An array as numpy.save writes it: version 1.0, the data at a multiple of 64 bytes.
  template <typename T>
  static std::string npy(const std::string &descr, const std::string &shape, const std::vector<T> &values) {
    std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
    header.append(63 - (10 + header.size()) % 64, ' ');
    header += '\n';
    std::string bytes("\x93NUMPY\1\0", 8);
    bytes += static_cast<char>(header.size() & 0xff);
    bytes += static_cast<char>(header.size() >> 8);
    bytes += header;
    return bytes.append(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T));
  }

private:
  test::TemporaryFolder folder;
};

/// out[i] = a * x[i] + y[i], y[i] += 1; the third parameter is double so that sizes are mixed.
inline const std::string kAxpy = R"(.version 8.0
.target sm_90a
.address_size 64
.visible .entry axpy(.param .u64 x, .param .u64 y, .param .f64 a, .param .u64 out, .param .u32 count)
{
  .reg .pred %p;
  .reg .b32 %r<6>;
  .reg .f32 %f<6>;
  .reg .f64 %a;
  .reg .b64 %d<8>;
  mov.u32 %r0, %ctaid.x;
  mov.u32 %r1, %ntid.x;
  mov.u32 %r2, %tid.x;
  mad.lo.u32 %r3, %r0, %r1, %r2;
  ld.param.u32 %r4, [count];
  setp.ge.u32 %p, %r3, %r4;
  @%p ret;
  ld.param.u64 %d0, [x];
  ld.param.u64 %d1, [y];
  ld.param.u64 %d2, [out];
  ld.param.f64 %a, [a];
  cvt.rn.f32.f64 %f0, %a;
  mul.wide.u32 %d3, %r3, 4;
  add.u64 %d4, %d0, %d3;
  add.u64 %d5, %d1, %d3;
  add.u64 %d6, %d2, %d3;
  ld.global.f32 %f1, [%d4];
  ld.global.f32 %f2, [%d5];
  fma.rn.f32 %f3, %f0, %f1, %f2;
  st.global.f32 [%d6], %f3;
  add.f32 %f4, %f2, 0f3f800000;
  st.global.f32 [%d5], %f4;
  ret;
}
)";

} // namespace glm::ptx
