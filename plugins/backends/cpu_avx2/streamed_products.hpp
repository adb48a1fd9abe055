// Products that a device computes for this backend, with weights that it streams from the model file
// (vernal/abi/weight_stream.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vernal/abi/weight_stream.h"

namespace vernal::cpu_avx2 {

/// The stream of a program. Used by the workers of its steps.
class StreamedProducts {
 public:
  /// Borrows the stream, which outlives this object.
  ///   num_weights  of the module
  /// Errors  INVALID_ARGUMENT: no stream, no least row, or a weight that the module does not have
  StreamedProducts(const vernal_weight_stream_use& use, std::size_t num_weights);

  /// Whether the stream computes the product of so many rows with a weight. While one worker is in
  /// multiply(), the others do not ask.
  bool takes(std::uint32_t weight, std::int64_t num_rows) const {
    return !has_failed_ && num_rows >= least_rows_ && num_rows <= most_rows_ && covers_[weight];
  }
  /// y = x W^T, with x and y as vernal_weight_stream_api.multiply has them. If the stream fails, logs a
  /// warning, and takes nothing any more. One worker, between two barriers.
  void multiply(std::uint32_t weight, const float* x, std::int64_t num_rows, float* y) noexcept;
  /// Whether a multiply() has failed. Behind the second barrier.
  bool has_failed() const { return has_failed_; }

 private:
  const vernal_weight_stream_api& api_;
  vernal_weight_stream* stream_;
  std::vector<bool> covers_;  // by weight
  std::int64_t least_rows_;
  std::int64_t most_rows_;
  bool has_failed_ = false;
};

}  // namespace vernal::cpu_avx2
