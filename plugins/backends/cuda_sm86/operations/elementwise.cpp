#include "operations/elementwise.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "compile/function_builder.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/function_names.hpp"
#include "shared/compile/operation_attributes.hpp"

namespace vernal::cuda_sm86 {

MapOperation::MapOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x};
  writes = {p_.y};
}

cudaError_t MapOperation::launch(const StepContext& step) const {
  const Map map{step.floats(p_.x), step.floats(p_.y), step.rows(p_.rows), p_.num_columns,
                p_.kind,           p_.activation,     p_.number};
  return launch_map(map, step.most(p_.rows), step.size);
}

BinaryOperation::BinaryOperation(const Parameters& parameters) : p_(parameters) {
  for (const Source* source : {&p_.a, &p_.b}) {
    if (source->value != kNoBuffer) reads.push_back(source->value);
  }
  writes = {p_.y};
}

cudaError_t BinaryOperation::launch(const StepContext& step) const {
  const auto numbers = [&](const Source& source) -> const float* {
    return source.value != kNoBuffer ? step.floats(source.value)
                                     : step.weights->numbers(source.weight);
  };
  Binary binary{};
  binary.a = numbers(p_.a);
  binary.b = numbers(p_.b);
  binary.y = step.floats(p_.y);
  binary.rows = step.rows(p_.rows);
  std::ranges::copy(p_.dims, binary.dims);
  std::ranges::copy(p_.a.strides, binary.a_strides);
  std::ranges::copy(p_.b.strides, binary.b_strides);
  binary.is_product = p_.is_product;
  return launch_binary(binary, step.most(p_.rows), step.size);
}

namespace {

void compile_map(FunctionBuilder& builder, const Node& node) {
  const RowShape shape = builder.operand_rows(node, 0);
  MapOperation::Parameters p{builder.operand(node, 0),
                             builder.new_output(node),
                             Map::Kind::kScale,
                             Activation::kSilu,
                             static_cast<float>(node.number("scale", 1)),
                             shape.rows,
                             shape.num_columns};
  if (node.op == "vernal.act/1") {
    p.kind = Map::Kind::kActivate;
    p.activation = *backend::find_activation(node.text("kind", ""));
  } else if (node.op == "vernal.softcap/1") {
    p.kind = Map::Kind::kSoftcap;
    p.number = static_cast<float>(node.number("c", 1));
  }
  builder.emit<MapOperation>(p);
}

Refusal refuse_activation(const Module&, const Function&, const Node& node) {
  const std::string kind(node.text("kind", ""));
  if (backend::find_activation(kind)) return std::nullopt;
  return "act kind \"" + kind + "\"";
}

BinaryOperation::Source binary_source(const FunctionBuilder& builder, const Node& node,
                                      std::size_t i, std::uint32_t rank) {
  const bool is_weight = node.operands[i].kind == VERNAL_OPERAND_WEIGHT;
  const Shape& s =
      is_weight ? builder.operand_weight(node, i).shape : builder.operand_shape(node, i);
  BinaryOperation::Source source{is_weight ? kNoBuffer : builder.operand(node, i),
                                 FunctionBuilder::weight(node, i), backend::broadcast_strides(s)};
  // The first dimension of the result goes in front of those that it lacks.
  if (rank < 4) source.strides[0] = std::exchange(source.strides[4 - rank], 0);
  return source;
}

void compile_binary(FunctionBuilder& builder, const Node& node) {
  const Shape& s = builder.shape(node.outputs[0]);
  BinaryOperation::Parameters p{binary_source(builder, node, 0, s.rank),
                                binary_source(builder, node, 1, s.rank),
                                builder.new_output(node),
                                node.op == "vernal.mul/1",
                                s[0] < 0 ? RowCount{s[0], 1} : RowCount{1, s[0]},
                                {1, 1, 1}};
  for (std::uint32_t d = 1; d < s.rank; ++d) p.dims[3 - s.rank + d] = s[d];
  builder.emit<BinaryOperation>(p);
}

}  // namespace

std::span<const OperationDescriptor> elementwise_operations() {
  static constexpr std::array kDescriptors{
      OperationDescriptor{"vernal.act/1", backend::kActAttributes, compile_map, refuse_activation},
      OperationDescriptor{"vernal.scale/1", backend::kScaleAttributes, compile_map},
      OperationDescriptor{"vernal.softcap/1", backend::kSoftcapAttributes, compile_map},
      OperationDescriptor{"vernal.add/1", {}, compile_binary},
      OperationDescriptor{"vernal.mul/1", {}, compile_binary},
  };
  return kDescriptors;
}

}  // namespace vernal::cuda_sm86
