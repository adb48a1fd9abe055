// Where the keys and values of every state lie in a page of the pool.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kernels/kv_page.hpp"
#include "vernal/backend_types.hpp"
#include "vernal/module.hpp"

namespace vernal::cpu_avx2 {

/// A page holds 64 positions of all states: one id per sequence and 64 positions is enough, and
/// sharing a prefix shares it in all layers.
class KvPlan {
 public:
  /// Errors  UNSUPPORTED: a storage format or a head size that this backend does not store.
  KvPlan(const Module& module, const PlanOptions& options);

  const KvLayout& layout(std::uint32_t state) const { return layouts_[state]; }
  std::int64_t offset(std::uint32_t state) const { return offsets_[state]; }

  /// Bytes from one page to the next; 0 without states.
  std::int64_t page_stride() const { return page_stride_; }
  /// Pages for kv_tokens positions, however they are spread over max_sequences sequences.
  std::int64_t num_pages() const { return num_pages_; }
  std::int64_t bytes() const { return page_stride_ * num_pages_; }
  std::int64_t bytes_per_token() const { return page_stride_ / kPageTokens; }

 private:
  std::vector<KvLayout> layouts_;  // by state
  std::vector<std::int64_t> offsets_;
  std::int64_t page_stride_ = 0;
  std::int64_t num_pages_ = 0;
};

}  // namespace vernal::cpu_avx2
