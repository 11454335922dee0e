// Modules, libraries, functions.
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/driver/Module.h"
#include "runtime/ptx/driver/State.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

namespace glm::cuda {

using namespace glm::ptx;

namespace {

/// JIT options that ask for a log get one; what would change optimization means nothing to an interpreter.
struct JitLog {
  char *buffer = nullptr;
  size_t bytes = 0;
  void **written = nullptr; ///< where the size is given back

  void write(std::string_view text) const {
    if (!buffer || !bytes)
      return;
    size_t count = std::min(text.size(), bytes - 1);
    std::memcpy(buffer, text.data(), count);
    buffer[count] = 0;
    if (written)
      *written = reinterpret_cast<void *>(count);
  }
};

JitLog logOf(unsigned count, const CUjit_option *options, void **values, CUjit_option buffer, CUjit_option size) {
  JitLog log;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == buffer)
      log.buffer = static_cast<char *>(values[i]);
    if (options[i] == size) {
      log.bytes = reinterpret_cast<uintptr_t>(values[i]) & 0xffffffff; // an unsigned int in a pointer's place
      log.written = &values[i];
    }
  }
  return log;
}

CUresult load(std::string_view function, LoadedImage *&image, const void *data, std::string place, unsigned count,
              const CUjit_option *options, void **values) {
  return withContext([&](Context &context) {
    if (!data || (count && (!options || !values)))
      return CUDA_ERROR_INVALID_VALUE;
    JitLog errors = logOf(count, options, values, CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
    JitLog info = logOf(count, options, values, CU_JIT_INFO_LOG_BUFFER, CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES);
    std::string log;
    CUresult result = loadImage(context, function, data, std::move(place), image, log);
    errors.write(log);
    info.write("");
    return result;
  });
}

} // namespace

CUresult cuModuleLoad(CUmodule *module, const char *path) {
  if (!module || !path)
    return CUDA_ERROR_INVALID_VALUE;
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return CUDA_ERROR_FILE_NOT_FOUND;
  std::stringstream text;
  text << file.rdbuf();
  LoadedImage *image = nullptr;
  CUresult result = load("cuModuleLoad", image, text.str().c_str(), path, 0, nullptr, nullptr);
  *module = reinterpret_cast<CUmodule>(image);
  return result;
}

CUresult cuModuleLoadData(CUmodule *module, const void *data) {
  return cuModuleLoadDataEx(module, data, 0, nullptr, nullptr);
}

CUresult cuModuleLoadDataEx(CUmodule *module, const void *data, unsigned count, CUjit_option *options, void **values) {
  if (!module)
    return CUDA_ERROR_INVALID_VALUE;
  LoadedImage *image = nullptr;
  CUresult result = load("cuModuleLoadDataEx", image, data, "ptx image", count, options, values);
  *module = reinterpret_cast<CUmodule>(image);
  return result;
}

CUresult cuModuleUnload(CUmodule module) {
  return withContext([&](Context &context) {
    LoadedImage *image = liveImage(module);
    if (!image)
      return CUDA_ERROR_INVALID_HANDLE;
    // Kernels that still run use it.
    CUresult result = synchronize(context);
    unloadImage(image);
    return result;
  });
}

CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
  return withContext([&](Context &) {
    LoadedImage *image = liveImage(module);
    if (!image)
      return CUDA_ERROR_INVALID_HANDLE;
    if (!function || !name)
      return CUDA_ERROR_INVALID_VALUE;
    auto found = image->byName.find(std::string_view(name));
    if (found == image->byName.end())
      return CUDA_ERROR_NOT_FOUND;
    *function = reinterpret_cast<CUfunction>(found->second);
    return CUDA_SUCCESS;
  });
}

CUresult cuModuleGetFunctionCount(unsigned *count, CUmodule module) {
  LoadedImage *image = liveImage(module);
  if (!image || !count)
    return image ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE;
  *count = static_cast<unsigned>(image->kernels.size());
  return CUDA_SUCCESS;
}

CUresult cuModuleEnumerateFunctions(CUfunction *functions, unsigned count, CUmodule module) {
  LoadedImage *image = liveImage(module);
  if (!image || !functions)
    return image ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE;
  for (unsigned i = 0; i < std::min<size_t>(count, image->kernels.size()); ++i)
    functions[i] = reinterpret_cast<CUfunction>(&image->kernels[i]);
  return CUDA_SUCCESS;
}

CUresult cuModuleGetGlobal(CUdeviceptr *address, size_t *bytes, CUmodule module, const char *name) {
  return withContext([&](Context &) {
    LoadedImage *image = liveImage(module);
    if (!image)
      return CUDA_ERROR_INVALID_HANDLE;
    if (!name)
      return CUDA_ERROR_INVALID_VALUE;
    auto placed = image->loaded->variable(name);
    if (!placed)
      return CUDA_ERROR_NOT_FOUND;
    if (address)
      *address = placed->address;
    if (bytes)
      *bytes = placed->bytes;
    return CUDA_SUCCESS;
  });
}

CUresult cuLibraryLoadData(CUlibrary *library, const void *code, CUjit_option *jitOptions, void **jitValues,
                           unsigned jitCount, int *, void **, unsigned) {
  if (!library)
    return CUDA_ERROR_INVALID_VALUE;
  LoadedImage *image = nullptr;
  CUresult result = load("cuLibraryLoadData", image, code, "ptx image", jitCount, jitOptions, jitValues);
  *library = reinterpret_cast<CUlibrary>(image);
  return result;
}

CUresult cuLibraryUnload(CUlibrary library) { return cuModuleUnload(reinterpret_cast<CUmodule>(library)); }

