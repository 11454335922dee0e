// Calls: frames of registers and of local memory, arguments and results.
#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/machine/Call.h"
#include "runtime/ptx/machine/Fragments.h"
#include "runtime/ptx/machine/Specials.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>

namespace glm::ptx {
namespace {

/// The most local memory that a thread can have (CUDA programming guide, "Compute Capabilities").
constexpr uint64_t kMostLocalBytes = 512 << 10;
constexpr uint32_t kFrameAlign = 64, kLocalAlign = 16;
constexpr uint32_t kLeastRegister = 2; ///< bytes: .b8 registers are held as 16 bits

uint32_t alignUp(uint32_t value, uint32_t align) { return (value + align - 1) / align * align; }

uint32_t frameBytes(const Code &code) {
  return alignUp(code.frameBytes + static_cast<uint32_t>(code.registers.size() * sizeof(LaneMask)), kFrameAlign);
}

/// Make room for `bytes` of local memory in each thread, keeping what is there.
void growStacks(Warp &warp, uint32_t bytes) {
  if (bytes <= warp.stackStride)
    return;
  uint32_t stride = std::max(alignUp(bytes, 64), warp.stackStride * 2);
  AlignedBytes grown;
  grown.resize(size_t{stride} * kWarpSize);
  for (uint32_t lane = 0; lane < kWarpSize && warp.stackStride; ++lane)
    std::memcpy(grown.data() + size_t{lane} * stride, warp.stacks.data() + size_t{lane} * warp.stackStride,
                warp.stackStride);
  warp.stacks = std::move(grown);
  warp.stackStride = stride;
}

/// What depends on the block, or on the call.
uint64_t addressOf(const Warp &warp, const Frame &frame, const AddressUse &use) {
  const Block &block = *warp.block;
  const LoadedModule &module = *block.grid->module;
  const Program &program = module.program();
  switch (use.scope) {
  case Operand::Scope::ModuleVariable:
    if (program.module.variables[use.symbol].space == Space::Shared)
      return uint64_t{block.rank} << kRankShift | block.grid->layout->offset[use.symbol];
    return module.variableAddress(use.symbol);
  case Operand::Scope::ModuleFunction:
    return module.functionAddress(use.symbol);
  case Operand::Scope::Parameter:
    return frame.localBase + frame.code->parameterOffset[use.symbol];
  case Operand::Scope::Result:
    return frame.localBase + frame.code->resultOffset[use.symbol];
  default:
    return frame.localBase + frame.code->variableOffset[use.symbol];
  }
}

template <typename T>
void fill(std::byte *at, uint64_t value) {
  std::fill_n(reinterpret_cast<T *>(at), kWarpSize, static_cast<T>(value));
}

/// A new frame for the running fragment: registers above all others, what depends on the block and on the call filled in.
void pushFrame(Warp &warp, const Code &code, uint32_t localBase, uint32_t returnOp, const Op *call) {
  uint32_t base = 0;
  for (const Fragment &fragment : warp.fragments)
    if (!fragment.frames.empty())
      base = std::max(base, fragment.frames.back().base + frameBytes(*fragment.frames.back().code));
  Frame frame{&code, base, localBase, returnOp, call};
  warp.registers.resize(std::max<size_t>(warp.registers.size(), base + frameBytes(code)));
  std::byte *registers = warp.registers.data() + base;
  std::memset(registers, 0, frameBytes(code));
  growStacks(warp, localBase + static_cast<uint32_t>(code.localBytes));
  for (LaneMask lanes = code.localBytes ? warp.fragment().lanes : 0; lanes; lanes &= lanes - 1)
    std::memset(warp.stacks.data() + size_t(std::countr_zero(lanes)) * warp.stackStride + localBase, 0,
                code.localBytes);
  for (const SpecialUse &use : code.specials)
    fillSpecial(warp, use, registers + use.slot);
  for (const AddressUse &use : code.frameAddresses) {
    uint64_t address = addressOf(warp, frame, use) + static_cast<uint64_t>(use.addend);
    if (use.wide)
      fill<uint64_t>(registers + use.slot, address);
    else
      fill<uint32_t>(registers + use.slot, address);
  }
  warp.fragment().frames.push_back(frame);
}

/// Where a parameter or result of a function lies in its frame.
CallSite::Value valueIn(const Frame &frame, const Variable &variable, uint32_t offset, size_t registerIndex) {
  if (variable.space == Space::Reg)
    return {.isMemory = false,
            .slot = frame.code->registers[registerIndex],
            .bytes = std::max(static_cast<uint32_t>(variable.bytes), kLeastRegister)};
  return {.isMemory = true, .slot = frame.localBase + offset, .bytes = static_cast<uint32_t>(variable.bytes)};
}

/// Bytes of a parameter: in the thread's stack (`value.slot` is an offset), or in a register of the current frame.
std::byte *placeIn(Warp &warp, const CallSite::Value &value, int lane) {
  if (value.isMemory)
    return warp.stacks.data() + size_t(lane) * warp.stackStride + value.slot;
  return warp.frame + value.slot + size_t(lane) * value.bytes;
}

/// The caller's side: a .param variable, `localBase` being where the caller's stack frame begins, or a register.
std::byte *placeOutside(Warp &warp, uint32_t localBase, const CallSite::Value &value, int lane) {
  if (!value.isMemory)
    return const_cast<std::byte *>(warp.read<std::byte>(value.slot)) + size_t(lane) * value.bytes;
  return warp.stacks.data() + size_t(lane) * warp.stackStride + localBase + value.slot;
}

void define(Warp &warp, LaneMask lanes, const std::vector<uint32_t> &registers) {
  if (warp.defined)
    for (uint32_t index : registers)
      warp.defined[index] |= lanes;
}

} // namespace

void loadValue(const Warp &warp, const CallSite::Value &value, int lane, void *bytes, size_t count) {
  std::memcpy(bytes, placeOutside(const_cast<Warp &>(warp), warp.localBase, value, lane), count);
}

void storeValue(Warp &warp, const CallSite::Value &value, int lane, const void *bytes, size_t count) {
  std::memcpy(placeOutside(warp, warp.localBase, value, lane), bytes, count);
}

bool mayCallOrdered(const Op &op, const std::vector<bool> &ordered) {
  if (op.run != runCall)
    return false;
  const auto &site = *static_cast<const CallSite *>(op.extra);
  return site.function ? ordered[*site.function] : std::ranges::find(ordered, true) != ordered.end();
}

void enterKernel(Warp &warp, const Code &code, LaneMask lanes) {
  warp.fragments.clear();
  warp.fragments.emplace_back();
  warp.current = 0;
  warp.fragment().lanes = lanes;
  pushFrame(warp, code, 0, 0, nullptr);
  enterFragment(warp);
}

Outcome runCall(Warp &warp, const Op &op, LaneMask lanes) {
  const auto &site = *static_cast<const CallSite *>(op.extra);
  const LoadedModule &module = *warp.block->grid->module;
  auto at = static_cast<uint32_t>(&op - warp.ops);
  uint32_t function = 0;
  if (site.function) {
    function = *site.function;
  } else {
    // Lanes that go the same way go together; the others are tried again.
    const auto *targets = warp.read<uint64_t>(site.target);
    uint64_t target = targets[std::countr_zero(lanes)];
    for (LaneMask rest = lanes; rest; rest &= rest - 1)
      if (int lane = std::countr_zero(rest); targets[lane] != target)
        lanes &= ~(1u << lane);
    std::optional<uint32_t> found = module.functionAt(target);
    if (!found)
      return warp.fault(op, std::countr_zero(lanes), LaunchFault::Kind::InvalidPc,
                        fmt::format("indirect call must go to a function, but found address {:#x}", target));
    function = *found;
  }
  const Code &code = module.program().code[function];
  const Function &callee = module.program().module.functions[function];
  if (callee.parameters.size() != site.arguments.size() || callee.results.size() < site.results.size())
    return warp.fault(op, -1, LaunchFault::Kind::InvalidPc,
                      fmt::format("call of {} must pass {} arguments and take {} results, but found {} and {}",
                                  callee.name, callee.parameters.size(), callee.results.size(), site.arguments.size(),
                                  site.results.size()));
  // A guard, or an indirect call with several targets: the lanes that go are taken out, the others stay (those that the guard
  // holds back find their guard false again).
  warp.fragment().op = at;
  if (lanes != warp.active) {
    size_t other = splitFragment(warp, warp.active & ~lanes);
    warp.fragments[other].op = at;
    if (site.function)
      warp.fragments[other].op = at + 1;
  }
  if (code.ops.empty()) {
    Outcome outcome = runSystemCall(warp, op, lanes, systemCallNamed(callee.name), site);
    if (outcome == Outcome::Fault)
      return outcome;
    warp.fragment().op = at + 1;
    return Outcome::Jump;
  }
  uint32_t localBase = alignUp(warp.stackTop, kLocalAlign);
  if (localBase + code.localBytes > kMostLocalBytes)
    return warp.fault(op, std::countr_zero(lanes), LaunchFault::Kind::HardwareStackError,
                      fmt::format("stack of a thread must stay within {} bytes, but found {} needed by the call of {}",
                                  kMostLocalBytes, localBase + code.localBytes, callee.name));
  pushFrame(warp, code, localBase, at + 1, &op);
  const Frame &outer = warp.fragment().frames[warp.fragment().frames.size() - 2];
  std::byte *caller = warp.registers.data() + outer.base;
  Frame &frame = warp.fragment().frames.back();
  std::vector<uint32_t> registers;
  for (size_t index = 0; index < site.arguments.size(); ++index) {
    CallSite::Value inside =
        valueIn(frame, callee.parameters[index], code.parameterOffset[index], callee.results.size() + index);
    if (!inside.isMemory)
      registers.push_back(static_cast<uint32_t>(callee.results.size() + index));
    uint32_t bytes =
        site.arguments[index].isMemory ? inside.bytes : std::min(inside.bytes, site.arguments[index].bytes);
    for (LaneMask rest = lanes; rest; rest &= rest - 1) {
      int lane = std::countr_zero(rest);
      warp.frame = caller;
      const std::byte *from = placeOutside(warp, outer.localBase, site.arguments[index], lane);
      warp.frame = warp.registers.data() + frame.base;
      std::memcpy(placeIn(warp, inside, lane), from, bytes);
    }
  }
  warp.fragment().op = 0;
  enterFragment(warp);
  define(warp, lanes, registers);
  return Outcome::Jump;
}

Outcome runReturn(Warp &warp, const Op &op, LaneMask lanes) {
  if (warp.fragment().frames.size() == 1)
    return runExit(warp, op, lanes);
  warp.fragment().op = static_cast<uint32_t>(&op - warp.ops);
  if (lanes != warp.active) {
    size_t other = splitFragment(warp, warp.active & ~lanes);
    ++warp.fragments[other].op;
  }
  Frame frame = warp.fragment().frames.back();
  warp.fragment().frames.pop_back();
  const auto &site = *static_cast<const CallSite *>(frame.call->extra);
  const Function &callee = *frame.code->function;
  std::byte *inner = warp.registers.data() + frame.base;
  enterFragment(warp);
  for (size_t index = 0; index < site.results.size(); ++index) {
    CallSite::Value inside = valueIn(frame, callee.results[index], frame.code->resultOffset[index], index);
    uint32_t bytes = site.results[index].isMemory ? inside.bytes : std::min(inside.bytes, site.results[index].bytes);
    if (site.results[index].slot == kNoSlot)
      continue;
    for (LaneMask rest = lanes; rest; rest &= rest - 1) {
      int lane = std::countr_zero(rest);
      const std::byte *from =
          inside.isMemory ? placeIn(warp, inside, lane) : inner + inside.slot + size_t(lane) * inside.bytes;
      std::memcpy(placeOutside(warp, warp.localBase, site.results[index], lane), from, bytes);
    }
  }
  // Results that go to registers are the call's writes.
  if (warp.defined)
    for (uint32_t index = 0; index < frame.call->writeCount; ++index)
      warp.defined[frame.call->writes[index]] |= lanes;
  warp.fragment().op = frame.returnOp;
  return Outcome::Jump;
}

Outcome runExit(Warp &warp, const Op &op, LaneMask lanes) {
  warp.fragment().op = static_cast<uint32_t>(&op - warp.ops) + 1;
  warp.alive &= ~lanes;
  ++warp.block->grid->progress;
  removeLanes(warp, lanes);
  if (!warp.alive)
    --warp.block->running;
  return Outcome::Jump;
}

} // namespace glm::ptx
