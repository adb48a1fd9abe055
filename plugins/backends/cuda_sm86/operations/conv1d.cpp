// conv1d_state/1.
#include "kernels/recurrent/conv1d.hpp"

#include <array>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cuda_sm86 {

namespace {

class ConvOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BufferId y;
    std::uint32_t weight;
    std::int64_t bias;          ///< index of the weight, or -1
    std::int64_t state_offset;  ///< in a slot, bytes
    Conv1d shape;               ///< everything that does not depend on the step
  };
  explicit ConvOperation(const Parameters& parameters) : p_(parameters) {
    reads = {p_.x};
    writes = {p_.y};
  }

  cudaError_t launch(const StepContext& step) const override {
    Conv1d conv = p_.shape;
    conv.x = step.floats(p_.x);
    conv.weight = step.weights->numbers(p_.weight);
    conv.bias = step.weights->numbers(p_.bias);
    conv.y = step.floats(p_.y);
    conv.states = reinterpret_cast<unsigned char*>(step.states + p_.state_offset);
    conv.sequences = step.sequences;
    conv.counts = step.counts;
    return launch_conv1d(conv, step.size);
  }

 private:
  Parameters p_;
};

void compile_conv1d_state(FunctionBuilder& builder, const Node& node) {
  const backend::StatePlan& states = builder.context().states;
  const backend::StatePlan::Entry& state = states.entry(node.operands[3].index);
  const Shape& weight = builder.operand_weight(node, 1).shape;
  Conv1d conv{};
  conv.slot_bytes = states.slot_bytes();
  conv.num_channels = static_cast<std::int32_t>(weight[0]);
  conv.width = static_cast<std::int32_t>(weight[1]);
  conv.num_columns = static_cast<std::int32_t>(state.num_parts);
  conv.is_silu = conv1d_activation(node) == "silu";
  builder.emit<ConvOperation>(ConvOperation::Parameters{
      builder.operand(node, 0), builder.new_output(node), node.operands[1].index,
      FunctionBuilder::weight(node, 2), state.offset, conv});
}

}  // namespace

std::span<const OperationDescriptor> conv1d_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.conv1d_state/1", backend::kConv1dAttributes,
                          compile_conv1d_state},
  };
  return kDescriptors;
}

}  // namespace vernal::cuda_sm86
