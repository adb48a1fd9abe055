#include "operations/glu.hpp"

#include <array>

#include "compile/function_builder.hpp"
#include "shared/compile/function_names.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cpu_avx2 {

using backend::find_glu;

GluRows glu_parameters(const Node& node) {
  const GluOptions options = glu_options(node);
  GluRows glu;
  glu.kind = *find_glu(options.kind);
  glu.alpha = static_cast<float>(options.alpha);
  glu.limit = static_cast<float>(options.limit);
  return glu;
}

Refusal refuse_glu_kind(const Node& node) {
  const std::string kind(node.text("kind", ""));
  if (find_glu(kind)) return std::nullopt;
  return "glu kind \"" + kind + "\"";
}

namespace {

class GluOperation final : public RowOperation {
 public:
  struct Parameters {
    BufferId gate;
    BufferId up;
    BufferId y;
    RowCount rows;
    std::int64_t num_columns;
    GluRows shape;  ///< everything that does not depend on the step
  };
  explicit GluOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

GluOperation::GluOperation(const Parameters& parameters)
    : RowOperation(parameters.y, parameters.rows, parameters.num_columns), p_(parameters) {
  reads = {p_.gate, p_.up};
  writes = {p_.y};
}

void GluOperation::run(const StepContext& step, Worker& worker) const noexcept {
  GluRows glu = p_.shape;
  glu.gate = step.values(p_.gate);
  glu.up = step.values(p_.up);
  glu.y = step.floats(p_.y);
  glu.gate_stride = glu.up_stride = glu.y_stride = glu.num_columns = p_.num_columns;
  const std::int64_t rows = step.count(p_.rows);
  worker.parallel_for(rows, chunk_of(rows, worker), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      glu_rows(glu, row, row + 1);
      quantize(step, row, row + 1);
    }
  });
}

void compile_glu(FunctionBuilder& builder, const Node& node) {
  const RowShape shape = builder.operand_rows(node, 0);
  builder.emit_rows<GluOperation>(
      node, {builder.operand(node, 0), builder.operand(node, 1), builder.new_output(node),
             shape.rows, shape.num_columns, glu_parameters(node)});
}

Refusal refuse_glu(const Module&, const Function&, const Node& node) {
  return refuse_glu_kind(node);
}

}  // namespace

std::span<const OperationDescriptor> glu_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.glu/1", backend::kGluAttributes, compile_glu, refuse_glu},
  };
  return kDescriptors;
}

}  // namespace vernal::cpu_avx2
