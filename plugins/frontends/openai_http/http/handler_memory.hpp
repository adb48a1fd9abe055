// Memory that is set aside for what waits in a loop.
#pragma once

#include <atomic>
#include <cstddef>
#include <new>

namespace vernal::openai_http {

/// Room for one operation or posted function that waits in a loop. Asio allocates it, and where it
/// cannot, a wake-up is lost, or a coroutine that begins to wait is dropped. A second one at the same
/// time is allocated as usual, which may throw. Any thread.
class HandlerMemory {
 public:
  HandlerMemory() = default;
  HandlerMemory(const HandlerMemory&) = delete;
  HandlerMemory& operator=(const HandlerMemory&) = delete;

  void* allocate(std::size_t size) {
    if (size > sizeof(bytes_) || is_taken_.exchange(true)) return ::operator new(size);
    return bytes_;
  }
  void deallocate(void* pointer) noexcept {
    if (pointer != bytes_) return ::operator delete(pointer);
    is_taken_ = false;
  }

 private:
  static constexpr std::size_t kSize = 384;  // the largest, a write, takes 280 with Boost 1.81

  alignas(std::max_align_t) std::byte bytes_[kSize];
  std::atomic<bool> is_taken_ = false;
};

/// Lets a function, or a completion token, use it: net::bind_allocator(in(memory), function). The
/// memory must live until the function has been called or dropped; the function may own it.
template <class T>
class HandlerAllocator {
 public:
  using value_type = T;

  explicit HandlerAllocator(HandlerMemory& memory) noexcept : memory_(&memory) {}
  template <class U>
  explicit HandlerAllocator(const HandlerAllocator<U>& other) noexcept : memory_(other.memory_) {}

  T* allocate(std::size_t count) const {
    return static_cast<T*>(memory_->allocate(count * sizeof(T)));
  }
  void deallocate(T* pointer, std::size_t) const noexcept { memory_->deallocate(pointer); }

  bool operator==(const HandlerAllocator&) const noexcept = default;

 private:
  template <class>
  friend class HandlerAllocator;

  HandlerMemory* memory_;
};

inline HandlerAllocator<void> in(HandlerMemory& memory) noexcept {
  return HandlerAllocator<void>(memory);
}

}  // namespace vernal::openai_http
