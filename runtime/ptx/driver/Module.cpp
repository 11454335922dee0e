#include "runtime/ptx/driver/Module.h"

#include "runtime/ptx/driver/State.h"
#include "runtime/ptx/instructions/InstructionSet.h"
#include "runtime/ptx/text/Parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace glm::ptx {

using namespace cuda;

namespace {

constexpr uint32_t kMaxRegisters = 255; ///< per thread, every chip
constexpr uint32_t kRegisterUnit = 256; ///< registers are given to warps in these steps
constexpr uint32_t kSharedUnit = 128;   ///< bytes

uint64_t roundUp(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

/// The first bytes of what is not PTX text.
std::string_view binaryKind(const void *image) {
  uint32_t magic = 0;
  std::memcpy(&magic, image, 4);
  if (magic == 0x464c457f)
    return "a cubin";
  if (magic == 0xba55ed50 || magic == 0x466243b1)
    return "a fatbin";
  return {};
}

} // namespace

const Code &Kernel::code() const { return image->loaded->program().code[index]; }

CUresult loadImage(Context &context, std::string_view function, const void *image, std::string place,
                   LoadedImage *&result, std::string &log) {
  auto fail = [&](std::string message, CUresult code) {
    report(function, message);
    log = std::move(message);
    return code;
  };
  if (std::string_view kind = binaryKind(image); !kind.empty())
    return fail(fmt::format("{}: image must be PTX text, but found {}", place, kind), CUDA_ERROR_NO_BINARY_FOR_GPU);
  Driver &driver = Driver::get();
  auto parsed = parse(std::string(static_cast<const char *>(image)), place);
  if (!parsed)
    return fail(parsed.error().message, CUDA_ERROR_INVALID_PTX);
  auto program = decode(std::move(*parsed), driver.chip(), instructionSet(), place);
  if (!program)
    return fail(program.error().message, CUDA_ERROR_INVALID_PTX);
  auto loaded = LoadedModule::load(std::move(*program), driver.memory(), context.device);
  if (!loaded)
    return fail(loaded.error().message, CUDA_ERROR_OUT_OF_MEMORY);

  auto owned = std::make_unique<LoadedImage>();
  owned->context = &context;
  owned->loaded = std::move(*loaded);
  const Program &code = owned->loaded->program();
  for (uint32_t index = 0; index < code.module.functions.size(); ++index) {
    const Function &entry = code.module.functions[index];
    if (!entry.isEntry || !entry.isDefined)
      continue;
    Kernel &kernel = owned->kernels.emplace_back();
    kernel.image = owned.get();
    kernel.index = index;
    kernel.requiredCluster = entry.requiredCluster;
    kernel.staticShared = sharedLayout(code, index).bytes;
    kernel.maxDynamicShared =
        driver.chip().sharedPerBlock - std::min(kernel.staticShared, driver.chip().sharedPerBlock);
    owned->byName[std::string(entry.name)] = &kernel;
    driver.add(ObjectKind::Function, &kernel);
  }
  driver.add(ObjectKind::Module, owned.get());
  result = owned.release();
  return CUDA_SUCCESS;
}

void unloadImage(LoadedImage *image) {
  Driver &driver = Driver::get();
  for (Kernel &kernel : image->kernels)
    driver.remove(&kernel);
  driver.remove(image);
  delete image;
}

Kernel *liveKernel(const void *handle) {
  bool alive = Driver::get().alive(ObjectKind::Function, handle);
  return alive ? static_cast<Kernel *>(const_cast<void *>(handle)) : nullptr;
}

LoadedImage *liveImage(const void *handle) {
  bool alive = Driver::get().alive(ObjectKind::Module, handle);
  return alive ? static_cast<LoadedImage *>(const_cast<void *>(handle)) : nullptr;
}

uint32_t maxThreadsOf(const Kernel &kernel) {
  const Function &function = kernel.function();
  const auto &limit = function.requiredThreads[0] ? function.requiredThreads : function.maxThreads;
  return limit[0] ? limit[0] * std::max(limit[1], 1u) * std::max(limit[2], 1u) : kMaxThreadsPerBlock;
}

uint32_t registersOf(const Kernel &kernel) {
  const Function &function = kernel.function();
  if (function.maxRegisters)
    return function.maxRegisters;
  uint64_t words = 0;
  for (const Register &reg : function.registers)
    words += (bitsOf(reg.type) + 31) / 32;
  // No more than lets one block of the largest allowed shape run.
  uint64_t least = Driver::get().chip().registersPerSm / std::max(maxThreadsOf(kernel), 1u);
  return static_cast<uint32_t>(std::clamp<uint64_t>(words, 16, std::min<uint64_t>(kMaxRegisters, least)));
}

uint32_t blocksPerMultiprocessor(const Kernel &kernel, uint32_t threads, uint64_t dynamicShared) {
  const Chip &chip = Driver::get().chip();
  if (threads == 0 || threads > maxThreadsOf(kernel))
    return 0;
  uint32_t warps = (threads + kWarpSize - 1) / kWarpSize;
  uint64_t registers = roundUp(uint64_t{registersOf(kernel)} * kWarpSize, kRegisterUnit) * warps;
  uint64_t shared = kernel.staticShared + dynamicShared;
  if (shared > chip.sharedPerBlockOptin)
    return 0;
  uint64_t blocks = std::min<uint64_t>(chip.blocksPerSm, chip.threadsPerSm / (warps * kWarpSize));
  blocks = std::min(blocks, chip.registersPerSm / std::max<uint64_t>(registers, 1));
  return static_cast<uint32_t>(std::min(blocks, chip.sharedPerSm / roundUp(shared + chip.sharedReserved, kSharedUnit)));
}

} // namespace glm::ptx
