#include "codegen/schedule/KernelName.h"
#include "codegen/schedule/Launch.h"
#include "codegen/schedule/Passes.h"
#include "codegen/target/Target.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace glm {

#define GEN_PASS_DEF_OUTLINEKERNELS
#include "codegen/schedule/Passes.h.inc"

namespace {

/// Bytes of a buffer.
int64_t bytesOf(MemRefType type) { return type.getNumElements() * type.getElementTypeBitWidth() / 8; }

std::string safetensorsType(Type element) {
  if (element.isBF16())
    return "BF16";
  if (element.isF16())
    return "F16";
  if (element.isF32())
    return "F32";
  return "I32";
}

class OutlineKernelsPass : public impl::OutlineKernelsBase<OutlineKernelsPass> {
public:
  explicit OutlineKernelsPass(std::shared_ptr<const KernelFamilies> families)
      : families(std::move(families)), launches(*this->families) {}

  void runOnOperation() override {
    ModuleOp module = getOperation();
    for (auto global : llvm::make_early_inc_range(module.getOps<memref::GlobalOp>()))
      outlineCache(global);
    for (auto function : llvm::make_early_inc_range(module.getOps<func::FuncOp>()))
      if (failed(function->hasAttr(kLoadAttr) ? outlineLoad(function) : outlineStep(function)))
        return signalPassFailure();
  }

private:
  void outlineCache(memref::GlobalOp global) {
    OpBuilder builder(global);
    PlanBufferOp::create(builder, global.getLoc(), global.getSymName(), Space::Cache, /*offset=*/0,
                         bytesOf(cast<MemRefType>(global.getType())));
    global.erase();
  }

  LogicalResult outlineStep(func::FuncOp function) {
    symbols.clear();
    for (BlockArgument argument : function.getArguments())
      if (failed(declareArgument(function, argument)))
        return failure();
    OpBuilder builder(function);
    int64_t rows = cast<MemRefType>(function.getArgumentTypes().front()).getDimSize(0);
    auto program = PlanProgramOp::create(builder, function.getLoc(), function.getSymName(), rows);
    return outlineBody(function, program, program.getBody().emplaceBlock());
  }

  LogicalResult outlineLoad(func::FuncOp function) {
    OpBuilder builder(function);
    auto load = PlanLoadOp::create(builder, function.getLoc());
    return outlineBody(function, load, load.getBody().emplaceBlock());
  }

  LogicalResult outlineBody(func::FuncOp function, Operation *program, Block &body) {
    OpBuilder builder(program);
    for (Operation &op : function.getBody().front().without_terminator())
      if (failed(outlineOp(&op, function.getSymName(), builder, body)))
        return failure();
    function.erase();
    return success();
  }

  /// Inputs and the output belong to all programs: declared by the first, as large as the largest.
  LogicalResult declareArgument(func::FuncOp function, BlockArgument argument) {
    unsigned number = argument.getArgNumber();
    auto name = function.getArgAttrOfType<StringAttr>(number, "glm.name");
    auto offset = function.getArgAttrOfType<IntegerAttr>(number, "glm.offset");
    if (!name || !offset)
      return function.emitError("argument ")
             << number << " must have glm.name and glm.offset, but found " << function.getArgAttrDict(number);
    int64_t bytes = bytesOf(cast<MemRefType>(argument.getType()));
    symbols[argument] = FlatSymbolRefAttr::get(name);
    if (PlanBufferOp buffer = buffers.lookup(name.getValue())) {
      buffer.setBytes(std::max<int64_t>(buffer.getBytes(), bytes));
      return success();
    }
    OpBuilder builder = OpBuilder(function);
    Space space = name.getValue() == "logits" ? Space::Output : Space::Input;
    buffers[name.getValue()] = PlanBufferOp::create(builder, function.getLoc(), name, space, offset.getInt(), bytes);
    return success();
  }

