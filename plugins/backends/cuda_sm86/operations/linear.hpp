// The 8-bit form of activations, which products with quantised weights read.
#pragma once

#include "kernels/matmul/matmul.hpp"
#include "operations/operation.hpp"

namespace vernal::cuda_sm86 {

class QuantizeOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BufferId blocks;
    RowCount rows;
    std::int64_t num_columns;
  };
  explicit QuantizeOperation(const Parameters& parameters);
  cudaError_t launch(const StepContext& step) const override;

 private:
  Parameters p_;
};

}  // namespace vernal::cuda_sm86
