// The operations (sdk/spec/operations.md). Each is a function, and a table has their names.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "program.hpp"
#include "vernal/op_options.hpp"

namespace reference {

/// Everything that a node may use while it runs.
struct StepContext {
  const Program& program;
  const vernal::Function& function;
  const vernal::StepBatch& batch;
  std::vector<SequenceState>& states;  // by sequence of the batch
  std::vector<Tensor>& values;         // by value index
  vernal::StepOutputs& outputs;

  /// The value that operand `i` refers to.
  Tensor& in(const vernal::Node& node, std::size_t i) const;
  const StoredWeight& weight(const vernal::Node& node, std::size_t i) const;
  /// A weight of one row, as floats. Empty if the operand is absent.
  std::vector<float> weight_row(const vernal::Node& node, std::size_t i) const;
  const vernal::State& state(const vernal::Node& node, std::size_t i) const;
  /// The RECURRENT or CONV state of a sequence of the batch.
  FixedState& fixed_state(const vernal::Node& node, std::size_t i, std::size_t sequence) const;
  /// Makes output `i` of the node. Its shape is the declared one, with the numbers of this step for
  /// T, S and R.
  Tensor& out(const vernal::Node& node, std::size_t i = 0) const;
};

struct Operation {
  std::string_view id;  // "vernal.linear/1"
  void (*run)(const vernal::Node& node, StepContext& context);
  std::vector<std::string_view> attributes;  // the names that it understands
};

/// All operations of this backend.
std::span<const Operation> operations();

/// The operation with that id, or null.
const Operation* find_operation(std::string_view id);

/// The reason why a node cannot run here: an unknown operation or attribute, or a format that
/// nothing reads. nullopt if it can.
std::optional<std::string> refusal(const vernal::Module& module, const vernal::Node& node);

// elementwise.cpp
void run_add(const vernal::Node& node, StepContext& context);
void run_mul(const vernal::Node& node, StepContext& context);
void run_scale(const vernal::Node& node, StepContext& context);
void run_act(const vernal::Node& node, StepContext& context);
void run_glu(const vernal::Node& node, StepContext& context);
void run_softcap(const vernal::Node& node, StepContext& context);
// shapes.cpp
void run_input(const vernal::Node& node, StepContext& context);
void run_output(const vernal::Node& node, StepContext& context);
void run_reshape(const vernal::Node& node, StepContext& context);
void run_slice(const vernal::Node& node, StepContext& context);
void run_split(const vernal::Node& node, StepContext& context);
void run_concat(const vernal::Node& node, StepContext& context);
void run_select_rows(const vernal::Node& node, StepContext& context);
void run_override_rows(const vernal::Node& node, StepContext& context);
// linear.cpp
void run_embed(const vernal::Node& node, StepContext& context);
void run_linear(const vernal::Node& node, StepContext& context);
void run_rmsnorm(const vernal::Node& node, StepContext& context);
// attention.cpp
void run_attention(const vernal::Node& node, StepContext& context);
// rope.cpp
void run_rope(const vernal::Node& node, StepContext& context);
// recurrent.cpp
void run_l2norm(const vernal::Node& node, StepContext& context);
void run_conv1d_state(const vernal::Node& node, StepContext& context);
void run_gated_delta_rule(const vernal::Node& node, StepContext& context);
// experts.cpp
void run_moe_route(const vernal::Node& node, StepContext& context);
void run_moe_glu(const vernal::Node& node, StepContext& context);

}  // namespace reference