  LogicalResult outlineOp(Operation *op, StringRef program, OpBuilder &declare, Block &body) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](WeightOp weight) { return declareWeight(weight, declare); })
        .Case([&](memref::AllocOp alloc) { return declareTemporary(alloc, program, declare); })
        .Case([&](memref::GetGlobalOp global) {
          symbols[global.getResult()] = FlatSymbolRefAttr::get(global.getNameAttr().getAttr());
          return success();
        })
        .Case([&](KernelOpInterface kernel) { return outlineKernel(kernel, declare, body); })
        .Default([&](Operation *other) -> LogicalResult {
          return other->emitError("kernel phase must hold kernel ops, buffers and weights, but found ")
                 << other->getName();
        });
  }

  LogicalResult declareTemporary(memref::AllocOp alloc, StringRef program, OpBuilder &builder) {
    auto offset = alloc->getAttrOfType<IntegerAttr>("glm.offset");
    if (!offset)
      return alloc.emitError("buffer must have glm.offset (glm-plan-memory), but found none");
    std::string name = llvm::formatv("{0}.b{1}", program, symbols.size());
    PlanBufferOp::create(builder, alloc.getLoc(), name, Space::Arena, offset.getInt(), bytesOf(alloc.getType()));
    symbols[alloc.getResult()] = FlatSymbolRefAttr::get(&getContext(), name);
    return success();
  }

  LogicalResult declareWeight(WeightOp weight, OpBuilder &builder) {
    auto type = weight.getType();
    StringRef name = weight.getName();
    if (weights.contains(keyOf(weight)))
      return success();
    bool stacked = name.contains("{}");
    int64_t count = stacked ? type.getDimSize(0) : 1;
    Form data = stacked ? Form::Table : Form::Data;
    SmallVector<int64_t> shape(type.getShape().drop_front(stacked ? 1 : 0));
    auto packed = dyn_cast_or_null<Nvfp4Attr>(type.getEncoding());
    if (!packed) {
      declareTensor(weight, builder, name, data, count, safetensorsType(type.getElementType()), shape, false);
      return success();
    }
    constexpr StringRef suffix = ".weight";
    if (!name.ends_with(suffix))
      return weight.emitError("packed weight must end in .weight, but found ") << name;
    bool modelOpt = packed.getSource() == PackedSource::ModelOpt;
    SmallVector<int64_t> codes = shape, scales = shape;
    codes.back() /= 2;
    scales.back() /= packed.getBlock();
    StringRef module = name.drop_back(suffix.size());
    if (packed.getTiled()) {
      int64_t bytes = Nvfp4Tile::down(shape[0]) * Nvfp4Tile::across(shape[1]) * Nvfp4Tile::kBytes;
      declareTensor(weight, builder, (module + ".tiles").str(), data, count, "U8", {bytes}, false, /*filled=*/true);
    } else {
      declareTensor(weight, builder, (module + (modelOpt ? ".weight" : ".weight_packed")).str(), data, count, "U8",
                    codes, false);
      declareTensor(weight, builder, (module + ".weight_scale").str(), data, count, "F8_E4M3", scales, false);
    }
    declareTensor(weight, builder, (module + (modelOpt ? ".weight_scale_2" : ".weight_global_scale")).str(),
                  Form::Scalars, count, "F32", {}, !modelOpt);
    if (packed.getQuantizedInputs())
      declareTensor(weight, builder, (module + (modelOpt ? ".input_scale" : ".input_global_scale")).str(),
                    Form::Scalars, count, "F32", {}, !modelOpt);
    return success();
  }

  void declareTensor(WeightOp weight, OpBuilder &builder, StringRef name, Form form, int64_t count, StringRef dtype,
                     ArrayRef<int64_t> shape, bool reciprocal, bool filled = false) {
    weights[keyOf(weight)].push_back(FlatSymbolRefAttr::get(&getContext(), name));
    // A weight in tiles has the scalars of the one that is stored.
    if (tensors.insert(name).second)
      PlanWeightOp::create(builder, weight.getLoc(), name, form, name, count, dtype, shape, reciprocal, filled);
  }

  static std::string keyOf(WeightOp weight) {
    return weight.getName().str() + (isTiled(weight.getType()) ? " tiled" : "");
  }

  LogicalResult outlineKernel(KernelOpInterface kernel, OpBuilder &declare, Block &body) {
    FailureOr<LaunchShape> shape = launches.shapeOf(kernel);
    if (failed(shape))
      return failure();
    FailureOr<StringAttr> name = kernelFor(kernel, *shape, declare);
    if (failed(name))
      return failure();
    SmallVector<Attribute> arguments;
    for (Value operand : kernel.launchOperands()) {
      if (auto weight = operand.getDefiningOp<WeightOp>())
        llvm::append_range(arguments, weights.lookup(keyOf(weight)));
      else
        arguments.push_back(symbols.lookup(operand));
    }
    OpBuilder builder = OpBuilder::atBlockEnd(&body);
    IntegerAttr blocks = onGpu() ? builder.getI64IntegerAttr(shape->blocks) : IntegerAttr();
    auto launch = PlanLaunchOp::create(builder, kernel.getLoc(), name->getValue(), builder.getArrayAttr(arguments),
                                       blocks, kernel->hasAttr(kOutputRowsAttr), /*tap=*/nullptr, /*tapped=*/nullptr,
                                       /*tap_type=*/nullptr, /*tap_width=*/nullptr);
    kernel->walk([&](KernelOpInterface each) {
      if (auto tap = each->getAttrOfType<StringAttr>(kTapAttr))
        addTap(each, launch, tap);
    });
    return success();
  }

  bool onGpu() { return isGpu(getOperation()->getAttrOfType<TargetAttr>(kTargetAttr)); }

  /// A tap shows the first buffer that the kernel writes.
  void addTap(KernelOpInterface kernel, PlanLaunchOp launch, StringAttr tap) {
    auto effects = cast<MemoryEffectOpInterface>(kernel.getOperation());
    for (OpOperand &operand : kernel->getOpOperands()) {
      SmallVector<MemoryEffects::EffectInstance> instances;
      effects.getEffectsOnValue(operand.get(), instances);
      if (llvm::none_of(instances, [](auto &instance) { return isa<MemoryEffects::Write>(instance.getEffect()); }))
        continue;
      auto type = cast<MemRefType>(operand.get().getType());
      launch.setTapAttr(tap);
      launch.setTappedAttr(symbols.lookup(operand.get()));
      launch.setTapType(safetensorsType(type.getElementType()));
      launch.setTapWidth(type.getNumElements() / type.getDimSize(0));
      return;
    }
  }

  FailureOr<StringAttr> kernelFor(KernelOpInterface kernel, LaunchShape shape, OpBuilder &declare) {
    StringAttr &name = kernels[kernelKey(kernel) + launches.shapeKey(kernel)];
    if (name)
      return name;
    std::string stem = kernelName(kernel), unique = stem;
    for (int number = 2; !kernelNames.insert(unique).second; ++number)
      unique = llvm::formatv("{0}_{1}", stem, number);
    name = StringAttr::get(&getContext(), unique);
    auto module = ModuleOp::create(declare, kernel.getLoc(), unique);
    module->setAttr(kTargetAttr, getOperation()->getAttr(kTargetAttr));
    if (onGpu())
      module->setAttr(kThreadsAttr, declare.getI64IntegerAttr(shape.threads));
    else if (kernel.isParallel())
      module->setAttr(kParallelAttr, UnitAttr::get(&getContext()));
    KernelBuilder builder(kernel, module, unique, shape.threads);
    if (failed(launches.build(kernel, builder)))
      return failure();
    builder.finish();
    return name;
  }

  std::shared_ptr<const KernelFamilies> families;
  Launches launches;
  llvm::DenseMap<Value, FlatSymbolRefAttr> symbols; ///< buffers of the function at hand
  llvm::StringMap<PlanBufferOp> buffers;            ///< inputs and outputs by name
  llvm::StringMap<SmallVector<Attribute>> weights;  ///< symbols of a weight's tensors, by its key
  llvm::StringSet<> tensors;                        ///< names of those
  llvm::StringMap<StringAttr> kernels;              ///< by key
  llvm::StringSet<> kernelNames;
};

} // namespace

std::unique_ptr<Pass> createOutlineKernelsPass(std::shared_ptr<const KernelFamilies> families) {
  return std::make_unique<OutlineKernelsPass>(std::move(families));
}

} // namespace glm
