#include "shared/state/state_plan.hpp"

#include <algorithm>
#include <string>

#include "shared/state/memory.hpp"
#include "vernal/error.hpp"

namespace vernal::backend {

namespace {

constexpr auto kFloatBytes = static_cast<std::int64_t>(sizeof(float));

/// The node that changes a recurrent state: the architecture declares each state for one.
const Node& user_of(const Module& module, std::uint64_t state) {
  const auto uses = [&](const vernal_operand& operand) {
    return operand.kind == VERNAL_OPERAND_STATE && operand.index == state;
  };
  for (const Node& node : module.functions[module.states[state].function].nodes) {
    if (std::ranges::any_of(node.operands, uses)) return node;
  }
  throw Error(VERNAL_INTERNAL, "no node uses state " + std::to_string(state));
}

/// Numbers of one token of an operand of gated_delta_rule/1: all dimensions but the first.
std::int64_t numbers_of_token(const Module& module, std::uint64_t state, std::size_t operand) {
  const Function& function = module.functions[module.states[state].function];
  const Shape& shape = function.values[user_of(module, state).operand(operand).index].shape;
  std::int64_t count = 1;
  for (std::uint32_t i = 1; i < shape.rank; ++i) count *= shape[i];
  return count;
}

/// The log of a recurrent state that lies in one version.
ReplayLog log_of(const Module& module, std::uint64_t state, std::int64_t depth) {
  enum : std::size_t { kKeys = 1, kValues = 2, kGates = 3, kBetas = 4 };  // operands
  const State& recurrent = module.states[state];
  ReplayLog log;
  log.depth = depth;
  log.value_bytes = numbers_of_token(module, state, kValues) * kFloatBytes;
  for (const std::size_t operand : {kKeys, kGates, kBetas}) {
    log.key_bytes += numbers_of_token(module, state, operand) * kFloatBytes;
  }
  log.values_offset = recurrent.num_heads * recurrent.key_dim * recurrent.value_dim * kFloatBytes;
  log.keys_offset = log.values_offset + depth * log.value_bytes;
  return log;
}

/// The size of a version or column, and how many of them a state has.
StatePlan::Entry parts_of(const State& state, std::int64_t rollback_depth) {
  StatePlan::Entry entry;
  entry.kind = state.kind;
  entry.function = state.function;
  if (state.kind == VERNAL_STATE_RECURRENT) {
    entry.part_bytes = state.num_heads * state.key_dim * state.value_dim * kFloatBytes;
    entry.num_parts = rollback_depth + 1;
    entry.num_kept_parts = 1;
  } else if (state.kind == VERNAL_STATE_CONV) {
    entry.part_bytes = state.channels * kFloatBytes;
    entry.num_parts = state.width - 1 + rollback_depth;
    entry.num_kept_parts = entry.num_parts;
  }
  return entry;
}

}  // namespace

StatePlan::StatePlan(const Module& module, const PlanOptions& options, RollbackForm form)
    : is_exact_(module.functions.size(), false),
      max_sequences_(static_cast<std::int64_t>(options.max_sequences)),
      max_checkpoints_(static_cast<std::int64_t>(options.max_checkpoints)),
      rollback_depth_(options.rollback_depth) {
  if (!options.recurrent_format.empty() && options.recurrent_format != "f32") {
    throw Error(VERNAL_UNSUPPORTED, "recurrent_format \"" + options.recurrent_format +
                                        "\": this backend keeps recurrent states as \"f32\"");
  }
  const auto depth = static_cast<std::int64_t>(rollback_depth_);
  for (std::size_t i = 0; i < module.states.size(); ++i) {
    const State& state = module.states[i];
    Entry entry = parts_of(state, depth);
    if (form == RollbackForm::kReplay && state.kind == VERNAL_STATE_RECURRENT) {
      entry.num_parts = 1;
      if (depth > 0) entry.log = log_of(module, i, depth);
      has_log_ |= depth > 0;
    }
    entry.offset = slot_bytes_;
    entry.kept_offset = checkpoint_bytes_;
    slot_bytes_ += aligned_bytes(entry.bytes());
    checkpoint_bytes_ += aligned_bytes(entry.kept_bytes());
    if (entry.bytes() > 0) is_exact_[state.function] = true;
    entries_.push_back(entry);
  }
}

}  // namespace vernal::backend
