// One instruction at a time over many values: what a chip rounds how. The approximations and the matrix products are those whose
// result the ISA leaves open within a bound; the others have one right result.
#include <cstdint>

/// The words that one thread computes, function after function: out [function][count].
struct Results {
  uint32_t *out;
  int count;

  __device__ void put(uint32_t word) {
    *out = word;
    out += count;
  }
  __device__ void put(uint16_t half) { put(static_cast<uint32_t>(half)); }
  __device__ void put(float value) { put(__float_as_uint(value)); }
  __device__ void put(uint64_t word) {
    put(static_cast<uint32_t>(word >> 32));
    put(static_cast<uint32_t>(word));
  }
  __device__ void put(double value) {
    put(static_cast<uint32_t>(__double2hiint(value)));
    put(static_cast<uint32_t>(__double2loint(value)));
  }
};

/// One instruction whose result is the first operand, of a C++ type and the letter of its register.
#define ONE(type, letter, text, ...)                                                                                             \
  {                                                                                                                              \
    type d;                                                                                                                      \
    asm volatile(text ";" : "=" letter(d) : __VA_ARGS__);                                                                        \
    results.put(d);                                                                                                              \
  }
#define FLOAT1(name) ONE(float, "f", name " %0, %1", "f"(a))
#define FLOAT2(name) ONE(float, "f", name " %0, %1, %2", "f"(a), "f"(b))
#define WORD1(name) ONE(uint32_t, "r", name " %0, %1", "r"(x))
#define WORD2(name) ONE(uint32_t, "r", name " %0, %1, %2", "r"(x), "r"(y))
#define DOUBLE1(name) ONE(double, "d", name " %0, %1", "d"(wide))
#define DOUBLE2(name) ONE(double, "d", name " %0, %1, %2", "d"(wide), "d"(other))
/// One float, or two, to something else.
#define FLOAT_TO(type, letter, name) ONE(type, letter, name " %0, %1", "f"(a))
#define FLOATS_TO(type, letter, name) ONE(type, letter, name " %0, %1, %2", "f"(a), "f"(b))
/// The lower half of x to something else.
#define HALF_TO(type, letter, name) ONE(type, letter, name " %0, %1", "h"(static_cast<uint16_t>(x)))
#define DOUBLE_TO(type, letter, name) ONE(type, letter, name " %0, %1", "d"(wide))

#define OPERANDS                                                                                                                 \
  int i = blockIdx.x * blockDim.x + threadIdx.x;                                                                                 \
  if (i >= count)                                                                                                                \
    return;                                                                                                                      \
  uint32_t x = xs[i], y = ys[i];                                                                                                 \
  float a = __uint_as_float(x), b = __uint_as_float(y);                                                                          \
  double wide = __hiloint2double(x, y);                                                                                          \
  Results results = {out + i, count};

extern "C" __global__ void approximations(const uint32_t *xs, const uint32_t *ys, uint32_t *out, int count) {
  OPERANDS
  FLOAT1("ex2.approx.f32")
  FLOAT1("lg2.approx.f32")
  FLOAT1("rcp.approx.f32")
  FLOAT1("sqrt.approx.f32")
  FLOAT1("rsqrt.approx.f32")
  FLOAT1("tanh.approx.f32")
  FLOAT1("sin.approx.f32")
  FLOAT1("cos.approx.f32")
  FLOAT1("ex2.approx.ftz.f32")
  FLOAT2("div.approx.f32")
  FLOAT2("div.full.f32")
  WORD1("ex2.approx.f16x2")
  WORD1("ex2.approx.ftz.bf16x2")
  WORD1("tanh.approx.f16x2")
  WORD1("tanh.approx.bf16x2")
  // Their lower words are zero.
  double result;
  asm volatile("rcp.approx.ftz.f64 %0, %1;" : "=d"(result) : "d"(wide));
  results.put(static_cast<uint32_t>(__double2hiint(result)));
  asm volatile("rsqrt.approx.f64 %0, %1;" : "=d"(result) : "d"(wide));
  results.put(static_cast<uint32_t>(__double2hiint(result)));
}

