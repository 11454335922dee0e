// glm-opt: mlir-opt with the glm dialect, its passes and the phases of the compiler as pipelines.
#include "codegen/pipeline/Pipeline.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  glm::registerAllDialects(registry);
  glm::registerAllPasses();
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "glm optimizer driver\n", registry));
}
