// Operations on numbers one by one: act/1, scale/1, softcap/1, add/1, mul/1.
#include <algorithm>
#include <array>

#include "compile/function_builder.hpp"
#include "kernels/elementwise/elementwise.hpp"
#include "operations/operation_table.hpp"
#include "shared/compile/function_names.hpp"
#include "shared/compile/operation_attributes.hpp"

namespace vernal::cpu_avx2 {

using backend::find_activation;

namespace {

/// y = f(x) of one value: act/1, scale/1, softcap/1.
class MapOperation final : public Operation {
 public:
  enum class Kind : std::uint8_t { kActivate, kScale, kSoftcap };
  struct Parameters {
    BufferId x;
    BufferId y;
    Kind kind;
    Activation activation;
    float number;  ///< factor or cap
    RowCount rows;
    std::int64_t num_columns;
  };
  explicit MapOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

MapOperation::MapOperation(const Parameters& parameters) : p_(parameters) {
  reads = {p_.x};
  writes = {p_.y};
}

void MapOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const float* x = step.values(p_.x);
  float* y = step.floats(p_.y);
  const std::int64_t count = step.count(p_.rows) * p_.num_columns;
  const std::int64_t chunk = std::max<std::int64_t>(1024, chunk_of(count, worker));
  worker.parallel_for(count, chunk, [&](std::int64_t first, std::int64_t last) {
    switch (p_.kind) {
      case Kind::kActivate:
        activate(p_.activation, x, y, first, last);
        break;
      case Kind::kScale:
        scale(x, p_.number, y, first, last);
        break;
      case Kind::kSoftcap:
        softcap(x, p_.number, y, first, last);
        break;
    }
  });
}

void compile_map(FunctionBuilder& builder, const Node& node) {
  const RowShape shape = builder.operand_rows(node, 0);
  MapOperation::Parameters p{builder.operand(node, 0),
                             builder.new_output(node),
                             MapOperation::Kind::kScale,
                             Activation::kSilu,
                             static_cast<float>(node.number("scale", 1)),
                             shape.rows,
                             shape.num_columns};
  if (node.op == "vernal.act/1") {
    p.kind = MapOperation::Kind::kActivate;
    p.activation = *find_activation(node.text("kind", ""));
  } else if (node.op == "vernal.softcap/1") {
    p.kind = MapOperation::Kind::kSoftcap;
    p.number = static_cast<float>(node.number("c", 1));
  }
  builder.emit<MapOperation>(p);
}

Refusal refuse_activation(const Module&, const Function&, const Node& node) {
  const std::string kind(node.text("kind", ""));
  if (find_activation(kind)) return std::nullopt;
  return "act kind \"" + kind + "\"";
}

/// add/1, mul/1 of two values, or a value and a weight.
class BinaryOperation final : public Operation {
 public:
  struct Source {
    BufferId value;       ///< or kNoBuffer
    std::int64_t weight;  ///< index, or -1
    std::array<std::int64_t, 4> strides;
  };
  struct Parameters {
    Source a;
    Source b;
    BufferId y;
    Binary kind;
    std::array<std::int64_t, 4> dims;  ///< one may be VERNAL_DIM_TOKENS or VERNAL_DIM_ROWS
  };
  explicit BinaryOperation(const Parameters& parameters);
  void run(const StepContext& step, Worker& worker) const noexcept override;

 private:
  Parameters p_;
};

BinaryOperation::BinaryOperation(const Parameters& parameters) : p_(parameters) {
  for (const Source* source : {&p_.a, &p_.b}) {
    if (source->value != kNoBuffer) reads.push_back(source->value);
  }
  writes = {p_.y};
}

void BinaryOperation::run(const StepContext& step, Worker& worker) const noexcept {
  const auto numbers = [&](const Source& source) {
    return source.value != kNoBuffer
               ? step.values(source.value)
               : step.weights->numbers(static_cast<std::uint32_t>(source.weight));
  };
  BinaryRows binary;
  binary.kind = p_.kind;
  binary.a = numbers(p_.a);
  binary.b = numbers(p_.b);
  binary.y = step.floats(p_.y);
  binary.dims = p_.dims;
  for (std::int64_t& dim : binary.dims) {
    if (dim < 0) dim = step.count({dim, 1});
  }
  binary.a_strides = p_.a.strides;
  binary.b_strides = p_.b.strides;
  const std::int64_t rows = binary.dims[0] * binary.dims[1] * binary.dims[2];
  worker.parallel_for(rows, chunk_of(rows, worker), [&](std::int64_t first, std::int64_t last) {
    binary_rows(binary, first, last);
  });
}

BinaryOperation::Source binary_source(const FunctionBuilder& builder, const Node& node,
                                      std::size_t i) {
  const bool is_weight = node.operands[i].kind == VERNAL_OPERAND_WEIGHT;
  const Shape& s =
      is_weight ? builder.operand_weight(node, i).shape : builder.operand_shape(node, i);
  return {is_weight ? kNoBuffer : builder.operand(node, i), FunctionBuilder::weight(node, i),
          backend::broadcast_strides(s)};
}

void compile_binary(FunctionBuilder& builder, const Node& node) {
  const Shape& s = builder.shape(node.outputs[0]);
  BinaryOperation::Parameters p{binary_source(builder, node, 0),
                                binary_source(builder, node, 1),
                                builder.new_output(node),
                                node.op == "vernal.add/1" ? Binary::kAdd : Binary::kMultiply,
                                {1, 1, 1, 1}};
  for (std::uint32_t d = 0; d < s.rank; ++d) p.dims[4 - s.rank + d] = s[d];
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

}  // namespace vernal::cpu_avx2
