// PTX ISA, "tcgen05.mma": kinds, shapes, "Data Path Layout Organization", block scaling.
#include "runtime/ptx/matrix/TensorMma.h"

#include "runtime/ptx/matrix/CoreMatrix.h"
#include "runtime/ptx/matrix/InstructionDescriptor.h"
#include "runtime/ptx/matrix/LaneAddress.h"
#include "runtime/ptx/matrix/SharedMatrix.h"
#include "runtime/ptx/matrix/TensorPair.h"
#include "runtime/ptx/matrix/Unpack.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>

namespace glm::ptx {

namespace {

constexpr int kKBlocks = 2; ///< every kind takes 32 bytes of k

/// Slots: 0 d's tensor address, 1 a's descriptor or tensor address, 2 b's descriptor, 3 the instruction descriptor; in more:
/// enable-input-d if it is a predicate, then the tensor addresses of both scales or the lanes to leave out.
struct TensorMmaPlan {
  TensorKind kind = TensorKind::F16;
  int ctaGroup = 1;
  int scaleCount = 0; ///< 0: no block scaling
  bool aInTensor = false;
  bool shiftsA = false; ///< .ashift
  bool hasPredicate = false, addsAlways = false;
  uint16_t firstScale = 0; ///< in Op::more
  uint16_t firstDisabled = 0, disabledCount = 0;
  int64_t inputScale = 0; ///< D is multiplied by two to minus this before the addition
};

const TensorMmaPlan &planOf(const Op &op) { return *static_cast<const TensorMmaPlan *>(op.extra); }

/// One instruction, as issued.
struct Call {
  Block *issuer = nullptr;
  uint32_t warp = 0;
  const Op *op = nullptr;
  std::vector<Block *> blocks;
  InstructionDescriptor instruction;
  TensorAddress d, a, scalesA, scalesB;
  SharedMatrix matrixA, matrixB;
  bool adds = false;
  std::array<uint32_t, 8> disabled{};

  int rows() const { return instruction.m / static_cast<int>(blocks.size()); } ///< of A and D in each block
  int rowBlocks() const { return rows() / kCoreRows; }
  int nBlocks() const { return instruction.n / kCoreRows; }
  int perRow() const { return elementsPerRow(instruction.a); }
};

/// The lane of row `row` (within the block) of D, and the column of an element.
struct DataPath {
  int rows = 0, n = 0, blocks = 1;

