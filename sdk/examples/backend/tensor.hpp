// A value of a running step: shape and data. Floats are kept in f32; the arithmetic of operations
// is in double and rounds once, when it stores.
#pragma once

#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <vector>

namespace reference {

struct Tensor {
  std::vector<std::int64_t> dims;  // row-major, all known
  std::vector<float> floats;
  std::vector<std::int32_t> integers;  // element kind i32 only

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
