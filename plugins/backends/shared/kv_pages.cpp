#include "shared/kv_pages.hpp"

#include <algorithm>
#include <cstring>

namespace vernal::cpu_avx2 {

KvPages::KvPages(std::int64_t num_pages, std::int64_t page_bytes)
    : page_bytes_(page_bytes),
      memory_(std::max<std::int64_t>(num_pages * page_bytes, 1), ReservedMemory::Pages::kLarge,
              "KV pool"),
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
  const bool was_used = is_used_[free_.back()];  // the others are as the system gave them: zeros
  const PageId page = take();
  if (was_used) {
    std::memset(memory_.data() + page * page_bytes_, 0, static_cast<std::size_t>(page_bytes_));
  }
  return page;
}

void KvPages::drop(PageId page) {
  if (--holders_[page] == 0) free_.push_back(page);
}

void KvPages::copy(PageId from, PageId to) {
  std::memcpy(memory_.data() + to * page_bytes_, memory_.data() + from * page_bytes_,
              static_cast<std::size_t>(page_bytes_));
}

}  // namespace vernal::cpu_avx2