extern "C" __global__ void roundings(const uint32_t *xs, const uint32_t *ys, uint32_t *out, int count) {
  OPERANDS
  double other = __hiloint2double(y, x);
  FLOAT2("add.rn.f32")
  FLOAT2("add.rz.ftz.f32")
  FLOAT2("mul.rm.f32")
  FLOAT2("div.rn.f32")
  FLOAT2("div.rp.ftz.f32")
  FLOAT2("min.f32")
  FLOAT2("max.NaN.f32")
  FLOAT2("copysign.f32")
  FLOAT1("rcp.rn.f32")
  FLOAT1("sqrt.rn.f32")
  FLOAT1("sqrt.rz.ftz.f32")
  FLOAT1("cvt.rni.f32.f32")
  FLOATS_TO(uint32_t, "r", "cvt.rn.f16x2.f32")
  FLOATS_TO(uint32_t, "r", "cvt.rz.bf16x2.f32")
  FLOATS_TO(uint32_t, "r", "cvt.rn.relu.bf16x2.f32")
  FLOATS_TO(uint16_t, "h", "cvt.rn.satfinite.e4m3x2.f32")
  FLOATS_TO(uint16_t, "h", "cvt.rn.satfinite.relu.e5m2x2.f32")
  HALF_TO(uint32_t, "r", "cvt.rn.f16x2.e4m3x2")
  ONE(uint32_t, "r", "fma.rn.relu.bf16x2 %0, %1, %2, %1", "r"(x), "r"(y))
  ONE(uint32_t, "r", "fma.rn.f16x2 %0, %1, %2, %2", "r"(x), "r"(y))
  FLOAT_TO(uint32_t, "r", "cvt.rna.tf32.f32")
  FLOAT_TO(uint32_t, "r", "cvt.rzi.s32.f32")
  FLOAT_TO(uint32_t, "r", "cvt.rni.u32.f32")
  ONE(float, "f", "fma.rn.f32 %0, %1, %2, %2", "f"(a), "f"(b))
  ONE(double, "d", "fma.rn.f64 %0, %1, %1, %2", "d"(wide), "d"(other))
  DOUBLE_TO(float, "f", "cvt.rn.f32.f64")
  FLOAT_TO(uint32_t, "r", "cvt.rn.tf32.f32")
  FLOAT_TO(uint32_t, "r", "cvt.rz.relu.tf32.f32")
  FLOAT_TO(uint16_t, "h", "cvt.rn.f16.f32")
  FLOAT_TO(uint16_t, "h", "cvt.rn.bf16.f32")
  DOUBLE_TO(uint16_t, "h", "cvt.rn.f16.f64")
  HALF_TO(float, "f", "cvt.f32.f16")
  HALF_TO(float, "f", "cvt.f32.bf16")
  HALF_TO(uint16_t, "h", "cvt.rni.f16.f16")
  FLOAT1("cvt.ftz.sat.f32.f32")
  HALF_TO(uint32_t, "r", "cvt.rn.f16x2.e5m2x2")
  FLOAT2("add.sat.f32")
  FLOAT1("abs.ftz.f32")
  FLOAT1("neg.f32")
  WORD2("min.f16x2")
  WORD2("max.NaN.bf16x2")
  WORD2("add.sat.f16x2")
  WORD2("mul.bf16x2")
  WORD1("neg.f16x2")
  WORD1("abs.bf16x2")
  DOUBLE_TO(uint64_t, "l", "cvt.rzi.s64.f64")
  FLOAT_TO(uint64_t, "l", "cvt.rni.u64.f32")
  DOUBLE_TO(uint32_t, "r", "cvt.rni.s32.f64")
  ONE(float, "f", "cvt.rn.f32.s64 %0, %1", "l"(static_cast<uint64_t>(x) << 32 | y))
  DOUBLE2("add.rn.f64")
  DOUBLE2("mul.rz.f64")
  DOUBLE2("div.rn.f64")
  DOUBLE1("sqrt.rn.f64")
  DOUBLE1("rcp.rp.f64")
  DOUBLE2("max.f64")
  FLOAT_TO(double, "d", "cvt.f64.f32")
  HALF_TO(double, "d", "cvt.f64.f16")
  DOUBLE1("cvt.rni.f64.f64")
  DOUBLE1("neg.f64")
  DOUBLE1("abs.f64")
  HALF_TO(double, "d", "cvt.f64.bf16")
  FLOAT1("abs.f32")
  WORD1("abs.ftz.f16x2")
  WORD1("neg.bf16x2")
  DOUBLE_TO(uint16_t, "h", "cvt.rn.bf16.f64")
  HALF_TO(uint16_t, "h", "cvt.rz.bf16.f16")
  FLOAT2("min.xorsign.abs.f32")
  double result;
  asm volatile("copysign.f64 %0, %1, %2;" : "=d"(result) : "d"(wide), "d"(other));
  results.put(static_cast<uint32_t>(__double2hiint(result)));
}

#define MMA(name, shape, type)                                                                                                   \
  extern "C" __global__ void name(const uint32_t *as, const uint32_t *bs, const type *cs, type *ds) {                            \
    int i = blockIdx.x * 32 + threadIdx.x;                                                                                       \
    const uint32_t *a = as + 4 * i, *b = bs + 2 * i;                                                                             \
    type d[4];                                                                                                                   \
    for (int j = 0; j < 4; ++j)                                                                                                  \
      d[j] = cs[4 * i + j];                                                                                                      \
    asm volatile("mma.sync.aligned." shape " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"                    \
                 : MMA_RESULT_##type(d[0]), MMA_RESULT_##type(d[1]), MMA_RESULT_##type(d[2]), MMA_RESULT_##type(d[3])            \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));                                            \
    for (int j = 0; j < 4; ++j)                                                                                                  \
      ds[4 * i + j] = d[j];                                                                                                      \
  }
#define MMA_RESULT_float(d) "+f"(d)
#define MMA_RESULT_int(d) "+r"(d)

/// A block is a warp; each lane has its fragments side by side: four words of A, two of B, four elements of C and D.
MMA(mmaF16, "m16n8k16.row.col.f32.f16.f16.f32", float)
MMA(mmaBf16, "m16n8k16.row.col.f32.bf16.bf16.f32", float)
MMA(mmaTf32, "m16n8k8.row.col.f32.tf32.tf32.f32", float)
MMA(mmaE4m3, "m16n8k32.row.col.f32.e4m3.e4m3.f32", float)
MMA(mmaS8, "m16n8k32.row.col.satfinite.s32.s8.s8.s32", int)
