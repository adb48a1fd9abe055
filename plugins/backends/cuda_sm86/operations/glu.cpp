#include <array>
#include <string>

#include "compile/function_builder.hpp"
#include "kernels/elementwise/elementwise.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/function_names.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cuda_sm86 {

namespace {

class GluOperation final : public Operation {
 public:
  struct Parameters {
    BufferId gate;
    BufferId up;
    BufferId y;
    RowCount rows;
    std::int64_t num_columns;
    Glu kind;
    float alpha;
    float limit;
  };
  explicit GluOperation(const Parameters& parameters) : p_(parameters) {
    reads = {p_.gate, p_.up};
    writes = {p_.y};
  }

  cudaError_t launch(const StepContext& step) const override {
    const GatedUnit unit{step.floats(p_.gate),
                         step.floats(p_.up),
                         step.floats(p_.y),
                         step.rows(p_.rows),
                         p_.num_columns,
                         p_.kind,
                         p_.alpha,
                         p_.limit};
    return launch_gated_unit(unit, step.most(p_.rows), step.size);
  }

 private:
  Parameters p_;
};

void compile_glu(FunctionBuilder& builder, const Node& node) {
  const RowShape shape = builder.operand_rows(node, 0);
  const GluOptions options = glu_options(node);
  builder.emit<GluOperation>(GluOperation::Parameters{
      builder.operand(node, 0), builder.operand(node, 1), builder.new_output(node), shape.rows,
      shape.num_columns, *backend::find_glu(options.kind), static_cast<float>(options.alpha),
      static_cast<float>(options.limit)});
}

Refusal refuse_glu(const Module&, const Function&, const Node& node) {
  const std::string kind(node.text("kind", ""));
  if (backend::find_glu(kind)) return std::nullopt;
  return "glu kind \"" + kind + "\"";
}

}  // namespace

std::span<const OperationDescriptor> glu_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.glu/1", backend::kGluAttributes, compile_glu, refuse_glu},
  };
  return kDescriptors;
}

}  // namespace vernal::cuda_sm86
