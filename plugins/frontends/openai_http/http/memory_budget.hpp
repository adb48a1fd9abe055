// A bound on the bytes that the request bodies of all connections hold together.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace vernal::openai_http {

/// Any thread.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t bytes) : left_(bytes) {}

  /// Takes nothing and returns false if less than that is left.
  bool take(std::uint64_t bytes) noexcept {
    std::uint64_t left = left_.load();
    while (left >= bytes) {
      if (left_.compare_exchange_weak(left, left - bytes)) return true;
    }
    return false;
  }
  void give_back(std::uint64_t bytes) noexcept { left_ += bytes; }
  std::uint64_t left() const noexcept { return left_; }

 private:
  std::atomic<std::uint64_t> left_;
};

/// What one request holds of a budget. Its destructor gives it back.
class MemoryShare {
 public:
  explicit MemoryShare(MemoryBudget& budget) : budget_(budget) {}
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;
  ~MemoryShare() { clear(); }

  /// Holds at least `bytes` from now on. Returns false, and changes nothing, if the budget has not
  /// that much left.
  bool grow_to(std::uint64_t bytes) noexcept {
    if (bytes <= held_) return true;
    if (!budget_.take(bytes - held_)) return false;
    held_ = bytes;
    return true;
  }
  void clear() noexcept { budget_.give_back(std::exchange(held_, 0)); }

 private:
  MemoryBudget& budget_;
  std::uint64_t held_ = 0;
};

}  // namespace vernal::openai_http
