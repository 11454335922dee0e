#include "codegen/schedule/Launch.h"
#include "codegen/schedule/Passes.h"
#include "codegen/target/Target.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace glm {

#define GEN_PASS_DECL_FUSELAUNCHES
#define GEN_PASS_DEF_FUSELAUNCHES
#include "codegen/schedule/Passes.h.inc"

namespace {

/// What a block keeps of a norm: with the sums of a product it stays within the 48 KiB that every chip gives without asking.
constexpr int64_t kMostKeptBytes = 32 << 10;
/// Rows that every block normalises for itself: more, and they would read the activations more often than the weights.
constexpr int64_t kMostNormRows = 1;
/// Rows that one block routes: one a warp.
constexpr int64_t kMostRouteRows = 8;
/// Rows whose attention every block of the values joins for itself, and whose experts one block adds up for all.
constexpr int64_t kMostJoinRows = 1;
/// Products behind one norm: each computes it again.
constexpr size_t kMostProducts = 2;

int64_t rowsOf(Value buffer) { return cast<MemRefType>(buffer.getType()).getDimSize(0); }

int64_t bytesOf(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  return type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

bool touches(Operation *op, Value buffer, bool onlyWrites) {
  SmallVector<MemoryEffects::EffectInstance> effects;
  if (auto declared = dyn_cast<MemoryEffectOpInterface>(op))
    declared.getEffectsOnValue(buffer, effects);
  return llvm::any_of(effects,
                      [&](auto &effect) { return !onlyWrites || isa<MemoryEffects::Write>(effect.getEffect()); });
}

bool isTouchedBetween(Value buffer, Operation *first, Operation *last, bool onlyWrites) {
  for (Operation *op = first->getNextNode(); op && op != last; op = op->getNextNode())
    if (touches(op, buffer, onlyWrites))
      return true;
  return false;
}

/// The ops that use `buffer`, in the order of the program.
SmallVector<Operation *> usersOf(Value buffer) {
  llvm::SetVector<Operation *> users(buffer.user_begin(), buffer.user_end());
  SmallVector<Operation *> sorted = users.takeVector();
  llvm::sort(sorted, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return sorted;
}

void eraseIfUnused(Value buffer) {
  if (auto allocation = buffer.getDefiningOp<memref::AllocOp>(); allocation && allocation->use_empty())
    allocation.erase();
}

class LaunchFuser {
public:
  /// `arrivals` gives memory of the device for what is counted, zero before the first step.
  LaunchFuser(func::FuncOp step, const KernelFamilies &families, TargetAttr target,
              function_ref<Value(OpBuilder &)> arrivals)
      : step(step), families(families), target(target), arrivals(arrivals) {}

  void run() {
    forEach<KernelNormOp>([&](KernelNormOp norm) { foldAddition(norm); });
    forEach<KernelRopeOp>([&](KernelRopeOp rope) { separate(rope); });
    forEach<KernelNormOp>([&](KernelNormOp norm) { moveIntoProducts(norm); });
    forEach<KernelGroupRowsOp>([&](KernelGroupRowsOp group) { joinRoute(group); });
    forEach<KernelSparseMlaJoinOp>([&](KernelSparseMlaJoinOp join) { joinInValues(join); });
    forEach<KernelMoeCombineOp>([&](KernelMoeCombineOp combine) { combineInDown(combine); });
  }

private:
  template <typename Op>
  void forEach(function_ref<void(Op)> body) {
    for (Op op : llvm::make_early_inc_range(step.front().getOps<Op>()))
      body(op);
  }

  void missed(Operation *op, StringRef reason) {
    auto options = remark::RemarkOpts::name("not-fused").category("glm-fuse-launches").function(step.getSymName());
    remark::missed(op->getLoc(), options) << remark::detail::Remark::Arg("Reason", reason);
  }

  //===-- input + delta -----------------------------------------------------------------------------------------===//

  void foldAddition(KernelNormOp norm) {
    Value delta = norm.getDelta();
    if (!delta)
      return;
    SmallVector<Operation *> users = usersOf(delta);
    if (users.size() != 2 || users.back() != norm)
      return missed(norm, "what is added is read by others too");
    Operation *producer = users.front();
    if (!cast<MemRefType>(norm.getInput().getType()).getElementType().isF32() ||
        norm.getSum().getType() != norm.getInput().getType() || delta.getType() != norm.getSum().getType())
      return missed(norm, "the sum is rounded");
    if (isTouchedBetween(norm.getSum(), producer, norm, /*onlyWrites=*/false) ||
        isTouchedBetween(norm.getInput(), producer, norm, /*onlyWrites=*/true))
      return missed(norm, "the sum is in use when the product is computed");
    Operation *added = addResidual(producer, norm);
    if (!added)
      return missed(norm, "no product makes what is added");
    if (Attribute tap = norm->getAttr(kTapAttr)) // of the sum
      added->setAttr(kTapAttr, tap);
    OpBuilder builder(norm);
    auto alone = KernelNormOp::create(builder, norm.getLoc(), norm.getSum(), /*delta=*/Value(), norm.getWeight(),
                                      norm.getBias(), /*sum=*/Value(), norm.getOutput(), norm.getNorm(), norm.getEps());
    if (Attribute rows = norm->getAttr(kOutputRowsAttr))
      alone->setAttr(kOutputRowsAttr, rows);
    norm.erase();
    eraseIfUnused(delta);
  }

  /// Replaces the producer of a norm's delta by one that adds the norm's input too, if it is a product that can.
  Operation *addResidual(Operation *producer, KernelNormOp norm) {
    OpBuilder builder(producer);
    Operation *added = nullptr;
    auto gemm = dyn_cast<KernelGemmOp>(producer);
    auto combine = dyn_cast<KernelMoeCombineOp>(producer);
    if (gemm && gemm.getEpilogue() == Epilogue::Store && gemm.getOutputs().size() == 1 && !gemm.getResidual())
      added = KernelGemmOp::create(builder, gemm.getLoc(), gemm.getInput(), gemm.getWeights(), norm.getInput(),
                                   ValueRange{norm.getSum()}, Epilogue::Store);
    else if (combine && !combine.getResidual())
      added = KernelMoeCombineOp::create(builder, combine.getLoc(), combine.getInput(), combine.getWeights(),
                                         combine.getShared(), norm.getInput(), norm.getSum());
    else
      return nullptr;
    for (NamedAttribute attribute : producer->getDiscardableAttrs())
      added->setAttr(attribute.getName(), attribute.getValue());
    producer->erase();
    return added;
  }

  //===-- rope in place -----------------------------------------------------------------------------------------===//

  void separate(KernelRopeOp rope) {
    if (rope.getInput() != rope.getOutput())
      return;
    SmallVector<Operation *> users = usersOf(rope.getInput());
    auto readsOtherColumns = [&](Operation *user) {
      auto gemm = dyn_cast<KernelHeadGemmOp>(user);
      return gemm && gemm.getTransposed() && gemm.getHeads() == rope.getHeads() &&
             gemm.getRowCount() <= rope.getOffset() && gemm.getOutput() != rope.getInput();
    };
    if (llvm::none_of(users, readsOtherColumns))
      return;
    OpBuilder builder(rope);
    Value turned =
        memref::AllocOp::create(builder, rope.getLoc(), cast<MemRefType>(rope.getOutput().getType())).getResult();
    for (Operation *user : users)
      if (rope->isBeforeInBlock(user) && !readsOtherColumns(user))
        user->replaceUsesOfWith(rope.getInput(), turned);
    rope.getOutputMutable().assign(turned);
  }

  //===-- prologues ---------------------------------------------------------------------------------------------===//

  bool fitsPrologue(Operation *op) const {
    Choice choice = chooseFamily(families, op, target);
    return choice.family && choice.family->fitsPrologue(op);
  }

  KernelFusedOp fuse(Operation *place, Operation *prologue, Operation *kernel) {
    OpBuilder builder(place);
    auto fused = KernelFusedOp::create(builder, kernel->getLoc(), Fusion::Prologue);
    Block &body = fused.getBody().emplaceBlock();
    for (Operation *op : {prologue, kernel}) {
      if (op->getBlock())
        op->remove();
      body.push_back(op);
    }
    if (Attribute rows = kernel->getAttr(kOutputRowsAttr))
      fused->setAttr(kOutputRowsAttr, rows);
    return fused;
  }

  void moveIntoProducts(KernelNormOp norm) {
    Value normed = norm.getOutput();
    if (rowsOf(normed) > kMostNormRows || bytesOf(normed) > kMostKeptBytes || norm->hasAttr(kTapAttr) ||
        !fitsPrologue(norm) || !normed.getDefiningOp<memref::AllocOp>())
      return;
    SmallVector<KernelGemmOp> products;
    SmallVector<Operation *> users = usersOf(normed);
    for (Operation *user : users)
      if (auto gemm = dyn_cast<KernelGemmOp>(user))
        products.push_back(gemm);
    if (products.empty() || products.size() > kMostProducts)
      return missed(norm, "no product follows, or more than two");
    if (users[1] != products.front())
      return missed(norm, "another kernel reads it before the first product");
    if (isTouchedBetween(norm.getInput(), norm, products.back(), /*onlyWrites=*/true))
      return missed(norm, "what is normalised changes before the last product");
    // Whoever reads it otherwise finds it where it was; the first product leaves it there.
    bool isReadOtherwise = users.size() > products.size() + 1;
    for (KernelGemmOp gemm : products) {
      auto fused = fuse(gemm, norm->clone(), gemm);
      if (isReadOtherwise && gemm == products.front())
        continue;
      OpBuilder builder = OpBuilder::atBlockBegin(&fused.getBody().front());
      Value inner = memref::AllocOp::create(builder, norm.getLoc(), cast<MemRefType>(normed.getType()));
      for (KernelOpInterface kernel : fused.kernels())
        kernel->replaceUsesOfWith(normed, inner);
    }
    norm.erase();
    eraseIfUnused(normed);
  }

  void joinRoute(KernelGroupRowsOp group) {
    Value experts = group.getExperts();
    auto route = dyn_cast<KernelRouteOp>(usersOf(experts).front());
    if (!route || rowsOf(experts) > kMostRouteRows || !fitsPrologue(route) ||
        isTouchedBetween(experts, route, group, /*onlyWrites=*/false) ||
        isTouchedBetween(route.getWeights(), route, group, /*onlyWrites=*/false))
      return;
    fuse(group, route, group);
  }

  //===-- two kernels in one ------------------------------------------------------------------------------------===//

  /// `both` instead of two kernels, if there is a family for it: its attributes are those of the second.
  bool replace(Operation *first, Operation *second, Operation *both) {
    if (!chooseFamily(families, both, target).family) {
      both->erase();
      missed(second, "no family does both");
      return false;
    }
    for (NamedAttribute attribute : second->getDiscardableAttrs())
      both->setAttr(attribute.getName(), attribute.getValue());
    second->erase();
    first->erase();
    return true;
  }

  bool countAlike(Operation *first, Operation *second) {
    return first->hasAttr(kOutputRowsAttr) == second->hasAttr(kOutputRowsAttr);
  }

  void joinInValues(KernelSparseMlaJoinOp join) {
    Value joined = join.getOutput();
    SmallVector<Operation *> users = usersOf(joined);
    auto values = dyn_cast<KernelHeadGemmOp>(users.back());
    if (rowsOf(joined) > kMostJoinRows || join->hasAttr(kTapAttr) || users.size() != 2 || !values ||
        values.getTransposed() || !countAlike(join, values) ||
        values.getOutput().getType().getElementType() != cast<MemRefType>(joined.getType()).getElementType())
      return;
    if (isTouchedBetween(join.getSums(), join, values, /*onlyWrites=*/true) ||
        isTouchedBetween(join.getStats(), join, values, /*onlyWrites=*/true))
      return missed(values, "the parts change before the values");
    OpBuilder builder(values);
    auto both = KernelSparseMlaValuesOp::create(builder, values.getLoc(), join.getSums(), join.getStats(),
                                                values.getWeight(), values.getOutput(), values.getHeads(),
                                                values.getHeadRows(), values.getRowBegin(), values.getRowCount());
    if (replace(join, values, both))
      eraseIfUnused(joined);
  }

  void combineInDown(KernelMoeCombineOp combine) {
    Value parts = combine.getInput();
    SmallVector<Operation *> users = usersOf(parts);
    auto down = dyn_cast<KernelMoeDownOp>(users.front());
    if (rowsOf(combine.getOutput()) > kMostJoinRows || users.size() != 2 || !down || !countAlike(down, combine))
      return;
    for (Value read : {down.getInput(), down.getOffsets(), down.getEntries()})
      if (isTouchedBetween(read, down, combine, /*onlyWrites=*/true))
        return missed(combine, "what the experts read changes before their sum");
    OpBuilder builder(combine);
    Value counters = arrivals(builder);
    auto both = KernelMoeDownCombineOp::create(
        builder, combine.getLoc(), down.getInput(), down.getOffsets(), down.getEntries(), down.getDown(),
        combine.getWeights(), combine.getShared(), combine.getResidual(), combine.getOutput(), parts, counters);
    if (!replace(down, combine, both))
      counters.getDefiningOp()->erase();
  }

  func::FuncOp step;
  const KernelFamilies &families;
  TargetAttr target;
  function_ref<Value(OpBuilder &)> arrivals;
};

class FuseLaunchesPass : public impl::FuseLaunchesBase<FuseLaunchesPass> {
public:
  explicit FuseLaunchesPass(std::shared_ptr<const KernelFamilies> families) : families(std::move(families)) {}

  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(kTargetAttr);
    if (!target || !isGpu(target))
      return;
    counters = nullptr;
    auto arrivals = [&](OpBuilder &builder) { return countersFor(builder); };
    for (auto step : getOperation().getOps<func::FuncOp>())
      LaunchFuser(step, *families, target, arrivals).run();
    if (counters && SymbolTable::symbolKnownUseEmpty(counters, getOperation()))
      counters.erase();
  }

private:
  /// One counter for each 16 rows of the largest weight whose products are counted: launches that use them run one after the other.
  Value countersFor(OpBuilder &builder) {
    constexpr StringLiteral name = "arrivals";
    constexpr int64_t tile = 16;
    ModuleOp module = getOperation();
    if (!counters) {
      int64_t most = 0;
      module.walk([&](KernelMoeDownOp down) {
        most = std::max(most, llvm::divideCeilSigned(down.getOutput().getType().getShape().back(), tile));
      });
      auto inModule = OpBuilder::atBlockBegin(module.getBody());
      counters = memref::GlobalOp::create(inModule, module.getLoc(), name, builder.getStringAttr("private"),
                                          MemRefType::get({most}, builder.getI32Type()), builder.getUnitAttr(),
                                          /*constant=*/false, IntegerAttr());
    }
    return memref::GetGlobalOp::create(builder, counters.getLoc(), counters.getType(), name);
  }

  std::shared_ptr<const KernelFamilies> families;
  memref::GlobalOp counters;
};

} // namespace

std::unique_ptr<Pass> createFuseLaunchesPass(std::shared_ptr<const KernelFamilies> families) {
  return std::make_unique<FuseLaunchesPass>(std::move(families));
}

} // namespace glm
