// gated_delta_rule/1 as an operation.
#pragma once

#include "kernels/recurrent/delta_rule.hpp"
#include "operations/norm.hpp"
#include "operations/operation.hpp"

namespace vernal::cuda_sm86 {

class DeltaRuleOperation final : public Operation {
 public:
  /// Keys, queries or values in a buffer that may hold others too.
  struct Source {
    BufferId buffer = kNoBuffer;
    std::int64_t first = 0;   ///< number of the buffer where the first token's begin
    std::int64_t stride = 0;  ///< from one token to the next
  };
  struct Parameters {
    Source q;
    Source k;
    Source v;
    BufferId g = kNoBuffer;
    BufferId beta = kNoBuffer;
    BufferId y = kNoBuffer;
    std::int64_t state_offset = 0;  ///< in a slot, bytes
    DeltaRule shape{};              ///< everything that does not depend on the step
  };
  explicit DeltaRuleOperation(const Parameters& parameters);
  cudaError_t launch(const StepContext& step) const override;
  const Parameters& parameters() const { return p_; }
  /// As kernels see it.
  DeltaRule rule(const StepContext& step) const;

 private:
  Parameters p_;
};

/// The rule and the norm of its result. In small steps it is one launch.
class NormedDeltaRuleOperation final : public Operation {
 public:
  /// Whether the kernel takes such heads, normed in such rows.
  static bool can_be(const DeltaRuleOperation::Parameters& rule,
                     const NormOperation::Parameters& norm);
  NormedDeltaRuleOperation(const DeltaRuleOperation::Parameters& rule,
                           const NormOperation::Parameters& norm);

  cudaError_t launch(const StepContext& step) const override;

 private:
  DeltaRuleOperation rule_;
  NormOperation norm_;
};

}  // namespace vernal::cuda_sm86
