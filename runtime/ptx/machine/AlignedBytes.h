// Zeroed bytes aligned to 64, the alignment of registers.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace glm::ptx {

class AlignedBytes {
public:
  std::byte *data() { return bytes.get(); }
  const std::byte *data() const { return bytes.get(); }
  size_t size() const { return count; }

  /// Keep what is there, new bytes are zero. Memory is never given back.
  void resize(size_t size) {
    if (size > capacity) {
      std::unique_ptr<std::byte[], Free> grown(static_cast<std::byte *>(::operator new(size, kAlign)));
      if (count)
        std::memcpy(grown.get(), bytes.get(), count);
      bytes = std::move(grown);
      capacity = size;
    }
    if (size > count)
      std::memset(bytes.get() + count, 0, size - count);
    count = size;
  }

private:
  static constexpr std::align_val_t kAlign{64};
  struct Free {
    void operator()(std::byte *memory) const { ::operator delete(memory, kAlign); }
  };
  std::unique_ptr<std::byte[], Free> bytes;
  size_t count = 0, capacity = 0;
};

} // namespace glm::ptx