CUresult cuLibraryGetKernel(CUkernel *kernel, CUlibrary library, const char *name) {
  return cuModuleGetFunction(reinterpret_cast<CUfunction *>(kernel), reinterpret_cast<CUmodule>(library), name);
}

CUresult cuLibraryGetModule(CUmodule *module, CUlibrary library) {
  LoadedImage *image = liveImage(library);
  if (!image || !module)
    return image ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE;
  *module = reinterpret_cast<CUmodule>(image);
  return CUDA_SUCCESS;
}

CUresult cuKernelGetFunction(CUfunction *function, CUkernel handle) {
  Kernel *kernel = liveKernel(handle);
  if (!kernel || !function)
    return kernel ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE;
  *function = reinterpret_cast<CUfunction>(kernel);
  return CUDA_SUCCESS;
}

CUresult cuFuncGetAttribute(int *value, CUfunction_attribute attribute, CUfunction handle) {
  return withContext([&](Context &) {
    Kernel *kernel = liveKernel(handle);
    if (!kernel)
      return CUDA_ERROR_INVALID_HANDLE;
    if (!value)
      return CUDA_ERROR_INVALID_VALUE;
    const Chip &chip = Driver::get().chip();
    const ptx::Module &text = kernel->image->loaded->program().module;
    switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
      *value = static_cast<int>(maxThreadsOf(*kernel));
      break;
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
      *value = static_cast<int>(kernel->staticShared);
      break;
    case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES: {
      uint64_t bytes = 0;
      for (const Variable &variable : text.variables)
        bytes += variable.space == Space::Const ? variable.bytes : 0;
      *value = static_cast<int>(bytes);
      break;
    }
    case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
      *value = static_cast<int>(kernel->code().localBytes);
      break;
    case CU_FUNC_ATTRIBUTE_NUM_REGS:
      *value = static_cast<int>(registersOf(*kernel));
      break;
    case CU_FUNC_ATTRIBUTE_PTX_VERSION:
      *value = static_cast<int>(text.versionMajor * 10 + text.versionMinor);
      break;
    case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
      *value = static_cast<int>(chip.major * 10 + chip.minor);
      break;
    case CU_FUNC_ATTRIBUTE_CACHE_MODE_CA:
      *value = 0;
      break;
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
      *value = static_cast<int>(kernel->maxDynamicShared);
      break;
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
      *value = kernel->carveout;
      break;
    case CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET:
      *value = kernel->function().explicitCluster;
      break;
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH:
      *value = static_cast<int>(kernel->requiredCluster[attribute - CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH]);
      break;
    case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
      *value = kernel->nonPortableCluster;
      break;
    case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
      *value = kernel->clusterPolicy;
      break;
    default:
      return CUDA_ERROR_INVALID_VALUE;
    }
    return CUDA_SUCCESS;
  });
}

CUresult cuFuncSetAttribute(CUfunction handle, CUfunction_attribute attribute, int value) {
  return withContext([&](Context &) {
    Kernel *kernel = liveKernel(handle);
    if (!kernel)
      return CUDA_ERROR_INVALID_HANDLE;
    const Chip &chip = Driver::get().chip();
    switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: {
      int64_t most = int64_t{chip.sharedPerBlockOptin} - kernel->staticShared;
      if (value < 0 || value > most) {
        report("cuFuncSetAttribute", fmt::format("{}: dynamic shared memory must be 0 to {} bytes on {}, but found {}",
                                                 kernel->function().name, most, chip.name, value));
        return CUDA_ERROR_INVALID_VALUE;
      }
      kernel->maxDynamicShared = static_cast<uint32_t>(value);
      return CUDA_SUCCESS;
    }
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
      if (value < -1 || value > 100)
        return CUDA_ERROR_INVALID_VALUE;
      kernel->carveout = value;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT:
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH:
      if (value < 0)
        return CUDA_ERROR_INVALID_VALUE;
      kernel->requiredCluster[attribute - CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH] = static_cast<uint32_t>(value);
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
      kernel->nonPortableCluster = value != 0;
      return CUDA_SUCCESS;
    case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
      kernel->clusterPolicy = value;
      return CUDA_SUCCESS;
    default:
      return CUDA_ERROR_INVALID_VALUE;
    }
  });
}

CUresult cuFuncSetCacheConfig(CUfunction handle, CUfunc_cache) {
  return liveKernel(handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
}

CUresult cuFuncGetModule(CUmodule *module, CUfunction handle) {
  Kernel *kernel = liveKernel(handle);
  if (!kernel || !module)
    return kernel ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE;
  *module = reinterpret_cast<CUmodule>(kernel->image);
  return CUDA_SUCCESS;
}

CUresult cuFuncGetName(const char **name, CUfunction handle) {
  Kernel *kernel = liveKernel(handle);
  if (!kernel || !name)
    return kernel ? CUDA_ERROR_INVALID_VALUE : CUDA_ERROR_INVALID_HANDLE;
  // The map's key is NUL-terminated; the name within the text is not.
  *name = kernel->image->byName.find(kernel->function().name)->first.c_str();
  return CUDA_SUCCESS;
}

CUresult cuFuncGetParamInfo(CUfunction handle, size_t index, size_t *offset, size_t *size) {
  Kernel *kernel = liveKernel(handle);
  if (!kernel)
    return CUDA_ERROR_INVALID_HANDLE;
  if (!offset || index >= kernel->function().parameters.size())
    return CUDA_ERROR_INVALID_VALUE;
  *offset = kernel->code().parameterOffset[index];
  if (size)
    *size = kernel->function().parameters[index].bytes;
  return CUDA_SUCCESS;
}

} // namespace glm::cuda
