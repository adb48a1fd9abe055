#include "operations.hpp"

#include <algorithm>
#include <array>

namespace reference {
namespace {

const std::array<Operation, 24>& table() {
  static const std::array<Operation, 24> kOperations{{
      {"vernal.input/1", run_input, {"name", "dtype", "shape"}},
      {"vernal.output/1", run_output, {"name", "rows"}},
      {"vernal.embed/1", run_embed, {"scale", "out"}},
      {"vernal.override_rows/1", run_override_rows, {}},
      {"vernal.rmsnorm/1", run_rmsnorm, {"eps", "out"}},
      {"vernal.linear/1", run_linear, {"out"}},
      {"vernal.rope/1",
       run_rope,
       {"n_rot", "style", "base", "scaling", "magnitude", "factor", "original_context_length",
        "beta_fast", "beta_slow", "extrapolation", "low_freq_factor", "high_freq_factor", "mrope",
        "sections"}},
      {"vernal.attention/1", run_attention, {"scale", "causal", "softcap"}},
      {"vernal.add/1", run_add, {}},
      {"vernal.mul/1", run_mul, {}},
      {"vernal.scale/1", run_scale, {"scale"}},
      {"vernal.act/1", run_act, {"kind"}},
      {"vernal.glu/1", run_glu, {"kind", "alpha", "limit"}},
      {"vernal.softcap/1", run_softcap, {"c"}},
      {"vernal.reshape/1", run_reshape, {"shape"}},
      {"vernal.slice/1", run_slice, {"axis", "start", "length"}},
      {"vernal.split/1", run_split, {"axis", "sizes"}},
      {"vernal.concat/1", run_concat, {"axis"}},
      {"vernal.select_rows/1", run_select_rows, {}},
      {"vernal.l2norm/1", run_l2norm, {"eps", "out"}},
      {"vernal.conv1d_state/1", run_conv1d_state, {"activation"}},
      {"vernal.gated_delta_rule/1",
       run_gated_delta_rule,
       {"scale", "qk_l2norm", "eps", "head_map"}},
      {"vernal.moe_route/1",
       run_moe_route,
       {"k", "score", "when", "renorm", "scale", "n_group", "topk_group"}},
      {"vernal.moe_glu/1", run_moe_glu, {"kind", "alpha", "limit", "weight_on"}},
  }};
  return kOperations;
}

}  // namespace

Tensor& StepContext::in(const vernal::Node& node, std::size_t i) const {
  return values[node.operands[i].index];
}

const StoredWeight& StepContext::weight(const vernal::Node& node, std::size_t i) const {
  return program.weights()[node.operands[i].index];
}

std::vector<float> StepContext::weight_row(const vernal::Node& node, std::size_t i) const {
  std::vector<float> row;
  if (node.operand(i).kind == VERNAL_OPERAND_WEIGHT) weight(node, i).read_row(0, row);
  return row;
}

const vernal::State& StepContext::state(const vernal::Node& node, std::size_t i) const {
  return program.module().states[node.operands[i].index];
}

FixedState& StepContext::fixed_state(const vernal::Node& node, std::size_t i,
                                     std::size_t sequence) const {
  return states[sequence].fixed[node.operands[i].index];
}

Tensor& StepContext::out(const vernal::Node& node, std::size_t i) const {
  const vernal::Value& declared = function.values[node.outputs[i]];
  Tensor& tensor = values[node.outputs[i]];
  tensor.dims.clear();
  for (std::uint32_t d = 0; d < declared.shape.rank; ++d) {
    tensor.dims.push_back(batch.dimension(declared.shape[d]));
  }
  if (declared.element == VERNAL_ELEMENT_I32) {
    tensor.integers.assign(static_cast<std::size_t>(tensor.size()), 0);
  } else {
    tensor.floats.assign(static_cast<std::size_t>(tensor.size()), 0.0F);
  }
  return tensor;
}

std::span<const Operation> operations() { return table(); }

const Operation* find_operation(std::string_view id) {
  const auto found = std::ranges::find(table(), id, &Operation::id);
  return found != table().end() ? &*found : nullptr;
}

std::optional<std::string> refusal(const vernal::Module& module, const vernal::Node& node) {
  const Operation* operation = find_operation(node.op);
  if (operation == nullptr) return "operation " + node.op + " is not known";
  if (auto why = vernal::attribute_refusal(node, operation->attributes)) return why;
  if (node.op == "vernal.rope/1" && vernal::rope_options(node).scaling.kind == "longrope") {
    return "rope scaling \"longrope\" is not supported";
  }
  for (const vernal_operand& operand : node.operands) {
    if (operand.kind != VERNAL_OPERAND_WEIGHT) continue;
    const vernal::Weight& weight = module.weights[operand.index];
    const vernal::BlockType* format = vernal::find_block_type(std::string_view(weight.format));
    if (format == nullptr || !format->is_readable()) {
      return "weight " + weight.name + " has the format " + weight.format +
             ", which cannot be read";
    }
  }
  return std::nullopt;
}

}  // namespace reference
