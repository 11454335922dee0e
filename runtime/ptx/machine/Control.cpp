// Where a warp goes on: branches, calls, ends; and the special registers that change while it runs.
#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/machine/Call.h"
#include "runtime/ptx/machine/Fragments.h"
#include "runtime/ptx/machine/Groups.h"

#include <algorithm>
#include <array>
#include <bit>
#include <fmt/format.h>

namespace glm::ptx {
namespace {

uint32_t place(const Warp &warp, const Op &op) { return static_cast<uint32_t>(&op - warp.ops); }

/// The running fragment's lanes that are not among `lanes` go on at `op`.
void leaveOthers(Warp &warp, LaneMask lanes, uint32_t op) {
  if (LaneMask others = warp.active & ~lanes)
    warp.fragments[splitFragment(warp, others)].op = op;
}

Outcome branch(Warp &warp, const Op &op, LaneMask lanes) {
  if (lanes != warp.active)
    leaveOthers(warp, lanes, place(warp, op) + 1);
  warp.fragment().op = static_cast<uint32_t>(op.immediate);
  return Outcome::Jump;
}

Result<void> buildBranch(Builder &builder, const Match &, Op &op) {
  if (Result<void> count = builder.expectOperands(1, 1); !count)
    return count;
  op.run = branch;
  return builder.jumpTarget(0, op);
}

Outcome indexedBranch(Warp &warp, const Op &op, LaneMask lanes) {
  const std::vector<uint32_t> &targets = static_cast<const JumpTable *>(op.extra)->targets;
  const auto *index = warp.read<uint32_t>(op.slots[0]);
  int first = std::countr_zero(lanes);
  if (index[first] >= targets.size())
    return warp.fault(op, first, LaunchFault::Kind::InvalidPc,
                      fmt::format("index of a branch must be below {}, but found {}", targets.size(), index[first]));
  // Lanes with another target find this instruction again; those that the guard holds back find their guard false again.
  LaneMask same = 0;
  for (LaneMask rest = lanes; rest; rest &= rest - 1)
    if (int lane = std::countr_zero(rest); index[lane] == index[first])
      same |= LaneMask{1} << lane;
  leaveOthers(warp, same, place(warp, op));
  warp.fragment().op = targets[index[first]];
  return Outcome::Jump;
}

Result<void> buildIndexedBranch(Builder &builder, const Match &, Op &op) {
  if (Result<void> count = builder.expectOperands(2, 2); !count)
    return count;
  Result<Slot> index = builder.source(0, Type::U32);
  if (!index)
    return index.error();
  Result<const JumpTable *> table = builder.table(1, Table::Kind::BranchTargets);
  if (!table)
    return table.error();
  op.slots[0] = *index;
  op.run = indexedBranch;
  op.extra = *table;
  return {};
}

/// A value of a call's list: a .param variable by its address, or a register (or immediate).
Result<CallSite::Value> callValue(Builder &builder, const Operand &operand, bool written) {
  CallSite::Value value;
  if (operand.kind == Operand::Kind::Symbol) {
    Result<Builder::StackPlace> stack = builder.stackPlace(operand);
    if (!stack)
      return stack.error();
    value.isMemory = true;
    value.slot = static_cast<uint32_t>(stack->offset);
    value.bytes = static_cast<uint32_t>(stack->variable->bytes);
    return value;
  }
  Type type = builder.registerType(operand);
  if (type == Type::None)
    type = Type::B32;
  Result<Slot> slot = written ? builder.destination(operand, type) : builder.source(operand, type);
  if (!slot)
    return slot.error();
  value.slot = *slot;
  value.bytes = std::max(bitsOf(type), 16u) / 8;
  return value;
}

Result<void> callValues(Builder &builder, const Operand &list, bool written, std::vector<CallSite::Value> &values) {
  for (const Operand &part : list.parts) {
    Result<CallSite::Value> value = callValue(builder, part, written);
    if (!value)
      return value.error();
    values.push_back(*value);
  }
  return {};
}

Result<void> buildCall(Builder &builder, const Match &, Op &op) {
  CallSite site;
  size_t index = 0, count = builder.operandCount();
  if (index < count && builder.operand(index).kind == Operand::Kind::List)
    if (Result<void> results = callValues(builder, builder.operand(index++), true, site.results); !results)
      return results;
  if (index == count)
    return builder.error("must name a function", "none");
  const Operand &target = builder.operand(index++);
  if (target.kind == Operand::Kind::Symbol && target.scope == Operand::Scope::ModuleFunction) {
    Result<uint32_t> function = builder.functionOperand(target);
    if (!function)
      return function.error();
    site.function = *function;
    if (!builder.module().functions[target.symbol].isDefined &&
        systemCallNamed(builder.module().functions[target.symbol].name) == SystemCall::None)
      return builder.error("must call a function of this module, or vprintf, malloc, free, __assertfail", target.name);
  } else {
    Result<Slot> slot = builder.source(target, Type::B64);
    if (!slot)
      return slot.error();
    site.target = *slot;
    builder.markIndirectCall();
  }
  if (index < count && builder.operand(index).kind == Operand::Kind::List)
    if (Result<void> arguments = callValues(builder, builder.operand(index++), false, site.arguments); !arguments)
      return arguments;
  // What follows is a prototype or a list of targets, which say nothing that the functions themselves do not.
  op.run = runCall;
  builder.setExtra(op, std::move(site));
  return {};
}

template <Handler handler>
Result<void> buildPlain(Builder &builder, const Match &, Op &op) {
  if (Result<void> count = builder.expectOperands(0, 0); !count)
    return count;
  op.run = handler;
  return {};
}

Outcome trap(Warp &warp, const Op &op, LaneMask lanes) {
  return warp.fault(op, std::countr_zero(lanes), LaunchFault::Kind::IllegalInstruction,
                    "kernel must not come to a trap, but found one");
}

Outcome breakpoint(Warp &warp, const Op &op, LaneMask lanes) {
  return warp.fault(op, std::countr_zero(lanes), LaunchFault::Kind::IllegalInstruction,
                    "kernel must have a debugger to stop at a breakpoint, but found none");
}

Outcome nothing(Warp &, const Op &, LaneMask) { return Outcome::Next; }
Outcome yield(Warp &, const Op &, LaneMask) { return Outcome::Yield; }

/// pmevent, setmaxnreg: an immediate, and no effect that a program could see.
Result<void> buildIgnoredConstant(Builder &builder, const Match &, Op &op) {
  Result<int64_t> value = builder.constant(0);
  if (!value)
    return value.error();
  op.run = nothing;
  return {};
}

Result<void> buildSetmaxnreg(Builder &builder, const Match &match, Op &op) {
  Result<int64_t> value = builder.constant(0);
  if (!value)
    return value.error();
  // PTX ISA, "setmaxnreg": 24 to 256, a multiple of 8.
  if (*value < 24 || *value > 256 || *value % 8)
    return builder.error("must have a register count from 24 to 256 that is a multiple of 8",
                         fmt::format("{}", *value));
  return buildIgnoredConstant(builder, match, op);
}

Result<void> buildNanosleep(Builder &builder, const Match &, Op &op) {
  Result<Slot> time = builder.source(0, Type::U32);
  if (!time)
    return time.error();
  op.run = yield;
  return {};
}

/// Counts stand for time: warp instructions for clocks, one nanosecond each.
template <typename T, uint32_t shift>
Outcome readClock(Warp &warp, const Op &op, LaneMask lanes) {
  auto *to = warp.write<T>(op.slots[0]);
  for (; lanes; lanes &= lanes - 1)
    to[std::countr_zero(lanes)] = static_cast<T>(warp.executed >> shift);
  return Outcome::Next;
}

template <typename T, uint32_t shift>
Result<void> buildClock(Builder &builder, const Match &, Op &op) {
  Result<Slot> to = builder.destination(0, sizeof(T) == 8 ? Type::U64 : Type::U32);
  if (!to)
    return to.error();
  op.slots[0] = *to;
  op.run = readClock<T, shift>;
  return {};
}

constexpr auto kControl = OpClass::Control;

const Form kForms[] = {
    {"bra[.uni]", Feature::Base, 10, kControl, buildBranch},
    {"brx.idx[.uni]", Feature::Base, 60, kControl, buildIndexedBranch},
    {"call[.uni]", Feature::Base, 10, kControl, buildCall},
    {"ret[.uni]", Feature::Base, 10, kControl, buildPlain<runReturn>},
    {"exit", Feature::Base, 10, kControl, buildPlain<runExit>},
    {"trap", Feature::Base, 10, kControl, buildPlain<trap>},
    {"brkpt", Feature::Base, 10, kControl, buildPlain<breakpoint>},
    {"pmevent[.mask]", Feature::Base, 14, OpClass::Other, buildIgnoredConstant},
    {"nanosleep.u32", Feature::Base, 63, kControl, buildNanosleep},
    {"setmaxnreg.(inc|dec).sync.aligned.u32", Feature::Setmaxnreg, 80, OpClass::Other, buildSetmaxnreg},
    // One launch at a time runs here: what came before has ended, and nothing waits for this one to go on.
    {"griddepcontrol.(launch_dependents|wait)", Feature::Base, 78, kControl, buildPlain<nothing>},
    {"%clock", Feature::Base, 10, OpClass::Other, buildClock<uint32_t, 0>},
    {"%clock_hi", Feature::Base, 50, OpClass::Other, buildClock<uint32_t, 32>},
    {"%clock64", Feature::Base, 20, OpClass::Other, buildClock<uint64_t, 0>},
    {"%globaltimer", Feature::Base, 31, OpClass::Other, buildClock<uint64_t, 0>},
    {"%globaltimer_lo", Feature::Base, 31, OpClass::Other, buildClock<uint32_t, 0>},
    {"%globaltimer_hi", Feature::Base, 31, OpClass::Other, buildClock<uint32_t, 32>},
};

} // namespace

std::span<const Form> controlForms() { return kForms; }

} // namespace glm::ptx
