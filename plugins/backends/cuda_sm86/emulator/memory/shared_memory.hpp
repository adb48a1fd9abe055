// The shared memory of the block that runs.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace vernal::cuda_sm86::emulator {

/// Objects of exactly the size that the kernel declares, with bytes around them that nobody may
/// touch. An object has the alignment of its type and no more, so that a missing alignas is found.
class SharedMemory {
 public:
  static constexpr std::size_t kMostBytes = 48 * 1024;  // what CUDA allows without dynamic memory

  SharedMemory();

  /// Forgets the objects of the block before.
  void begin_block();

  /// The object of `key`, made and filled with 0xFF when it is first asked for. Null if there is no
  /// room.
  void* object(const void* key, const char* name, std::size_t bytes, std::size_t alignment);

  /// Whether [at, at + bytes) lies within one object.
  bool contains(const void* at, std::size_t bytes) const;

  /// The name of an object around which something was written; empty if there is none.
  std::string damaged_object() const;

 private:
  struct Object {
    const void* key;
    const char* name;
    std::byte* at;
    std::size_t bytes;
  };

  std::byte* arena_;
  std::size_t used_ = 0;  // of the arena
  std::size_t object_bytes_ = 0;
  std::vector<Object> objects_;  // of this block
};

}  // namespace vernal::cuda_sm86::emulator
