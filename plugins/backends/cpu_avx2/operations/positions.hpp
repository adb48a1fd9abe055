// rope/1 and attention/1: what depends on the positions of tokens.
#pragma once

#include "kernels/elementwise/rope.hpp"
#include "operations/operation.hpp"

namespace vernal::cpu_avx2 {

/// Sines and cosines of a step, shared by all rope operations with the same parameters.
class RopeTableOperation final : public Operation {
 public:
  /// factors: index of the weight that divides the frequencies, or -1. The table holds
  /// [tokens][pairs] cosines and then as many sines.
  RopeTableOperation(RopeParameters parameters, std::int64_t factors, std::int64_t num_axes,
                     BufferId positions, BufferId table);
  void run(const StepContext& step, Worker& worker) const noexcept override;
  /// Frequencies that need weights; once, before the first step.
  void prepare(const Weights& weights);

  const RopeParameters& parameters() const { return parameters_; }
  std::int64_t factors() const { return factors_; }
  BufferId positions() const { return reads[0]; }
  BufferId table() const { return writes[0]; }

 private:
  RopeParameters parameters_;
  RopeFrequencies frequencies_;
  std::int64_t factors_;
  std::int64_t num_axes_;
};

/// The table in a buffer of a step.
RopeTable rope_table(const StepContext& step, BufferId table, std::int64_t num_pairs);

class RopeOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BufferId y;
    BufferId table;
    std::int64_t num_pairs;
    std::int64_t num_heads;
    std::int64_t head_dim;
    bool is_interleaved;
  };
  explicit RopeOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

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