  uint32_t lane(int row, int column) const {
    if (rows == 128)
      return static_cast<uint32_t>(row);
    // Half of 128 rows: each block keeps the columns' second half in the upper lanes. 64 rows of one block: 16 in each quarter.
    if (blocks == 2)
      return static_cast<uint32_t>(row + (column >= n / 2 ? 64 : 0));
    return static_cast<uint32_t>(row / 16 * 32 + row % 16);
  }
  uint32_t column(int column) const {
    return static_cast<uint32_t>(rows == 64 && blocks == 2 ? column % (n / 2) : column);
  }
  uint32_t columns() const { return static_cast<uint32_t>(rows == 64 && blocks == 2 ? n / 2 : n); }
  uint32_t lanes() const { return rows == 64 && blocks == 1 ? 112 : 128; }
};

DataPath pathOf(const Call &call) { return {call.rows(), call.instruction.n, static_cast<int>(call.blocks.size())}; }

/// How the elements of an operand lie in shared memory, where each row of 16 takes 16 bytes.
Packing sharedPacking(Element element) {
  return element == Element::E2M1                               ? Packing::Nibbles
         : element == Element::E3M2 || element == Element::E2M3 ? Packing::Sixes
                                                                : Packing::None;
}

OperandTile tileOf(Element element, bool isMnMajor, int rows) {
  return {.firstRow = 0,
          .rowBlocks = static_cast<uint32_t>(rows / kCoreRows),
          .kBlocks = kKBlocks,
          .isMnMajor = isMnMajor,
          .elementBits = static_cast<uint32_t>(storageBits(element))};
}

using Fault = std::optional<LaunchFault>;

Fault broken(const Call &call, const std::string &what) {
  return tensorFault(*call.issuer, call.warp, *call.op, LaunchFault::Kind::LaunchFailed, what);
}

/// An operand of one block from its shared memory, appended to `raw` as core matrices.
Fault gatherShared(const Call &call, Block &block, const SharedMatrix &matrix, Element element, bool isMnMajor,
                   int rows, std::string_view name, std::vector<std::byte> &raw) {
  OperandTile tile = tileOf(element, isMnMajor, rows);
  size_t begin = raw.size(), bytes = static_cast<size_t>(tile.rowBlocks) * kKBlocks * kCoreBytes;
  raw.resize(begin + bytes);
  if (!gatherBlocks(matrix, tile, block.shared.data(), block.shared.size(), raw.data() + begin))
    return tensorFault(*call.issuer, call.warp, *call.op, LaunchFault::Kind::IllegalAddress,
                       fmt::format("matrix {} must lie in shared memory of {} bytes, but its descriptor leads beyond",
                                   name, block.shared.size()));
  if (Packing packing = sharedPacking(element); packing != Packing::None)
    for (size_t row = begin; row < begin + bytes; row += 16) {
      std::byte packed[16];
      std::memcpy(packed, raw.data() + row, 16);
      unpackRow(packing, 2, packed, raw.data() + row);
    }
  return std::nullopt;
}

/// A from tensor memory: row r in its lane, k along the columns.
Fault gatherTensor(const Call &call, Block &block, std::vector<std::byte> &raw) {
  TensorMemory &tensor = matrixState(block).tensor;
  DataPath path = pathOf(call);
  bool shifts = planOf(*call.op).shiftsA;
  uint32_t lanes = call.rows() == 64 ? (path.blocks == 1 ? 112 : 64) : 128;
  if (std::optional<std::string> problem = tensor.check(call.a, lanes, 8))
    return broken(call, "matrix a " + *problem);
  raw.resize(static_cast<size_t>(call.rowBlocks()) * kKBlocks * kCoreBytes);
  for (int row = 0; row < call.rows(); ++row) {
    // .ashift: every row but the last moves down by one.
    int from = shifts && row > 0 ? row - 1 : row;
    uint32_t lane = call.a.lane + path.lane(from, 0);
    if (call.issuer->grid->options->checks)
      if (std::optional<uint32_t> column = tensor.unknown(lane, call.a.column, 8))
        return broken(call, fmt::format("matrix a must be written before it is read, but found {} never written",
                                        TensorAddress{lane, *column}.describe()));
    for (int k = 0; k < kKBlocks; ++k)
      std::memcpy(raw.data() + (static_cast<size_t>(row / 8) * kKBlocks + k) * kCoreBytes + row % 8 * 16,
                  tensor.cell(lane, call.a.column + static_cast<uint32_t>(k) * 4), 16);
  }
  return std::nullopt;
}

/// D's elements in blocks, from tensor memory.
template <typename T>
Fault loadD(const Call &call, Block &block, std::vector<T> &d) {
  TensorMemory &tensor = matrixState(block).tensor;
  DataPath path = pathOf(call);
  if (std::optional<std::string> problem = tensor.check(call.d, path.lanes(), path.columns()))
    return broken(call, "matrix d " + *problem);
  d.assign(static_cast<size_t>(call.rows()) * call.instruction.n, T{});
  if (!call.adds)
    return std::nullopt;
  bool checks = call.issuer->grid->options->checks;
  for (int m = 0; m < call.rowBlocks(); ++m)
    for (int n = 0; n < call.nBlocks(); ++n)
      for (int row = 0; row < kCoreRows; ++row) {
        uint32_t lane = call.d.lane + path.lane(m * kCoreRows + row, n * kCoreRows);
        uint32_t column = call.d.column + path.column(n * kCoreRows);
        if (checks)
          if (std::optional<uint32_t> unknown = tensor.unknown(lane, column, 8))
            return broken(call,
                          fmt::format("matrix d must be written before it is added to, but found {} never written",
                                      TensorAddress{lane, *unknown}.describe()));
        T *out = d.data() + (static_cast<size_t>(m) * call.nBlocks() + n) * 64 + row * 8;
        const uint32_t *cells = tensor.cell(lane, column);
        if constexpr (std::is_same_v<T, float>)
          if (call.instruction.d == Type::F16) {
            for (int i = 0; i < 8; ++i) {
              auto half = static_cast<uint16_t>(cells[i]);
              _Float16 value;
              std::memcpy(&value, &half, 2);
              out[i] = static_cast<float>(value);
            }
            continue;
          }
        std::memcpy(out, cells, 32);
      }
  return std::nullopt;
}

template <typename T>
void storeD(const Call &call, size_t blockIndex, std::vector<T> &d) {
  TensorMemory &tensor = matrixState(*call.blocks[blockIndex]).tensor;
  DataPath path = pathOf(call);
  std::vector<std::byte> halves;
  bool isHalf = call.instruction.d == Type::F16;
  if constexpr (std::is_same_v<T, float>) {
    if (isHalf) {
      halves.resize(d.size() * 2);
      coreLanes().roundToHalves(d.data(), d.size(), halves.data());
    } else {
      coreLanes().canonicalizeNans(d.data(), d.size());
    }
  }
  for (int m = 0; m < call.rowBlocks(); ++m)
    for (int n = 0; n < call.nBlocks(); ++n)
      for (int row = 0; row < kCoreRows; ++row) {
        uint32_t lane = call.d.lane + path.lane(m * kCoreRows + row, n * kCoreRows);
        if (call.disabled[blockIndex * 4 + lane / 32] >> lane % 32 & 1)
          continue;
        uint32_t column = call.d.column + path.column(n * kCoreRows);
        size_t first = (static_cast<size_t>(m) * call.nBlocks() + n) * 64 + row * 8;
        uint32_t *cells = tensor.cell(lane, column);
        if (isHalf)
          for (size_t i = 0; i < 8; ++i) {
            cells[i] = 0;
            std::memcpy(cells + i, halves.data() + (first + i) * 2, 2);
          }
        else
          std::memcpy(cells, d.data() + first, 32);
        tensor.setKnown(lane, column, 8);
      }
}

/// The scales of `rows` rows, `count` bytes each from byte `id` on, from 32 lanes that repeat in every quarter of the lanes.
Fault loadScales(const Call &call, Block &block, TensorAddress at, int rows, uint32_t id, std::string_view name,
                 std::vector<double> &scales) {
  TensorMemory &tensor = matrixState(block).tensor;
  auto count = static_cast<uint32_t>(planOf(*call.op).scaleCount);
  uint32_t columns = (static_cast<uint32_t>(rows) + 31) / 32;
  if (at.lane != 0)
    return broken(call, fmt::format("scales of {} must begin at lane 0, but found {}", name, at.describe()));
  if (std::optional<std::string> problem = tensor.check(at, kTensorLanes, columns))
    return broken(call, fmt::format("scales of {} {}", name, *problem));
  scales.resize(static_cast<size_t>(rows) * count);
  for (int row = 0; row < rows; ++row) {
    uint32_t lane = static_cast<uint32_t>(row) % 32, column = at.column + static_cast<uint32_t>(row) / 32;
    uint32_t word = *tensor.cell(lane, column);
    for (uint32_t quarter = 0; call.issuer->grid->options->checks && quarter < 4; ++quarter) {
      TensorAddress copy{quarter * 32 + lane, column};
      if (tensor.unknown(copy.lane, copy.column, 1))
        return broken(call,
                      fmt::format("scales of {} must be written to all four quarters of the lanes, but found {} never "
                                  "written",
                                  name, copy.describe()));
      if (*tensor.cell(copy.lane, copy.column) != word)
        return broken(call,
                      fmt::format("scales of {} must be the same in all four quarters of the lanes, but found {:#x} "
                                  "and {:#x} at {}",
                                  name, word, *tensor.cell(copy.lane, copy.column), copy.describe()));
    }
    for (uint32_t i = 0; i < count; ++i)
      scales[static_cast<size_t>(row) * count + i] =
          scaleOf(call.instruction.scales, static_cast<uint8_t>(word >> 8 * (id + i)));
  }
  return std::nullopt;
}

std::vector<float> decodeFloats(Element element, const std::vector<std::byte> &raw, bool negates) {
  std::vector<float> values(raw.size() * 8 / static_cast<size_t>(storageBits(element)));
  floatDecoder(element)(raw.data(), values.size(), values.data());
  if (negates)
    for (float &value : values)
      value = -value;
  return values;
}

Fault multiplyFloats(const Call &call, size_t blockIndex, const std::vector<std::byte> &rawA,
                     const std::vector<std::byte> &rawB) {
  const TensorMmaPlan &plan = planOf(*call.op);
  Block &block = *call.blocks[blockIndex];
  std::vector<float> d;
  if (Fault fault = loadD(call, block, d))
    return fault;
  if (plan.inputScale != 0)
    for (float &value : d)
      value = std::ldexp(value, -static_cast<int>(plan.inputScale));
  std::vector<float> a = decodeFloats(call.instruction.a, rawA, call.instruction.negatesA);
  std::vector<float> b = decodeFloats(call.instruction.b, rawB, call.instruction.negatesB);
  std::vector<float> transposed(b.size());
  int perRow = call.perRow();
  if (plan.scaleCount == 0) {
    transposeBlocks(transposed.data(), b.data(), static_cast<size_t>(call.nBlocks()) * kKBlocks, perRow);
    multiplyAdd(d.data(), a.data(), transposed.data(), call.rowBlocks(), call.nBlocks(), kKBlocks, perRow);
  } else {
    std::vector<double> scalesA, scalesB;
    if (Fault fault = loadScales(call, block, call.scalesA, call.rows(), call.instruction.scaleIdA, "a", scalesA))
      return fault;
    if (Fault fault =
            loadScales(call, block, call.scalesB, call.instruction.n, call.instruction.scaleIdB, "b", scalesB))
      return fault;
    int perScale = kKBlocks * perRow / plan.scaleCount;
    std::vector<float> splitA(a.size()), splitB(b.size());
    splitByScale(a.data(), call.rowBlocks(), kKBlocks, perRow, perScale, splitA.data());
    splitByScale(b.data(), call.nBlocks(), kKBlocks, perRow, perScale, splitB.data());
    transposeBlocks(transposed.data(), splitB.data(), static_cast<size_t>(call.nBlocks()) * plan.scaleCount, perScale);
    multiplyAddScaled(d.data(), splitA.data(), transposed.data(), scalesA.data(), scalesB.data(), call.rowBlocks(),
                      call.nBlocks(), plan.scaleCount, perScale);
  }
  storeD(call, blockIndex, d);
  return std::nullopt;
}

Fault multiplyInts(const Call &call, size_t blockIndex, const std::vector<std::byte> &rawA,
                   const std::vector<std::byte> &rawB) {
  std::vector<int32_t> d;
  if (Fault fault = loadD(call, *call.blocks[blockIndex], d))
    return fault;
  std::vector<int32_t> a(rawA.size()), b(rawB.size()), transposed(rawB.size()), sums(d.size());
  intDecoder(call.instruction.a)(rawA.data(), a.size(), a.data());
  intDecoder(call.instruction.b)(rawB.data(), b.size(), b.data());
  transposeBlocks(transposed.data(), b.data(), static_cast<size_t>(call.nBlocks()) * kKBlocks, call.perRow());
  multiplyAdd(sums.data(), a.data(), transposed.data(), call.rowBlocks(), call.nBlocks(), kKBlocks, call.perRow());
  for (size_t i = 0; i < d.size(); ++i) {
    int64_t sum = static_cast<int64_t>(d[i]) + sums[i];
    if (call.instruction.saturates)
      sum = std::clamp<int64_t>(sum, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
    d[i] = static_cast<int32_t>(sum);
  }
  storeD(call, blockIndex, d);
  return std::nullopt;
}

Fault run(const Call &call) {
  const InstructionDescriptor &instruction = call.instruction;
  int share = instruction.n / static_cast<int>(call.blocks.size());
  std::vector<std::byte> rawB;
  for (Block *block : call.blocks)
    if (Fault fault = gatherShared(call, *block, call.matrixB, instruction.b, instruction.mnMajorB, share, "b", rawB))
      return fault;
  for (size_t i = 0; i < call.blocks.size(); ++i) {
    std::vector<std::byte> rawA;
    Fault fault = planOf(*call.op).aInTensor ? gatherTensor(call, *call.blocks[i], rawA)
                                             : gatherShared(call, *call.blocks[i], call.matrixA, instruction.a,
                                                            instruction.mnMajorA, call.rows(), "a", rawA);
    if (!fault)
      fault = planOf(*call.op).kind == TensorKind::I8 ? multiplyInts(call, i, rawA, rawB)
                                                      : multiplyFloats(call, i, rawA, rawB);
    if (fault)
      return fault;
  }
  return std::nullopt;
}

/// What a lane issues; false after a fault.
bool issue(Warp &warp, const Op &op, int lane) {
  const TensorMmaPlan &plan = planOf(op);
  Call call;
  call.issuer = warp.block;
  call.warp = warp.index;
  call.op = &op;
  std::optional<std::string> problem;
  call.blocks = tensorBlocks(*warp.block, plan.ctaGroup, problem);
  if (!problem)
    problem = decodeInstruction(warp.read<uint32_t>(op.slots[3])[lane], plan.kind, plan.ctaGroup, plan.scaleCount,
                                call.instruction);
  if (!problem)
    problem = decodeTcgen05Descriptor(warp.read<uint64_t>(op.slots[2])[lane], call.matrixB);
  if (!problem && !plan.aInTensor)
    problem = decodeTcgen05Descriptor(warp.read<uint64_t>(op.slots[1])[lane], call.matrixA);
  if (!problem && plan.aInTensor && call.instruction.mnMajorA)
    problem = "matrix a in tensor memory must be k-major, but found it transposed";
  if (problem) {
    warp.fault(op, lane, LaunchFault::Kind::LaunchFailed, *problem);
    return false;
  }
  call.d = TensorAddress::of(warp.read<uint32_t>(op.slots[0])[lane]);
  if (plan.aInTensor)
    call.a = TensorAddress::of(warp.read<uint32_t>(op.slots[1])[lane]);
  call.adds = plan.hasPredicate ? warp.predicate(op.more[0]) >> lane & 1 : plan.addsAlways;
  if (plan.scaleCount > 0) {
    call.scalesA = TensorAddress::of(warp.read<uint32_t>(op.more[plan.firstScale])[lane]);
    call.scalesB = TensorAddress::of(warp.read<uint32_t>(op.more[plan.firstScale + 1])[lane]);
  }
  for (uint16_t i = 0; i < plan.disabledCount; ++i)
    call.disabled[i] = warp.read<uint32_t>(op.more[plan.firstDisabled + i])[lane];

  int share = call.instruction.n / plan.ctaGroup;
  for (Block *block : call.blocks) {
    if (!plan.aInTensor &&
        !startTensorReading(warp, op, *block,
                            rangesOf(call.matrixA, tileOf(call.instruction.a, call.instruction.mnMajorA, call.rows()))))
      return false;
    if (!startTensorReading(warp, op, *block,
                            rangesOf(call.matrixB, tileOf(call.instruction.b, call.instruction.mnMajorB, share))))
      return false;
  }
  enqueue(warp, op, [call = std::move(call)] { return run(call); });
  return true;
}

Outcome runMma(Warp &warp, const Op &op, LaneMask lanes) {
  for (; lanes; lanes &= lanes - 1)
    if (!issue(warp, op, std::countr_zero(lanes)))
      return Outcome::Fault;
  return Outcome::Next;
}

TensorKind kindNamed(std::string_view word) {
  return word == "kind::f16"        ? TensorKind::F16
         : word == "kind::tf32"     ? TensorKind::TF32
         : word == "kind::f8f6f4"   ? TensorKind::F8F6F4
         : word == "kind::i8"       ? TensorKind::I8
         : word == "kind::mxf8f6f4" ? TensorKind::MXF8F6F4
         : word == "kind::mxf4"     ? TensorKind::MXF4
                                    : TensorKind::MXF4NVF4;
}

/// Operands d, a, b, idesc: the same for all.
Result<void> buildCommon(Builder &builder, TensorMmaPlan &plan, Op &op) {
  if (Result<void> done = setTensorAddress(builder, 0, op, 0); !done)
    return done;
  plan.aInTensor = builder.operand(1).kind == Operand::Kind::Address;
  if (plan.shiftsA && !plan.aInTensor)
    return builder.error("a must be in tensor memory with .ashift", "a descriptor");
  if (plan.aInTensor) {
    if (Result<void> done = setTensorAddress(builder, 1, op, 1); !done)
      return done;
  } else {
    Result<Slot> descriptor = builder.source(1, Type::B64);
    if (!descriptor)
      return descriptor.error();
    op.slots[1] = *descriptor;
  }
  Result<Slot> descriptor = builder.source(2, Type::B64);
  if (!descriptor)
    return descriptor.error();
  op.slots[2] = *descriptor;
  Result<Slot> instruction = builder.source(3, Type::B32);
  if (!instruction)
    return instruction.error();
  op.slots[3] = *instruction;
  op.run = runMma;
  return {};
}

Result<void> addEnable(Builder &builder, size_t index, TensorMmaPlan &plan, std::vector<Slot> &slots) {
  const Operand &operand = builder.operand(index);
  if (operand.kind == Operand::Kind::Integer) {
    plan.addsAlways = operand.value != 0;
    return {};
  }
  Result<Slot> predicate = builder.source(operand, Type::Pred);
  if (!predicate)
    return predicate.error();
  plan.hasPredicate = true;
  slots.push_back(*predicate);
  return {};
}

// Places: cta_group, kind, ashift, collector.
Result<void> buildDense(Builder &builder, const Match &match, Op &op) {
  if (Result<void> counted = builder.expectOperands(5, 7); !counted)
    return counted;
  TensorMmaPlan plan;
  plan.ctaGroup = match.words[0].back() - '0';
  plan.kind = kindNamed(match.words[1]);
  plan.shiftsA = match.has(2);
  if (Result<void> done = buildCommon(builder, plan, op); !done)
    return done;
  bool hasDisabled = builder.operand(4).kind == Operand::Kind::Vector;
  size_t enable = hasDisabled ? 5 : 4;
  std::vector<Slot> slots;
  if (Result<void> done = addEnable(builder, enable, plan, slots); !done)
    return done;
  if (hasDisabled) {
    plan.firstDisabled = static_cast<uint16_t>(slots.size());
    plan.disabledCount = static_cast<uint16_t>(4 * plan.ctaGroup);
    if (Result<void> done = builder.sources(builder.operand(4), Type::B32, plan.disabledCount, slots); !done)
      return done;
  }
  if (builder.operandCount() > enable + 2)
    return builder.error(fmt::format("must have at most {} operands", enable + 2),
                         fmt::format("{}", builder.operandCount()));
  if (builder.operandCount() == enable + 2) {
    if (plan.kind != TensorKind::F16 && plan.kind != TensorKind::TF32)
      return builder.error("scale-input-d must be with .kind::f16 or .kind::tf32", match.words[1]);
    Result<int64_t> scale = builder.constant(enable + 1);
    if (!scale)
      return scale.error();
    if (*scale < 0 || *scale > 15)
      return builder.error("scale-input-d must be 0 to 15", fmt::format("{}", *scale));
    plan.inputScale = *scale;
  }
  builder.setMore(op, slots);
  builder.setExtra(op, plan);
  return {};
}

Result<void> buildScaled(Builder &builder, std::string_view group, std::string_view kind, int scaleCount, Op &op) {
  if (Result<void> counted = builder.expectOperands(7, 7); !counted)
    return counted;
  TensorMmaPlan plan;
  plan.ctaGroup = group.back() - '0';
  plan.kind = kindNamed(kind);
  plan.scaleCount = scaleCount;
  if (Result<void> done = buildCommon(builder, plan, op); !done)
    return done;
  std::vector<Slot> slots;
  if (Result<void> done = addEnable(builder, 6, plan, slots); !done)
    return done;
  plan.firstScale = static_cast<uint16_t>(slots.size());
  for (size_t i = 4; i < 6; ++i) {
    Op holder;
    if (Result<void> done = setTensorAddress(builder, i, holder, 0); !done)
      return done;
    slots.push_back(holder.slots[0]);
  }
  builder.setMore(op, slots);
  builder.setExtra(op, plan);
  return {};
}

// Places: cta_group, kind, then what does not change the result.
Result<void> buildOne(Builder &builder, const Match &match, Op &op) {
  return buildScaled(builder, match.words[0], match.words[1], 1, op);
}
Result<void> buildTwo(Builder &builder, const Match &match, Op &op) {
  return buildScaled(builder, match.words[0], match.words[1], 2, op);
}
Result<void> buildFour(Builder &builder, const Match &match, Op &op) {
  return buildScaled(builder, match.words[0], match.words[1], 4, op);
}

#define GLM_START "tcgen05.mma.(cta_group::1|cta_group::2)"
#define GLM_COLLECTOR "[.(collector::a::fill|collector::a::use|collector::a::lastuse|collector::a::discard)]"
constexpr Form kForms[] = {
    {GLM_START ".(kind::f16|kind::tf32|kind::f8f6f4)[.ashift]" GLM_COLLECTOR, Feature::Tcgen05, 86, OpClass::Matrix,
     buildDense},
    {GLM_START ".(kind::i8)[.ashift]" GLM_COLLECTOR, Feature::Tcgen05Integer, 86, OpClass::Matrix, buildDense},
    {GLM_START ".(kind::mxf8f6f4).block_scale[.block32]" GLM_COLLECTOR, Feature::Tcgen05, 86, OpClass::Matrix,
     buildOne},
    {GLM_START ".(kind::mxf4).block_scale[.block32]" GLM_COLLECTOR, Feature::Tcgen05, 86, OpClass::Matrix, buildTwo},
    {GLM_START ".(kind::mxf4nvf4).block_scale.block32" GLM_COLLECTOR, Feature::Tcgen05, 88, OpClass::Matrix, buildTwo},
    {GLM_START ".(kind::mxf4nvf4).block_scale.block16" GLM_COLLECTOR, Feature::Tcgen05, 88, OpClass::Matrix, buildFour},
    {GLM_START ".(kind::mxf8f6f4).block_scale.scale_vec::1X" GLM_COLLECTOR, Feature::Tcgen05Exact, 86, OpClass::Matrix,
     buildOne},
    {GLM_START ".(kind::mxf4).block_scale.scale_vec::2X" GLM_COLLECTOR, Feature::Tcgen05Exact, 86, OpClass::Matrix,
     buildTwo},
    {GLM_START ".(kind::mxf4nvf4).block_scale.scale_vec::2X" GLM_COLLECTOR, Feature::Tcgen05Exact, 86, OpClass::Matrix,
     buildTwo},
    {GLM_START ".(kind::mxf4nvf4).block_scale.scale_vec::4X" GLM_COLLECTOR, Feature::Tcgen05Exact, 86, OpClass::Matrix,
     buildFour},
};
#undef GLM_START
#undef GLM_COLLECTOR

} // namespace

std::span<const Form> tensorMmaForms() { return kForms; }

} // namespace glm::ptx
