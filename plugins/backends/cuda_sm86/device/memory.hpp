// Memory of the device and pinned memory of the host, as owned objects.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace vernal::cuda_sm86 {

/// Where a buffer lies.
enum class MemoryPlace : std::uint8_t {
  kDevice,
  kPinned,  ///< host memory that the device reads and writes at the same address
};

/// A block of memory of fixed size. Its content is unknown at first. The device is the current one
/// of the thread that makes it.
class Buffer {
 public:
  Buffer() = default;
  /// `bytes` >= 1; `what` names the block in errors.
  /// Errors  RESOURCE_EXHAUSTED: there is no room
  Buffer(MemoryPlace place, std::int64_t bytes, std::string_view what);
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  std::byte* data() const { return data_; }
  template <class T>
  T* as(std::int64_t offset = 0) const {
    return reinterpret_cast<T*>(data_ + offset);
  }
  std::int64_t bytes() const { return bytes_; }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(place_, other.place_);
  }

  std::byte* data_ = nullptr;
  std::int64_t bytes_ = 0;
  MemoryPlace place_ = MemoryPlace::kDevice;
};

}  // namespace vernal::cuda_sm86
