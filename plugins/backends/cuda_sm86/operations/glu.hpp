// glu/1 as an operation.
#pragma once

#include "kernels/elementwise/elementwise.hpp"
#include "operations/operation.hpp"

namespace vernal::cuda_sm86 {

struct GluKind {
  Glu kind = Glu::kSwiglu;
  float alpha = 0.0F;
  float limit = 0.0F;
};

/// y = glu(gate, up), in floats, in 8-bit form, or both.
class GluOperation final : public Operation {
 public:
  struct Parameters {
    BufferId gate = kNoBuffer;
    BufferId up = kNoBuffer;
    BufferId y = kNoBuffer;  ///< kNoBuffer: nobody reads floats
    RowCount rows;
    std::int64_t num_columns = 0;
    GluKind glu;
    BlockRows blocks;
  };
  explicit GluOperation(const Parameters& parameters);

  cudaError_t launch(const StepContext& step) const override;
  std::unique_ptr<Operation> with_blocks(BufferId result, const BlockRows& rows,
                                         bool is_read) const override;
  const Parameters& parameters() const { return p_; }
  /// As kernels see it.
  GatedUnit unit(const StepContext& step) const;

 private:
  Parameters p_;
};

}  // namespace vernal::cuda_sm86
