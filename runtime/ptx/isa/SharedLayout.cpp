#include "runtime/ptx/isa/Program.h"

#include <algorithm>

namespace glm::ptx {
namespace {

constexpr uint32_t kDynamicAlign = 16; ///< at least; what a launch's bytes are aligned to

} // namespace

SharedLayout sharedLayout(const Program &program, uint32_t kernel) {
  // Functions that the kernel may run: what it names, and behind an indirect call whatever anybody names.
  std::vector<bool> runs(program.code.size(), false);
  std::vector<uint32_t> work{kernel};
  runs[kernel] = true;
  bool namesAll = false;
  auto reach = [&](uint32_t index) {
    if (!runs[index])
      work.push_back(index);
    runs[index] = true;
  };
  while (!work.empty()) {
    const Code &code = program.code[work.back()];
    work.pop_back();
    for (uint32_t callee : code.callees)
      reach(callee);
    if (!code.callsIndirectly || namesAll)
      continue;
    namesAll = true;
    for (const Code &other : program.code)
      for (uint32_t callee : other.callees)
        reach(callee);
    for (const Variable &variable : program.module.variables)
      for (const Relocation &relocation : variable.relocations)
        if (relocation.isFunction)
          reach(relocation.symbol);
  }

  SharedLayout layout;
  layout.offset.assign(program.module.variables.size(), SharedLayout::kAbsent);
  std::vector<uint32_t> reached;
  for (size_t i = 0; i < runs.size(); ++i)
    if (runs[i])
      for (uint32_t variable : program.code[i].sharedVariables)
        if (layout.offset[variable] == SharedLayout::kAbsent) {
          layout.offset[variable] = 0;
          reached.push_back(variable);
        }
  std::ranges::sort(reached);

  auto isDynamic = [&](uint32_t variable) {
    return program.module.variables[variable].linkage == Variable::Linkage::Extern;
  };
  uint32_t start = program.chip->sharedReserved;
  uint64_t end = start;
  uint32_t dynamicAlign = kDynamicAlign;
  for (uint32_t index : reached) {
    const Variable &variable = program.module.variables[index];
    if (isDynamic(index)) {
      dynamicAlign = std::max(dynamicAlign, variable.align);
      continue;
    }
    end = (end + variable.align - 1) / variable.align * variable.align;
    layout.offset[index] = static_cast<uint32_t>(end);
    end += variable.bytes;
  }
  layout.bytes = static_cast<uint32_t>(std::min<uint64_t>(end - start, UINT32_MAX / 2));
  uint64_t dynamic = (end + dynamicAlign - 1) / dynamicAlign * dynamicAlign;
  layout.dynamicStart = static_cast<uint32_t>(std::min<uint64_t>(dynamic, UINT32_MAX / 2));
  for (uint32_t index : reached)
    if (isDynamic(index))
      layout.offset[index] = layout.dynamicStart;
  return layout;
}

} // namespace glm::ptx
