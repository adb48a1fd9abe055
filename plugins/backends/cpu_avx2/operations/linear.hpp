// The quantisation of activations, and how rows of a matrix are handed out: what linear/1 shares
// with moe_glu/1.
#pragma once

#include "operations/operation.hpp"

namespace vernal::cpu_avx2 {

/// Rows of f32 values as 8-bit codes.
class QuantizeOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BufferId blocks;
    ActivationKind kind;
    RowCount rows;
    std::int64_t num_columns;
  };
  explicit QuantizeOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

/// Groups of rows that a worker claims at a time of `num_groups` like those of the matrix.
std::int64_t groups_per_claim(const PackedMatrix& matrix, std::int64_t num_groups,
                              const Worker& worker);

}  // namespace vernal::cpu_avx2
