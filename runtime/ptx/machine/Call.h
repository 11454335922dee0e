// Calls and frames.
#pragma once

#include "runtime/ptx/machine/Warp.h"

#include <optional>
#include <vector>

namespace glm::ptx {

/// Op::extra of a call.
struct CallSite {
  struct Value {
    bool isMemory = false; ///< a .param variable: `slot` is its offset in the stack frame; otherwise the value itself
    Slot slot = kNoSlot;
    uint32_t bytes = 0; ///< of a value in a register
  };
  std::optional<uint32_t> function; ///< direct: Module::functions
  Slot target = kNoSlot;            ///< indirect: the address of a function
  std::vector<Value> results, arguments;
};

enum class SystemCall : uint8_t { None, Printf, Malloc, Free, AssertFail };
/// What a function without a body is; None for one that nobody knows.
SystemCall systemCallNamed(std::string_view name);
Outcome runSystemCall(Warp &warp, const Op &op, LaneMask lanes, SystemCall call, const CallSite &site);

/// Whether `op` calls a function that `ordered` marks; an indirect call may call any.
bool mayCallOrdered(const Op &op, const std::vector<bool> &ordered);

/// Start a warp: the frame of the kernel, for `lanes`.
void enterKernel(Warp &warp, const Code &code, LaneMask lanes);

Outcome runCall(Warp &warp, const Op &op, LaneMask lanes);
/// ret: back to the caller; of the kernel's own frame, the same as exit.
Outcome runReturn(Warp &warp, const Op &op, LaneMask lanes);
Outcome runExit(Warp &warp, const Op &op, LaneMask lanes);

/// Copy what a value in memory or a register holds, `lane` by lane, as bytes.
void loadValue(const Warp &warp, const CallSite::Value &value, int lane, void *bytes, size_t count);
void storeValue(Warp &warp, const CallSite::Value &value, int lane, const void *bytes, size_t count);

} // namespace glm::ptx
