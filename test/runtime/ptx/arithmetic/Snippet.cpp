#include "test/runtime/ptx/arithmetic/Snippet.h"

#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/text/Parser.h"
#include "test/runtime/ptx/harness/Coverage.h"
#include "test/runtime/ptx/number/Reference.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

namespace glm::ptx {
namespace {

Outcome stop(Warp &, const Op &, LaneMask) { return Outcome::Jump; }
Result<void> buildReturn(Builder &, const Match &, Op &op) {
  op.run = stop;
  return {};
}
constexpr Form kReturn[] = {{"ret", Feature::Base, 10, OpClass::Control, buildReturn}};

const FormTable &tableOf(LaneSet set) {
  static std::map<LaneSet, FormTable> tables;
  auto found = tables.find(set);
  if (found == tables.end()) {
    const std::array<std::span<const Form>, 2> both = {arithmeticForms(set), kReturn};
    found = tables.emplace(set, FormTable(both)).first;
  }
  return found->second;
}

constexpr size_t kAlign = 64;

} // namespace

std::vector<LaneSet> laneSets() {
  std::vector<LaneSet> sets;
  for (LaneSet set : {LaneSet::Baseline, LaneSet::Avx2, LaneSet::Avx512})
    if (set <= bestLaneSet())
      sets.push_back(set);
  return sets;
}

Snippet::Snippet(LaneSet set, std::string_view body, std::string_view chip, std::string_view version) {
  std::string text = fmt::format(".version {}\n.target {}\n.address_size 64\n.visible .entry k() {{\n.reg .b16 %h<8>;\n"
                                 ".reg .b32 %r<8>;\n.reg .b64 %l<8>;\n.reg .b8 %b<8>;\n.reg .b128 %q<4>;\n"
                                 ".reg .pred %p<8>;\n{}\nret;\n}}\n",
                                 version, chip, body);
  Result<Module> module = parse(std::move(text), "snippet.ptx");
  if (!module) {
    error = module.error().message;
    return;
  }
  Result<std::unique_ptr<Program>> decodedProgram =
      decode(std::move(*module), *chipNamed(chip), tableOf(set), "snippet.ptx");
  if (!decodedProgram) {
    error = decodedProgram.error().message;
    return;
  }
  program = std::move(*decodedProgram);
  for (const Instruction &instruction : program->module.functions[0].instructions)
    test::Coverage::instance().executed(instruction);
  // Frame and constants in one block, aligned as the machine aligns them.
  const size_t frame = program->code[0].frameBytes;
  memory.resize(frame + program->constants.size() + 2 * kAlign);
  void *start = memory.data();
  size_t space = memory.size();
  std::align(kAlign, 1, start, space);
  warp.frame = static_cast<std::byte *>(start);
  std::byte *constants = warp.frame + (frame + kAlign - 1) / kAlign * kAlign;
  std::ranges::copy(program->constants, constants);
  warp.constants = constants;
  warp.active = warp.alive = ~LaneMask(0);
}

std::optional<Snippet::Place> Snippet::placeOf(std::string_view name) const {
  const Code &code = program->code[0];
  const auto &registers = code.function->registers;
  for (size_t i = 0; i < registers.size(); ++i)
    if (registers[i].name == name) {
      const uint32_t bits = bitsOf(registers[i].type);
      return Place{code.registers[i], bits == 1 ? 0 : std::max(bits, 16u) / 8};
    }
  return std::nullopt;
}

void Snippet::set(std::string_view name, const LaneValues &values) {
  const std::optional<Place> place = placeOf(name);
  if (!place) {
    unnamed[std::string(name)] = values;
    return;
  }
  for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
    if (place->bytes == 0)
      warp.setPredicate(place->slot, LaneMask(1) << lane, values[lane] != 0 ? ~LaneMask(0) : 0);
    else
      std::memcpy(warp.frame + place->slot + place->bytes * lane, &values[lane], std::min<size_t>(place->bytes, 8));
  }
}

LaneValues Snippet::get(std::string_view name) const {
  const std::optional<Place> place = placeOf(name);
  if (!place) {
    const auto given = unnamed.find(name);
    EXPECT_NE(given, unnamed.end()) << "no register " << name;
    return given == unnamed.end() ? LaneValues{} : given->second;
  }
  LaneValues values{};
  for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
    if (place->bytes == 0)
      values[lane] = warp.predicate(place->slot) >> lane & 1;
    else
      std::memcpy(&values[lane], warp.frame + place->slot + place->bytes * lane, std::min<size_t>(place->bytes, 8));
  }
  return values;
}

void Snippet::setSpecial(const LaneValues &values) {
  for (const SpecialUse &use : program->code[0].specials) {
    const uint32_t bytes = bitsOf(use.type) / 8;
    for (uint32_t lane = 0; lane < kWarpSize; ++lane)
      std::memcpy(warp.frame + use.slot + bytes * lane, &values[lane], bytes);
  }
}

