// What only moves numbers, as operations.
#pragma once

#include "operations/operation.hpp"
#include "shared/compile/function_values.hpp"

namespace vernal::cuda_sm86 {

/// slice/1, a part of split/1, an operand of concat/1.
class CopyAxisOperation final : public Operation {
 public:
  explicit CopyAxisOperation(const backend::AxisCopy& copy) : copy_(copy) {
    reads = {copy_.x};
    writes = {copy_.y};
  }
  cudaError_t launch(const StepContext& step) const override;
  const backend::AxisCopy& copy() const { return copy_; }

 private:
  backend::AxisCopy copy_;
};

/// y[r] = x[index[r]]: select_rows/1.
class SelectRowsOperation final : public Operation {
 public:
  SelectRowsOperation(BufferId x, BufferId index, BufferId y, std::int64_t num_columns)
      : num_columns_(num_columns) {
    reads = {x, index};
    writes = {y};
  }
  cudaError_t launch(const StepContext& step) const override;
  std::int64_t num_columns() const { return num_columns_; }

 private:
  std::int64_t num_columns_;
};

}  // namespace vernal::cuda_sm86
