// act/1, scale/1, softcap/1, add/1, mul/1 as operations.
#pragma once

#include <array>

#include "kernels/elementwise/elementwise.hpp"
#include "operations/operation.hpp"

namespace vernal::cuda_sm86 {

/// y = f(x) of one value: act/1, scale/1, softcap/1.
class MapOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BufferId y;
    Map::Kind kind;
    Activation activation;
    float number;  ///< factor or cap
    RowCount rows;
    std::int64_t num_columns;
  };
  explicit MapOperation(const Parameters& parameters);
  cudaError_t launch(const StepContext& step) const override;
  const Parameters& parameters() const { return p_; }

 private:
  Parameters p_;
};

/// add/1, mul/1 of two values, or a value and a weight.
class BinaryOperation final : public Operation {
 public:
  struct Source {
    BufferId value;       ///< or kNoBuffer
    std::int64_t weight;  ///< index, or -1
    std::array<std::int64_t, 4> strides;
  };
  struct Parameters {
    Source a;
    Source b;
    BufferId y;
    bool is_product;
    RowCount rows;                     ///< of the outermost dimension
    std::array<std::int64_t, 3> dims;  ///< the others
  };
  explicit BinaryOperation(const Parameters& parameters);
  cudaError_t launch(const StepContext& step) const override;
  const Parameters& parameters() const { return p_; }

 private:
  Parameters p_;
};

}  // namespace vernal::cuda_sm86
