// The table of sines and cosines that the rope/1 of a step share.
#pragma once

#include "device/memory.hpp"
#include "operations/operation.hpp"
#include "shared/compile/rope_frequencies.hpp"

namespace vernal::cuda_sm86 {

/// Sines and cosines of a step, shared by all rope operations with the same parameters.
class RopeTableOperation final : public Operation {
 public:
  /// factors: index of the weight that divides the frequencies, or -1. The table holds
  /// [most tokens][pairs] cosines and then as many sines.
  RopeTableOperation(const RopeOptions& options, std::int64_t factors, std::int64_t num_axes,
                     BufferId positions, BufferId table, std::int64_t most_tokens);
  cudaError_t launch(const StepContext& step) const override;

  /// Bytes of device memory that prepare() fills.
  std::int64_t constant_bytes() const;
  /// Computes the frequencies, which may need weights, and copies them to the device. Once, before
  /// the first step.
  ///   at  constant_bytes() of device memory that outlives the operation
  void prepare(const Weights& weights, std::byte* at, const Stream& stream);

  const RopeOptions& options() const { return options_; }
  std::int64_t factors() const { return factors_; }
  BufferId positions() const { return reads[0]; }
  BufferId table() const { return writes[0]; }

 private:
  RopeOptions options_;  ///< its texts are those of the node
  std::int64_t factors_;
  std::int64_t num_axes_;
  std::int64_t most_tokens_;
  const double* radians_ = nullptr;  // device
  const std::int32_t* axis_ = nullptr;
};

}  // namespace vernal::cuda_sm86
