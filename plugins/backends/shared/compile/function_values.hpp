// A function while it is compiled: the values of its nodes as buffers, and what a step brings and
// takes. Backends derive their builders from it and add the operations.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "shared/compile/buffer_planner.hpp"
#include "shared/compile/step_io.hpp"
#include "vernal/backend_types.hpp"
#include "vernal/module.hpp"

namespace vernal::backend {

inline constexpr auto kFloatBytes = static_cast<std::int64_t>(sizeof(float));

/// Values are f32, contiguous. Borrows all that its constructor takes.
class FunctionValues {
 public:
  FunctionValues(const Module& module, const Function& function, const PlanOptions& options);

  const Module& module() const { return module_; }
  const Function& function() const { return function_; }
  std::int64_t max_tokens() const {
    return static_cast<std::int64_t>(options_.max_tokens_per_step);
  }

  // ---- values and operands; `i` counts the operands of a node
  const Shape& shape(std::uint32_t value) const { return function_.values[value].shape; }
  /// The rows of a value, and the most that a step may have.
  RowShape rows(std::uint32_t value) const;
  std::int64_t most(RowCount rows) const;
  /// How many operands of nodes are this value.
  std::int64_t num_uses(std::uint32_t value) const { return num_uses_[value]; }

  static std::uint32_t value(const Node& node, std::size_t i) { return node.operands[i].index; }
  const Shape& operand_shape(const Node& node, std::size_t i) const {
    return shape(value(node, i));
  }
  RowShape operand_rows(const Node& node, std::size_t i) const { return rows(value(node, i)); }
  BufferId operand(const Node& node, std::size_t i) const { return buffer(value(node, i)); }
  /// Index of an optional weight operand, or -1.
  static std::int64_t weight(const Node& node, std::size_t i);
  const Weight& operand_weight(const Node& node, std::size_t i) const {
    return module_.weights[node.operands[i].index];
  }

  // ---- buffers
  /// Where a value lies, or kNoBuffer while nothing has made it.
  BufferId buffer(std::uint32_t value) const { return buffers_[value]; }
  BufferId add_buffer(std::int64_t bytes) { return planner_.add_arena(bytes); }
  /// A buffer of f32 numbers for a value, at its greatest step.
  BufferId new_buffer(std::uint32_t value);
  BufferId new_output(const Node& node, std::size_t i = 0) { return new_buffer(node.outputs[i]); }
  /// `value` lies where `other` lies.
  void share_buffer(std::uint32_t value, std::uint32_t other) { buffers_[value] = buffers_[other]; }

  // ---- what a step brings and takes
  void add_input(std::uint32_t value, InputSlot slot);
  bool is_input(BufferId buffer) const { return location(buffer).place == Place::kInput; }
  /// Remembers that the integers of an input are indices below `limit`.
  void limit_input(BufferId buffer, std::int64_t limit);
  /// Keeps a buffer of the arena until the step is released.
  void add_output(OutputSlot slot);

  /// A node that an earlier one has taken in.
  void mark_done(const Node& node) { is_done_[index_of(node)] = true; }
  bool is_done(const Node& node) const { return is_done_[index_of(node)]; }
  std::size_t index_of(const Node& node) const {
    return static_cast<std::size_t>(&node - function_.nodes.data());
  }

 protected:
  ~FunctionValues() = default;

  const Location& location(BufferId buffer) const {
    return planner_.locations()[static_cast<std::size_t>(buffer)];
  }

  BufferPlanner planner_;
  std::vector<InputSlot> inputs_;
  std::vector<OutputSlot> outputs_;

 private:
  const Module& module_;
  const Function& function_;
  const PlanOptions& options_;
  std::vector<BufferId> buffers_;       // by value
  std::vector<std::int64_t> num_uses_;  // by value
  std::vector<bool> is_done_;           // by node
};

/// The slot of an input/1 node.
InputSlot input_slot(const Function& function, const Node& node);

/// An add/1 of a product and something already computed.
struct ResidualAdd {
  const Node* node = nullptr;  ///< null: there is none
  std::uint32_t other = 0;     ///< value
};

/// The node that adds the result of `linear` to something already computed, if nothing else uses
/// that result: their sum can be made where the result is written.
ResidualAdd find_residual_add(const FunctionValues& values, const Node& linear);

/// A copy of part of an axis: slice/1, one output of split/1, one operand of concat/1. A value is
/// [rows, axis, inner].
struct AxisCopy {
  BufferId x = kNoBuffer;
  BufferId y = kNoBuffer;
  RowCount rows;
  std::int64_t inner = 1;
  std::int64_t length = 0;  ///< of the part
  std::int64_t x_axis = 0;
  std::int64_t x_start = 0;
  std::int64_t y_axis = 0;
  std::int64_t y_start = 0;
};

/// The copies that a slice/1, split/1 or concat/1 consists of. Makes the buffers of its results.
std::vector<AxisCopy> axis_copies(FunctionValues& values, const Node& node);

/// Strides of an operand over the four dimensions of an element-wise result, the last one fastest;
/// 0 where the operand repeats.
std::array<std::int64_t, 4> broadcast_strides(const Shape& operand);

}  // namespace vernal::backend
