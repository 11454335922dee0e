// A compiled kernel on a GPU's driver: operands are copied there, and back.
#pragma once

#include "runtime/device/CudaDevice.h"
#include "test/codegen/harness/Operand.h"

#include <memory>

namespace glm::test {

class GpuKernel {
public:
  /// Load the one kernel of a file of PTX by the driver that interprets it, for the chip that GLM_PTX_CHIP names.
  static Result<std::shared_ptr<GpuKernel>> load(const std::filesystem::path &ptx, const glm::Kernel &kernel);

  /// Launch it with so many blocks. `order` is the operand for each operand of the op; packed weights lie `inTiles` or as they are stored; what
  /// is written comes back.
  void run(std::vector<Operand> &operands, const std::vector<size_t> &order, bool inTiles, int64_t rows,
           int64_t blocks) const;

private:
  std::unique_ptr<CudaDevice> device;
};

} // namespace glm::test
