// conv1d_state/1 and gated_delta_rule/1: operations over states of constant size.
#pragma once

#include "kernels/recurrent/conv1d.hpp"
#include "kernels/recurrent/delta_rule.hpp"
#include "operations/operation.hpp"

namespace vernal::cpu_avx2 {

class ConvOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BufferId y;
    std::uint32_t weight;
    std::int64_t bias;         ///< index of the weight, or -1
    std::int64_t slot_offset;  ///< of the state, bytes
    Conv1d shape;              ///< everything that does not depend on the step
  };
  explicit ConvOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

class DeltaRuleOperation final : public Operation {
 public:
  struct Parameters {
    BufferId q;
    BufferId k;
    BufferId v;
    BufferId g;
    BufferId beta;
    BufferId y;
    std::int64_t slot_offset;  ///< of the state, bytes
    DeltaRule shape;           ///< everything that does not depend on the step
  };
  explicit DeltaRuleOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

}  // namespace vernal::cpu_avx2
