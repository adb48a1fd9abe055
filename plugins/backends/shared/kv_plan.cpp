#include "shared/kv_plan.hpp"

#include <algorithm>
#include <string>

#include "kernels/attention/hadamard.hpp"
#include "vernal/error.hpp"

namespace vernal::cpu_avx2 {

namespace {

KvFormat require_format(const std::string& name) {
  const auto format = find_kv_format(name);
  if (!format) {
    throw Error(VERNAL_UNSUPPORTED,
                "KV format \"" + name +
                    "\": this backend stores \"f16\", \"q8_0\" and \"q4_0\", each of keys and "
                    "values by itself");
  }
  return *format;
}

void require_dim(const State& state, const std::string& name, std::int64_t dim) {
  const std::int64_t step = has_codes(require_format(name)) ? kKvGroup : 8;
  if (dim % step == 0) return;
  throw Error(VERNAL_UNSUPPORTED, state.name + ": a head of " + std::to_string(dim) + " in " +
                                      name + "; this backend needs a multiple of " +
                                      std::to_string(step));
}

/// Block of the rotation of rows in that format; 0: they are stored as they are. Only codes with a
/// common scale gain by it.
std::int64_t rotation_of(const State& state, const PlanOptions& options, KvFormat format,
                         std::int64_t dim) {
  if (!options.kv_rotate || !has_codes(format)) return 0;
  if (dim > kMostRotated) {
    throw Error(VERNAL_UNSUPPORTED, state.name + ": this backend rotates heads of at most " +
                                        std::to_string(kMostRotated) + ", found " +
                                        std::to_string(dim) + "; rotate = false stores them");
  }
  return rotation_block(dim);
}

/// Pages for kv_tokens positions: each sequence may leave its last page nearly empty.
std::int64_t pages_for_all(const PlanOptions& options) {
  const auto tokens = static_cast<std::int64_t>(options.kv_tokens);
  const bool is_whole = tokens % kPageTokens == 0 && options.context_length % kPageTokens == 0;
  return (tokens + kPageTokens - 1) / kPageTokens +
         (is_whole ? 0 : static_cast<std::int64_t>(options.max_sequences));
}

/// Most pages that positions one after another may lie in.
std::int64_t pages_touched(std::int64_t positions) {
  return (positions + kPageTokens - 2) / kPageTokens + 1;
}

/// Pages of a window for every sequence, in a step of as many tokens as there may be, and for every
/// checkpoint.
std::int64_t pages_for_window(std::int64_t window, const PlanOptions& options) {
  const auto step =
      static_cast<std::int64_t>(std::min(options.max_tokens_per_step, options.context_length));
  const auto rollback_depth = static_cast<std::int64_t>(options.rollback_depth);
  return static_cast<std::int64_t>(options.max_sequences) *
             pages_touched(window + rollback_depth + step) +
         static_cast<std::int64_t>(options.max_checkpoints) * pages_touched(window);
}

}  // namespace

KvPlan::KvPlan(const Module& module, const PlanOptions& options)
    : num_functions_(module.functions.size()),
      num_pages_(pages_for_all(options)),
      states_(module.states.size()),
      groups_(module.functions.size()) {
  const KvFormat keys = require_format(options.kv_keys_format);
  const KvFormat values = require_format(options.kv_values_format);
  for (std::size_t f = 0; f < num_functions_; ++f) groups_[f].function = f;
  if (num_functions_ > 0) groups_[0].num_pages = num_pages_;
  for (std::size_t i = 0; i < module.states.size(); ++i) {
    const State& state = module.states[i];
    if (state.kind != VERNAL_STATE_KV) continue;
    require_dim(state, options.kv_keys_format, state.key_dim);
    require_dim(state, options.kv_values_format, state.value_dim);
    Place& place = states_[i];
    place.layout = {state.num_heads,
                    state.key_dim,
                    state.value_dim,
                    keys,
                    values,
                    rotation_of(state, options, keys, state.key_dim),
                    rotation_of(state, options, values, state.value_dim)};
    place.group = group_of(state, options);
    KvGroup& group = groups_[place.group];
    if (group.window == 0) group.num_pages = num_pages_;
    place.offset = group.page_bytes;
    group.page_bytes += place.layout.page_bytes();
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

}  // namespace vernal::cpu_avx2
