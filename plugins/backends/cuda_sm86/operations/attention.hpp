// attention/1 as an operation, with what may be done to queries, keys and results in its launches.
#pragma once

#include "kernels/attention/attention.hpp"
#include "operations/operation.hpp"

namespace vernal::cuda_sm86 {

class AttentionOperation final : public Operation {
 public:
  /// Rows of heads in a buffer (HeadRows), with what is done to them first.
  struct Source {
    BufferId buffer = kNoBuffer;
    std::int64_t first = 0;  ///< number of the buffer where they begin
    std::int64_t token_stride = 0;
    std::int64_t head_stride = 0;
    bool has_norm = false;
    std::int64_t norm_weight = -1;  ///< index, or -1
    float norm_epsilon = 0.0F;
    BufferId rope_table = kNoBuffer;  ///< or kNoBuffer: no rotation by position
    HeadRotation rope{};              ///< all but the table
  };
  struct Parameters {
    Source q;
    Source k;
    Source v;
    Source gate;  ///< the result is multiplied with its sigmoid; no buffer: with nothing
    BufferId y = kNoBuffer;
    BlockRows result;  ///< y in 8-bit form
    BufferId queries = kNoBuffer;
    BufferId sums = kNoBuffer;
    BufferId partials = kNoBuffer;
    BufferId partial_sums = kNoBuffer;
    std::int64_t sinks = -1;       ///< index of the weight, or -1
    std::size_t kv_group = 0;      ///< of this state
    std::int64_t page_offset = 0;  ///< of this state in a page of its group
    Attention shape{};             ///< everything that does not depend on the step
  };
  explicit AttentionOperation(const Parameters& parameters);
  cudaError_t launch(const StepContext& step) const override;
  std::unique_ptr<Operation> with_blocks(BufferId result, const BlockRows& rows,
                                         bool is_read) const override;
  const Parameters& parameters() const { return p_; }

 private:
  Parameters p_;
};

}  // namespace vernal::cuda_sm86
