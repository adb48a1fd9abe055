// Products with matrices of weights, and the 8-bit form of activations, which those with quantised
// weights read.
#pragma once

#include <optional>
#include <vector>

#include "kernels/matmul/matmul.hpp"
#include "operations/glu.hpp"
#include "operations/operation.hpp"

namespace vernal::cuda_sm86 {

class QuantizeOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BlockRows result;
    RowCount rows;
  };
  explicit QuantizeOperation(const Parameters& parameters);
  cudaError_t launch(const StepContext& step) const override;
  const Parameters& parameters() const { return p_; }

 private:
  Parameters p_;
};

/// y = f(x W^T + bias + residual) * factors, for matrices of one format that multiply the same x.
class LinearOperation final : public Operation {
 public:
  struct Matrix {
    std::uint32_t weight = 0;
    std::int64_t bias = -1;         ///< index of the weight, or -1
    BufferId residual = kNoBuffer;  ///< f32 [rows, N] added to the result, or kNoBuffer
    std::optional<backend::Activation> activation;
    std::int64_t factors = -1;  ///< index of the weight, or -1
    BufferId y = kNoBuffer;
  };
  struct Parameters {
    BufferId x = kNoBuffer;        ///< f32, or blocks for quantised weights
    std::vector<Matrix> matrices;  ///< at most kMostProducts
    RowCount rows;
    std::int64_t num_columns = 0;
    bool is_quantised = false;
  };
  explicit LinearOperation(Parameters parameters);

  cudaError_t launch(const StepContext& step) const override;
  const Parameters& parameters() const { return p_; }
  /// As kernels see it.
  Multiply multiply(const StepContext& step) const;

 private:
  void add_products(Multiply& multiply, const StepContext& step) const;
  friend class MixedLinearOperation;

  Parameters p_;
};

/// Products of one x with matrices of several formats. Up to 8 rows of x they are one launch.
class MixedLinearOperation final : public Operation {
 public:
  /// At most kMostProducts matrices, all quantised, of the same x.
  explicit MixedLinearOperation(std::vector<LinearOperation::Parameters> parts);

  cudaError_t launch(const StepContext& step) const override;

 private:
  std::vector<std::unique_ptr<LinearOperation>> parts_;
};

/// glu(x W^T, x V^T) for two matrices of one format. Up to 8 rows of x it is one launch.
class GatedLinearOperation final : public Operation {
 public:
  /// The unit reads what the first matrix makes as its gate, and the second as the other.
  GatedLinearOperation(const LinearOperation::Parameters& products,
                       const GluOperation::Parameters& unit);

  cudaError_t launch(const StepContext& step) const override;

 private:
  LinearOperation products_;
  GluOperation unit_;
};

}  // namespace vernal::cuda_sm86
