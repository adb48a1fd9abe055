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
  writes = {p_.result.blocks};
}

cudaError_t QuantizeOperation::launch(const StepContext& step) const {
  Quantize quantize{};
  quantize.x = step.floats(p_.x);
  quantize.blocks = step.blocks_of(p_.result);
  quantize.rows = step.rows(p_.rows);
  quantize.num_columns = p_.result.num_columns;
  return launch_quantize(quantize, step.most(p_.rows), step.size);
}

LinearOperation::LinearOperation(Parameters parameters) : p_(std::move(parameters)) {
  reads = {p_.x};
  for (const Matrix& matrix : p_.matrices) {
    if (matrix.residual != kNoBuffer) reads.push_back(matrix.residual);
    writes.push_back(matrix.y);
  }
}

void LinearOperation::add_products(Multiply& multiply, const StepContext& step) const {
  for (const Matrix& matrix : p_.matrices) {
    Product product;
    product.matrix = step.weights->matrix(matrix.weight);
    product.bias = step.weights->numbers(matrix.bias);
    if (matrix.residual != kNoBuffer) product.residual = step.floats(matrix.residual);
    product.is_activated = matrix.activation.has_value();
    product.activation = matrix.activation.value_or(product.activation);
    product.factors = step.weights->numbers(matrix.factors);
    product.y = step.floats(matrix.y);
    product.codec = step.weights->format(matrix.weight).kernels->codec;
    multiply.add(product);
  }
}

Multiply LinearOperation::multiply(const StepContext& step) const {
  Multiply multiply;
  add_products(multiply, step);
  if (p_.is_quantised) {
    multiply.blocks = activation_blocks(step.at(p_.x), p_.num_columns);
  } else {
    multiply.x = step.floats(p_.x);
  }
  multiply.rows = step.rows(p_.rows);
  return multiply;
}

cudaError_t LinearOperation::launch(const StepContext& step) const {
  const WeightFormat& format = step.weights->format(p_.matrices.front().weight);
  return format.kernels->multiply(multiply(step), step.most(p_.rows), step.size);
}

// ---- several formats

MixedLinearOperation::MixedLinearOperation(std::vector<LinearOperation::Parameters> parts) {
  for (LinearOperation::Parameters& part : parts) {
    parts_.push_back(std::make_unique<LinearOperation>(std::move(part)));
    const LinearOperation& made = *parts_.back();
    reads.insert(reads.end(), made.reads.begin(), made.reads.end());
    writes.insert(writes.end(), made.writes.begin(), made.writes.end());
  }
}

cudaError_t MixedLinearOperation::launch(const StepContext& step) const {
  if (step.most(parts_.front()->parameters().rows) > kColumnTile) {
    cudaError_t error = cudaSuccess;
    for (const auto& part : parts_) {
      if (error == cudaSuccess) error = part->launch(step);
    }
    return error;
  }
  Multiply multiply = parts_.front()->multiply(step);
  for (std::size_t i = 1; i < parts_.size(); ++i) parts_[i]->add_products(multiply, step);
  return launch_multiply_mixed(multiply, step.size);
}

// ---- with a gated unit

GatedLinearOperation::GatedLinearOperation(const LinearOperation::Parameters& products,
                                           const GluOperation::Parameters& unit)
    : products_(products), unit_(unit) {
  reads = products_.reads;
  writes = products_.writes;  // of a step with more rows
  writes.insert(writes.end(), unit_.writes.begin(), unit_.writes.end());
}

cudaError_t GatedLinearOperation::launch(const StepContext& step) const {
  const LinearOperation::Parameters& p = products_.parameters();
  if (step.most(p.rows) > kColumnTile) {
    const cudaError_t error = products_.launch(step);
    return error != cudaSuccess ? error : unit_.launch(step);
  }
  const WeightFormat& format = step.weights->format(p.matrices.front().weight);
  return format.kernels->multiply_gated({products_.multiply(step), unit_.unit(step)}, step.size);
}

namespace {

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
