// moe_route/1 and moe_glu/1: the choice of experts and their gated feed-forward.
#pragma once

#include <span>

#include "kernels/elementwise/elementwise.hpp"
#include "kernels/elementwise/moe_route.hpp"
#include "operations/operation.hpp"

namespace vernal::cpu_avx2 {

class MoeRouteOperation final : public Operation {
 public:
  struct Parameters {
    BufferId scores;
    BufferId ids;
    BufferId weights;
    std::int64_t bias;  ///< index of the weight, or -1
    MoeRoute shape;     ///< everything that does not depend on the step
  };
  explicit MoeRouteOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

/// Tokens are worked through kTokens at a time. Each brings k *visits*, one to each of its experts;
/// the visits of a stretch are ordered by expert, so that all who visit one share a matrix product
/// over its weights. What a visit computes depends on its own token alone.
class MoeGluOperation final : public Operation {
 public:
  static constexpr std::int64_t kTokens = 512;

  /// One of the three weights [E, N, K].
  struct Matrix {
    std::uint32_t weight;
    std::int64_t bias;  ///< index of the weight [E, N], or -1
    ActivationKind kind;
    BufferId input;            ///< rows of K by visit, as the format reads them
    BufferId output;           ///< f32 [visits][N]
    std::int64_t num_columns;  ///< K
    std::int64_t num_outputs;  ///< N
  };
  struct Parameters {
    BufferId x;
    BufferId ids;
    BufferId weights;
    BufferId y;
    Matrix gate;
    Matrix up;    ///< its input may be that of gate
    Matrix down;  ///< its input, if it is floats, is the output of gate
    Glu kind;
    float alpha;
    float limit;
    bool weights_input;  ///< x is weighted before the experts, else their results are
    std::int64_t num_used;
    std::int64_t num_experts;
  };
  explicit MoeGluOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

  /// Greatest number of visits of a stretch, for the sizes of the buffers.
  static std::int64_t most_visits(std::int64_t max_tokens, std::int64_t num_used) {
    return (max_tokens < kTokens ? max_tokens : kTokens) * num_used;
  }

 private:
  struct Stretch;

  /// Numbers of a worker's scratch memory before its row: the arrays of a stretch.
  std::int64_t scratch_numbers() const {
    return 2 * p_.num_experts + 1 + 2 * kTokens * p_.num_used;
  }
  void plan(const StepContext& step, Stretch& stretch) const;
  void collect(const StepContext& step, Worker& worker, const Stretch& stretch) const;
  void multiply(const StepContext& step, Worker& worker, const Stretch& stretch,
                std::span<const Matrix* const> matrices) const;
  void gate_visits(const StepContext& step, Worker& worker, const Stretch& stretch) const;
  void add_visits(const StepContext& step, Worker& worker, const Stretch& stretch) const;

  Parameters p_;
};

}  // namespace vernal::cpu_avx2
