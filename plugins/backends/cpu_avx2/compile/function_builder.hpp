// A function while it is compiled: the values of its nodes as buffers, and the operations so far.
#pragma once

#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "compile/compiled_function.hpp"
#include "operations/row_operation.hpp"
#include "shared/buffer_planner.hpp"

namespace vernal::cpu_avx2 {

inline constexpr auto kFloatBytes = static_cast<std::int64_t>(sizeof(float));

/// A value as rows of numbers: everything but the last dimension counts rows.
struct RowShape {
  RowCount rows;
  std::int64_t num_columns = 1;
};

/// Nodes are compiled in their order, each by compile() of its descriptor (operation_table.hpp).
/// Borrows all that its constructor takes.
class FunctionBuilder {
 public:
  FunctionBuilder(const Module& module, const Function& function, const CompileContext& context);

  const Module& module() const { return module_; }
  const Function& function() const { return function_; }
  const CompileContext& context() const { return context_; }
  std::int64_t max_tokens() const {
    return static_cast<std::int64_t>(context_.options.max_tokens_per_step);
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
  /// `value` lies where `other` lies; rows of the same length are quantised together.
  void share_buffer(std::uint32_t value, std::uint32_t other);
  /// The 8-bit form of a value, made once: by its producer if that makes rows, else by itself.
  BufferId quantized(std::uint32_t value, ActivationKind kind);

  // ---- what a step brings and takes
  void add_input(std::uint32_t value, InputSlot slot);
  bool is_input(BufferId buffer) const { return location(buffer).place == Place::kInput; }
  /// Remembers that the integers of an input are indices below `limit`.
  void limit_input(BufferId buffer, std::int64_t limit);
  /// Keeps a buffer of the arena until the step is released.
  void add_output(OutputSlot slot);

  // ---- operations
  template <class T, class... Arguments>
  T* emit(Arguments&&... arguments) {
    auto made = std::make_unique<T>(std::forward<Arguments>(arguments)...);
    T* raw = made.get();
    out_.operations.push_back(std::move(made));
    return raw;
  }
  /// A RowOperation, which can quantise the node's result as well.
  template <class T>
  void emit_rows(const Node& node, const typename T::Parameters& parameters) {
    producers_[node.outputs[0]] = emit<T>(parameters);
  }
  /// Those that later ones of their kind may share.
  std::vector<RopeTableOperation*>& rope_tables() { return out_.rope_tables; }
  std::vector<const AttentionOperation*>& scheduled() { return out_.scheduled; }

  /// A node that an earlier one has taken in.
  void mark_done(const Node& node) { is_done_[index_of(node)] = true; }
  bool is_done(const Node& node) const { return is_done_[index_of(node)]; }
  std::size_t index_of(const Node& node) const {
    return static_cast<std::size_t>(&node - function_.nodes.data());
  }

  /// Once, after the last node: fixes places and barriers.
  CompiledFunction finish();

 private:
  const Location& location(BufferId buffer) const {
    return planner_.locations()[static_cast<std::size_t>(buffer)];
  }

  const Module& module_;
  const Function& function_;
  const CompileContext& context_;
  CompiledFunction out_;
  backend::BufferPlanner planner_;
  std::vector<BufferId> buffers_;         // by value
  std::vector<RowOperation*> producers_;  // by value; null unless rows are made one by one
  std::vector<std::int64_t> num_uses_;    // by value
  std::vector<bool> is_done_;             // by node
  std::map<std::tuple<BufferId, std::int64_t, ActivationKind>, BufferId> quantized_;
};

}  // namespace vernal::cpu_avx2
