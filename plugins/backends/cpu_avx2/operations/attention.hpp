// attention/1: its class, whose schedules the pool makes for each step.
#pragma once

#include "kernels/attention/attention.hpp"
#include "operations/operation.hpp"

namespace vernal::cpu_avx2 {

class AttentionOperation final : public Operation {
 public:
  struct Parameters {
    BufferId q;
    BufferId k;
    BufferId v;
    BufferId y;
    BufferId partials;
    std::int64_t sinks;         ///< index of the weight, or -1
    std::size_t kv_group;       ///< of this state
    std::int64_t page_offset;   ///< of this state in a page of its group
    std::int64_t schedule;      ///< number of the schedule it follows
    std::int64_t partial_rows;  ///< (query, head) rows times splits that `partials` holds
    Attention shape;            ///< everything that does not depend on the step
  };
  explicit AttentionOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

  const Parameters& parameters() const { return p_; }

 private:
  Parameters p_;
};

}  // namespace vernal::cpu_avx2
