// createpolicy, applypriority and discard: PTX ISA, "Data Movement and Conversion Instructions". There is no cache here:
// policies are opaque numbers, priorities are checked and forgotten, and discarded memory loses what it held.
#include "runtime/ptx/async/Addressing.h"
#include "runtime/ptx/async/Forms.h"
#include "runtime/ptx/machine/GuestMemory.h"

#include <algorithm>

namespace glm::ptx {

namespace {

constexpr uint32_t kLineBytes = 128; ///< of addresses and sizes of applypriority and discard

/// Values of CUTLASS's TMA::CacheHintSm90 where it names one.
uint64_t policyOf(std::string_view priority) {
  if (priority == "L2::evict_last")
    return 0x14F0000000000000;
  if (priority == "L2::evict_first")
    return 0x12F0000000000000;
  return priority == "L2::evict_normal" ? 0x1000000000000000 : 0x16F0000000000000;
}

struct PolicyOperands {
  Slot policy = kNoSlot;
  Slot property = kNoSlot; ///< of .cvt: is the policy
  uint64_t value = 0;      ///< of the others
};

Outcome runPolicy(Warp &warp, const Op &op, LaneMask lanes) {
  const auto &operands = *static_cast<const PolicyOperands *>(op.extra);
  auto *policies = warp.write<uint64_t>(operands.policy);
  const auto *properties = operands.property == kNoSlot ? nullptr : warp.read<uint64_t>(operands.property);
  forEachLane(lanes, [&](int lane) {
    policies[lane] = properties ? properties[lane] : operands.value;
    return true;
  });
  return Outcome::Next;
}

/// What discarded memory holds: the same in every run, and no number that anybody means.
constexpr std::byte kDiscarded{0xcd};

template <bool Discards>
Outcome runLine(Warp &warp, const Op &op, LaneMask lanes) {
  LaneAddresses addresses = static_cast<const AddressSlot *>(op.extra)->read(warp);
  auto space = static_cast<Space>(op.variant);
  bool fine = forEachLane(lanes, [&](int lane) {
    std::byte *line = touch(warp, op, lane, space, addresses[lane], kLineBytes, kLineBytes, {.writes = Discards});
    if (line && Discards)
      for (uint32_t i = 0; i < kLineBytes; ++i)
        storePlain(line + i, kDiscarded);
    return line != nullptr;
  });
  return fine ? Outcome::Next : Outcome::Fault;
}

Result<void> finishPolicy(Builder &builder, Op &op, PolicyOperands operands) {
  Result<Slot> policy = builder.destination(0, Type::B64);
  if (!policy)
    return policy.error();
  operands.policy = *policy;
  op.run = runPolicy;
  builder.setExtra(op, operands);
  return {};
}

// createpolicy.range[.global].(primary)[.(secondary)].b64 policy, [address], primary size, total size
Result<void> buildRange(Builder &builder, const Match &match, Op &op) {
  if (Result<void> counted = builder.expectOperands(4, 4); !counted)
    return counted;
  Space space = match.has(0) ? Space::Global : Space::Generic;
  if (Result<AddressSlot> address = addressSlot(builder, 1, space); !address)
    return address.error();
  for (size_t index : {2, 3})
    if (Result<Slot> size = builder.source(index, Type::B32); !size)
      return size.error();
  return finishPolicy(builder, op, {.value = policyOf(match.words[1])});
}

// createpolicy.fractional.(primary)[.(secondary)].b64 policy{, fraction}
Result<void> buildFractional(Builder &builder, const Match &match, Op &op) {
  if (Result<void> counted = builder.expectOperands(1, 2); !counted)
    return counted;
  if (builder.operandCount() == 2)
    if (Result<Slot> fraction = builder.source(1, Type::F32); !fraction)
      return fraction.error();
  return finishPolicy(builder, op, {.value = policyOf(match.words[0])});
}

// createpolicy.cvt.L2.b64 policy, access property
Result<void> buildConverted(Builder &builder, const Match &, Op &op) {
  if (Result<void> counted = builder.expectOperands(2, 2); !counted)
    return counted;
  Result<Slot> property = builder.source(1, Type::B64);
  if (!property)
    return property.error();
  return finishPolicy(builder, op, {.property = *property});
}

/// [address], 128
Result<void> buildLine(Builder &builder, bool isGlobal, Handler handler, Op &op) {
  if (Result<void> counted = builder.expectOperands(2, 2); !counted)
    return counted;
  Space space = isGlobal ? Space::Global : Space::Generic;
  Result<AddressSlot> address = addressSlot(builder, 0, space);
  if (!address)
    return address.error();
  Result<int64_t> size = builder.constant(1);
  if (!size)
    return size.error();
  if (*size != kLineBytes)
    return builder.error("takes 128 bytes", std::to_string(*size));
  op.variant = static_cast<uint16_t>(space);
  op.run = handler;
  builder.setExtra(op, *address);
  return {};
}

Result<void> buildPriority(Builder &builder, const Match &match, Op &op) {
  return buildLine(builder, match.has(0), runLine<false>, op);
}

Result<void> buildDiscard(Builder &builder, const Match &match, Op &op) {
  return buildLine(builder, match.has(0), runLine<true>, op);
}

constexpr auto kOther = OpClass::Other;
#define PRIORITIES                                                                                                     \
  ".(L2::evict_last|L2::evict_normal|L2::evict_first|L2::evict_unchanged)[.(L2::evict_first|L2::evict_unchanged)].b64"
constexpr Form kForms[] = {
    {"createpolicy.range[.global]" PRIORITIES, Feature::Base, 74, kOther, buildRange},
    {"createpolicy.fractional" PRIORITIES, Feature::Base, 74, kOther, buildFractional},
    {"createpolicy.cvt.L2.b64", Feature::Base, 74, kOther, buildConverted},
    {"applypriority[.global].L2::evict_normal", Feature::Base, 74, kOther, buildPriority},
    {"discard[.global].L2", Feature::Base, 74, OpClass::Store, buildDiscard},
};
#undef PRIORITIES

} // namespace

std::span<const Form> cachePolicyForms() { return kForms; }

} // namespace glm::ptx
