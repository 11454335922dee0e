#include "test/codegen/harness/GpuKernel.h"

#include <gtest/gtest.h>
#include <stdexcept>

namespace glm::test {
namespace {

/// Memory of the device for one launch; the interpreter checks that nothing is touched beyond a piece.
class Memory {
public:
  explicit Memory(CudaDevice &device) : device(device) {}

  void *copy(std::span<const uint8_t> bytes) {
    auto allocated = device.allocate(bytes.size());
    if (!allocated)
      throw std::runtime_error(allocated.error().message);
    device.upload(allocated->address(), bytes.data(), bytes.size());
    held.push_back(std::move(*allocated));
    return held.back().address();
  }

private:
  CudaDevice &device;
  std::vector<Allocation> held;
};

} // namespace

Result<std::shared_ptr<GpuKernel>> GpuKernel::load(const std::filesystem::path &ptx, const glm::Kernel &kernel) {
  auto opened = CudaDevice::open(GLM_PTX_LIBRARY);
  if (!opened)
    return opened.error();
  auto result = std::make_shared<GpuKernel>();
  result->device = std::move(*opened);
  if (auto loaded = result->device->loadKernels(ptx, {kernel}); !loaded)
    return loaded.error();
  return result;
}

void GpuKernel::run(std::vector<Operand> &operands, const std::vector<size_t> &order, bool inTiles, int64_t rows,
                    int64_t blocks) const {
  Memory memory(*device);
  std::vector<std::vector<void *>> addresses; // of each operand's arguments
  for (const Operand &operand : operands) {
    std::vector<void *> &own = addresses.emplace_back();
    for (const Operand::Argument &argument : operand.arguments(inTiles)) {
      std::vector<void *> pieces;
      for (const std::vector<uint8_t> &piece : argument.pieces)
        pieces.push_back(memory.copy(piece));
      auto *table = reinterpret_cast<const uint8_t *>(pieces.data());
      own.push_back(argument.table ? memory.copy({table, pieces.size() * sizeof(void *)}) : pieces.front());
    }
  }
  Call call{0, blocks, RowCount::Step, {}};
  for (size_t number : order)
    call.arguments.insert(call.arguments.end(), addresses[number].begin(), addresses[number].end());
  device->setRows({rows, 0});
  device->launch(call);
  auto done = device->synchronize();
  ASSERT_TRUE(done) << done.error().message;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (!operands[i].isWritten())
      continue;
    std::vector<uint8_t> scratch, before = operands[i].bytes();
    auto *bytes = static_cast<const uint8_t *>(device->view(addresses[i].front(), before.size(), scratch));
    operands[i].setBytes({bytes, bytes + before.size()});
  }
}

} // namespace glm::test
