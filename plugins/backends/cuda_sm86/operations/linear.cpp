#include "operations/linear.hpp"

#include <array>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"

namespace vernal::cuda_sm86 {

QuantizeOperation::QuantizeOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x};
  writes = {p_.blocks};
}

cudaError_t QuantizeOperation::launch(const StepContext& step) const {
  Quantize quantize{};
  quantize.x = step.floats(p_.x);
  quantize.blocks = activation_blocks(step.at(p_.blocks), p_.most_rows, p_.num_columns);
  quantize.rows = step.rows(p_.rows);
  quantize.num_columns = p_.num_columns;
  return launch_quantize(quantize, step.most(p_.rows), step.size);
}

namespace {

/// y = x W^T + bias (+ residual).
class LinearOperation final : public Operation {
 public:
  struct Parameters {
    BufferId x;         ///< f32, or blocks for quantised weights
    BufferId residual;  ///< f32 [rows, N] added to the result, or kNoBuffer
    BufferId y;
    std::uint32_t weight;
    std::int64_t bias;  ///< index of the weight, or -1
    RowCount rows;
    std::int64_t most_rows;  ///< of the greatest step
    std::int64_t num_columns;
    bool is_quantised;
  };
  explicit LinearOperation(const Parameters& parameters) : p_(parameters) {
    reads = {p_.x};
    if (p_.residual != kNoBuffer) reads.push_back(p_.residual);
    writes = {p_.y};
  }

  cudaError_t launch(const StepContext& step) const override {
    Multiply multiply;
    multiply.matrix = step.weights->matrix(p_.weight);
    if (p_.is_quantised) {
      multiply.blocks = activation_blocks(step.at(p_.x), p_.most_rows, p_.num_columns);
    } else {
      multiply.x = step.floats(p_.x);
    }
    multiply.bias = step.weights->numbers(p_.bias);
    if (p_.residual != kNoBuffer) multiply.residual = step.floats(p_.residual);
    multiply.y = step.floats(p_.y);
    multiply.rows = step.rows(p_.rows);
    return step.weights->format(p_.weight).kernels->multiply(multiply, step.most(p_.rows),
                                                             step.size);
  }

 private:
  Parameters p_;
};

/// Takes in the add/1 after it, if that adds something already computed.
void compile_linear(FunctionBuilder& builder, const Node& node) {
  const std::uint32_t x = FunctionBuilder::value(node, 0);
  const Weight& w = builder.operand_weight(node, 1);
  LinearOperation::Parameters p{};
  p.is_quantised = find_weight_format(w.format)->kernels->is_quantised();
  p.x = p.is_quantised ? builder.quantized(x) : builder.buffer(x);
  p.residual = kNoBuffer;
  p.weight = node.operands[1].index;
  p.bias = FunctionBuilder::weight(node, 2);
  p.rows = builder.rows(x).rows;
  p.most_rows = builder.most(p.rows);
  p.num_columns = w.shape[1];
  std::uint32_t result = node.outputs[0];
  if (const backend::ResidualAdd add = backend::find_residual_add(builder, node);
      add.node != nullptr) {
    p.residual = builder.buffer(add.other);
    result = add.node->outputs[0];
    builder.mark_done(*add.node);
  }
  p.y = builder.new_buffer(result);
  builder.emit<LinearOperation>(p);
}

constexpr std::array<std::string_view, 1> kLinearAttributes{"out"};
constexpr std::array kLinearWeights{WeightOperand{1, WeightUse::kMatrix}};

}  // namespace

std::span<const OperationDescriptor> linear_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.linear/1", kLinearAttributes, compile_linear, nullptr,
                          kLinearWeights},
  };
  return kDescriptors;
}

}  // namespace vernal::cuda_sm86
