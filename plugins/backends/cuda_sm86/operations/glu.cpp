#include "operations/glu.hpp"

#include <array>
#include <string>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/function_names.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cuda_sm86 {

GluOperation::GluOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.gate, p_.up};
  for (const BufferId result : {p_.y, p_.blocks.blocks}) {
    if (result != kNoBuffer) writes.push_back(result);
  }
}

GatedUnit GluOperation::unit(const StepContext& step) const {
  GatedUnit unit{};
  unit.gate = step.floats(p_.gate);
  unit.up = step.floats(p_.up);
  if (p_.y != kNoBuffer) unit.y = step.floats(p_.y);
  unit.rows = step.rows(p_.rows);
  unit.num_columns = p_.num_columns;
  unit.kind = p_.glu.kind;
  unit.alpha = p_.glu.alpha;
  unit.limit = p_.glu.limit;
  unit.result = step.blocks_of(p_.blocks);
  return unit;
}

cudaError_t GluOperation::launch(const StepContext& step) const {
  return launch_gated_unit(unit(step), step.most(p_.rows), step.size);
}

std::unique_ptr<Operation> GluOperation::with_blocks(BufferId result, const BlockRows& rows,
                                                     bool is_read) const {
  if (result != p_.y || p_.blocks.blocks != kNoBuffer || p_.num_columns % kBlockColumns != 0 ||
      rows.num_columns % p_.num_columns != 0) {
    return nullptr;
  }
  Parameters parameters = p_;
  parameters.blocks = rows;
  if (!is_read) parameters.y = kNoBuffer;
  return std::make_unique<GluOperation>(parameters);
}

namespace {

void compile_glu(FunctionBuilder& builder, const Node& node) {
  const RowShape shape = builder.operand_rows(node, 0);
  const GluOptions options = glu_options(node);
  GluOperation::Parameters p;
  p.gate = builder.operand(node, 0);
  p.up = builder.operand(node, 1);
  p.y = builder.new_output(node);
  p.rows = shape.rows;
  p.num_columns = shape.num_columns;
  p.glu = {*backend::find_glu(options.kind), static_cast<float>(options.alpha),
           static_cast<float>(options.limit)};
  builder.emit<GluOperation>(p);
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
