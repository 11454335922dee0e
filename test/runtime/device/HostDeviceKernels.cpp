// Kernels that say how they were called.
#include <cmath>
#include <cstdint>

/// args[0]: int64 [threads][3]: calls, rows, threads
extern "C" void count_calls(void *const *args, int64_t rows, int64_t thread, int64_t threads) {
  int64_t *line = static_cast<int64_t *>(args[0]) + 3 * thread;
  ++line[0];
  line[1] = rows;
  line[2] = threads;
}

/// args[0], args[1]: float [rows]; args[1] = exp(args[0]), with libm's function, as generated code calls it.
extern "C" void exponential(void *const *args, int64_t rows, int64_t thread, int64_t threads) {
  for (int64_t row = thread; row < rows; row += threads)
    static_cast<float *>(args[1])[row] = std::exp(static_cast<const float *>(args[0])[row]);
}
