// moe_route/1 and moe_glu/1.
//
// The pairs of a token and an expert, its visits, are ordered by expert on the device; then products
// with experts are products like any other (kernels/experts/visits.hpp).
#include <array>
#include <string>

#include "compile/function_builder.hpp"
#include "kernels/elementwise/elementwise.hpp"
#include "kernels/experts/route.hpp"
#include "kernels/experts/visits.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/function_names.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cuda_sm86 {

namespace {

class RouteOperation final : public Operation {
 public:
  struct Parameters {
    BufferId scores;
    BufferId ids;
    BufferId weights;
    std::int64_t bias;  ///< index of the weight, or -1
    Route shape;        ///< everything that does not depend on the step
  };
  explicit RouteOperation(const Parameters& parameters) : p_(parameters) {
    reads = {p_.scores};
    writes = {p_.ids, p_.weights};
  }

  cudaError_t launch(const StepContext& step) const override {
    Route route = p_.shape;
    route.scores = step.floats(p_.scores);
    route.bias = step.weights->numbers(p_.bias);
    route.ids = reinterpret_cast<std::int32_t*>(step.at(p_.ids));
    route.weights = step.floats(p_.weights);
    route.counts = step.counts;
    return launch_route(route, step.size);
  }

 private:
  Parameters p_;
};

void compile_moe_route(FunctionBuilder& builder, const Node& node) {
  const RouteOptions options = route_options(node);
  RouteOperation::Parameters p{};
  p.scores = builder.operand(node, 0);
  p.bias = FunctionBuilder::weight(node, 1);
  p.ids = builder.new_output(node, 0);
  p.weights = builder.new_output(node, 1);
  p.shape.num_experts = static_cast<std::int32_t>(builder.operand_shape(node, 0)[1]);
  p.shape.num_used = static_cast<std::int32_t>(options.k);
  p.shape.num_groups = static_cast<std::int32_t>(options.n_group);
  p.shape.num_used_groups = static_cast<std::int32_t>(options.topk_group);
  p.shape.scale = static_cast<float>(options.scale);
  p.shape.is_sigmoid = options.score == "sigmoid";
  p.shape.scores_before = options.when == "before";
  p.shape.is_renormalized = options.renorm;
  builder.emit<RouteOperation>(p);
}

Refusal refuse_many(std::int64_t num_experts) {
  if (num_experts <= kMostExperts) return std::nullopt;
  return std::to_string(num_experts) + " experts; this backend takes at most " +
         std::to_string(kMostExperts);
}

Refusal refuse_route(const Module&, const Function& function, const Node& node) {
  return refuse_many(function.values[node.operands[0].index].shape[1]);
}

// ---- moe_glu/1

/// One of the three matrices of every expert, and the rows that it multiplies.
struct ExpertMatrix {
  std::uint32_t weight = 0;
  std::int64_t bias = -1;       ///< index of the weight, or -1
  BufferId blocks = kNoBuffer;  ///< of the input, if the weights are quantised
  BufferId output = kNoBuffer;  ///< [slots][num_outputs]
  std::int64_t num_columns = 0;
  std::int64_t num_outputs = 0;
  bool is_quantised = false;
};

class ExpertsOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BufferId ids;
    BufferId weights;
    BufferId y;
    BufferId visits;    ///< the integers of Visits
    BufferId gathered;  ///< [slots][D]
    BufferId hidden;    ///< [slots][F]
    ExpertMatrix gate;
    ExpertMatrix up;
    ExpertMatrix down;
    std::int64_t most_tokens;
    std::int64_t num_used;
    std::int64_t num_experts;
    Glu kind;
    float alpha;
    float limit;
    bool weights_input;  ///< rows are weighted before the products, else after them
  };
  explicit ExpertsOperation(const Parameters& parameters);

  cudaError_t launch(const StepContext& step) const override;

 private:
  std::int64_t most_slots_of(std::int64_t tokens) const {
    return most_slots(tokens * p_.num_used, p_.num_experts);
  }
  Visits visits_of(const StepContext& step) const;
  GatedUnit unit_of(const StepContext& step, const Visits& visits, float* hidden) const;
  cudaError_t multiply(const StepContext& step, const Visits& visits, const ExpertMatrix& matrix,
                       const float* input) const;
  cudaError_t quantize(const StepContext& step, const Visits& visits, const ExpertMatrix& matrix,
                       const float* input) const;

  Parameters p_;
};

