// Of KernelBuilder: from the pointers of a launch to memrefs.
#include "codegen/builder/KernelBuilder.h"

#include "codegen/target/Target.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <tuple>
#include <utility>

using namespace mlir;

namespace glm {
namespace {

/// Of a piece of shared memory: the widest access of a lane.
constexpr int64_t kSharedAlignment = 16;

} // namespace

KernelBuilder::KernelBuilder(Operation *op, ModuleOp module, StringRef name, int64_t threads)
    : ImplicitLocOpBuilder(op->getLoc(), module.getContext()) {
  auto target = op->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(kTargetAttr);
  gpu = target && isGpu(target);
  e2m1Conversion = target && hasE2m1Conversion(target);
  setInsertionPointToEnd(module.getBody());
  gpu ? enterGpuKernel(op, name, threads) : enterHostFunction(op, name);
}

void KernelBuilder::enterHostFunction(Operation *op, StringRef name) {
  Type pointer = LLVM::LLVMPointerType::get(getContext());
  function =
      func::FuncOp::create(*this, name, getFunctionType({pointer, getI64Type(), getI64Type(), getI64Type()}, {}));
  Block *entry = function.addEntryBlock();
  setInsertionPointToStart(entry);
  rowsValue = toIndex(entry->getArgument(1));
  threadValue = toIndex(entry->getArgument(2));
  threadsValue = toIndex(entry->getArgument(3));
  // All pointers are read here, before any store that LLVM could believe to change them.
  int64_t number = 0;
  keepPointers(op, [&] { return pointerAt(entry->getArgument(0), index(number++)); });
}

void KernelBuilder::enterGpuKernel(Operation *op, StringRef name, int64_t threads) {
  int64_t count = 1;
  for (Value operand : cast<KernelOpInterface>(op).launchOperands())
    count += pointers(operand);
  SmallVector<Type> types(count, LLVM::LLVMPointerType::get(getContext()));
  function = func::FuncOp::create(*this, name, getFunctionType(types, {}));
  Block *entry = function.addEntryBlock();
  setInsertionPointToStart(entry);
  unsigned number = 0;
  keepPointers(op, [&] { return entry->getArgument(number++); });
  rowsValue = toIndex(LLVM::LoadOp::create(*this, getI32Type(), toGlobal(entry->getArguments().back())));
  auto wide = [&](Value number) { return toIndex(arith::ExtUIOp::create(*this, getI64Type(), number)); };
  threadInBlock = wide(NVVM::ThreadIdXOp::create(*this, getI32Type()));
  allThreads = threads;
  enterBlocks(wide(NVVM::BlockIdXOp::create(*this, getI32Type())), wide(NVVM::GridDimXOp::create(*this, getI32Type())),
              threads);
}

void KernelBuilder::enterBlocks(Value block, Value blocks, int64_t threads) {
  blockValue = block;
  blocksValue = blocks;
  ownThreads = threads;
  threadsValue = mul(blocks, index(threads));
  threadValue = add(mul(block, index(threads)), threadInBlock);
}

void KernelBuilder::asKernel(Value first, Value count, int64_t threads, function_ref<void()> body) {
  Value place = sub(blockValue, first);
  when(both(less(index(-1), place), less(place, count)), [&] { withThreads(place, count, threads, body); });
  kept.clear();
  mostSharedBytes = std::max(mostSharedBytes, std::exchange(sharedBytes, 0));
}

void KernelBuilder::asPrologue(ValueRange keep, int64_t threads, function_ref<void()> body) {
  auto space = getI64IntegerAttr(static_cast<int64_t>(NVVM::NVVMMemorySpace::Shared));
  for (Value buffer : keep) {
    auto type = cast<MemRefType>(buffer.getType());
    kept[buffer] =
        sharedMemory(MemRefType::get(type.getShape(), type.getElementType(), MemRefLayoutAttrInterface(), space));
  }
  prologue = true;
  withThreads(blockValue, blocksValue, threads, body);
  prologue = false;
  barrier();
}

void KernelBuilder::withThreads(Value block, Value blocks, int64_t threads, function_ref<void()> body) {
  auto outer = std::tuple(blockValue, blocksValue, ownThreads, threadValue, threadsValue);
  auto enter = [&] {
    enterBlocks(block, blocks, threads);
    body();
  };
  threads < ownThreads ? when(less(threadInBlock, index(threads)), enter) : enter();
  std::tie(blockValue, blocksValue, ownThreads, threadValue, threadsValue) = outer;
}

void KernelBuilder::barrier() {
  if (ownThreads == allThreads) {
    LLVM::CallIntrinsicOp::create(*this, getStringAttr("llvm.nvvm.barrier.cta.sync.aligned.all"), ValueRange{i32(0)});
    return;
  }
  // A barrier has one number of threads at a time: those of a block that a prologue does not need wait at barrier 0.
  LLVM::CallIntrinsicOp::create(*this, getStringAttr("llvm.nvvm.barrier.cta.sync.aligned.count"),
                                ValueRange{i32(prologue ? 1 : 0), i32(static_cast<int32_t>(ownThreads))});
}

void KernelBuilder::keepPointers(Operation *op, function_ref<Value()> next) {
  for (Value operand : cast<KernelOpInterface>(op).launchOperands()) {
    SmallVector<Value, 4> found;
    for (int64_t i = 0; i < pointers(operand); ++i)
      found.push_back(next());
    pointersOf.try_emplace(operand, std::move(found));
  }
}

void KernelBuilder::finish() {
  func::ReturnOp::create(*this);
  if (gpu)
    function->getParentOfType<ModuleOp>()->setAttr(kSharedBytesAttr,
                                                   getI64IntegerAttr(std::max(mostSharedBytes, sharedBytes)));
}

int64_t KernelBuilder::pointers(Value operand) {
  auto tensor = dyn_cast<RankedTensorType>(operand.getType());
  auto packed = tensor ? dyn_cast_or_null<Nvfp4Attr>(tensor.getEncoding()) : Nvfp4Attr();
  return packed ? (packed.getTiled() ? 2 : 3) + packed.getQuantizedInputs() : 1;
}

Value KernelBuilder::pointerAt(Value table, Value number) {
  Type pointer = LLVM::LLVMPointerType::get(getContext());
  Value offset = arith::IndexCastOp::create(*this, getI64Type(), number);
  Value address = LLVM::GEPOp::create(*this, pointer, pointer, table, ValueRange{offset});
  Value loaded = LLVM::LoadOp::create(*this, pointer, address);
  return gpu ? toGlobal(loaded) : loaded;
}

Value KernelBuilder::toGlobal(Value pointer) {
  auto global = LLVM::LLVMPointerType::get(getContext(), static_cast<unsigned>(NVVM::NVVMMemorySpace::Global));
  Value address = LLVM::AddrSpaceCastOp::create(*this, global, pointer);
  // Back again: memrefs are of one space, and LLVM follows the casts.
  return LLVM::AddrSpaceCastOp::create(*this, pointer.getType(), address);
}

Value KernelBuilder::view(Value pointer, MemRefType type) {
  int64_t rank = type.getRank();
  Type sizes = LLVM::LLVMArrayType::get(getI64Type(), rank);
  // The descriptor that MLIR's memref lowering documents: allocated, aligned, offset, sizes, strides.
  auto descriptorType = LLVM::LLVMStructType::getLiteral(
      getContext(), {pointer.getType(), pointer.getType(), getI64Type(), sizes, sizes});
  Value descriptor = LLVM::PoisonOp::create(*this, descriptorType);
  auto set = [&](Value value, ArrayRef<int64_t> place) {
    descriptor = LLVM::InsertValueOp::create(*this, descriptor, value, place);
  };
  auto number = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(*this, getI64Type(), getI64IntegerAttr(value));
  };
  set(pointer, {0});
  set(pointer, {1});
  set(number(0), {2});
  int64_t stride = 1;
  for (int64_t dimension = rank - 1; dimension >= 0; --dimension) {
    // Nobody asks how many rows a buffer has: a kernel computes the live ones.
    int64_t size = type.isDynamicDim(dimension) ? 0 : type.getDimSize(dimension);
    set(number(size), {3, dimension});
    set(number(stride), {4, dimension});
    stride *= size;
  }
  return UnrealizedConversionCastOp::create(*this, type, descriptor).getResult(0);
}

