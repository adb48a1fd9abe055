// How the keys and values of a module's states share pages, and how many pages there are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "shared/state/page.hpp"
#include "vernal/backend_types.hpp"
#include "vernal/module.hpp"

namespace vernal::backend {

/// The states that share pages: all states of one function that see all positions, or all that see
/// the same window.
struct KvGroup {
  std::size_t function = 0;
  std::int64_t window = 0;  ///< 0: a page is held as long as its positions
  std::int64_t rollback_depth = 0;
  std::int64_t page_bytes = 0;
  std::int64_t num_pages = 0;

  /// The first page that a sequence of `length` tokens needs to go on.
  std::size_t first_needed(std::uint64_t length) const { return page_behind(length, window); }
  /// The first page that such a sequence keeps: after a cut by rollback_depth tokens it needs this
  /// one to go on.
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

/// A page holds kPageTokens positions of all states of a group. So a sequence needs one id for each
/// group and page, and a shared prefix is shared in all layers at once. Each function has pages of
/// its own, because functions may hold a sequence at different lengths. Each window has pages of
/// its own, because a sequence gives up the pages that no later query sees.
///
/// A group with a window has all pages that max_sequences sequences and max_checkpoints checkpoints
/// can ever need, so nobody waits for one. If that is no less than pages for all positions, the
/// states of the window are in the function's group, and no page is given up.
class KvPlan {
 public:
  /// page_bytes  by state of the module: what kPageTokens positions of it take in the backend's
  ///             layout; not read for other kinds of states
  KvPlan(const Module& module, const PlanOptions& options,
         std::span<const std::int64_t> page_bytes);

  /// Where a state begins in a page of its group, in bytes.
  std::int64_t offset(std::uint32_t state) const { return states_[state].offset; }
  std::size_t group(std::uint32_t state) const { return states_[state].group; }

  /// First one group without a window for each function, in order; then those with a window.
  /// A group without a window has pages for kv_tokens positions, however they are spread over
  /// max_sequences sequences. It has none if the function has no such state. Only `main` always has
  /// pages: they count the positions of a sequence.
  const std::vector<KvGroup>& groups() const { return groups_; }
  /// How many groups have a window. If none has, a sequence can be cut to every shorter length.
  std::size_t num_windows() const { return groups_.size() - num_functions_; }

  /// Bytes of all pages without a window, and of all with one.
  std::int64_t bytes() const { return bytes_of(0, num_functions_); }
  std::int64_t window_bytes() const { return bytes_of(num_functions_, groups_.size()); }
  /// Bytes of one position in all states.
  std::int64_t bytes_per_token() const;

 private:
  struct Place {
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

}  // namespace vernal::backend
