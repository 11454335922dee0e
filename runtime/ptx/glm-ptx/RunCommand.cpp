// A kernel launched through the driver API, as a host program would.
#include "runtime/artifact/Streams.h"
#include "runtime/artifact/WholeFile.h"
#include "runtime/cuda/Driver.h"
#include "runtime/ptx/glm-ptx/Arguments.h"
#include "runtime/ptx/glm-ptx/Commands.h"
#include "runtime/ptx/glm-ptx/Text.h"
#include "runtime/ptx/text/Parser.h"

#include <cstdlib>
#include <cstring>

namespace glm::ptx {
namespace {

using namespace cuda;

/// The driver has said on stderr what is wrong; this is where and how it ended.
Result<void> expect(CUresult code, const RunOptions &options, std::string_view what) {
  if (code == CUDA_SUCCESS)
    return {};
  const char *name = nullptr;
  if (cuGetErrorName(code, &name) != CUDA_SUCCESS)
    name = "an unknown error";
  return Error{fmt::format("{}: {}, but found {}", options.file.string(), what, name)};
}

/// The driver reads its options from the environment.
Result<void> configureDriver(const RunOptions &options, std::string_view target) {
  Result<const Chip *> chip = chooseChip(options.chip, target);
  if (!chip)
    return chip.error();
  setenv("GLM_PTX_CHIP", std::string((*chip)->name).c_str(), 1);
  if (options.noChecks)
    setenv("GLM_PTX_CHECKS", "0", 1);
  if (options.threads)
    setenv("GLM_PTX_THREADS", std::to_string(options.threads).c_str(), 1);
  if (options.stepLimit)
    setenv("GLM_PTX_STEP_LIMIT", std::to_string(options.stepLimit).c_str(), 1);
  if (!options.profile.empty()) {
    if (Result<void> writable = checkFileTarget(options.profile); !writable)
      return writable;
    setenv("GLM_PTX_PROFILE", options.profile.c_str(), 1);
  }
  return {};
}

/// Along dimension `d`; 1 where nothing was said.
uint32_t sizeOf(const std::vector<uint32_t> &sizes, size_t d) { return d < sizes.size() ? sizes[d] : 1; }

class Launch {
public:
  explicit Launch(const RunOptions &options) : options(options) {}

  Result<void> load() {
    if (auto done = expect(cuInit(0), options, "the driver must start"); !done)
      return done;
    CUcontext context = nullptr;
    cuDevicePrimaryCtxRetain(&context, 0);
    cuCtxSetCurrent(context);
    if (auto done = expect(cuModuleLoad(&module, options.file.c_str()), options, "text must load"); !done)
      return done;
    return expect(cuModuleGetFunction(&function, module, options.kernel.c_str()), options,
                  fmt::format("kernel {} must be in the text", options.kernel));
  }

  /// Numbers as they are, buffers as addresses of device memory.
  Result<void> prepare(const std::vector<std::string> &texts) {
    size_t offset = 0, bytes = 0, count = 0;
    while (cuFuncGetParamInfo(function, count, &offset, &bytes) == CUDA_SUCCESS)
      ++count;
    if (texts.size() != count)
      return Error{fmt::format("{}: kernel {} must get an --arg for each of its {} parameters, but found {}",
                               options.file.string(), options.kernel, count, texts.size())};
    for (size_t index = 0; index < count; ++index) {
      Result<Argument> argument = parseArgument(texts[index]);
      if (!argument)
        return argument.error();
      if (argument->buffer)
        if (Result<void> done = upload(*argument); !done)
          return done;
      cuFuncGetParamInfo(function, index, &offset, &bytes);
      if (argument->value.size() != bytes)
        return Error{fmt::format("--arg={}: argument must have the {} bytes of its parameter, but found {}",
                                 texts[index], bytes, argument->value.size())};
      arguments.push_back(std::move(*argument));
    }
    return {};
  }

  Result<void> run() {
    if (options.dynamicShared)
      cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                         static_cast<int>(options.dynamicShared));
    std::vector<void *> parameters;
    for (Argument &argument : arguments)
      parameters.push_back(argument.value.data());
    std::vector<CUlaunchAttribute> attributes = launchAttributes();
    CUlaunchConfig config{};
    config.gridDimX = sizeOf(options.grid, 0), config.gridDimY = sizeOf(options.grid, 1),
    config.gridDimZ = sizeOf(options.grid, 2);
    config.blockDimX = sizeOf(options.block, 0), config.blockDimY = sizeOf(options.block, 1),
    config.blockDimZ = sizeOf(options.block, 2);
    config.sharedMemBytes = options.dynamicShared;
    config.attrs = attributes.data();
    config.numAttrs = static_cast<unsigned>(attributes.size());
    if (auto done = expect(cuLaunchKernelEx(&config, function, parameters.data(), nullptr), options,
                           fmt::format("kernel {} must be launched", options.kernel));
        !done)
      return done;
    return expect(cuCtxSynchronize(), options, fmt::format("kernel {} must run without a fault", options.kernel));
  }

  Result<void> writeResults() {
    for (Argument &argument : arguments) {
      if (argument.result.empty())
        continue;
      CUdeviceptr address = 0;
      std::memcpy(&address, argument.value.data(), sizeof(address));
      Array &array = *argument.buffer;
      if (auto done =
              expect(cuMemcpyDtoH(array.data.data(), address, array.data.size()), options, "a result must be readable");
          !done)
        return done;
      if (auto written = writeNpy(argument.result, array); !written)
        return written;
    }
    return {};
  }

private:
  Result<void> upload(Argument &argument) {
    const std::vector<std::byte> &data = argument.buffer->data;
    CUdeviceptr address = 0;
    if (auto done = expect(cuMemAlloc(&address, std::max<size_t>(data.size(), 1)), options,
                           fmt::format("a buffer of {} bytes must fit the device", data.size()));
        !done)
      return done;
    argument.value.resize(sizeof(address));
    std::memcpy(argument.value.data(), &address, sizeof(address));
    return data.empty() ? Result<void>{}
                        : expect(cuMemcpyHtoD(address, data.data(), data.size()), options, "a buffer must be writable");
  }

  std::vector<CUlaunchAttribute> launchAttributes() const {
    std::vector<CUlaunchAttribute> attributes;
    if (!options.cluster.empty()) {
      CUlaunchAttribute &cluster = attributes.emplace_back();
      cluster.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
      cluster.value.clusterDim.x = sizeOf(options.cluster, 0), cluster.value.clusterDim.y = sizeOf(options.cluster, 1),
      cluster.value.clusterDim.z = sizeOf(options.cluster, 2);
    }
    if (options.cooperative) {
      CUlaunchAttribute &cooperative = attributes.emplace_back();
      cooperative.id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE;
      cooperative.value.cooperative = 1;
    }
    return attributes;
  }

  const RunOptions &options;
  CUmodule module = nullptr;
  CUfunction function = nullptr;
  std::vector<Argument> arguments;
};

} // namespace

Result<void> runCommand(const RunOptions &options) {
  Result<std::string> text = readText(options.file);
  if (!text)
    return text.error();
  // Parsed here for the chip that it names.
  Result<Module> module = parse(std::move(*text), options.file.string());
  if (!module)
    return module.error();
  if (Result<void> configured = configureDriver(options, module->target); !configured)
    return configured;
  Launch launch(options);
  if (Result<void> done = launch.load(); !done)
    return done;
  if (Result<void> done = launch.prepare(options.arguments); !done)
    return done;
  if (Result<void> done = launch.run(); !done)
    return done;
  return launch.writeResults();
}

} // namespace glm::ptx
