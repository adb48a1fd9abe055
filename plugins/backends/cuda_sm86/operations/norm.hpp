// rmsnorm/1 and l2norm/1 as an operation, with what may be done to rows in the same launch.
#pragma once

#include "kernels/elementwise/norm.hpp"
#include "operations/glu.hpp"
#include "operations/operation.hpp"

namespace vernal::cuda_sm86 {

/// y = glu(gate, norm(x[index]) + residual), in floats, in 8-bit form, or both.
class NormOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x = kNoBuffer;
    BufferId y = kNoBuffer;    ///< kNoBuffer: nobody reads floats
    std::int64_t weight = -1;  ///< index, or -1
    RowCount rows;
    std::int64_t num_columns = 0;
    float epsilon = 0.0F;
    bool is_l2 = false;             ///< l2norm/1, else rmsnorm/1
    BufferId residual = kNoBuffer;  ///< added to the norm, or kNoBuffer
    BufferId index = kNoBuffer;     ///< rows of x, or kNoBuffer: all
    BufferId gate = kNoBuffer;      ///< or kNoBuffer: the norm is the result
    GluKind glu;
    BlockRows blocks;
  };
  explicit NormOperation(const Parameters& parameters);

  cudaError_t launch(const StepContext& step) const override;
  std::unique_ptr<Operation> with_blocks(BufferId result, const BlockRows& rows,
                                         bool is_read) const override;
  const Parameters& parameters() const { return p_; }
  /// As kernels see it.
  Norm norm(const StepContext& step) const;

 private:
  Parameters p_;
};

/// A norm and the norm of its result, in one launch.
class NormPairOperation final : public Operation {
 public:
  /// second.x is first.y. Both have the same rows.
  NormPairOperation(const NormOperation::Parameters& first,
                    const NormOperation::Parameters& second);

  cudaError_t launch(const StepContext& step) const override;

 private:
  NormOperation first_;
  NormOperation second_;
};

}  // namespace vernal::cuda_sm86
