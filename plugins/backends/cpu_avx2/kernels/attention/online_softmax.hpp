// Rows of an online softmax: for each row the greatest score so far, the sum of exponentials and
// the sum of values weighted with them, both relative to that score.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/attention/page_kernels.hpp"
#include "kernels/simd.hpp"
#include "kernels/vector_math.hpp"

namespace vernal::cpu_avx2 {

inline float exp_one(float x) { return _mm256_cvtss_f32(exp_ps(_mm256_set1_ps(x))); }

class SoftmaxRows {
 public:
  static constexpr float kLowest = -std::numeric_limits<float>::infinity();

  SoftmaxRows() = default;
  /// Views `memory`: row_floats(value_dim) per row.
  SoftmaxRows(float* memory, std::int64_t value_dim)
      : memory_(memory), dim_(value_dim), stride_(row_floats(value_dim)) {}

  /// [value_dim] weighted values, greatest score, sum; whole vectors.
  static std::int64_t row_floats(std::int64_t value_dim) { return (value_dim + 2 + 7) / 8 * 8; }

  float* end(std::int64_t num_rows) const { return memory_ + num_rows * stride_; }
  const float* row(std::int64_t r) const { return memory_ + r * stride_; }
  void copy_row(std::int64_t r, float* out) const { std::copy_n(row(r), stride_, out); }

  void reset(std::int64_t num_rows) {
    std::fill_n(memory_, num_rows * stride_, 0.0F);
    for (std::int64_t r = 0; r < num_rows; ++r) memory_[r * stride_ + dim_] = kLowest;
  }

  /// Takes the weights of the first `count` rows in one more page.
  ///   greatest  [count] score in the page; -inf: the row sees none of it
  ///   sums      [count] of the weights
  ///   factors   [count], room for a multiple of 8: what a weight is worth in the row's sums
  void add_page(std::int64_t count, const float* greatest, const float* sums, float* factors) {
    for (std::int64_t r = 0; r < count; ++r) {
      const float apart = -std::fabs(greatest[r] - memory_[r * stride_ + dim_]);
      factors[r] = greatest[r] == kLowest ? kLowest : apart;
    }
    for (std::int64_t r = 0; r < count; r += kLanes) {
      _mm256_storeu_ps(factors + r, exp_ps(_mm256_loadu_ps(factors + r)));
    }
    for (std::int64_t r = 0; r < count; ++r) {
      float* row = memory_ + r * stride_;
      if (greatest[r] > row[dim_]) {
        rescale(row, factors[r]);
        row[dim_] = greatest[r];
        row[dim_ + 1] += sums[r];
        factors[r] = 1.0F;
      } else {
        row[dim_ + 1] += sums[r] * factors[r];
      }
    }
  }

  /// Weighted values of all rows.
  ValueSums sums() { return {memory_, stride_}; }

  /// Adds the row `other` (of row_floats()) to row r: the next split.
  void merge(std::int64_t r, const float* other) {
    float* row = memory_ + r * stride_;
    if (other[dim_] == kLowest) return;
    const float greatest = std::max(row[dim_], other[dim_]);
    const float mine = exp_one(row[dim_] - greatest);
    const float theirs = exp_one(other[dim_] - greatest);
    const __m256 f = _mm256_set1_ps(mine);
    const __m256 g = _mm256_set1_ps(theirs);
    for (std::int64_t i = 0; i < dim_; i += kLanes) {
      const __m256 kept = _mm256_mul_ps(_mm256_loadu_ps(row + i), f);
      _mm256_storeu_ps(row + i, _mm256_fmadd_ps(_mm256_loadu_ps(other + i), g, kept));
    }
    row[dim_] = greatest;
    row[dim_ + 1] = row[dim_ + 1] * mine + other[dim_ + 1] * theirs;
  }

  /// out = weighted values / sum; a sink is one more score whose value is zero.
  void finish(std::int64_t r, const float* sink, float* out) const {
    const float* row = memory_ + r * stride_;
    float sum = row[dim_ + 1];
    float factor = 1.0F;
    if (sink != nullptr) {
      const float greatest = std::max(row[dim_], *sink);
      factor = exp_one(row[dim_] - greatest);
      sum = sum * factor + exp_one(*sink - greatest);
    }
    const __m256 f = _mm256_set1_ps(factor / sum);
    for (std::int64_t i = 0; i < dim_; i += kLanes) {
      _mm256_storeu_ps(out + i, _mm256_mul_ps(_mm256_loadu_ps(row + i), f));
    }
  }

 private:
  void rescale(float* row, float factor) const {
    const __m256 f = _mm256_set1_ps(factor);
    for (std::int64_t i = 0; i < dim_; i += kLanes) {
      _mm256_storeu_ps(row + i, _mm256_mul_ps(_mm256_loadu_ps(row + i), f));
    }
    row[dim_ + 1] *= factor;
  }

  float* memory_ = nullptr;
  std::int64_t dim_ = 0;
  std::int64_t stride_ = 0;
};

}  // namespace vernal::cpu_avx2
