// What the system provides to kernels: vprintf, malloc, free, __assertfail (CUDA programming guide, "Formatted Output", "Dynamic
// Global Memory Allocation", "Assertion"; PTX ISA, "System calls").
#include "runtime/ptx/machine/Access.h"
#include "runtime/ptx/machine/Call.h"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>

namespace glm::ptx {
namespace {

/// A text that never ends is a fault, of the byte where memory ends.
bool readText(Warp &warp, const Op &op, int lane, uint64_t address, std::string &text) {
  for (;; ++address) {
    const std::byte *at = touch(warp, op, lane, Space::Generic, address, 1, 1, {});
    if (!at)
      return false;
    char letter = static_cast<char>(*at);
    if (!letter)
      return true;
    text += letter;
  }
}

template <typename T>
T argument(const Warp &warp, const CallSite &site, size_t index, int lane) {
  T value{};
  loadValue(warp, site.arguments[index], lane, &value, sizeof(T));
  return value;
}

/// The arguments of vprintf lie one after the other, each aligned to its size.
class Arguments {
public:
  Arguments(Warp &warp, const Op &op, int lane, uint64_t address) : warp(warp), op(op), lane(lane), address(address) {}

  template <typename T>
  bool next(T &value) {
    address = (address + sizeof(T) - 1) & ~(sizeof(T) - 1);
    const std::byte *at = touch(warp, op, lane, Space::Generic, address, sizeof(T), sizeof(T), {});
    if (!at)
      return false;
    std::memcpy(&value, at, sizeof(T));
    address += sizeof(T);
    return true;
  }

private:
  Warp &warp;
  const Op &op;
  int lane;
  uint64_t address;
};

template <typename... T>
void append(std::string &text, const std::string &format, T... values) {
  char buffer[512];
  int count = std::snprintf(buffer, sizeof(buffer), format.c_str(), values...);
  if (count < 0)
    return;
  if (static_cast<size_t>(count) < sizeof(buffer)) {
    text.append(buffer, static_cast<size_t>(count));
    return;
  }
  std::string longer(static_cast<size_t>(count) + 1, '\0');
  std::snprintf(longer.data(), longer.size(), format.c_str(), values...);
  longer.pop_back();
  text += longer;
}

/// One directive, from % to its letter, with up to two * taken from the arguments. False after a fault.
bool formatOne(std::string directive, Arguments &arguments, Warp &warp, const Op &op, int lane, std::string &text) {
  for (size_t star; (star = directive.find('*')) != std::string::npos;) {
    int32_t width = 0;
    if (!arguments.next(width))
      return false;
    directive.replace(star, 1, std::to_string(width));
  }
  char letter = directive.back();
  bool isLong = directive.find_first_of("lzjt") != std::string::npos;
  if (std::strchr("aAeEfFgG", letter)) {
    double value = 0;
    if (!arguments.next(value))
      return false;
    append(text, directive, value);
  } else if (letter == 's') {
    uint64_t address = 0;
    std::string value;
    if (!arguments.next(address) || !readText(warp, op, lane, address, value))
      return false;
    append(text, directive, value.c_str());
  } else if (letter == 'p' || isLong) {
    uint64_t value = 0;
    if (!arguments.next(value))
      return false;
    append(text, directive, value);
  } else {
    uint32_t value = 0;
    if (!arguments.next(value))
      return false;
    append(text, directive, value);
  }
  return true;
}

bool formatText(const std::string &format, Arguments arguments, Warp &warp, const Op &op, int lane, std::string &text) {
  for (size_t at = 0; at < format.size();) {
    if (format[at] != '%') {
      text += format[at++];
      continue;
    }
    size_t end = format.find_first_of("%diouxXcspaAeEfFgG", at + 1);
    if (end == std::string::npos)
      return true;
    if (format[end] == '%')
      text += '%';
    else if (!formatOne(format.substr(at, end + 1 - at), arguments, warp, op, lane, text))
      return false;
    at = end + 1;
  }
  return true;
}

Outcome print(Warp &warp, const Op &op, int lane, const CallSite &site) {
  std::string format, text;
  if (!readText(warp, op, lane, argument<uint64_t>(warp, site, 0, lane), format))
    return Outcome::Fault;
  Arguments arguments(warp, op, lane, argument<uint64_t>(warp, site, 1, lane));
  if (!formatText(format, arguments, warp, op, lane, text))
    return Outcome::Fault;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  if (!site.results.empty()) {
    auto count = static_cast<int32_t>(std::ranges::count(format, '%'));
    storeValue(warp, site.results[0], lane, &count, sizeof(count));
  }
  return Outcome::Next;
}

Outcome allocate(Warp &warp, int lane, const CallSite &site) {
  const LoadedModule &module = *warp.block->grid->module;
  auto bytes = argument<uint64_t>(warp, site, 0, lane);
  Result<uint64_t> address = module.memory().allocate(bytes, 16, Region::Kind::Device, module.device(),
                                                      fmt::format("malloc of {} bytes in a kernel", bytes));
  uint64_t value = address ? *address : 0;
  if (!site.results.empty())
    storeValue(warp, site.results[0], lane, &value, sizeof(value));
  return Outcome::Next;
}

Outcome free(Warp &warp, const Op &op, int lane, const CallSite &site) {
  auto address = argument<uint64_t>(warp, site, 0, lane);
  if (address && !warp.block->grid->module->memory().release(address))
    return warp.fault(op, lane, LaunchFault::Kind::IllegalAddress,
                      fmt::format("free must be given what malloc gave, but found {:#x}", address));
  return Outcome::Next;
}

Outcome failAssertion(Warp &warp, const Op &op, int lane, const CallSite &site) {
  std::string message, file, function;
  if (!readText(warp, op, lane, argument<uint64_t>(warp, site, 0, lane), message) ||
      !readText(warp, op, lane, argument<uint64_t>(warp, site, 1, lane), file) ||
      !readText(warp, op, lane, argument<uint64_t>(warp, site, 3, lane), function))
    return Outcome::Fault;
  return warp.fault(op, lane, LaunchFault::Kind::Assert,
                    fmt::format("assertion must hold, but found `{}` false ({}:{}, {})", message, file,
                                argument<uint32_t>(warp, site, 2, lane), function));
}

} // namespace

SystemCall systemCallNamed(std::string_view name) {
  if (name == "vprintf")
    return SystemCall::Printf;
  if (name == "malloc")
    return SystemCall::Malloc;
  if (name == "free")
    return SystemCall::Free;
  return name == "__assertfail" ? SystemCall::AssertFail : SystemCall::None;
}

Outcome runSystemCall(Warp &warp, const Op &op, LaneMask lanes, SystemCall call, const CallSite &site) {
  for (; lanes; lanes &= lanes - 1) {
    int lane = std::countr_zero(lanes);
    Outcome outcome = Outcome::Next;
    switch (call) {
    case SystemCall::Printf:
      outcome = print(warp, op, lane, site);
      break;
    case SystemCall::Malloc:
      outcome = allocate(warp, lane, site);
      break;
    case SystemCall::Free:
      outcome = free(warp, op, lane, site);
      break;
    case SystemCall::AssertFail:
      outcome = failAssertion(warp, op, lane, site);
      break;
    case SystemCall::None:
      outcome =
          warp.fault(op, lane, LaunchFault::Kind::InvalidPc, "function must have a body to be called, but found none");
      break;
    }
    if (outcome == Outcome::Fault)
      return outcome;
  }
  return Outcome::Next;
}

} // namespace glm::ptx
