// What names mean at a place of the text: scopes within one another, inner ones shadowing outer ones.
#pragma once

#include "runtime/ptx/text/Type.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace glm::ptx {

/// What a name was declared as.
struct Symbol {
  enum class Kind : uint8_t {
    Register,         ///< `index` of the first of `count` in Function::registers
    ModuleVariable,   ///< Module::variables
    FunctionVariable, ///< Function::variables
    Parameter,        ///< Function::parameters
    Result,           ///< Function::results
    Function,         ///< Module::functions
    Label,            ///< Function::instructions
    Table,            ///< Function::tables
  };

  Kind kind = Kind::Register;
  uint32_t index = 0;
  uint32_t count = 1; ///< elements of a vector register
  uint32_t line = 0;
};

/// .reg .b32 %r<8>: eight names that are made when they are used, so that the text's length bounds the memory.
struct RegisterRange {
  Type type = Type::B32;
  uint32_t vector = 1; ///< elements of each
  uint64_t count = 0;
  uint32_t line = 0;
};

class Names {
public:
  /// Scopes: 0 is the module.
  void open() { starts.push_back({entries.size(), ranges.size()}); }
  void close();
  uint32_t depth() const { return static_cast<uint32_t>(starts.size()); }

  /// The line of an earlier declaration of this name in the innermost scope, or nothing: then it is declared now.
  std::optional<uint32_t> declare(std::string_view name, Symbol symbol);
  std::optional<uint32_t> declareRange(std::string_view prefix, RegisterRange range);

  /// Null if there is none. A range's register that was not used before has no symbol yet: then `range` says which.
  struct Found {
    const Symbol *symbol = nullptr;
    const RegisterRange *range = nullptr;
    uint32_t depth = 0;
    uint64_t key = 0; ///< of the register within the ranges, for `made`
  };
  Found find(std::string_view name) const;

  /// Remember the symbol of a range's register.
  Symbol made(uint64_t key, Symbol symbol) { return rangeSymbols[key] = symbol; }

private:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Entry {
    std::string_view name;
    Symbol symbol;
    uint32_t depth;
    uint32_t shadowed; ///< the entry of this name that it hides
  };
  struct RangeEntry {
    std::string_view prefix;
    RegisterRange range;
    uint32_t depth;
    uint32_t shadowed;
    uint32_t id; ///< unique, also after its scope was closed
  };
  struct Start {
    size_t entries, ranges;
  };

  std::vector<Start> starts;
  std::vector<Entry> entries;
  std::vector<RangeEntry> ranges;
  std::unordered_map<std::string_view, uint32_t> newest, newestRange; ///< index into entries and ranges, or kNone
  std::unordered_map<uint64_t, Symbol> rangeSymbols;
  uint32_t rangeIds = 0;
};

} // namespace glm::ptx