ExpertsOperation::ExpertsOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x, p_.ids, p_.weights};
  writes = {p_.y, p_.visits, p_.gathered, p_.hidden};
  for (const ExpertMatrix* matrix : {&p_.gate, &p_.up, &p_.down}) {
    if (matrix->blocks != kNoBuffer) writes.push_back(matrix->blocks);
    writes.push_back(matrix->output);
  }
}

Visits ExpertsOperation::visits_of(const StepContext& step) const {
  const std::int64_t slots = most_slots_of(p_.most_tokens);
  auto* const numbers = reinterpret_cast<std::int32_t*>(step.at(p_.visits));
  Visits visits{};
  visits.ids = step.integers(p_.ids);
  visits.num_slots = numbers;
  visits.tile_experts = numbers + 1;
  visits.slot_visits = visits.tile_experts + slots / kColumnTile;
  visits.visit_slots = visits.slot_visits + slots;
  visits.counts = step.counts;
  visits.num_used = static_cast<std::int32_t>(p_.num_used);
  visits.num_experts = static_cast<std::int32_t>(p_.num_experts);
  return visits;
}

cudaError_t ExpertsOperation::quantize(const StepContext& step, const Visits& visits,
                                       const ExpertMatrix& matrix, const float* input) const {
  if (!matrix.is_quantised) return cudaSuccess;
  Quantize quantize{};
  quantize.x = input;
  quantize.blocks = activation_blocks(step.at(matrix.blocks), matrix.num_columns);
  quantize.rows = {visits.num_slots, 1};
  quantize.num_columns = matrix.num_columns;
  return launch_quantize(quantize, most_slots_of(step.size.num_tokens), step.size);
}

cudaError_t ExpertsOperation::multiply(const StepContext& step, const Visits& visits,
                                       const ExpertMatrix& matrix, const float* input) const {
  Multiply multiply;
  Product product;
  product.matrix = step.weights->matrix(matrix.weight);
  product.bias = step.weights->numbers(matrix.bias);
  product.y = step.floats(matrix.output);
  multiply.add(product);
  multiply.tile_experts = visits.tile_experts;
  multiply.matrix_bytes = step.weights->matrix_bytes(matrix.weight);
  multiply.row_scale_stride = step.weights->row_scale_stride(matrix.weight);
  if (matrix.is_quantised) {
    multiply.blocks = activation_blocks(step.at(matrix.blocks), matrix.num_columns);
  } else {
    multiply.x = input;
  }
  multiply.rows = {visits.num_slots, 1};
  return step.weights->format(matrix.weight)
      .kernels->multiply(multiply, most_slots_of(step.size.num_tokens), step.size);
}

/// What the last matrix multiplies, in the form that it needs.
GatedUnit ExpertsOperation::unit_of(const StepContext& step, const Visits& visits,
                                    float* hidden) const {
  GatedUnit unit{};
  unit.gate = step.floats(p_.gate.output);
  unit.up = step.floats(p_.up.output);
  unit.rows = {visits.num_slots, 1};
  unit.num_columns = p_.gate.num_outputs;
  unit.kind = p_.kind;
  unit.alpha = p_.alpha;
  unit.limit = p_.limit;
  if (p_.down.is_quantised) {
    unit.result = activation_blocks(step.at(p_.down.blocks), p_.down.num_columns);
  } else {
    unit.y = hidden;
  }
  return unit;
}

