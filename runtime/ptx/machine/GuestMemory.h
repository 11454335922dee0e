// How a guest's instructions touch memory that other threads of the host may touch at the same time: the threads of other
// blocks and other streams, and the program's own.
//
// A strong access (volatile, relaxed, acquire, release, mmio, atom, red) is single-copy atomic in PTX ("Memory Consistency
// Model"), and so an atomic of the host. It acquires or releases, which costs nothing on x86 and orders what the driver and
// the program do before and after.
//
// A plain access may race with others by the guest's own doing, and what it sees then is the guest's affair. It stays a plain
// access of the host: the hot path of loads and stores, of which the compiler makes vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>

namespace glm::ptx {

/// Marks functions whose memory accesses are a guest's plain ones: the thread sanitizer reports no race of theirs, for it would
/// be the guest's and not the interpreter's. Nothing else belongs into such a function. Every helper in between must be marked
/// as well, for the accesses of one that is not are watched.
#define GLM_PTX_GUEST_ACCESS __attribute__((no_sanitize("thread")))

/// What .b128 moves.
struct Wide {
  uint64_t low, high;
  bool operator==(const Wide &) const = default;
};

/// The unsigned integer of so many bytes.
template <size_t bytes>
struct UnsignedOf;
template <>
struct UnsignedOf<1> {
  using Type = uint8_t;
};
template <>
struct UnsignedOf<2> {
  using Type = uint16_t;
};
template <>
struct UnsignedOf<4> {
  using Type = uint32_t;
};
template <>
struct UnsignedOf<8> {
  using Type = uint64_t;
};
template <>
struct UnsignedOf<16> {
  using Type = Wide;
};
template <size_t bytes>
using Unsigned = typename UnsignedOf<bytes>::Type;

template <typename T>
GLM_PTX_GUEST_ACCESS inline T loadPlain(const std::byte *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
GLM_PTX_GUEST_ACCESS inline void storePlain(std::byte *to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

/// memcpy of plain accesses. The thread sanitizer watches calls of memcpy whoever calls: its build gets a loop of its own.
GLM_PTX_GUEST_ACCESS inline void copyPlain(void *to, const void *from, size_t bytes) {
#if __has_feature(thread_sanitizer)
  for (size_t i = 0; i < bytes; ++i)
    static_cast<volatile std::byte *>(to)[i] = static_cast<const std::byte *>(from)[i];
#else
  std::memcpy(to, from, bytes);
#endif
}

/// The host has no atomics of 128 bits that every processor knows: strong accesses of that size take turns.
inline std::mutex wideAccess;

/// `from` is aligned to T, as are the addresses of all functions below.
template <typename T>
T loadStrong(const std::byte *from) {
  if constexpr (sizeof(T) == sizeof(Wide)) {
    std::lock_guard lock(wideAccess);
    return loadPlain<T>(from);
  } else {
    Unsigned<sizeof(T)> bits = __atomic_load_n(reinterpret_cast<const Unsigned<sizeof(T)> *>(from), __ATOMIC_ACQUIRE);
    T value;
    std::memcpy(&value, &bits, sizeof(T));
    return value;
  }
}

template <typename T>
void storeStrong(std::byte *to, T value) {
  if constexpr (sizeof(T) == sizeof(Wide)) {
    std::lock_guard lock(wideAccess);
    storePlain(to, value);
  } else {
    Unsigned<sizeof(T)> bits;
    std::memcpy(&bits, &value, sizeof(T));
    __atomic_store_n(reinterpret_cast<Unsigned<sizeof(T)> *>(to), bits, __ATOMIC_RELEASE);
  }
}

/// Puts next(old) in the place of `old`, which it returns, and nobody else's write in between.
template <typename T, typename Next>
T updateStrong(std::byte *at, Next next) {
  if constexpr (sizeof(T) == sizeof(Wide)) {
    std::lock_guard lock(wideAccess);
    T old = loadPlain<T>(at);
    storePlain(at, next(old));
    return old;
  } else {
    auto *memory = reinterpret_cast<T *>(at);
    T old = __atomic_load_n(memory, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(memory, &old, next(old), false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
    }
    return old;
  }
}

} // namespace glm::ptx
