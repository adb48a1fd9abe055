// rmsnorm/1 and l2norm/1.
#include "kernels/elementwise/norm.hpp"

#include <array>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"

namespace vernal::cuda_sm86 {

namespace {

class NormOperation final : public Operation {
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
  explicit NormOperation(const Parameters& parameters) : p_(parameters) {
    reads = {p_.x};
    writes = {p_.y};
  }

  cudaError_t launch(const StepContext& step) const override {
    const Norm norm{step.floats(p_.x), step.weights->numbers(p_.weight),
                    step.floats(p_.y), step.rows(p_.rows),
                    p_.num_columns,    p_.epsilon,
                    p_.is_l2};
    return launch_norm(norm, step.most(p_.rows), step.size);
  }

 private:
  Parameters p_;
};

void compile_norm(FunctionBuilder& builder, const Node& node) {
  const RowShape shape = builder.operand_rows(node, 0);
  builder.emit<NormOperation>(NormOperation::Parameters{
      builder.operand(node, 0), builder.new_output(node), FunctionBuilder::weight(node, 1),
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

}  // namespace vernal::cuda_sm86
