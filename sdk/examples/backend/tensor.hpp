// A value of a running step: its shape and data. Floats are stored as f32. Operations compute in
// double, and round once when they store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <vector>

namespace reference {

struct Tensor {
  std::vector<std::int64_t> dims;  // row-major, with the numbers of this step
  std::vector<float> floats;
  std::vector<std::int32_t> integers;  // for element kind i32 only

  std::int64_t size() const {
    return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
  }
  std::int64_t last() const { return dims.empty() ? 1 : dims.back(); }
  /// Number of vectors along the last dimension.
  std::int64_t num_rows() const { return last() == 0 ? 0 : size() / last(); }
  std::span<float> row(std::int64_t i) {
    return {floats.data() + i * last(), static_cast<std::size_t>(last())};
  }
  std::span<const float> row(std::int64_t i) const {
    return {floats.data() + i * last(), static_cast<std::size_t>(last())};
  }
};

/// The sum of a[i] * b[i], as many as `a` has. Four sums grow side by side, because each addition waits
/// for the one before it.
inline double dot(std::span<const double> a, std::span<const double> b) {
  double sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= a.size(); i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < a.size(); ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace reference
