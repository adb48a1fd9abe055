// Counts of measured values by size, as metrics show them.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace vernal {

/// A histogram in the sense of Prometheus: bucket i counts values up to bounds[i], one more counts
/// all. Anybody may observe and read at any time; nobody waits, and a reader may see a value in the
/// sum that it does not see in its bucket yet.
class Histogram {
 public:
  static constexpr std::size_t kMostBounds = 20;

  /// `bounds` are ascending, at most kMostBounds, and outlive the object.
  constexpr explicit Histogram(std::span<const double> bounds) noexcept : bounds_(bounds) {}

  void observe(double value) noexcept {
    const auto above = std::lower_bound(bounds_.begin(), bounds_.end(), value);
    ++counts_[static_cast<std::size_t>(above - bounds_.begin())];
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  std::span<const double> bounds() const noexcept { return bounds_; }
  /// How many values are above bound i - 1 and at most bound i; the last is above all bounds.
  std::uint64_t count(std::size_t bucket) const noexcept { return counts_[bucket]; }
  double sum() const noexcept { return sum_; }

 private:
  const std::span<const double> bounds_;
  std::array<std::atomic<std::uint64_t>, kMostBounds + 1> counts_{};
  std::atomic<double> sum_{0};
};

}  // namespace vernal
