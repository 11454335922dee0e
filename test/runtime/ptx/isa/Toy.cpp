#include "test/runtime/ptx/isa/Toy.h"

#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/text/Parser.h"

#include <fmt/format.h>

#include <array>

namespace glm::ptx {
namespace {

Outcome runNothing(Warp &, const Op &, LaneMask) { return Outcome::Next; }

/// op.slots: a destination of `type`, then sources of it.
Result<void> buildPlain(Builder &builder, Op &op, Type type, size_t sources) {
  op.run = runNothing;
  if (Result<void> checked = builder.expectOperands(sources + 1, sources + 1); !checked)
    return checked;
  Result<Slot> destination = builder.destination(0, type);
  if (!destination)
    return destination.error();
  op.slots[0] = *destination;
  for (size_t i = 1; i <= sources; ++i) {
    Result<Slot> source = builder.source(i, type);
    if (!source)
      return source.error();
    op.slots[i] = *source;
  }
  return {};
}

template <size_t Sources, size_t TypePlace>
Result<void> buildTyped(Builder &builder, const Match &match, Op &op) {
  return buildPlain(builder, op, match.type(TypePlace), Sources);
}

Result<void> buildLater(Builder &builder, const Match &, Op &op) { return buildPlain(builder, op, Type::B32, 0); }

Result<void> buildClock(Builder &builder, const Match &, Op &op) { return buildPlain(builder, op, Type::U32, 0); }

Result<void> buildSet(Builder &builder, const Match &match, Op &op) {
  op.run = runNothing;
  Result<Slot> predicate = builder.destination(0, Type::Pred);
  if (!predicate)
    return predicate.error();
  Result<Slot> left = builder.source(1, match.type(1)), right = builder.source(2, match.type(1));
  if (!left)
    return left.error();
  if (!right)
    return right.error();
  op.slots[0] = *predicate, op.slots[1] = *left, op.slots[2] = *right;
  return {};
}

Result<void> buildSelect(Builder &builder, const Match &match, Op &op) {
  op.run = runNothing;
  Result<Slot> destination = builder.destination(0, match.type(0));
  if (!destination)
    return destination.error();
  op.slots[0] = *destination;
  for (size_t i = 1; i <= 3; ++i) {
    Result<Slot> source = builder.source(i, i == 3 ? Type::Pred : match.type(0));
    if (!source)
      return source.error();
    op.slots[i] = *source;
  }
  return {};
}

/// The address operand is kept where a test can look at it.
template <bool IsLoad>
Result<void> buildMemory(Builder &builder, const Match &match, Op &op) {
  op.run = runNothing;
  size_t count = match.has(1) ? static_cast<size_t>(match.words[1][1] - '0') : 1;
  std::vector<Slot> slots;
  const Operand &data = builder.operand(IsLoad ? 0 : 1);
  Result<void> read = IsLoad ? builder.destinations(data, match.type(2), count, slots, false)
                             : builder.sources(data, match.type(2), count, slots, false);
  if (!read)
    return read;
  Result<AddressOperand> address = builder.address(IsLoad ? 1 : 0);
  if (!address)
    return address.error();
  builder.setMore(op, slots);
  op.slots[0] = address->base;
  op.immediate = address->offset;
  builder.setExtra(op, *address);
  return {};
}

Result<void> buildBranch(Builder &builder, const Match &, Op &op) {
  op.run = runNothing;
  return builder.jumpTarget(0, op);
}

Result<void> buildTableBranch(Builder &builder, const Match &, Op &op) {
  op.run = runNothing;
  Result<Slot> index = builder.source(0, Type::U32);
  if (!index)
    return index.error();
  Result<const JumpTable *> table = builder.table(1, Table::Kind::BranchTargets);
  if (!table)
    return table.error();
  op.slots[0] = *index;
  op.extra = *table;
  return {};
}

Result<void> buildNothing(Builder &, const Match &, Op &op) {
  op.run = runNothing;
  return {};
}

Result<void> buildCall(Builder &builder, const Match &, Op &op) {
  op.run = runNothing;
  size_t callee = builder.operand(0).kind == Operand::Kind::List ? 1 : 0;
  if (builder.operand(callee).kind == Operand::Kind::Register) {
    builder.markIndirectCall();
    return {};
  }
  Result<uint32_t> function = builder.functionOperand(builder.operand(callee));
  if (!function)
    return function.error();
  op.detail = *function;
  return {};
}

using enum OpClass;
constexpr auto kBase = Feature::Base;
constexpr std::array kForms = {
    Form{"mov.(b16|b32|b64|u16|u32|u64|s32|f32|f64|pred)", kBase, 10, Move, buildTyped<1, 0>},
    Form{"add[.(rn|rz)][.ftz].f32", kBase, 10, Float,
         [](Builder &builder, const Match &, Op &op) { return buildPlain(builder, op, Type::F32, 2); }},
    Form{"add.(u32|s32|u64|s64|f16x2)", kBase, 10, Integer, buildTyped<2, 0>},
    Form{"not.(pred|b32)", kBase, 10, Integer, buildTyped<1, 0>},
    Form{"and.(pred|b32)", kBase, 10, Integer, buildTyped<2, 0>},
    Form{"setp.(eq|ne|lt).(u32|s32|f32)", kBase, 10, Integer, buildSet},
    Form{"selp.(b32|f32)", kBase, 10, Integer, buildSelect},
    Form{"ld.(global|shared|local|param|const)[.(v2|v4)].(b8|u8|b32|u32|b64|u64|f32)", kBase, 10, Load,
         buildMemory<true>},
    Form{"st.(global|shared|local|param)[.(v2|v4)].(b8|u8|b32|u32|b64|u64|f32)", kBase, 10, Store, buildMemory<false>},
    Form{"bra[.uni]", kBase, 10, Control, buildBranch},
    Form{"brx.idx[.uni]", kBase, 60, Control, buildTableBranch},
    Form{"call[.uni]", kBase, 20, Control, buildCall},
    Form{"ret[.uni]", kBase, 10, Control, buildNothing},
    Form{"exit", kBase, 10, Control, buildNothing},
    Form{"%clock", kBase, 10, Other, buildClock},
    Form{"wgmma.fence.sync.aligned", Feature::Wgmma, 80, Async, buildNothing},
    Form{"setmaxnreg.(inc|dec).sync.aligned.u32", Feature::Setmaxnreg, 80, Other, buildNothing},
    Form{"tcgen05.wait::ld.sync.aligned", Feature::Tcgen05, 86, Async, buildNothing},
    Form{"tcgen05.ld.toy", kBase, 86, Matrix, buildLater},
    Form{"nanosleep.u32", kBase, 63, Other, buildNothing},
};

} // namespace

const FormTable &toyForms() {
  static const std::array<std::span<const Form>, 1> tables = {kForms};
  static const FormTable table(tables);
  return table;
}

Result<std::unique_ptr<Program>> decodeToy(const std::string &text, std::string_view chip, std::string_view version) {
  Result<Module> module = parse(fmt::format(".version {}\n.target {}\n.address_size 64\n{}", version, chip, text), "t");
  if (!module)
    return module.error();
  const Chip *known = chipNamed(chip);
  return decode(std::move(*module), known ? *known : *chipNamed("sm_90a"), toyForms(), "t");
}

} // namespace glm::ptx
