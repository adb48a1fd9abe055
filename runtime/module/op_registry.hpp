// The table of operations. It has the operands, the attributes and the rule of shapes of each
// operation, as sdk/spec/operations.md specifies them. The rules are in module/ops/, with one file
// for each family.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include "vernal/abi/module.h"

namespace vernal {

class NodeInference;

/// What an operand of an operation may be.
enum class OperandKind {
  kValue,
  kWeight,
  kValueOrWeight,
  kState,
};

/// Element kinds that a value operand may have.
enum class OperandElement {
  kFloat,  ///< act or f32
  kF32,
  kI32,
  kAny,
};

struct OperandSpec {
  std::string_view name;
  OperandKind kind = OperandKind::kValue;
  OperandElement element = OperandElement::kFloat;
  std::uint32_t state_kind = 0;  ///< VERNAL_STATE_* for kState
  bool optional = false;
};

struct AttributeSpec {
  std::string_view name;
  std::uint32_t type;  ///< VERNAL_ATTR_*; an INT is accepted for FLOAT
  bool required = false;
  double minimum = std::numeric_limits<double>::lowest();  ///< of a number, inclusive
  double maximum = std::numeric_limits<double>::max();
  std::string_view choices = {};  ///< of a STRING: "silu|relu"; empty: any text
};

struct OpSpec {
  std::string_view id;  ///< "vernal.linear/1"
  std::uint32_t level;
  std::span<const OperandSpec> operands;
  std::span<const AttributeSpec> attributes;
  std::uint32_t max_repeats;      ///< how often the last operand may occur; above 1 for concat only
  void (*infer)(NodeInference&);  ///< called when operands and attributes fit this table
};

/// All operations of this interface version, by family.
std::span<const OpSpec* const> all_ops() noexcept;

/// The operation of that id, or null. Static storage.
const OpSpec* find_op(std::string_view id) noexcept;

/// The families. Each is a table in module/ops/. interface_ops() are input, output, embed,
/// override_rows and select_rows.
std::span<const OpSpec> interface_ops() noexcept;
std::span<const OpSpec> elementwise_ops() noexcept;  ///< add mul scale act glu softcap
std::span<const OpSpec> layout_ops() noexcept;       ///< reshape slice split concat
std::span<const OpSpec> linear_ops() noexcept;       ///< linear rmsnorm l2norm
std::span<const OpSpec> attention_ops() noexcept;    ///< rope attention
std::span<const OpSpec> recurrent_ops() noexcept;    ///< conv1d_state gated_delta_rule
std::span<const OpSpec> expert_ops() noexcept;       ///< moe_route moe_glu

}  // namespace vernal
