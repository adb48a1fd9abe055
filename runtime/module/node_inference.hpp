// Checks one node against the table of operations and infers the shapes of its results.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "module/op_registry.hpp"
#include "module/problem.hpp"
#include "vernal/module.hpp"

namespace vernal {

/// Stands for a result whose shape could not be inferred. A node that uses it is not checked
/// further, so that one mistake is reported once.
inline constexpr Value kUnknownValue{Shape{}, 0};
inline bool is_known(const Value& value) noexcept { return value.element != 0; }

/// A shape of the given dimensions.
Shape make_shape(std::initializer_list<std::int64_t> dims);

/// A dimension for messages: "T" or "256".
std::string dim_text(std::int64_t dim);

/// Checks one node. The module and the function say what its operands are. `node` may be a part of
/// `function` already, or not yet. Borrows all three. Any thread.
class NodeInference {
 public:
  NodeInference(const Module& module, const Function& function, const Node& node)
      : module_(module), function_(function), node_(node) {}

  /// Checks the node, and fills problems() and results().
  void run();

  const std::vector<Problem>& problems() const noexcept { return problems_; }
  /// The results in order. Empty if a problem of this node or of an operand leaves them unknown.
  const std::vector<Value>& results() const noexcept { return results_; }

  // ---- for the rules of the operations ----------------------------------------------------------

  const Node& node() const noexcept { return node_; }
  std::size_t num_operands() const noexcept { return node_.operands.size(); }
  bool has(std::size_t i) const { return node_.operand(i).kind != VERNAL_OPERAND_NONE; }
  bool is_value(std::size_t i) const { return node_.operand(i).kind == VERNAL_OPERAND_VALUE; }
  /// Shape of operand `i`, a value or a weight.
  const Shape& shape(std::size_t i) const;
  /// The element kind of operand `i`, VERNAL_ELEMENT_*; ACT if it is no value.
  std::uint32_t element(std::size_t i) const;
  /// The state that operand `i` refers to.
  const State& state(std::size_t i) const;
  /// Operand `i` for messages: "w \"blk.0.attn_q.weight\" [832, 256]" or "x [T, 256]".
  std::string describe(std::size_t i) const;

  /// Reports a problem of this node.
  template <class... Args>
  void problem(fmt::format_string<Args...> format, Args&&... args) {
    problems_.push_back({node_.path, fmt::format(format, std::forward<Args>(args)...)});
  }
  /// Whether operand `i` has `rank` dimensions. Reports a problem if not.
  bool expect_rank(std::size_t i, std::uint32_t rank);
  /// Whether operand `i` has exactly this shape, or is absent. Reports a problem if not.
  bool expect_shape(std::size_t i, const Shape& expected);
  /// Whether operand `i` has `rank` dimensions, the first of them T. Reports a problem if not.
  bool expect_tokens(std::size_t i, std::uint32_t rank);

  /// Adds a result.
  void result(const Shape& shape, std::uint32_t element) { results_.push_back({shape, element}); }
  /// The attribute `out`: VERNAL_ELEMENT_ACT or VERNAL_ELEMENT_F32.
  std::uint32_t out_element() const;
  /// F32 if one of the operands [0, count) is an f32 value, else ACT.
  std::uint32_t promoted_element(std::size_t count) const;

 private:
  bool check_operands(const OpSpec& op);
  bool check_operand(const OperandSpec& spec, std::size_t i);
  void check_element(const OperandSpec& spec, std::size_t i);
  void check_attributes(const OpSpec& op);
  void check_attribute(const AttributeSpec& spec, const Attribute& attribute);
  void check_results();

  const Module& module_;
  const Function& function_;
  const Node& node_;
  const OpSpec* op_ = nullptr;
  std::vector<Problem> problems_;
  std::vector<Value> results_;
  bool operands_known_ = true;
};

}  // namespace vernal