cudaError_t ExpertsOperation::launch(const StepContext& step) const {
  const Visits visits = visits_of(step);
  const std::int64_t slots = most_slots_of(step.size.num_tokens);
  const float* const weights = step.floats(p_.weights);
  float* const gathered = step.floats(p_.gathered);
  float* const hidden = step.floats(p_.hidden);
  const GatherRows gather{visits, step.floats(p_.x), p_.weights_input ? weights : nullptr, gathered,
                          p_.gate.num_columns};
  const AddVisits add{visits, step.floats(p_.down.output), p_.weights_input ? nullptr : weights,
                      step.floats(p_.y), p_.down.num_outputs};
  cudaError_t error = launch_order_visits(visits, step.size);
  if (error == cudaSuccess) error = launch_gather_rows(gather, slots, step.size);
  if (error == cudaSuccess) error = quantize(step, visits, p_.gate, gathered);
  if (error == cudaSuccess && p_.up.blocks != p_.gate.blocks) {
    error = quantize(step, visits, p_.up, gathered);
  }
  if (error == cudaSuccess) error = multiply(step, visits, p_.gate, gathered);
  if (error == cudaSuccess) error = multiply(step, visits, p_.up, gathered);
  if (error == cudaSuccess) {
    error = launch_gated_unit(unit_of(step, visits, hidden), slots, step.size);
  }
  if (error == cudaSuccess) error = multiply(step, visits, p_.down, hidden);
  return error == cudaSuccess ? launch_add_visits(add, step.size) : error;
}

/// A matrix of moe_glu/1, the node's operand i.
ExpertMatrix expert_matrix(FunctionBuilder& builder, const Node& node, std::size_t i,
                           std::int64_t slots) {
  const Weight& w = builder.operand_weight(node, i);
  ExpertMatrix m;
  m.weight = node.operands[i].index;
  m.bias = FunctionBuilder::weight(node, i + 3);
  m.num_outputs = w.shape[1];
  m.num_columns = w.shape[2];
  m.is_quantised = find_weight_format(w.format)->kernels->is_quantised();
  m.output = builder.add_buffer(slots * m.num_outputs * kFloatBytes);
  if (m.is_quantised) m.blocks = builder.add_buffer(activation_bytes(slots, m.num_columns));
  return m;
}

void compile_moe_glu(FunctionBuilder& builder, const Node& node) {
  ExpertsOperation::Parameters p{};
  p.x = builder.operand(node, 0);
  p.ids = builder.operand(node, 1);
  p.weights = builder.operand(node, 2);
  p.num_used = builder.operand_shape(node, 1)[1];
  p.num_experts = builder.operand_weight(node, 3).shape[0];
  if (builder.is_input(p.ids)) builder.limit_input(p.ids, p.num_experts);
  p.most_tokens = builder.max_tokens();
  const std::int64_t visits = p.most_tokens * p.num_used;
  const std::int64_t slots = most_slots(visits, p.num_experts);
  p.gate = expert_matrix(builder, node, 3, slots);
  p.up = expert_matrix(builder, node, 4, slots);
  p.down = expert_matrix(builder, node, 5, slots);
  if (p.up.is_quantised && p.gate.is_quantised) p.up.blocks = p.gate.blocks;
  p.visits = builder.add_buffer((1 + slots / kColumnTile + slots + visits) *
                                static_cast<std::int64_t>(sizeof(std::int32_t)));
  p.gathered = builder.add_buffer(slots * p.gate.num_columns * kFloatBytes);
  p.hidden = builder.add_buffer(slots * p.gate.num_outputs * kFloatBytes);
  const GluOptions options = glu_options(node);
  p.kind = *backend::find_glu(options.kind);
  p.alpha = static_cast<float>(options.alpha);
  p.limit = static_cast<float>(options.limit);
  p.weights_input = experts_weight_on(node) == "in";
  p.y = builder.new_output(node);
  builder.emit<ExpertsOperation>(p);
}

Refusal refuse_experts(const Module& module, const Function&, const Node& node) {
  const std::string kind(node.text("kind", ""));
  if (!backend::find_glu(kind)) return "glu kind \"" + kind + "\"";
  return refuse_many(module.weights[node.operands[3].index].shape[0]);
}

}  // namespace

std::span<const OperationDescriptor> expert_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{.op = "vernal.moe_route/1",
                          .attributes = backend::kRouteAttributes,
                          .compile = compile_moe_route,
                          .refuse = refuse_route,
                          .makes_integers = true},
      OperationDescriptor{"vernal.moe_glu/1", backend::kExpertsAttributes, compile_moe_glu,
                          refuse_experts, backend::kExpertWeights},
  };
  return kDescriptors;
}

}  // namespace vernal::cuda_sm86
