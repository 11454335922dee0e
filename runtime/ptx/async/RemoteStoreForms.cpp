// st.async, red.async and st.bulk: PTX ISA, "Data Movement and Conversion Instructions" and "Parallel Synchronization and
// Communication Instructions: red.async".
#include "runtime/ptx/async/BulkCopies.h"
#include "runtime/ptx/async/Forms.h"
#include "runtime/ptx/async/Reduction.h"
#include "runtime/ptx/machine/GuestMemory.h"

#include <cstring>
#include <fmt/format.h>

namespace glm::ptx {

namespace {

struct RemoteOperands {
  AddressSlot destination{}, barrier{};
  std::array<Slot, 4> values{};
  uint32_t count = 1; ///< values
  uint32_t width = 4; ///< bytes of one
  Reduce reduce = nullptr;

  uint32_t bytes() const { return count * width; }
  void read(const Warp &warp, int lane, std::byte *bytes) const {
    for (uint32_t i = 0; i < count; ++i)
      std::memcpy(bytes + size_t{i} * width, warp.read<std::byte>(values[i]) + size_t(lane) * width, width);
  }
};

const RemoteOperands &operandsOf(const Op &op) { return *static_cast<const RemoteOperands *>(op.extra); }

/// What one lane stores elsewhere in the cluster.
struct RemoteStore {
  IncomingCopy copy;
  Reduce reduce = nullptr;
  std::array<std::byte, 16> bytes{};

