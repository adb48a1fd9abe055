// Where the keys and values of every state lie in a page of the pool.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

#include "kernels/kv_page.hpp"
#include "vernal/backend_types.hpp"
#include "vernal/module.hpp"

namespace vernal::cpu_avx2 {

/// A page holds 64 positions of all states of a function: one id per sequence, function and 64
/// positions is enough, and sharing a prefix shares it in all layers. Functions have pages of their
/// own, because they may hold a sequence at different lengths and write at different places.
class KvPlan {
 public:
  /// Errors  UNSUPPORTED: a storage format or a head size that this backend does not store.
  KvPlan(const Module& module, const PlanOptions& options);

  const KvLayout& layout(std::uint32_t state) const { return layouts_[state]; }
  std::int64_t offset(std::uint32_t state) const { return offsets_[state]; }

  std::size_t num_functions() const { return page_strides_.size(); }
  /// Bytes from one page of a function to the next; 0 without KV states.
  std::int64_t page_stride(std::size_t function) const { return page_strides_[function]; }
  /// Pages of a function, for kv_tokens positions however they are spread over max_sequences
  /// sequences. Functions without KV states have none but `main`, whose pages count positions.
  std::int64_t num_pages(std::size_t function) const {
    return function == 0 || page_strides_[function] > 0 ? num_pages_ : 0;
  }
  std::int64_t bytes() const { return bytes_per_page() * num_pages_; }
  std::int64_t bytes_per_token() const { return bytes_per_page() / kPageTokens; }

 private:
  std::int64_t bytes_per_page() const {
    return std::accumulate(page_strides_.begin(), page_strides_.end(), std::int64_t{0});
  }

  std::vector<KvLayout> layouts_;  // by state; empty for other kinds
  std::vector<std::int64_t> offsets_;
  std::vector<std::int64_t> page_strides_;  // by function
  std::int64_t num_pages_ = 0;
};

}  // namespace vernal::cpu_avx2
