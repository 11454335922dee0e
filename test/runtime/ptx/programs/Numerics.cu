// One instruction at a time over many values: what a chip rounds how. The approximations and the matrix products are those whose
// result the ISA leaves open within a bound; the others have one right result.
#include <cstdint>

#define UNARY_FLOAT(name)                                                                                                        \
  {                                                                                                                              \
    float d;                                                                                                                     \
    asm volatile(name " %0, %1;" : "=f"(d) : "f"(__uint_as_float(x)));                                                           \
    out[count * function++ + i] = __float_as_uint(d);                                                                            \
  }
#define UNARY_WORD(name)                                                                                                         \
  {                                                                                                                              \
    uint32_t d;                                                                                                                  \
    asm volatile(name " %0, %1;" : "=r"(d) : "r"(x));                                                                            \
    out[count * function++ + i] = d;                                                                                             \
  }
#define BINARY_FLOAT(name)                                                                                                       \
  {                                                                                                                              \
    float d;                                                                                                                     \
    asm volatile(name " %0, %1, %2;" : "=f"(d) : "f"(__uint_as_float(x)), "f"(__uint_as_float(y)));                              \
    out[count * function++ + i] = __float_as_uint(d);                                                                            \
  }
#define PACK_FLOATS(name, bits)                                                                                                  \
  {                                                                                                                              \
    uint##bits##_t d;                                                                                                            \
    asm volatile(name " %0, %1, %2;" : PACK_RESULT_##bits(d) : "f"(__uint_as_float(x)), "f"(__uint_as_float(y)));                \
    out[count * function++ + i] = d;                                                                                             \
  }
#define PACK_RESULT_16(d) "=h"(d)
#define PACK_RESULT_32(d) "=r"(d)

/// out [function][count].
extern "C" __global__ void approximations(const uint32_t *xs, const uint32_t *ys, uint32_t *out, int count) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, function = 0;
  if (i >= count)
    return;
  uint32_t x = xs[i], y = ys[i];
  UNARY_FLOAT("ex2.approx.f32")
  UNARY_FLOAT("lg2.approx.f32")
  UNARY_FLOAT("rcp.approx.f32")
  UNARY_FLOAT("sqrt.approx.f32")
  UNARY_FLOAT("rsqrt.approx.f32")
  UNARY_FLOAT("tanh.approx.f32")
  UNARY_FLOAT("sin.approx.f32")
  UNARY_FLOAT("cos.approx.f32")
  UNARY_FLOAT("ex2.approx.ftz.f32")
  BINARY_FLOAT("div.approx.f32")
  BINARY_FLOAT("div.full.f32")
  UNARY_WORD("ex2.approx.f16x2")
  UNARY_WORD("ex2.approx.ftz.bf16x2")
  UNARY_WORD("tanh.approx.f16x2")
  UNARY_WORD("tanh.approx.bf16x2")
  double wide = __hiloint2double(x, y), result;
  asm volatile("rcp.approx.ftz.f64 %0, %1;" : "=d"(result) : "d"(wide));
  out[count * function++ + i] = __double2hiint(result);
  asm volatile("rsqrt.approx.f64 %0, %1;" : "=d"(result) : "d"(wide));
  out[count * function++ + i] = __double2hiint(result);
}