  std::optional<LaunchFault> operator()() {
    const CopyTarget &target = copy.targets[0];
    std::byte *destination = target.place.block->shared.data() + target.place.offset;
    if (reduce)
      reduce(destination, bytes.data(), copy.transactionBytes);
    else
      std::memcpy(destination, bytes.data(), copy.transactionBytes);
    return copy.finish();
  }
};

// [destination in shared memory of the cluster], value, [mbarrier]
Outcome runRemote(Warp &warp, const Op &op, LaneMask lanes) {
  const RemoteOperands &operands = operandsOf(op);
  LaneAddresses destinations = operands.destination.read(warp), barriers = operands.barrier.read(warp);
  bool fine = forEachLane(lanes, [&](int lane) {
    std::optional<uint32_t> destination =
        sharedAddress(warp, op, lane, operands.destination.generic, destinations[lane]);
    std::optional<uint32_t> barrier = sharedAddress(warp, op, lane, operands.barrier.generic, barriers[lane]);
    if (!destination || !barrier)
      return false;
    auto store = std::make_shared<RemoteStore>();
    store->reduce = operands.reduce;
    operands.read(warp, lane, store->bytes.data());
    store->copy = {warp.block, warp.index, &op, {}, operands.bytes()};
    store->copy.targets =
        copyTargets(warp, op, lane, *destination, *barrier, std::nullopt, false, operands.bytes(), operands.bytes());
    SharedRange range{0, operands.bytes()};
    // Several reductions may be under way to the same bytes.
    if (store->copy.targets.empty() || (!operands.reduce && !launchTargets(warp, op, store->copy.targets, {&range, 1})))
      return false;
    enqueue(warp, op, [store] { return (*store)(); });
    return true;
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

template <typename T>
void storeReleased(std::byte *destination, const std::byte *value) {
  storeStrong(destination, loadPlain<T>(value));
}

// [destination in global memory], value
Outcome runGlobal(Warp &warp, const Op &op, LaneMask lanes) {
  const RemoteOperands &operands = operandsOf(op);
  LaneAddresses destinations = operands.destination.read(warp);
  bool fine = forEachLane(lanes, [&](int lane) {
    std::array<std::byte, 16> bytes{};
    operands.read(warp, lane, bytes.data());
    enqueue(warp, op,
            [block = warp.block, index = warp.index, &op, &operands, bytes,
             address = destinations[lane]]() -> std::optional<LaunchFault> {
              std::optional<LaunchFault> fault;
              std::byte *destination = touchAsync(*block, index, op, Space::Global, address, operands.width,
                                                  operands.width, {.writes = true, .async = true}, fault);
              if (!destination)
                return fault;
              if (operands.reduce)
                operands.reduce(destination, bytes.data(), operands.width);
              else if (operands.width == 4)
                storeReleased<uint32_t>(destination, bytes.data());
              else
                storeReleased<uint64_t>(destination, bytes.data());
              return std::nullopt;
            });
    return true;
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

struct ZeroOperands {
  AddressSlot destination{};
  Slot bytes = kNoSlot;
};

// st.bulk [destination], size, 0: done at once, in pieces whose access is checked like a store.
Outcome runZero(Warp &warp, const Op &op, LaneMask lanes) {
  const auto &operands = *static_cast<const ZeroOperands *>(op.extra);
  LaneAddresses destinations = operands.destination.read(warp);
  const auto *sizes = warp.read<uint64_t>(operands.bytes);
  constexpr uint32_t kPiece = 8;
  bool fine = forEachLane(lanes, [&](int lane) {
    std::optional<uint32_t> address = sharedAddress(warp, op, lane, operands.destination.generic, destinations[lane]);
    if (!address)
      return false;
    if (sizes[lane] % kPiece != 0 || sizes[lane] > kSharedOffsetMask)
      return refuse(
          warp, op, lane,
          fmt::format("st.bulk must have a size in multiples of 8 bytes that shared memory holds, but found {}",
                      sizes[lane]));
    for (uint64_t offset = 0; offset < sizes[lane]; offset += kPiece) {
      std::byte *bytes = touch(warp, op, lane, Space::Shared, *address + offset, kPiece, kPiece, {.writes = true});
      if (!bytes)
        return false;
      std::memset(bytes, 0, kPiece);
    }
    return true;
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

/// [destination], value(s){, [mbarrier]} of `type`.
Result<void> buildRemoteWith(Builder &builder, Op &op, Space space, Type type, uint32_t count, bool hasBarrier,
                             Reduce reduce) {
  size_t operandCount = hasBarrier ? 3 : 2;
  if (Result<void> counted = builder.expectOperands(operandCount, operandCount); !counted)
    return counted;
  RemoteOperands operands;
  operands.count = count;
  operands.width = bitsOf(type) / 8;
  operands.reduce = reduce;
  if (operands.bytes() > 16)
    return builder.error("stores at most 16 bytes", std::to_string(operands.bytes()));
  Result<AddressSlot> destination = addressSlot(builder, 0, space);
  if (!destination)
    return destination.error();
  operands.destination = *destination;
  std::vector<Slot> values;
  if (Result<void> read = builder.sources(builder.operand(1), type, count, values); !read)
    return read;
  std::copy(values.begin(), values.end(), operands.values.begin());
  if (hasBarrier) {
    Result<AddressSlot> barrier = addressSlot(builder, 2, space);
    if (!barrier)
      return barrier.error();
    operands.barrier = *barrier;
  }
  op.run = hasBarrier ? runRemote : runGlobal;
  builder.setExtra(op, operands);
  return {};
}

// st.async[.weak][.shared::cluster].mbarrier::complete_tx::bytes[.(v2|v4)].(type) [address], value, [mbarrier]
Result<void> buildStore(Builder &builder, const Match &match, Op &op) {
  uint32_t count = match.words[2] == "v4" ? 4 : match.words[2] == "v2" ? 2 : 1;
  return buildRemoteWith(builder, op, sharedOr(match.words[1]), match.type(3), count, true, nullptr);
}

// st.async[.mmio].release.(scope)[.global].(type) [address], value
Result<void> buildGlobalStore(Builder &builder, const Match &match, Op &op) {
  op.ordered = true; // a release that others may wait for
  return buildRemoteWith(builder, op, Space::Global, match.type(3), 1, false, nullptr);
}

Reduce reductionOf(const Match &match) {
  size_t places = match.words.size();
  return glm::ptx::reductionOf(*reductionNamed(match.words[places - 2]), *reductionTypeNamed(match.words[places - 1]));
}

// red.async.relaxed.cluster[.shared::cluster].mbarrier::complete_tx::bytes.(op).(type) [address], value, [mbarrier]
Result<void> buildReduce(Builder &builder, const Match &match, Op &op) {
  return buildRemoteWith(builder, op, sharedOr(match.words[0]), match.type(2), 1, true, reductionOf(match));
}

// red.async[.mmio].release.(scope)[.global].(add).(type) [address], value
Result<void> buildGlobalReduce(Builder &builder, const Match &match, Op &op) {
  op.ordered = true;
  return buildRemoteWith(builder, op, Space::Global, match.type(4), 1, false, reductionOf(match));
}

// st.bulk[.weak][.shared::cta] [address], size, 0
Result<void> buildZero(Builder &builder, const Match &match, Op &op) {
  if (Result<void> counted = builder.expectOperands(3, 3); !counted)
    return counted;
  ZeroOperands operands;
  Result<AddressSlot> destination = addressSlot(builder, 0, sharedOr(match.words[1]));
  if (!destination)
    return destination.error();
  Result<Slot> bytes = builder.source(1, Type::B64);
  if (!bytes)
    return bytes.error();
  Result<int64_t> value = builder.constant(2);
  if (!value)
    return value.error();
  if (*value != 0)
    return builder.error("stores 0", std::to_string(*value));
  operands.destination = *destination;
  operands.bytes = *bytes;
  op.run = runZero;
  builder.setExtra(op, operands);
  return {};
}

constexpr auto kAsync = OpClass::Async;
#define RED_REMOTE "red.async.relaxed.cluster[.shared::cluster].mbarrier::complete_tx::bytes"
constexpr Form kForms[] = {
    {"st.async[.weak][.shared::cluster].mbarrier::complete_tx::bytes[.(v2|v4)].(b32|b64|u32|u64|s32|s64|f32|f64)",
     Feature::Base, 81, kAsync, buildStore},
    {"st.async[.mmio].release.(gpu|sys)[.global].(b32|b64|u32|u64|s32|s64|f32|f64)", Feature::Sm100, 87, kAsync,
     buildGlobalStore},
    {RED_REMOTE ".(inc|dec).(u32)", Feature::Base, 81, kAsync, buildReduce},
    {RED_REMOTE ".(min|max).(u32|s32)", Feature::Base, 81, kAsync, buildReduce},
    {RED_REMOTE ".(and|or|xor).(b32)", Feature::Base, 81, kAsync, buildReduce},
    {RED_REMOTE ".(add).(u32|s32|u64|s64)", Feature::Base, 81, kAsync, buildReduce},
    {"red.async[.mmio].release.(gpu|sys)[.global].(add).(u32|s32|u64|s64)", Feature::Sm100, 87, kAsync,
     buildGlobalReduce},
    {"st.bulk[.weak][.shared::cta]", Feature::Sm100, 86, OpClass::Store, buildZero},
};
#undef RED_REMOTE

} // namespace

std::span<const Form> remoteStoreForms() { return kForms; }

} // namespace glm::ptx
