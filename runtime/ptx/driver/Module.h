// Modules and kernels as handles: a CUmodule is a Module, a CUfunction and a CUkernel a Kernel, a CUlibrary a Module too.
#pragma once

#include "runtime/cuda/Types.h"
#include "runtime/ptx/machine/Launch.h"

#include <deque>
#include <map>
#include <memory>
#include <string>

namespace glm::ptx {

struct Context;
struct LoadedImage;

struct Kernel {
  LoadedImage *image = nullptr;
  uint32_t index = 0;        ///< Program::code
  uint32_t staticShared = 0; ///< bytes
  // What cuFuncSetAttribute can change.
  uint32_t maxDynamicShared = 0; ///< bytes
  int carveout = -1;
  bool nonPortableCluster = false;
  Dim3 requiredCluster{};
  int clusterPolicy = 0;

  const Code &code() const;
  const Function &function() const { return *code().function; }
};

struct LoadedImage {
  Context *context = nullptr;
  std::unique_ptr<LoadedModule> loaded;
  std::deque<Kernel> kernels; ///< in the order of the text; addresses are handles
  std::map<std::string, Kernel *, std::less<>> byName;
};

/// Load PTX text (NUL-terminated). A cubin or a fatbin is refused by name. `log` gets the message, which is also reported
/// under the name of the API function.
cuda::CUresult loadImage(Context &context, std::string_view function, const void *image, std::string place,
                         LoadedImage *&result, std::string &log);
void unloadImage(LoadedImage *image);

/// What a CUfunction or CUkernel, a CUmodule or CUlibrary stands for; null if it is not alive.
Kernel *liveKernel(const void *handle);
LoadedImage *liveImage(const void *handle);

/// Threads per block that a kernel allows, and registers per thread that we assume for occupancy (the text has virtual ones: .maxnreg where given, else the least of 255 and what its types need).
uint32_t maxThreadsOf(const Kernel &kernel);
uint32_t registersOf(const Kernel &kernel);

/// Blocks of this shape that one multiprocessor holds (CUDA C++ programming guide, "Occupancy"); 0: none fits.
uint32_t blocksPerMultiprocessor(const Kernel &kernel, uint32_t threads, uint64_t dynamicShared);

} // namespace glm::ptx
