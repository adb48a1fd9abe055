// Numbers that look random and are the same everywhere.
#pragma once

#include <cstdint>
#include <vector>

namespace vernal::check {

/// SplitMix64: Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators".
class RandomNumbers {
 public:
  explicit RandomNumbers(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  /// In [0, limit).
  std::int32_t below(std::int64_t limit) {
    return static_cast<std::int32_t>(bits() % static_cast<std::uint64_t>(limit));
  }
  /// In [-1, 1).
  double unit() { return static_cast<double>(bits() >> 11) * 0x1p-52 - 1.0; }
  std::vector<float> floats(std::int64_t count, double scale = 1, double shift = 0) {
    std::vector<float> out;
    out.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      out.push_back(static_cast<float>(shift + scale * unit()));
    }
    return out;
  }

 private:
  std::uint64_t state_;
};

}  // namespace vernal::check
