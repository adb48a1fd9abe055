// linear/1 and the quantisation of its activations.
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

/// y = x W^T + bias (+ residual).
class LinearOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;         ///< f32, or the quantised form that the weight's format needs
    BufferId residual;  ///< f32 [rows, N] added to the result, or kNoBuffer
    BufferId y;
    std::uint32_t weight;
    std::int64_t bias;  ///< index of the weight, or -1
    ActivationKind kind;
    RowCount rows;
    std::int64_t num_columns;  ///< K
    std::int64_t num_outputs;  ///< N
  };
  explicit LinearOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

/// Groups of rows that a worker claims at a time of `num_groups` like those of the matrix.
std::int64_t groups_per_claim(const PackedMatrix& matrix, std::int64_t num_groups,
                              const Worker& worker);

}  // namespace vernal::cpu_avx2
