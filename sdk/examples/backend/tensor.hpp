// A value of a running step: its shape and data. Floats are stored as f32. Operations compute in
// double, and round once when they store.
#pragma once

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

}  // namespace reference
