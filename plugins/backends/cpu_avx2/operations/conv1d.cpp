// conv1d_state/1.
#include <algorithm>
#include <array>

#include "compile/function_builder.hpp"
#include "kernels/recurrent/conv1d.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"
#include "vernal/op_options.hpp"

namespace vernal::cpu_avx2 {

namespace {

class ConvOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;
    BufferId y;
    std::uint32_t weight;
    std::int64_t bias;         ///< index of the weight, or -1
    std::int64_t slot_offset;  ///< of the state, bytes
    Conv1d shape;              ///< everything that does not depend on the step
  };
  explicit ConvOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

ConvOperation::ConvOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x};
  writes = {p_.y};
}

void ConvOperation::run(const StepContext& step, Worker& worker) const noexcept {
  Conv1d conv = p_.shape;
  conv.x = step.values(p_.x);
  conv.weight = step.weights->numbers(p_.weight);
  if (p_.bias >= 0) conv.bias = step.weights->numbers(static_cast<std::uint32_t>(p_.bias));
  conv.y = step.floats(p_.y);
  const std::int64_t parts = (conv.num_channels + kConvChannels - 1) / kConvChannels;
  const std::int64_t items = static_cast<std::int64_t>(step.sequences.size()) * parts;
  worker.parallel_for(items, chunk_of(items, worker), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const AttentionSequence& s = step.sequences[static_cast<std::size_t>(i / parts)];
      const ConvSequence sequence{step.state(i / parts, p_.slot_offset), s.start, s.count,
                                  s.first_position};
      const std::int64_t first = i % parts * kConvChannels;
      conv1d_channels(conv, sequence, first, std::min(first + kConvChannels, conv.num_channels));
    }
  });
}

/// Memory and what depends on a step is left open.
Conv1d conv_parameters(const Module& module, const Node& node) {
  const Shape& weight = module.weights[node.operands[1].index].shape;
  Conv1d conv;
  conv.num_channels = weight[0];
  conv.width = weight[1];
  conv.is_silu = conv1d_activation(node) == "silu";
  return conv;
}

void compile_conv1d_state(FunctionBuilder& builder, const Node& node) {
  const backend::StatePlan::Entry& state = builder.context().states.entry(node.operands[3].index);
  Conv1d conv = conv_parameters(builder.module(), node);
  conv.num_columns = state.num_parts;
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

}  // namespace vernal::cpu_avx2
