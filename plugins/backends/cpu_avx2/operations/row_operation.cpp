#include "operations/row_operation.hpp"

#include "kernels/matmul/activation_blocks.hpp"

namespace vernal::cpu_avx2 {

RowOperation::RowOperation(BufferId y, RowCount rows, std::int64_t num_columns)
    : y_(y), rows_(rows), num_columns_(num_columns) {}

void RowOperation::add_quantized(const QuantizedCopy& copy) {
  copies_.push_back(copy);
  writes.push_back(copy.blocks);
}

void RowOperation::quantize(const StepContext& step, std::int64_t first, std::int64_t last) const {
  for (const QuantizedCopy& copy : copies_) {
    const ActivationBlocks blocks =
        activation_blocks(copy.kind, step.count(rows_), num_columns_, step.at(copy.blocks));
    quantize_rows(step.floats(y_), num_columns_, blocks, first, last);
  }
}

}  // namespace vernal::cpu_avx2
