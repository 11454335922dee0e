// PTX ISA, "Asynchronous Warpgroup Level Matrix Instructions". A warp w of the four computes rows 16w to 16w + 15 of D on its
// own: they depend on these rows of A and on B alone.
#include "runtime/ptx/matrix/Wgmma.h"

#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/matrix/Accumulate.h"
#include "runtime/ptx/matrix/Fragment.h"
#include "runtime/ptx/matrix/MatrixState.h"
#include "runtime/ptx/matrix/Shape.h"
#include "runtime/ptx/matrix/SharedMatrix.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace glm::ptx {

namespace {

constexpr int kRowBlocks = 2; ///< of a warp's share of A and D
constexpr int kKBlocks = 2;   ///< every form takes 32 bytes of k
constexpr int kRegistersA = 4;
constexpr uint64_t kWgmmaTokens = 0x5700000000000000; ///< above every address (Access.h, release)

/// Slots of an operation: 0 the descriptor of A (if it lies in memory), 1 of B, 2 the predicate scale-d (if it is no
/// constant); in more: d, then the registers of A.
struct WgmmaPlan {
  Element a = Element::F16, b = Element::F16;
  Type accumulator = Type::F32;
  int nBlocks = 0;
  int registersD = 0;
  bool addsAlways = false, addsNever = false;
  bool negatesA = false, negatesB = false;
  bool mnMajorA = false, mnMajorB = false;
  bool saturates = false;
  bool hasRegistersA = false;
};

const WgmmaPlan &planOf(const Op &op) { return *static_cast<const WgmmaPlan *>(op.extra); }

WgmmaQueue &queueOf(Warp &warp) { return matrixState(*warp.block).wgmma[warp.index]; }

/// What wgmma.wait_group acquires.
uint64_t tokenOf(const Warp &warp) { return kWgmmaTokens | warp.agent; }

/// A's row tile of this warp, and all of B.
OperandTile tileA(const Warp &warp, const WgmmaPlan &plan) {
  return {.firstRow = warp.index % 4 * 16,
          .rowBlocks = kRowBlocks,
          .kBlocks = kKBlocks,
          .isMnMajor = plan.mnMajorA,
          .elementBits = 16};
}
OperandTile tileB(const WgmmaPlan &plan) {
  return {.firstRow = 0,
          .rowBlocks = static_cast<uint32_t>(plan.nBlocks),
          .kBlocks = kKBlocks,
          .isMnMajor = plan.mnMajorB,
          .elementBits = 16};
}

/// Tell the race check what an operation reads.
bool startReading(Warp &warp, const Op &op, const SharedMatrix &matrix, const OperandTile &tile,
                  WgmmaOperation &operation) {
  std::optional<LaunchFault> fault;
  uint64_t id = inFlight(*warp.block, rangesOf(matrix, tile), false, warp, op, fault);
  if (fault) {
    warp.block->grid->fault = std::move(fault);
    return false;
  }
  if (id)
    operation.flights.push_back(id);
  return true;
}

std::vector<std::byte> gathered(const Warp &warp, const SharedMatrix &matrix, const OperandTile &tile, bool &inside) {
  std::vector<std::byte> blocks(static_cast<size_t>(tile.rowBlocks) * tile.kBlocks * kCoreBytes);
  inside = gatherBlocks(matrix, tile, warp.block->shared.data(), warp.block->shared.size(), blocks.data());
  return blocks;
}

/// The rows of A as core matrices in the order of multiplyAdd.
std::vector<std::byte> blocksOfA(Warp &warp, const WgmmaOperation &operation, const WgmmaPlan &plan, bool &inside) {
  if (!plan.hasRegistersA) {
    SharedMatrix matrix;
    decodeWgmmaDescriptor(operation.descriptorA, matrix);
    return gathered(warp, matrix, tileA(warp, plan), inside);
  }
  std::vector<std::byte> blocks(kRegistersA * kCoreBytes);
  for (int k = 0; k < kKBlocks; ++k)
    for (int row = 0; row < kRowBlocks; ++row)
      std::memcpy(blocks.data() + (row * kKBlocks + k) * kCoreBytes,
                  operation.registersA.data() + (k * kRowBlocks + row) * kWarpSize, kCoreBytes);
  return blocks;
}

void multiplyFloats(const Grid &grid, const WgmmaPlan &plan, bool adds, const std::vector<std::byte> &blocksA,
                    const std::vector<std::byte> &blocksB, WgmmaAccumulator &accumulator) {
  int perRow = elementsPerRow(plan.a);
  std::vector<float> a(blocksA.size() / kCoreBytes * kCoreRows * static_cast<size_t>(perRow));
  std::vector<float> b(blocksB.size() / kCoreBytes * kCoreRows * static_cast<size_t>(perRow)), transposed(b.size());
  floatDecoder(plan.a)(blocksA.data(), a.size(), a.data());
  floatDecoder(plan.b)(blocksB.data(), b.size(), b.data());
  if (plan.negatesA != plan.negatesB)
    for (float &value : a)
      value = -value;
  transposeBlocks(transposed.data(), b.data(), blocksB.size() / kCoreBytes, perRow);
  if (!adds)
    std::fill(accumulator.floats.begin(), accumulator.floats.end(), 0.0f);
  accumulate(grid, plan.a, accumulator.floats.data(), a.data(), transposed.data(), kRowBlocks, plan.nBlocks, kKBlocks,
             perRow);
  if (plan.accumulator == Type::F16) {
    // Every instruction gives f16.
    std::vector<std::byte> halves(accumulator.floats.size() * 2);
    coreLanes().roundToHalves(accumulator.floats.data(), accumulator.floats.size(), halves.data());
    floatDecoder(Element::F16)(halves.data(), accumulator.floats.size(), accumulator.floats.data());
  }
}

void addInts(const WgmmaPlan &plan, bool adds, const std::vector<int32_t> &sums, WgmmaAccumulator &accumulator) {
  for (size_t i = 0; i < sums.size(); ++i) {
    int64_t sum = static_cast<int64_t>(adds ? accumulator.ints[i] : 0) + sums[i];
    if (plan.saturates)
      sum = std::clamp<int64_t>(sum, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
    accumulator.ints[i] = static_cast<int32_t>(sum);
  }
}

void multiplyInts(const WgmmaPlan &plan, bool adds, const std::vector<std::byte> &blocksA,
                  const std::vector<std::byte> &blocksB, WgmmaAccumulator &accumulator) {
  int perRow = elementsPerRow(plan.a);
  std::vector<int32_t> sums(accumulator.ints.size());
  if (plan.a == Element::B1) {
    for (int m = 0; m < kRowBlocks; ++m)
      for (int n = 0; n < plan.nBlocks; ++n)
        for (int k = 0; k < kKBlocks; ++k)
          for (int row = 0; row < kCoreRows; ++row)
            for (int column = 0; column < kCoreRows; ++column) {
              uint64_t left[2], right[2];
              std::memcpy(left, blocksA.data() + (m * kKBlocks + k) * kCoreBytes + row * 16, 16);
              std::memcpy(right, blocksB.data() + (n * kKBlocks + k) * kCoreBytes + column * 16, 16);
              sums[static_cast<size_t>((m * plan.nBlocks + n) * 64 + row * 8 + column)] +=
                  std::popcount(left[0] & right[0]) + std::popcount(left[1] & right[1]);
            }
  } else {
    std::vector<int32_t> a(blocksA.size()), b(blocksB.size()), transposed(blocksB.size());
    intDecoder(plan.a)(blocksA.data(), a.size(), a.data());
    intDecoder(plan.b)(blocksB.data(), b.size(), b.data());
    transposeBlocks(transposed.data(), b.data(), blocksB.size() / kCoreBytes, perRow);
    multiplyAdd(sums.data(), a.data(), transposed.data(), kRowBlocks, plan.nBlocks, kKBlocks, perRow);
  }
  addInts(plan, adds, sums, accumulator);
}

/// Give the accumulator back to its registers, if nobody wrote them meanwhile.
bool returnAccumulator(Warp &warp, WgmmaQueue &queue, const WgmmaOperation &operation) {
  const WgmmaPlan &plan = planOf(*operation.op);
  WgmmaAccumulator &accumulator = *operation.accumulator;
  FrameScope scope(warp, accumulator.frame);
  for (int i = 0; i < plan.registersD; ++i) {
    const uint32_t *lanes = warp.read<uint32_t>(accumulator.slots[i]);
    for (uint32_t lane = 0; lane < kWarpSize; ++lane)
      if (lanes[lane] != kPoison) {
        warp.fault(
            *operation.op, static_cast<int>(lane), LaunchFault::Kind::LaunchFailed,
            fmt::format("register {} of d must not be touched before wgmma.wait_group, but found it written", i));
        return false;
      }
  }
  if (plan.accumulator == Type::S32)
    storeAccumulator(warp, accumulator.slots, kRowBlocks, plan.nBlocks, accumulator.ints.data());
  else
    storeFloatAccumulator(warp, plan.accumulator, accumulator.slots, kRowBlocks, plan.nBlocks,
                          accumulator.floats.data());
  queue.returned.push_back(operation.accumulator);
  defineLate(warp, *operation.op, operation.defined);
  return true;
}

/// Run the oldest operation. False after a fault.
bool runOldest(Warp &warp, WgmmaQueue &queue) {
  WgmmaOperation operation = std::move(queue.operations.front());
  queue.operations.pop_front();
  const Op &op = *operation.op;
  const WgmmaPlan &plan = planOf(op);
  if (plan.hasRegistersA) {
    FrameScope scope(warp, operation.frame);
    for (int i = 0; i < kRegistersA; ++i)
      if (std::memcmp(operation.registersA.data() + i * kWarpSize, warp.read<uint32_t>(op.more[plan.registersD + i]),
                      kCoreBytes) != 0) {
        fail(warp, op,
             fmt::format("register {} of a must not be written before wgmma.wait_group, but found it changed", i));
        return false;
      }
  }
  bool inside = true;
  std::vector<std::byte> blocksA = blocksOfA(warp, operation, plan, inside);
  SharedMatrix matrixB;
  decodeWgmmaDescriptor(operation.descriptorB, matrixB);
  bool insideB = true;
  std::vector<std::byte> blocksB = gathered(warp, matrixB, tileB(plan), insideB);
  if (!inside || !insideB) {
    warp.fault(op, -1, LaunchFault::Kind::IllegalAddress,
               fmt::format("matrix {} must lie in shared memory of {} bytes, but its descriptor leads beyond",
                           inside ? "b" : "a", warp.block->shared.size()));
    return false;
  }
  if (plan.accumulator == Type::S32)
    multiplyInts(plan, operation.adds, blocksA, blocksB, *operation.accumulator);
  else
    multiplyFloats(*warp.block->grid, plan, operation.adds, blocksA, blocksB, *operation.accumulator);
  for (uint64_t id : operation.flights)
    landed(*warp.block, id, tokenOf(warp));
  return --operation.accumulator->pending > 0 || returnAccumulator(warp, queue, operation);
}

/// The accumulator of registers: one in flight that it joins, or a new one.
std::shared_ptr<WgmmaAccumulator> takeAccumulator(Warp &warp, WgmmaQueue &queue, const Op &op) {
  const WgmmaPlan &plan = planOf(op);
  uint64_t frame = frameOffset(warp);
  auto count = static_cast<size_t>(plan.registersD);
  for (auto operation = queue.operations.rbegin(); operation != queue.operations.rend(); ++operation) {
    WgmmaAccumulator &other = *operation->accumulator;
    if (other.frame == frame && other.slotCount == count && std::equal(other.slots, other.slots + count, op.more))
      return operation->accumulator;
  }
  auto accumulator = std::make_shared<WgmmaAccumulator>();
  accumulator->slots = op.more;
  accumulator->slotCount = count;
  accumulator->frame = frame;
  size_t elements = static_cast<size_t>(kRowBlocks) * plan.nBlocks * 64;
  if (plan.accumulator == Type::S32) {
    accumulator->ints.resize(elements);
    loadAccumulator(warp, op.more, kRowBlocks, plan.nBlocks, accumulator->ints.data());
  } else {
    accumulator->floats.resize(elements);
    loadFloatAccumulator(warp, plan.accumulator, op.more, kRowBlocks, plan.nBlocks, accumulator->floats.data());
  }
  return accumulator;
}

/// Whether the registers of d were written since wgmma gave them back, with no wgmma.fence between.
bool changedUnfenced(const WgmmaQueue &queue, const WgmmaAccumulator &now) {
  for (const std::shared_ptr<WgmmaAccumulator> &before : queue.returned) {
    if (before->frame != now.frame || before->slotCount != now.slotCount ||
        !std::equal(before->slots, before->slots + before->slotCount, now.slots))
      continue;
    bool same = std::memcmp(before->floats.data(), now.floats.data(), now.floats.size() * sizeof(float)) == 0 &&
                before->ints == now.ints;
    if (!same)
      return true;
  }
  return false;
}

Outcome runMma(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  const WgmmaPlan &plan = planOf(op);
  WgmmaQueue &queue = queueOf(warp);
  if (warp.index / 4 * 4 + 4 > warp.block->warps.size())
    return fail(
        warp, op,
        fmt::format("wgmma must be executed by four warps from a multiple of 4 on, but found a block of {} warps",
                    warp.block->warps.size()));
  if (warp.checks && !queue.fenced)
    return fail(warp, op, "the first wgmma.mma_async must follow a wgmma.fence, but found none before");

  WgmmaOperation operation;
  operation.op = &op;
  operation.frame = frameOffset(warp);
  operation.defined = definedOffset(warp);
  for (int side = plan.hasRegistersA ? 1 : 0; side < 2; ++side) {
    uint64_t bits = warp.read<uint64_t>(op.slots[side])[0];
    (side == 0 ? operation.descriptorA : operation.descriptorB) = bits;
    SharedMatrix matrix;
    if (std::optional<std::string> problem = decodeWgmmaDescriptor(bits, matrix))
      return fail(warp, op, *problem);
    // B is the same for all four warps; the race check hears of it once.
    if (warp.checks && (side == 0 || warp.index % 4 == 0) &&
        !startReading(warp, op, matrix, side == 0 ? tileA(warp, plan) : tileB(plan), operation))
      return Outcome::Fault;
  }
  operation.adds = plan.addsAlways || (!plan.addsNever && (warp.predicate(op.slots[2]) & 1));
  if (plan.hasRegistersA) {
    operation.registersA.resize(kRegistersA * kWarpSize);
    for (int i = 0; i < kRegistersA; ++i)
      std::memcpy(operation.registersA.data() + i * kWarpSize, warp.read<uint32_t>(op.more[plan.registersD + i]),
                  kCoreBytes);
  }

  operation.accumulator = takeAccumulator(warp, queue, op);
  if (operation.accumulator->pending++ == 0) {
    if (warp.checks && operation.adds && changedUnfenced(queue, *operation.accumulator))
      return fail(warp, op, "a wgmma.fence must stand between a write of d and wgmma.mma_async, but found none");
    for (int i = 0; i < plan.registersD; ++i)
      std::fill_n(warp.write<uint32_t>(op.more[i]), kWarpSize, kPoison);
  }
  queue.operations.push_back(std::move(operation));
  ++queue.uncommitted;
  return Outcome::Next;
}

Outcome runFence(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  WgmmaQueue &queue = queueOf(warp);
  queue.fenced = true;
  queue.returned.clear();
  return Outcome::Next;
}

Outcome runCommit(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  WgmmaQueue &queue = queueOf(warp);
  queue.groups.push_back(queue.uncommitted);
  queue.uncommitted = 0;
  return Outcome::Next;
}

Outcome runWait(Warp &warp, const Op &op, LaneMask lanes) {
  if (!isWholeWarp(warp, op, lanes))
    return Outcome::Fault;
  WgmmaQueue &queue = queueOf(warp);
  while (queue.groups.size() > static_cast<size_t>(op.immediate)) {
    for (; queue.groups.front() > 0; --queue.groups.front())
      if (!runOldest(warp, queue))
        return Outcome::Fault;
    queue.groups.pop_front();
    acquire(warp, tokenOf(warp));
  }
  return Outcome::Next;
}

Result<void> buildPlain(Builder &builder, const Match &, Op &op) {
  op.run = builder.text().modifiers[0] == "fence" ? runFence : runCommit;
  return builder.expectOperands(0, 0);
}

Result<void> buildWait(Builder &builder, const Match &, Op &op) {
  if (Result<void> counted = builder.expectOperands(1, 1); !counted)
    return counted;
  Result<int64_t> groups = builder.constant(0);
  if (!groups)
    return groups.error();
  if (*groups < 0 || *groups > 7)
    return builder.error("must wait for all but 0 to 7 groups", fmt::format("{}", *groups));
  op.run = runWait;
  op.immediate = *groups;
  return {};
}

/// An immediate operand that is one of two values; true for the second.
Result<bool> choice(Builder &builder, size_t index, int64_t first, int64_t second, std::string_view name) {
  Result<int64_t> value = builder.constant(index);
  if (!value)
    return value.error();
  if (*value != first && *value != second)
    return builder.error(fmt::format("{} must be {} or {}", name, first, second), fmt::format("{}", *value));
  return *value == second;
}

/// Operands: d, a or its descriptor, b's descriptor, scale-d, then for floats the signs, then for 16-bit floats the layouts.
Result<void> buildMmaAsync(Builder &builder, MatrixShape shape, WgmmaPlan plan, Op &op) {
  if (Result<void> counted = builder.expectOperands(4, 8); !counted)
    return counted;
  plan.nBlocks = shape.n / kCoreRows;
  plan.registersD = accumulatorRegisters(plan.accumulator, kRowBlocks, plan.nBlocks);
  plan.hasRegistersA = builder.operand(1).kind == Operand::Kind::Vector;
  std::vector<Slot> slots;
  Type held = plan.accumulator == Type::F16 ? Type::B32 : plan.accumulator;
  if (Result<void> done = fragmentDestinations(builder, 0, held, plan.registersD, slots); !done)
    return done;
  for (Slot slot : slots)
    if (slot == kNoSlot)
      return builder.error("d must be registers", "_");
  op.late = true;
  bool isFloat = plan.accumulator != Type::S32, is16 = storageBits(plan.a) == 16;
  const Operand &scale = builder.operand(3);
  if (scale.kind == Operand::Kind::Integer) {
    plan.addsAlways = scale.value != 0;
    plan.addsNever = scale.value == 0;
  } else {
    Result<Slot> predicate = builder.source(3, Type::Pred);
    if (!predicate)
      return predicate.error();
    op.slots[2] = *predicate;
  }
  if (plan.hasRegistersA) {
    if (Result<void> done = fragmentSources(builder, 1, Type::B32, kRegistersA, slots); !done)
      return done;
  } else {
    Result<Slot> descriptor = builder.source(1, Type::B64);
    if (!descriptor)
      return descriptor.error();
    op.slots[0] = *descriptor;
  }
  Result<Slot> descriptor = builder.source(2, Type::B64);
  if (!descriptor)
    return descriptor.error();
  op.slots[1] = *descriptor;

  size_t layouts = is16 ? (plan.hasRegistersA ? 1 : 2) : 0;
  size_t expected = 4 + (isFloat ? 2 : 0) + layouts;
  if (builder.operandCount() != expected)
    return builder.error(fmt::format("must have {} operands", expected), fmt::format("{}", builder.operandCount()));
  if (isFloat) {
    Result<bool> negatesA = choice(builder, 4, 1, -1, "imm-scale-a");
    if (!negatesA)
      return negatesA.error();
    Result<bool> negatesB = choice(builder, 5, 1, -1, "imm-scale-b");
    if (!negatesB)
      return negatesB.error();
    plan.negatesA = *negatesA;
    plan.negatesB = *negatesB;
  }
  if (layouts == 2) {
    Result<bool> transposed = choice(builder, 6, 0, 1, "imm-trans-a");
    if (!transposed)
      return transposed.error();
    plan.mnMajorA = *transposed;
  }
  if (layouts > 0) {
    Result<bool> transposed = choice(builder, 5 + layouts, 0, 1, "imm-trans-b");
    if (!transposed)
      return transposed.error();
    plan.mnMajorB = *transposed;
  }
  builder.setMore(op, slots);
  builder.setExtra(op, plan);
  op.run = runMma;
  return {};
}

// Places: shape, accumulator, A, B.
Result<void> buildFloats(Builder &builder, const Match &match, Op &op) {
  WgmmaPlan plan;
  plan.accumulator = match.type(1);
  plan.a = elementOf(match.type(2));
  plan.b = elementOf(match.type(3));
  return buildMmaAsync(builder, shapeOf(match.words[0]), plan, op);
}

// Places: shape, satfinite, A, B, satfinite (which may stand at the end as well).
Result<void> buildInts(Builder &builder, const Match &match, Op &op) {
  WgmmaPlan plan;
  plan.accumulator = Type::S32;
  plan.saturates = match.has(1) || match.has(4);
  plan.a = elementOf(match.type(2));
  plan.b = elementOf(match.type(3));
  return buildMmaAsync(builder, shapeOf(match.words[0]), plan, op);
}

// Places: shape.
Result<void> buildBits(Builder &builder, const Match &match, Op &op) {
  WgmmaPlan plan;
  plan.accumulator = Type::S32;
  plan.a = plan.b = Element::B1;
  return buildMmaAsync(builder, shapeOf(match.words[0]), plan, op);
}

// Every multiple of 8 up to 256, and those that integers have.
#define GLM_N16(k)                                                                                                     \
  "m64n16k" k "|m64n32k" k "|m64n48k" k "|m64n64k" k "|m64n80k" k "|m64n96k" k "|m64n112k" k "|m64n128k" k             \
  "|m64n144k" k "|m64n160k" k "|m64n176k" k "|m64n192k" k "|m64n208k" k "|m64n224k" k "|m64n240k" k "|m64n256k" k
#define GLM_N8(k)                                                                                                      \
  GLM_N16(k)                                                                                                           \
  "|m64n8k" k "|m64n24k" k "|m64n40k" k "|m64n56k" k "|m64n72k" k "|m64n88k" k "|m64n104k" k "|m64n120k" k             \
  "|m64n136k" k "|m64n152k" k "|m64n168k" k "|m64n184k" k "|m64n200k" k "|m64n216k" k "|m64n232k" k "|m64n248k" k
#define GLM_NI(k) GLM_N16(k) "|m64n8k" k "|m64n24k" k
constexpr Form kForms[] = {
    {"wgmma.fence.sync.aligned", Feature::Wgmma, 80, OpClass::Barrier, buildPlain},
    {"wgmma.commit_group.sync.aligned", Feature::Wgmma, 80, OpClass::Barrier, buildPlain},
    {"wgmma.wait_group.sync.aligned", Feature::Wgmma, 80, OpClass::Barrier, buildWait},
    {"wgmma.mma_async.sync.aligned.(" GLM_N8("16") ").(f16|f32).(f16).(f16)", Feature::Wgmma, 80, OpClass::Matrix,
     buildFloats},
    {"wgmma.mma_async.sync.aligned.(" GLM_N8("16") ").(f32).(bf16).(bf16)", Feature::Wgmma, 80, OpClass::Matrix,
     buildFloats},
    {"wgmma.mma_async.sync.aligned.(" GLM_N8("8") ").(f32).(tf32).(tf32)", Feature::Wgmma, 80, OpClass::Matrix,
     buildFloats},
    {"wgmma.mma_async.sync.aligned.(" GLM_N8("32") ").(f16|f32).(e4m3|e5m2).(e4m3|e5m2)", Feature::Wgmma, 80,
     OpClass::Matrix, buildFloats},
    {"wgmma.mma_async.sync.aligned.(" GLM_NI("32") ")[.satfinite].s32.(u8|s8).(u8|s8)[.satfinite]", Feature::Wgmma, 80,
     OpClass::Matrix, buildInts},
    {"wgmma.mma_async.sync.aligned.(" GLM_NI("256") ").s32.b1.b1.and.popc", Feature::Wgmma, 80, OpClass::Matrix,
     buildBits},
};
#undef GLM_N16
#undef GLM_N8
#undef GLM_NI

} // namespace

std::span<const Form> wgmmaForms() { return kForms; }

} // namespace glm::ptx
