// A value or one line that says what is wrong.
//
// Messages have the form `<place>: <subject> <rule>, but <found>`, lower case, no full stop, and are written where the
// facts are. `main` prints what `errorText` makes of them on stderr and exits with 1.
#pragma once

#include <cassert>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace glm {

/// What is wrong, in one line.
struct Error {
  std::string message;
  /// What else is wrong, found at the same time and not because of the first.
  std::vector<std::string> more = {};

  /// Appends another error and what it brings along.
  void add(Error other) {
    more.push_back(std::move(other.message));
    more.insert(more.end(), std::make_move_iterator(other.more.begin()), std::make_move_iterator(other.more.end()));
  }
};

/// Either a T or an Error. `if (!result) return result.error();` passes an error on.
template <typename T>
class [[nodiscard]] Result {
public:
  Result(T value) : state(std::move(value)) {}
  Result(Error error) : state(std::move(error)) {}

  explicit operator bool() const { return std::holds_alternative<T>(state); }
  T &operator*() { return std::get<T>(state); }
  const T &operator*() const { return std::get<T>(state); }
  T *operator->() { return &std::get<T>(state); }
  const T *operator->() const { return &std::get<T>(state); }
  const Error &error() const { return std::get<Error>(state); }

private:
  std::variant<T, Error> state;
};

/// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Error error) : failure(std::move(error)) {}

  explicit operator bool() const { return !failure; }
  const Error &error() const { return *failure; }

private:
  std::optional<Error> failure;
};

} // namespace glm
