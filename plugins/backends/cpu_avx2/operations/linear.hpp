// The quantisation of activations, and how rows of a matrix are handed out: what linear/1 shares
// with moe_glu/1.
#pragma once

#include "kernels/matmul/matmul.hpp"
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

/// The most groups that a worker claims at a time, of a matrix of that format.
std::int64_t most_groups_per_claim(const WeightFormat& format, std::int64_t num_columns);

/// Groups of rows that a worker claims at a time of `num_groups` like those of the matrix.
std::int64_t groups_per_claim(const PackedMatrix& matrix, std::int64_t num_groups,
                              const Worker& worker);

/// A matrix of the program's weights.
struct MatrixId {
  std::uint32_t weight = 0;
  std::int64_t expert = 0;
};

/// matmul_groups() with matmul.weights = weights.matrix(...). Of a weight that is used in place, the
/// groups are packed first.
///   scratch  for weights in place: (last - first) * group_bytes() bytes, 64-byte aligned; else unused
void multiply_groups(const Weights& weights, MatrixId id, const Matmul& matmul, std::int64_t first,
                     std::int64_t last, std::byte* scratch);

}  // namespace vernal::cpu_avx2
