// The pages of the KV pool: which of them are free, and how many sequences hold each other one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "shared/state/memory.hpp"
#include "shared/state/page.hpp"

namespace vernal::backend {

/// Counts the holders of each page. A prefix that several sequences share is held by each of them.
/// Engine thread only.
class KvPages {
 public:
  /// Borrows `memory`, which outlives it.
  /// Errors  those of Memory::reserve()
  KvPages(Memory& memory, std::int64_t num_pages, std::int64_t page_bytes);

  std::int64_t num_pages() const { return static_cast<std::int64_t>(holders_.size()); }
  std::int64_t num_free() const { return static_cast<std::int64_t>(free_.size()); }
  std::int64_t page_bytes() const { return page_bytes_; }
  std::int64_t allocated_bytes() const { return region_->bytes(); }
  std::byte* data() const { return region_->data(); }

  /// Takes a free page and holds it once. There must be a free one. Its content is unknown.
  PageId take();
  /// Takes a free page and fills it with zeros. A snapshot contains whole pages, and must not show
  /// what an earlier holder wrote.
  PageId take_cleared();
  void hold(PageId page) { ++holders_[page]; }
  /// Gives a page up. With its last holder it becomes free, and keeps its memory.
  void drop(PageId page);
  bool is_shared(PageId page) const { return holders_[page] > 1; }
  /// Copies the content of `from` to `to`.
  void copy(PageId from, PageId to);

 private:
  std::byte* at(PageId page) const { return data() + page * page_bytes_; }

  std::int64_t page_bytes_;
  Memory* memory_;
  std::unique_ptr<Region> region_;
  std::vector<std::uint32_t> holders_;  // by page; 0: free
  std::vector<bool> is_used_;           // by page; false: still as reserved, zeros
  std::vector<PageId> free_;            // the next one to take is last
};

}  // namespace vernal::backend
