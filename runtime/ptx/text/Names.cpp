#include "runtime/ptx/text/Names.h"

namespace glm::ptx {
namespace {

/// Digits that a register's number can have: 32 bits.
constexpr size_t kMaxDigits = 10;

} // namespace

void Names::close() {
  for (; entries.size() > starts.back().entries; entries.pop_back())
    newest[entries.back().name] = entries.back().shadowed;
  for (; ranges.size() > starts.back().ranges; ranges.pop_back())
    newestRange[ranges.back().prefix] = ranges.back().shadowed;
  starts.pop_back();
}

std::optional<uint32_t> Names::declare(std::string_view name, Symbol symbol) {
  uint32_t &top = newest.try_emplace(name, kNone).first->second;
  if (top != kNone && entries[top].depth == depth())
    return entries[top].symbol.line;
  entries.push_back({name, symbol, depth(), top});
  top = static_cast<uint32_t>(entries.size() - 1);
  return std::nullopt;
}

std::optional<uint32_t> Names::declareRange(std::string_view prefix, RegisterRange range) {
  uint32_t &top = newestRange.try_emplace(prefix, kNone).first->second;
  if (top != kNone && ranges[top].depth == depth())
    return ranges[top].range.line;
  ranges.push_back({prefix, range, depth(), top, rangeIds++});
  top = static_cast<uint32_t>(ranges.size() - 1);
  return std::nullopt;
}

Names::Found Names::find(std::string_view name) const {
  Found found;
  if (auto exact = newest.find(name); exact != newest.end() && exact->second != kNone) {
    found.symbol = &entries[exact->second].symbol;
    found.depth = entries[exact->second].depth;
  }

  // %r12 may be number 12 of %r<...>, or number 2 of %r1<...>. Numbers have no leading zeros.
  uint64_t number = 0, weight = 1;
  for (size_t digits = 1; digits <= kMaxDigits && digits < name.size(); ++digits) {
    char digit = name[name.size() - digits];
    if (digit < '0' || digit > '9')
      break;
    number += weight * static_cast<uint64_t>(digit - '0');
    weight *= 10;
    if (digit == '0' && digits > 1)
      continue;
    auto prefix = newestRange.find(name.substr(0, name.size() - digits));
    uint32_t index = prefix == newestRange.end() ? kNone : prefix->second;
    // Ranges of outer scopes go on where those of inner ones end.
    while (index != kNone && number >= ranges[index].range.count)
      index = ranges[index].shadowed;
    if (index == kNone)
      continue;
    const RangeEntry &entry = ranges[index];
    if ((found.symbol || found.range) && found.depth >= entry.depth)
      continue;
    uint64_t key = static_cast<uint64_t>(entry.id) << 32 | number;
    auto symbol = rangeSymbols.find(key);
    found = {symbol == rangeSymbols.end() ? nullptr : &symbol->second, &entry.range, entry.depth, key};
  }
  return found;
}

} // namespace glm::ptx
