#include "codegen/schedule/Launch.h"
#include "codegen/schedule/Passes.h"
#include "codegen/target/Target.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {

#define GEN_PASS_DECL_SPLITATTENTION
#define GEN_PASS_DEF_SPLITATTENTION
#include "codegen/schedule/Passes.h.inc"

namespace {

/// Rows of programs that are split. Of 16 parts of 64 heads with values of 512 columns, the sums of 16 rows are 34 MB, which stay in the
/// second-level cache of a large chip until they are joined; those of 64 rows would not.
constexpr int64_t kMostRows = 16;

void split(KernelSparseMlaOp whole, int64_t partSize) {
  OpBuilder builder(whole);
  MemRefType type = whole.getOutput().getType();
  int64_t parts = llvm::divideCeilSigned(whole.getIndices().getType().getShape().back(), partSize);
  auto allocate = [&](int64_t width) -> Value {
    return memref::AllocOp::create(builder, whole.getLoc(),
                                   MemRefType::get({type.getDimSize(0), width}, builder.getF32Type()));
  };
  Value sums = allocate(parts * type.getShape().back());
  Value stats = allocate(2 * parts * static_cast<int64_t>(whole.getHeads()));
  auto part = KernelSparseMlaPartOp::create(builder, whole.getLoc(), whole.getQueryLatent(), whole.getQuery(),
                                            whole.getLatent(), whole.getIndices(), whole.getSlots(), whole.getPages(),
                                            sums, stats, whole.getPageSize(), whole.getHeads(), whole.getRopeWidth(),
                                            whole.getScale(), partSize);
  auto join = KernelSparseMlaJoinOp::create(builder, whole.getLoc(), sums, stats, whole.getOutput(), whole.getHeads());
  join->setDiscardableAttrs(whole->getDiscardableAttrDictionary());
  if (Attribute rows = whole->getAttr(kOutputRowsAttr))
    part->setAttr(kOutputRowsAttr, rows);
  whole.erase();
}

class SplitAttentionPass : public impl::SplitAttentionBase<SplitAttentionPass> {
public:
  explicit SplitAttentionPass(std::shared_ptr<const KernelFamilies> families) : families(std::move(families)) {}

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTargetAttr);
    if (!target || !isGpu(target))
      return;
    for (auto step : getOperation().getOps<func::FuncOp>())
      for (auto whole : llvm::make_early_inc_range(step.front().getOps<KernelSparseMlaOp>()))
        visit(whole, target);
  }

private:
  void visit(KernelSparseMlaOp whole, TargetAttr target) {
    Choice choice = chooseFamily(*families, whole, target);
    int64_t partSize = choice.family ? choice.family->partSize(whole) : 0;
    if (partSize == 0 || whole.getIndices().getType().getShape().back() <= partSize)
      return;
    if (whole.getOutput().getType().getDimSize(0) <= kMostRows)
      return split(whole, partSize);
    whole.setPartSize(partSize);
  }

  std::shared_ptr<const KernelFamilies> families;
};

} // namespace

std::unique_ptr<Pass> createSplitAttentionPass(std::shared_ptr<const KernelFamilies> families) {
  return std::make_unique<SplitAttentionPass>(std::move(families));
}

} // namespace glm