void Snippet::run(LaneMask lanes) {
  for (const Op &op : program->code[0].ops) {
    LaneMask runs = lanes;
    if (op.guard != kNoSlot)
      runs &= op.guardNegated ? ~warp.predicate(op.guard) : warp.predicate(op.guard);
    if (op.run == stop)
      return;
    if (runs != 0)
      ASSERT_EQ(op.run(warp, op, runs), Outcome::Next);
  }
}

uint64_t interesting(Type type, std::mt19937_64 &random) {
  switch (type) {
  case Type::F32:
    return reference::interestingFloat(random);
  case Type::F64:
    return reference::interestingDouble(random);
  case Type::Pred:
    return random() & 1;
  case Type::F16:
  case Type::BF16: {
    // Every exponent is likely, and so are the ends of the range.
    static constexpr uint16_t kEnds[] = {0,    0x8000, 1,      0x8001, 0x3ff,  0x400,  0x7bff, 0x7c00, 0xfc00, 0x7e00,
                                         0x7f, 0x80,   0x7f7f, 0x7f80, 0xff80, 0x7fc0, 0x7fff, 0x3c00, 0x3f80};
    const uint64_t bits = random();
    if (bits % 4 == 0)
      return kEnds[bits / 4 % std::size(kEnds)];
    return bits % 4 == 1 ? (bits >> 8 & 0x83ff) + 0x3c00 : bits >> 8 & 0xffff;
  }
  case Type::F16x2:
  case Type::BF16x2:
    return interesting(Type::F16, random) << 16 | interesting(Type::F16, random);
  case Type::F32x2:
    return interesting(Type::F32, random) << 32 | interesting(Type::F32, random);
  default:
    return reference::interestingInteger(random, static_cast<int>(bitsOf(type)));
  }
}

namespace {

/// %r3 for 32 bits, and so on.
std::string registerName(Type type, size_t index) {
  switch (bitsOf(type)) {
  case 1:
    return fmt::format("%p{}", index);
  case 8:
    return fmt::format("%b{}", index);
  case 16:
    return fmt::format("%h{}", index);
  case 32:
    return fmt::format("%r{}", index);
  default:
    return fmt::format("%l{}", index);
  }
}

uint64_t masked(Type type, uint64_t value) {
  const uint32_t bits = bitsOf(type) == 8 ? 16 : bitsOf(type);
  return bits == 64 ? value : value & ((uint64_t(1) << bits) - 1);
}

/// `alias`: which source the destination is (none: apart).
void checkOn(const FormCase &form, LaneSet set, std::optional<size_t> alias) {
  std::vector<std::string> names;
  for (size_t i = 0; i < form.from.size(); ++i)
    names.push_back(registerName(form.from[i], i + 1));
  const std::string to = alias ? names[*alias] : registerName(form.to, 0);
  std::string body = form.spelling + " " + to;
  for (const std::string &name : names)
    body += ", " + name;
  body += ";";
  Snippet snippet(set, body, form.chip);
  ASSERT_EQ(snippet.refusal(), "") << body;

  std::mt19937_64 random(form.spelling.size() * 1000 + form.from.size());
  for (int round = 0; round < form.rounds; ++round) {
    std::vector<LaneValues> inputs(form.from.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      for (uint64_t &value : inputs[i])
        value = form.input ? form.input(random, i) : interesting(form.from[i], random);
      snippet.set(names[i], inputs[i]);
    }
    LaneValues before;
    for (uint64_t &value : before)
      value = masked(form.to, form.to == Type::Pred ? random() & 1 : random());
    if (alias)
      before = inputs[*alias];
    else
      snippet.set(to, before);
    const LaneMask lanes = round % 2 == 0 ? ~LaneMask(0) : static_cast<LaneMask>(random());
    snippet.run(lanes);
    const LaneValues after = snippet.get(to);
    for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
      std::vector<uint64_t> lanesInputs;
      std::string shown;
      for (const LaneValues &values : inputs) {
        lanesInputs.push_back(values[lane]);
        shown += fmt::format(" {:#x}", values[lane]);
      }
      if ((lanes >> lane & 1) == 0) {
        ASSERT_EQ(after[lane], masked(form.to, before[lane]))
            << body << " wrote lane " << lane << ", which does not run, mask " << lanes;
        continue;
      }
      const uint64_t expected = masked(form.to, form.expected(lanesInputs.data()));
      if (form.accepts && form.accepts(lanesInputs.data(), after[lane], expected))
        continue;
      ASSERT_EQ(after[lane], expected) << body << " lane " << lane << " of" << shown << ", found "
                                       << fmt::format("{:#x}, expected {:#x}", after[lane], expected) << ", handlers "
                                       << static_cast<int>(set);
    }
  }
}

} // namespace

void check(const FormCase &form) {
  for (LaneSet set : laneSets()) {
    checkOn(form, set, std::nullopt);
    for (size_t i = 0; i < form.from.size() && !testing::Test::HasFatalFailure(); ++i)
      if (bitsOf(form.from[i]) == bitsOf(form.to))
        checkOn(form, set, i);
    if (testing::Test::HasFatalFailure())
      return;
  }
}

} // namespace glm::ptx
