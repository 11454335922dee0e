#include "passes/model/Remarks.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;

void glm::remarkMissed(Operation *operation, StringRef pass, StringRef reason) {
  auto function = operation->getParentOfType<func::FuncOp>();
  auto options =
      remark::RemarkOpts::name("not-fused").category(pass).function(function ? function.getName() : StringRef());
  remark::missed(operation->getLoc(), options) << remark::detail::Remark::Arg("Reason", reason);
}
