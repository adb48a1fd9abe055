// rmsnorm/1 and l2norm/1.
#include <array>

#include "compile/function_builder.hpp"
#include "kernels/elementwise/rmsnorm.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"

namespace vernal::cpu_avx2 {

namespace {

class NormOperation final : public RowOperation {
 public:
  struct Parameters {
    BufferId x;
    BufferId y;
    std::int64_t weight;  ///< index, or -1
    RowCount rows;
    std::int64_t num_columns;
    float epsilon;
    bool is_l2;  ///< l2norm/1, else rmsnorm/1
  };
  explicit NormOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

NormOperation::NormOperation(const Parameters& parameters)
    : RowOperation(parameters.y, parameters.rows, parameters.num_columns), p_(parameters) {
  reads = {p_.x};
  writes = {p_.y};
}

void NormOperation::run(const StepContext& step, Worker& worker) const noexcept {
  RmsNorm norm;
  norm.x = step.values(p_.x);
  norm.y = step.floats(p_.y);
  if (p_.weight >= 0) norm.weight = step.weights->numbers(static_cast<std::uint32_t>(p_.weight));
  norm.num_columns = p_.num_columns;
  norm.epsilon = p_.epsilon;
  norm.is_l2 = p_.is_l2;
  const std::int64_t rows = step.count(p_.rows);
  worker.parallel_for(rows, chunk_of(rows, worker), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      rmsnorm_rows(norm, row, row + 1);
      quantize(step, row, row + 1);
    }
  });
}

void compile_norm(FunctionBuilder& builder, const Node& node) {
  const RowShape shape = builder.operand_rows(node, 0);
  builder.emit_rows<NormOperation>(
      node, {builder.operand(node, 0), builder.new_output(node), FunctionBuilder::weight(node, 1),
             shape.rows, shape.num_columns, static_cast<float>(node.number("eps", 0)),
             node.op == "vernal.l2norm/1"});
}

}  // namespace

std::span<const OperationDescriptor> norm_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.rmsnorm/1", backend::kNormAttributes, compile_norm},
      OperationDescriptor{"vernal.l2norm/1", backend::kNormAttributes, compile_norm},
  };
  return kDescriptors;
}

}  // namespace vernal::cpu_avx2
