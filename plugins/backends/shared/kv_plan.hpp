// Where the keys and values of every state lie in the pages of the pool, and how many pages there
// are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/attention/kv_page.hpp"
#include "vernal/backend_types.hpp"
#include "vernal/module.hpp"

namespace vernal::cpu_avx2 {

/// States that share pages: those of a function that see all positions, or those that see the same
/// window of them.
struct KvGroup {
  std::size_t function = 0;
  std::int64_t window = 0;  ///< 0: a page is held as long as its positions
  std::int64_t rollback_depth = 0;
  std::int64_t page_bytes = 0;
  std::int64_t num_pages = 0;

  /// The first page that a sequence of `length` tokens needs to go on.
  std::size_t first_needed(std::uint64_t length) const { return page_behind(length, window); }
  /// The first page that it holds on to: it may be cut by rollback_depth tokens, and then go on.
  std::size_t first_kept(std::uint64_t length) const {
    return page_behind(length, window + rollback_depth);
  }

 private:
  std::size_t page_behind(std::uint64_t length, std::int64_t distance) const {
    const auto position = static_cast<std::int64_t>(length) - distance;
    return window == 0
               ? 0
               : static_cast<std::size_t>(std::max<std::int64_t>(0, position) / kPageTokens);
  }
};

/// A page holds 64 positions of all states of a group: one id per sequence, group and 64 positions
/// is enough, and sharing a prefix shares it in all layers. Functions have pages of their own,
/// because they may hold a sequence at different lengths and write at different places. So have
/// windows, because a sequence gives up the pages behind them.
///
/// A group with a window has all pages that max_sequences sequences and max_checkpoints checkpoints
/// can ever need, so nobody waits for one. Where that would be no less than pages for all positions
/// the window is not worth it: its states are in the function's group, and nothing is given up.
class KvPlan {
 public:
  /// Errors  UNSUPPORTED: a storage format or a head size that this backend does not store.
  KvPlan(const Module& module, const PlanOptions& options);

  const KvLayout& layout(std::uint32_t state) const { return states_[state].layout; }
  std::int64_t offset(std::uint32_t state) const { return states_[state].offset; }
  std::size_t group(std::uint32_t state) const { return states_[state].group; }

  /// Group f of the first ones is that of function f without window. It has pages for kv_tokens
  /// positions however they are spread over max_sequences sequences; none if the function has no
  /// such state, but for `main`, whose pages count positions.
  const std::vector<KvGroup>& groups() const { return groups_; }
  /// Groups with a window; 0: every shorter length of a sequence can be restored.
  std::size_t num_windows() const { return groups_.size() - num_functions_; }

  /// All pages without window, and all with.
  std::int64_t bytes() const { return bytes_of(0, num_functions_); }
  std::int64_t window_bytes() const { return bytes_of(num_functions_, groups_.size()); }
  /// Of a position in all states.
  std::int64_t bytes_per_token() const;

 private:
  struct Place {
    KvLayout layout;  // empty for other kinds of states
    std::size_t group = 0;
    std::int64_t offset = 0;
  };

  std::int64_t bytes_of(std::size_t first, std::size_t last) const;
  std::size_t group_of(const State& state, const PlanOptions& options);

  std::size_t num_functions_;
  std::int64_t num_pages_;     // for kv_tokens positions
  std::vector<Place> states_;  // by state
  std::vector<KvGroup> groups_;
};

}  // namespace vernal::cpu_avx2
