#include "shared/state/kv_pages.hpp"

#include <algorithm>

namespace vernal::backend {

KvPages::KvPages(Memory& memory, std::int64_t num_pages, std::int64_t page_bytes)
    : page_bytes_(page_bytes),
      memory_(&memory),
      region_(memory.reserve(std::max<std::int64_t>(num_pages * page_bytes, 1), RegionUse::kWhole,
                             "KV pool")),
      holders_(static_cast<std::size_t>(num_pages)),
      is_used_(static_cast<std::size_t>(num_pages)) {
  free_.reserve(holders_.size());
  for (std::int64_t page = num_pages; page-- > 0;) free_.push_back(static_cast<PageId>(page));
}

PageId KvPages::take() {
  const PageId page = free_.back();
  free_.pop_back();
  holders_[page] = 1;
  is_used_[page] = true;
  return page;
}

PageId KvPages::take_cleared() {
  const bool was_used = is_used_[free_.back()];
  const PageId page = take();
  if (was_used) memory_->clear(at(page), page_bytes_);
  return page;
}

void KvPages::drop(PageId page) {
  if (--holders_[page] == 0) free_.push_back(page);
}

void KvPages::copy(PageId from, PageId to) { memory_->copy(at(from), at(to), page_bytes_); }

}  // namespace vernal::backend
