#include "operations/linear.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/operation_attributes.hpp"

namespace vernal::cuda_sm86 {

QuantizeOperation::QuantizeOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x};
  writes = {p_.blocks};
}

cudaError_t QuantizeOperation::launch(const StepContext& step) const {
  Quantize quantize{};
  quantize.x = step.floats(p_.x);
  quantize.blocks = activation_blocks(step.at(p_.blocks), p_.num_columns);
  quantize.rows = step.rows(p_.rows);
  quantize.num_columns = p_.num_columns;
  return launch_quantize(quantize, step.most(p_.rows), step.size);
}

namespace {

/// y = x W^T + bias (+ residual), for matrices of one format that multiply the same x.
class LinearOperation final : public Operation {
 public:
  struct Matrix {
    std::uint32_t weight = 0;
    std::int64_t bias = -1;         ///< index of the weight, or -1
    BufferId residual = kNoBuffer;  ///< f32 [rows, N] added to the result, or kNoBuffer
    BufferId y = kNoBuffer;
  };
  struct Parameters {
    BufferId x = kNoBuffer;        ///< f32, or blocks for quantised weights
    std::vector<Matrix> matrices;  ///< at most kMostProducts
    RowCount rows;
    std::int64_t num_columns = 0;
    bool is_quantised = false;
  };
  explicit LinearOperation(Parameters parameters) : p_(std::move(parameters)) {
    reads = {p_.x};
    for (const Matrix& matrix : p_.matrices) {
      if (matrix.residual != kNoBuffer) reads.push_back(matrix.residual);
      writes.push_back(matrix.y);
    }
  }

  cudaError_t launch(const StepContext& step) const override {
    Multiply multiply;
    for (const Matrix& matrix : p_.matrices) {
      Product product;
      product.matrix = step.weights->matrix(matrix.weight);
      product.bias = step.weights->numbers(matrix.bias);
      if (matrix.residual != kNoBuffer) product.residual = step.floats(matrix.residual);
      product.y = step.floats(matrix.y);
      multiply.add(product);
    }
    if (p_.is_quantised) {
      multiply.blocks = activation_blocks(step.at(p_.x), p_.num_columns);
    } else {
      multiply.x = step.floats(p_.x);
    }
    multiply.rows = step.rows(p_.rows);
    const WeightFormat& format = step.weights->format(p_.matrices.front().weight);
    return format.kernels->multiply(multiply, step.most(p_.rows), step.size);
  }

 private:
  Parameters p_;
};

/// The product of a node. Takes in the add/1 after it, if that adds something already computed.
LinearOperation::Matrix compile_product(FunctionBuilder& builder, const Node& node) {
  LinearOperation::Matrix matrix;
  matrix.weight = node.operands[1].index;
  matrix.bias = FunctionBuilder::weight(node, 2);
  std::uint32_t result = node.outputs[0];
  if (const backend::ResidualAdd add = backend::find_residual_add(builder, node);
      add.node != nullptr) {
    matrix.residual = builder.buffer(add.other);
    result = add.node->outputs[0];
    builder.mark_done(*add.node);
  }
  matrix.y = builder.new_buffer(result);
  return matrix;
}

/// Later nodes that multiply the same x with a matrix of the same format: one launch does them all.
std::vector<const Node*> find_siblings(const FunctionBuilder& builder, const Node& node) {
  std::vector<const Node*> out;
  const std::vector<Node>& nodes = builder.function().nodes;
  const std::string& format = builder.operand_weight(node, 1).format;
  for (std::size_t i = builder.index_of(node) + 1; i < nodes.size(); ++i) {
    if (out.size() + 1 == kMostProducts) break;
    const Node& other = nodes[i];
    const bool is_sibling = other.op == node.op && !builder.is_done(other) &&
                            FunctionBuilder::value(other, 0) == FunctionBuilder::value(node, 0) &&
                            builder.operand_weight(other, 1).format == format;
    if (is_sibling) out.push_back(&other);
  }
  return out;
}

void compile_linear(FunctionBuilder& builder, const Node& node) {
  const std::uint32_t x = FunctionBuilder::value(node, 0);
  const Weight& w = builder.operand_weight(node, 1);
  LinearOperation::Parameters p;
  p.is_quantised = find_weight_format(w.format)->kernels->is_quantised();
  p.x = p.is_quantised ? builder.quantized(x) : builder.buffer(x);
  p.rows = builder.rows(x).rows;
  p.num_columns = w.shape[1];
  p.matrices.push_back(compile_product(builder, node));
  for (const Node* const sibling : find_siblings(builder, node)) {
    p.matrices.push_back(compile_product(builder, *sibling));
    builder.mark_done(*sibling);
  }
  builder.emit<LinearOperation>(std::move(p));
}

}  // namespace

std::span<const OperationDescriptor> linear_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.linear/1", backend::kLinearAttributes, compile_linear, nullptr,
                          backend::kLinearWeights},
  };
  return kDescriptors;
}

}  // namespace vernal::cuda_sm86
