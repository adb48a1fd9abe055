// Operations that make whole rows, and can quantise them on the way.
#pragma once

#include <vector>

#include "operations/operation.hpp"

namespace vernal::cpu_avx2 {

/// The quantised form that an operation writes beside its result, for the products that follow.
struct QuantizedCopy {
  BufferId blocks = kNoBuffer;
  ActivationKind kind = ActivationKind::kFloat;
};

/// An operation that makes whole rows and can quantise them while they are in the cache.
class RowOperation : public Operation {
 public:
  /// Asks for the quantised form of the result as well. At most once for each kind.
  void add_quantized(const QuantizedCopy& copy);

 protected:
  RowOperation(BufferId y, RowCount rows, std::int64_t num_columns);
  /// Quantises rows [first, last) of y wherever it was asked for.
  void quantize(const StepContext& step, std::int64_t first, std::int64_t last) const;

 private:
  BufferId y_;
  RowCount rows_;
  std::int64_t num_columns_;
  std::vector<QuantizedCopy> copies_;
};

}  // namespace vernal::cpu_avx2
