// The table of sines and cosines that the rope/1 of a step share.
#pragma once

#include "kernels/elementwise/rope.hpp"
#include "operations/operation.hpp"

namespace vernal::cpu_avx2 {

/// Sines and cosines of a step, shared by all rope operations with the same parameters.
class RopeTableOperation final : public Operation {
 public:
  /// factors: index of the weight that divides the frequencies, or -1. The table holds
  /// [tokens][pairs] cosines and then as many sines.
  RopeTableOperation(RopeOptions options, std::int64_t factors, std::int64_t num_axes,
                     BufferId positions, BufferId table);
  void run(const StepContext& step, Worker& worker) const noexcept override;
  /// Frequencies that need weights; once, before the first step.
  void prepare(const Weights& weights);

  const RopeOptions& options() const { return options_; }
  std::int64_t factors() const { return factors_; }
  BufferId positions() const { return reads[0]; }
  BufferId table() const { return writes[0]; }

 private:
  RopeOptions options_;  ///< its texts are those of the node
  RopeFrequencies frequencies_;
  std::int64_t factors_;
  std::int64_t num_axes_;
};

}  // namespace vernal::cpu_avx2
