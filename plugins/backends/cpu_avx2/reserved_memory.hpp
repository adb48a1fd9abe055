// Memory reserved as address space and backed by pages when it is first touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vernal::cpu_avx2 {

/// Whether memory is kept from being swapped out.
enum class MemoryLock : std::uint8_t {
  kNone,
  kPreferred,  ///< if the system refuses, a warning says so
  kRequired,
};

/// Locks a range, which gives it all of its pages. `what` names it in messages.
/// Errors  RESOURCE_EXHAUSTED: it is required, and the system refuses
void lock_memory(const std::byte* data, std::int64_t bytes, MemoryLock mode, std::string_view what);

/// Owns a zeroed, 2-MiB-aligned region. Move-only.
class ReservedMemory {
 public:
  enum class Pages : std::uint8_t {
    kSmall,  ///< sparse use: pages of 4 KiB
    kLarge,  ///< used as a whole: pages of 2 MiB where the system gives them
  };

  ReservedMemory() = default;
  /// Errors  RESOURCE_EXHAUSTED: the system has no room; `what` names the region in the message.
  ReservedMemory(std::int64_t bytes, Pages pages, std::string_view what);
  ~ReservedMemory();
  ReservedMemory(ReservedMemory&& other) noexcept;
  ReservedMemory& operator=(ReservedMemory&& other) noexcept;

  std::byte* data() const { return data_; }
  std::int64_t bytes() const { return bytes_; }

  /// Gives the whole pages inside [offset, offset + bytes) back to the system; they read as zeros.
  void discard(std::int64_t offset, std::int64_t bytes) const noexcept;

 private:
  std::byte* mapping_ = nullptr;
  std::int64_t mapping_bytes_ = 0;
  std::byte* data_ = nullptr;
  std::int64_t bytes_ = 0;
};

}  // namespace vernal::cpu_avx2