/// out [function][count].
extern "C" __global__ void roundings(const uint32_t *xs, const uint32_t *ys, uint32_t *out, int count) {
  int i = blockIdx.x * blockDim.x + threadIdx.x, function = 0;
  if (i >= count)
    return;
  uint32_t x = xs[i], y = ys[i];
  BINARY_FLOAT("add.rn.f32")
  BINARY_FLOAT("add.rz.ftz.f32")
  BINARY_FLOAT("mul.rm.f32")
  BINARY_FLOAT("div.rn.f32")
  BINARY_FLOAT("div.rp.ftz.f32")
  BINARY_FLOAT("min.f32")
  BINARY_FLOAT("max.NaN.f32")
  BINARY_FLOAT("copysign.f32")
  UNARY_FLOAT("rcp.rn.f32")
  UNARY_FLOAT("sqrt.rn.f32")
  UNARY_FLOAT("sqrt.rz.ftz.f32")
  UNARY_FLOAT("cvt.rni.f32.f32")
  PACK_FLOATS("cvt.rn.f16x2.f32", 32)
  PACK_FLOATS("cvt.rz.bf16x2.f32", 32)
  PACK_FLOATS("cvt.rn.relu.bf16x2.f32", 32)
  PACK_FLOATS("cvt.rn.satfinite.e4m3x2.f32", 16)
  PACK_FLOATS("cvt.rn.satfinite.relu.e5m2x2.f32", 16)
  {
    uint32_t d;
    asm volatile("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(d) : "h"(static_cast<uint16_t>(x)));
    out[count * function++ + i] = d;
    asm volatile("fma.rn.relu.bf16x2 %0, %1, %2, %1;" : "=r"(d) : "r"(x), "r"(y));
    out[count * function++ + i] = d;
    asm volatile("fma.rn.f16x2 %0, %1, %2, %2;" : "=r"(d) : "r"(x), "r"(y));
    out[count * function++ + i] = d;
    asm volatile("cvt.rna.tf32.f32 %0, %1;" : "=r"(d) : "f"(__uint_as_float(x)));
    out[count * function++ + i] = d;
    asm volatile("cvt.rzi.s32.f32 %0, %1;" : "=r"(d) : "f"(__uint_as_float(x)));
    out[count * function++ + i] = d;
    asm volatile("cvt.rni.u32.f32 %0, %1;" : "=r"(d) : "f"(__uint_as_float(x)));
    out[count * function++ + i] = d;
    float f;
    asm volatile("fma.rn.f32 %0, %1, %2, %2;" : "=f"(f) : "f"(__uint_as_float(x)), "f"(__uint_as_float(y)));
    out[count * function++ + i] = __float_as_uint(f);
    double wide = __hiloint2double(x, y), result;
    asm volatile("fma.rn.f64 %0, %1, %1, %2;" : "=d"(result) : "d"(wide), "d"(__hiloint2double(y, x)));
    out[count * function++ + i] = __double2hiint(result);
    out[count * function++ + i] = __double2loint(result);
    asm volatile("cvt.rn.f32.f64 %0, %1;" : "=f"(f) : "d"(wide));
    out[count * function++ + i] = __float_as_uint(f);
    // Single conversions and halves.
    asm volatile("cvt.rn.tf32.f32 %0, %1;" : "=r"(d) : "f"(__uint_as_float(x)));
    out[count * function++ + i] = d;
    asm volatile("cvt.rz.relu.tf32.f32 %0, %1;" : "=r"(d) : "f"(__uint_as_float(x)));
    out[count * function++ + i] = d;
    uint16_t half;
    asm volatile("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(__uint_as_float(x)));
    out[count * function++ + i] = half;
    asm volatile("cvt.rn.bf16.f32 %0, %1;" : "=h"(half) : "f"(__uint_as_float(x)));
    out[count * function++ + i] = half;
    asm volatile("cvt.rn.f16.f64 %0, %1;" : "=h"(half) : "d"(wide));
    out[count * function++ + i] = half;
    asm volatile("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(static_cast<uint16_t>(x)));
    out[count * function++ + i] = __float_as_uint(f);
    asm volatile("cvt.f32.bf16 %0, %1;" : "=f"(f) : "h"(static_cast<uint16_t>(x)));
    out[count * function++ + i] = __float_as_uint(f);
    asm volatile("cvt.rni.f16.f16 %0, %1;" : "=h"(half) : "h"(static_cast<uint16_t>(x)));
    out[count * function++ + i] = half;
    asm volatile("cvt.ftz.sat.f32.f32 %0, %1;" : "=f"(f) : "f"(__uint_as_float(x)));
    out[count * function++ + i] = __float_as_uint(f);
    asm volatile("cvt.rn.f16x2.e5m2x2 %0, %1;" : "=r"(d) : "h"(static_cast<uint16_t>(x)));
    out[count * function++ + i] = d;
    asm volatile("add.sat.f32 %0, %1, %2;" : "=f"(f) : "f"(__uint_as_float(x)), "f"(__uint_as_float(y)));
    out[count * function++ + i] = __float_as_uint(f);
    asm volatile("abs.ftz.f32 %0, %1;" : "=f"(f) : "f"(__uint_as_float(x)));
    out[count * function++ + i] = __float_as_uint(f);
    asm volatile("neg.f32 %0, %1;" : "=f"(f) : "f"(__uint_as_float(x)));
    out[count * function++ + i] = __float_as_uint(f);
    asm volatile("min.f16x2 %0, %1, %2;" : "=r"(d) : "r"(x), "r"(y));
    out[count * function++ + i] = d;
    asm volatile("max.NaN.bf16x2 %0, %1, %2;" : "=r"(d) : "r"(x), "r"(y));
    out[count * function++ + i] = d;
    asm volatile("add.sat.f16x2 %0, %1, %2;" : "=r"(d) : "r"(x), "r"(y));
    out[count * function++ + i] = d;
    asm volatile("mul.bf16x2 %0, %1, %2;" : "=r"(d) : "r"(x), "r"(y));
    out[count * function++ + i] = d;
    asm volatile("neg.f16x2 %0, %1;" : "=r"(d) : "r"(x));
    out[count * function++ + i] = d;
    asm volatile("abs.bf16x2 %0, %1;" : "=r"(d) : "r"(x));
    out[count * function++ + i] = d;
    uint64_t big;
    asm volatile("cvt.rzi.s64.f64 %0, %1;" : "=l"(big) : "d"(wide));
    out[count * function++ + i] = static_cast<uint32_t>(big >> 32);
    out[count * function++ + i] = static_cast<uint32_t>(big);
    asm volatile("cvt.rni.u64.f32 %0, %1;" : "=l"(big) : "f"(__uint_as_float(x)));
    out[count * function++ + i] = static_cast<uint32_t>(big >> 32);
    out[count * function++ + i] = static_cast<uint32_t>(big);
    asm volatile("cvt.rni.s32.f64 %0, %1;" : "=r"(d) : "d"(wide));
    out[count * function++ + i] = d;
    asm volatile("cvt.rn.f32.s64 %0, %1;" : "=f"(f) : "l"(static_cast<uint64_t>(x) << 32 | y));
    out[count * function++ + i] = __float_as_uint(f);
#define WIDE(name, ...)                                                                                                          \
  asm volatile(name ";" : "=d"(result) : __VA_ARGS__);                                                                           \
  out[count * function++ + i] = __double2hiint(result);                                                                          \
  out[count * function++ + i] = __double2loint(result);
    double other = __hiloint2double(y, x);
    WIDE("add.rn.f64 %0, %1, %2", "d"(wide), "d"(other))
    WIDE("mul.rz.f64 %0, %1, %2", "d"(wide), "d"(other))
    WIDE("div.rn.f64 %0, %1, %2", "d"(wide), "d"(other))
    WIDE("sqrt.rn.f64 %0, %1", "d"(wide))
    WIDE("rcp.rp.f64 %0, %1", "d"(wide))
    WIDE("max.f64 %0, %1, %2", "d"(wide), "d"(other))
    WIDE("cvt.f64.f32 %0, %1", "f"(__uint_as_float(x)))
    WIDE("cvt.f64.f16 %0, %1", "h"(static_cast<uint16_t>(x)))
    WIDE("cvt.rni.f64.f64 %0, %1", "d"(wide))
    WIDE("neg.f64 %0, %1", "d"(wide))
    WIDE("abs.f64 %0, %1", "d"(wide))
    WIDE("cvt.f64.bf16 %0, %1", "h"(static_cast<uint16_t>(x)))
    asm volatile("abs.f32 %0, %1;" : "=f"(f) : "f"(__uint_as_float(x)));
    out[count * function++ + i] = __float_as_uint(f);
    asm volatile("abs.ftz.f16x2 %0, %1;" : "=r"(d) : "r"(x));
    out[count * function++ + i] = d;
    asm volatile("neg.bf16x2 %0, %1;" : "=r"(d) : "r"(x));
    out[count * function++ + i] = d;
    asm volatile("cvt.rn.bf16.f64 %0, %1;" : "=h"(half) : "d"(wide));
    out[count * function++ + i] = half;
    asm volatile("cvt.rz.bf16.f16 %0, %1;" : "=h"(half) : "h"(static_cast<uint16_t>(x)));
    out[count * function++ + i] = half;
    asm volatile("min.xorsign.abs.f32 %0, %1, %2;" : "=f"(f) : "f"(__uint_as_float(x)), "f"(__uint_as_float(y)));
    out[count * function++ + i] = __float_as_uint(f);
    asm volatile("copysign.f64 %0, %1, %2;" : "=d"(result) : "d"(wide), "d"(other));
    out[count * function++ + i] = __double2hiint(result);
  }
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