Value KernelBuilder::buffer(Value operand) {
  Value inBlock = kept.lookup(operand);
  return inBlock ? inBlock : outerBuffer(operand);
}

Value KernelBuilder::published(Value output) {
  return kept.contains(output) && pointersOf.contains(output) ? outerBuffer(output) : Value();
}

Value KernelBuilder::outerBuffer(Value operand) {
  auto type = cast<MemRefType>(operand.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.front() = ShapedType::kDynamic;
  return view(pointersOf.at(operand).front(), MemRefType::get(shape, type.getElementType()));
}

Value KernelBuilder::vectorWeight(Value operand) {
  auto type = cast<RankedTensorType>(operand.getType());
  return view(pointersOf.at(operand).front(), MemRefType::get(type.getShape(), type.getElementType()));
}

static RankedTensorType matrixType(Value operand) {
  auto type = cast<RankedTensorType>(operand.getType());
  return RankedTensorType::get(type.getShape().take_back(2), type.getElementType(), type.getEncoding());
}

WeightMatrix KernelBuilder::weight(Value operand) {
  auto pointer = [](Value pointer) { return pointer; };
  return matrixAt(operand, pointer, index(0));
}

WeightMatrix KernelBuilder::expertWeight(Value operand, Value expert) {
  auto pointer = [&](Value table) { return pointerAt(table, expert); };
  return matrixAt(operand, pointer, expert);
}

WeightMatrix KernelBuilder::matrixAt(Value operand, function_ref<Value(Value)> pointer, Value number) {
  RankedTensorType type = matrixType(operand);
  ArrayRef<Value> left = pointersOf.at(operand);
  auto next = [&] { return std::exchange(left, left.drop_front()).front(); };
  auto scalar = [&] { return load(view(next(), MemRefType::get({ShapedType::kDynamic}, getF32Type())), number); };
  WeightMatrix matrix;
  matrix.rows = type.getDimSize(0);
  matrix.columns = type.getDimSize(1);
  matrix.element = type.getElementType();
  Value data = pointer(next());
  auto packed = dyn_cast_or_null<Nvfp4Attr>(type.getEncoding());
  if (!packed) {
    matrix.data = view(data, MemRefType::get(type.getShape(), type.getElementType()));
    return matrix;
  }
  matrix.block = packed.getBlock();
  matrix.tiled = packed.getTiled();
  if (matrix.tiled) {
    matrix.data =
        view(data, MemRefType::get({Nvfp4Tile::down(matrix.rows), Nvfp4Tile::across(matrix.columns), Nvfp4Tile::kBytes},
                                   getI8Type()));
  } else {
    matrix.data = view(data, MemRefType::get({matrix.rows, matrix.columns / 2}, getI8Type()));
    matrix.scales = view(pointer(next()), MemRefType::get({matrix.rows, matrix.columns / matrix.block}, getI8Type()));
  }
  matrix.global = scalar();
  if (!left.empty())
    matrix.inputScale = scalar();
  return matrix;
}

Value KernelBuilder::scratch(int64_t elements, Type type) {
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(&function.getBody().front());
  // A cache line, so that vectors of any chip lie in one.
  return memref::AllocaOp::create(*this, MemRefType::get({elements}, type), getI64IntegerAttr(64));
}

Value KernelBuilder::sharedMemory(MemRefType type) {
  auto module = function->getParentOfType<ModuleOp>();
  std::string name = (function.getName() + "_shared").str(); // PTX knows no dots in names
  auto space = static_cast<unsigned>(type.getMemorySpaceAsInt());
  // One array of a size that the launch gives: declared ones end at 48 KiB.
  if (!module.lookupSymbol(name)) {
    OpBuilder::InsertionGuard guard(*this);
    setInsertionPointToStart(module.getBody());
    LLVM::GlobalOp::create(*this, LLVM::LLVMArrayType::get(getI8Type(), 0), /*isConstant=*/false,
                           LLVM::Linkage::External, name, Attribute(), kSharedAlignment, space);
  }
  Type pointer = LLVM::LLVMPointerType::get(getContext(), space);
  Value base = LLVM::AddressOfOp::create(*this, pointer, name);
  auto offset = static_cast<int32_t>(sharedBytes);
  // Whole accesses: LLVM reads three floats as four where the address is a multiple of 16.
  sharedBytes += llvm::alignTo(type.getNumElements() * type.getElementTypeBitWidth() / 8, kSharedAlignment);
  return view(LLVM::GEPOp::create(*this, pointer, getI8Type(), base, ArrayRef<LLVM::GEPArg>{offset}), type);
}

Value KernelBuilder::constants(ArrayRef<float> values) {
  auto module = function->getParentOfType<ModuleOp>();
  auto type = MemRefType::get({static_cast<int64_t>(values.size())}, getF32Type());
  auto count = llvm::range_size(module.getOps<memref::GlobalOp>());
  std::string name = (function.getName() + ".constants" + Twine(count)).str();
  {
    OpBuilder::InsertionGuard guard(*this);
    setInsertionPointToStart(module.getBody());
    auto data = DenseElementsAttr::get(RankedTensorType::get(type.getShape(), getF32Type()), values);
    memref::GlobalOp::create(*this, name, getStringAttr("private"), type, data, /*constant=*/true,
                             /*alignment=*/IntegerAttr());
  }
  return memref::GetGlobalOp::create(*this, type, name);
}

} // namespace glm
