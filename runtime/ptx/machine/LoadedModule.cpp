// A program in one device's memory.
#include "runtime/ptx/machine/Address.h"
#include "runtime/ptx/machine/Call.h"
#include "runtime/ptx/machine/Launch.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace glm::ptx {
namespace {

/// The "addresses" of functions: nothing else lies there, and they can be told apart.
constexpr uint64_t kFunctionStride = 16;

bool hasMemory(const Variable &variable) { return variable.space == Space::Global || variable.space == Space::Const; }

void putAddress(AlignedBytes &bank, const AddressUse &use, uint64_t address) {
  for (uint32_t lane = 0; lane < kWarpSize; ++lane) {
    std::byte *at = bank.data() + (use.slot & ~kConstantSlot);
    if (use.wide)
      std::memcpy(at + lane * sizeof(uint64_t), &address, sizeof(uint64_t));
    else
      std::memcpy(at + lane * sizeof(uint32_t), &address, sizeof(uint32_t));
  }
}

} // namespace

LoadedModule::LoadedModule(std::shared_ptr<const Program> program, GlobalMemory &memory, int32_t device)
    : source(std::move(program)), globals(memory), owner(device) {}

LoadedModule::~LoadedModule() {
  for (uint64_t address : owned)
    globals.release(address);
}

uint64_t LoadedModule::functionAddress(uint32_t index) const {
  return kFunctionWindow + uint64_t{index} * kFunctionStride;
}

std::optional<uint32_t> LoadedModule::functionAt(uint64_t address) const {
  uint64_t offset = address - kFunctionWindow;
  if (offset % kFunctionStride || offset / kFunctionStride >= source->code.size())
    return std::nullopt;
  return static_cast<uint32_t>(offset / kFunctionStride);
}

Result<uint64_t> LoadedModule::place(const Variable &variable) {
  auto kind = variable.managed ? Region::Kind::Managed : Region::Kind::Module;
  Result<uint64_t> address = globals.allocate(std::max<uint64_t>(variable.bytes, 1), variable.align, kind, owner,
                                              fmt::format("variable {}", variable.name));
  if (!address)
    return address;
  owned.push_back(*address);
  if (!variable.initial.empty())
    std::memcpy(reinterpret_cast<void *>(*address), variable.initial.data(),
                std::min<uint64_t>(variable.initial.size(), variable.bytes));
  if (variable.space == Space::Const)
    globals.setReadOnly(*address);
  return address;
}

void LoadedModule::relocate(const Variable &variable, uint64_t address) {
  for (const Relocation &relocation : variable.relocations) {
    uint64_t value = relocation.isFunction ? functionAddress(relocation.symbol) : addresses[relocation.symbol];
    value += static_cast<uint64_t>(relocation.addend);
    std::memcpy(reinterpret_cast<std::byte *>(address) + relocation.offset, &value, relocation.width);
  }
}

Result<std::unique_ptr<LoadedModule>> LoadedModule::load(std::shared_ptr<const Program> program, GlobalMemory &memory,
                                                         int32_t device) {
  std::unique_ptr<LoadedModule> loaded(new LoadedModule(std::move(program), memory, device));
  const Program &source = *loaded->source;
  const Module &module = source.module;
  for (const Variable &variable : module.variables) {
    uint64_t address = 0;
    if (hasMemory(variable)) {
      if (variable.linkage == Variable::Linkage::Extern)
        return Error{fmt::format("{}:{}: variable {} must be defined in this module, but found only .extern",
                                 source.place, variable.line, variable.name)};
      Result<uint64_t> placed = loaded->place(variable);
      if (!placed)
        return placed.error();
      address = *placed;
    }
    loaded->addresses.push_back(address);
  }
  for (const Code &code : source.code) {
    std::vector<uint64_t> &own = loaded->functionVariables.emplace_back();
    if (!code.function)
      continue;
    for (const Variable &variable : code.function->variables) {
      Result<uint64_t> placed = hasMemory(variable) ? loaded->place(variable) : Result<uint64_t>(uint64_t{0});
      if (!placed)
        return placed.error();
      own.push_back(*placed);
    }
  }
  for (size_t index = 0; index < module.variables.size(); ++index)
    if (hasMemory(module.variables[index]))
      loaded->relocate(module.variables[index], loaded->addresses[index]);
  for (size_t function = 0; function < source.code.size(); ++function)
    for (size_t index = 0; index < loaded->functionVariables[function].size(); ++index)
      loaded->relocate(source.code[function].function->variables[index], loaded->functionVariables[function][index]);

  loaded->bank.resize(source.constants.size());
  if (!source.constants.empty())
    std::memcpy(loaded->bank.data(), source.constants.data(), source.constants.size());
  for (const AddressUse &use : source.addresses) {
    uint64_t address = use.scope == Operand::Scope::ModuleFunction ? loaded->functionAddress(use.symbol)
                                                                   : loaded->addresses[use.symbol];
    putAddress(loaded->bank, use, address + static_cast<uint64_t>(use.addend));
  }
  for (uint32_t index = 0; index < source.code.size(); ++index)
    loaded->layouts.push_back(sharedLayout(source, index));
  loaded->findOrdered();
  return loaded;
}

void LoadedModule::findOrdered() {
  // printf and malloc have effects whose order can be seen; a failing assertion ends the launch, whatever the order.
  ordered.assign(source->code.size(), false);
  for (size_t index = 0; index < source->code.size(); ++index) {
    const std::vector<Op> &ops = source->code[index].ops;
    SystemCall call = systemCallNamed(source->module.functions[index].name);
    ordered[index] = ops.empty() ? call != SystemCall::AssertFail : std::ranges::any_of(ops, &Op::ordered);
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t index = 0; index < source->code.size(); ++index)
      for (const Op &op : source->code[index].ops)
        if (!ordered[index] && mayCallOrdered(op, ordered))
          ordered[index] = changed = true;
  }
}

std::optional<uint32_t> LoadedModule::kernel(std::string_view name) const {
  for (uint32_t index = 0; index < source->module.functions.size(); ++index) {
    const Function &function = source->module.functions[index];
    if (function.isEntry && function.isDefined && function.name == name)
      return index;
  }
  return std::nullopt;
}

std::optional<LoadedModule::Placed> LoadedModule::variable(std::string_view name) const {
  const std::vector<Variable> &variables = source->module.variables;
  for (size_t index = 0; index < variables.size(); ++index)
    if (variables[index].name == name && hasMemory(variables[index]))
      return Placed{addresses[index], variables[index].bytes};
  return std::nullopt;
}

} // namespace glm::ptx
