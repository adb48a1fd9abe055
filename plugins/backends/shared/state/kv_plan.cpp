#include "shared/state/kv_plan.hpp"

#include <algorithm>

namespace vernal::backend {

namespace {

/// Pages for kv_tokens positions. Each sequence may leave its last page nearly empty.
std::int64_t pages_for_all(const PlanOptions& options) {
  const auto tokens = static_cast<std::int64_t>(options.kv_tokens);
  const bool is_whole = tokens % kPageTokens == 0 && options.context_length % kPageTokens == 0;
  return (tokens + kPageTokens - 1) / kPageTokens +
         (is_whole ? 0 : static_cast<std::int64_t>(options.max_sequences));
}

/// The most pages that consecutive positions may lie in.
std::int64_t pages_touched(std::int64_t positions) {
  return (positions + kPageTokens - 2) / kPageTokens + 1;
}

/// Pages of a window for every sequence, during the longest step, and for every checkpoint.
std::int64_t pages_for_window(std::int64_t window, const PlanOptions& options) {
  const auto step =
      static_cast<std::int64_t>(std::min(options.max_tokens_per_step, options.context_length));
  const auto rollback_depth = static_cast<std::int64_t>(options.rollback_depth);
  return static_cast<std::int64_t>(options.max_sequences) *
             pages_touched(window + rollback_depth + step) +
         static_cast<std::int64_t>(options.max_checkpoints) * pages_touched(window);
}

}  // namespace

KvPlan::KvPlan(const Module& module, const PlanOptions& options,
               std::span<const std::int64_t> page_bytes)
    : num_functions_(module.functions.size()),
      num_pages_(pages_for_all(options)),
      states_(module.states.size()),
      groups_(module.functions.size()) {
  for (std::size_t f = 0; f < num_functions_; ++f) groups_[f].function = f;
  if (num_functions_ > 0) groups_[0].num_pages = num_pages_;
  for (std::size_t i = 0; i < module.states.size(); ++i) {
    const State& state = module.states[i];
    if (state.kind != VERNAL_STATE_KV) continue;
    Place& place = states_[i];
    place.group = group_of(state, options);
    KvGroup& group = groups_[place.group];
    if (group.window == 0) group.num_pages = num_pages_;
    place.offset = group.page_bytes;
    group.page_bytes += page_bytes[i];
  }
}

/// The group that a state belongs to, made if there is none yet.
std::size_t KvPlan::group_of(const State& state, const PlanOptions& options) {
  if (state.window <= 0 || state.window >= static_cast<std::int64_t>(options.context_length)) {
    return state.function;
  }
  const std::int64_t num_pages = pages_for_window(state.window, options);
  if (num_pages >= num_pages_) return state.function;
  for (std::size_t i = num_functions_; i < groups_.size(); ++i) {
    if (groups_[i].function == state.function && groups_[i].window == state.window) return i;
  }
  KvGroup made;
  made.function = state.function;
  made.window = state.window;
  made.rollback_depth = static_cast<std::int64_t>(options.rollback_depth);
  made.num_pages = num_pages;
  groups_.push_back(made);
  return groups_.size() - 1;
}

std::int64_t KvPlan::bytes_of(std::size_t first, std::size_t last) const {
  std::int64_t sum = 0;
  for (std::size_t i = first; i < last; ++i) sum += groups_[i].page_bytes * groups_[i].num_pages;
  return sum;
}

std::int64_t KvPlan::bytes_per_token() const {
  std::int64_t sum = 0;
  for (const KvGroup& group : groups_) sum += group.page_bytes;
  return sum / kPageTokens;
}

}  // namespace vernal::backend
