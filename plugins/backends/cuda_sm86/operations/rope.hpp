// rope/1 as an operation.
#pragma once

#include "operations/operation.hpp"

namespace vernal::cuda_sm86 {

/// y = x with the leading pairs of each head turned by the angles of a table.
class RopeOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BufferId y;
    BufferId table;
    std::int64_t most_tokens;  ///< of the table
    std::int64_t num_pairs;
    std::int64_t num_heads;
    std::int64_t head_dim;
    bool is_interleaved;
  };
  explicit RopeOperation(const Parameters& parameters);
  cudaError_t launch(const StepContext& step) const override;
  const Parameters& parameters() const { return p_; }

 private:
  Parameters p_;
};

}  // namespace vernal::cuda_sm86
