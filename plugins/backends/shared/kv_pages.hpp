// The pages of the KV pool: which are free, and how many hold each of the others.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "reserved_memory.hpp"

namespace vernal::cpu_avx2 {

using PageId = std::uint32_t;

/// Pages are counted references: a prefix that several sequences share is held by each of them.
/// Engine thread only.
class KvPages {
 public:
  /// Errors  RESOURCE_EXHAUSTED: no address space.
  KvPages(std::int64_t num_pages, std::int64_t page_bytes);

  std::int64_t num_pages() const { return static_cast<std::int64_t>(holders_.size()); }
  std::int64_t num_free() const { return static_cast<std::int64_t>(free_.size()); }
  std::int64_t page_bytes() const { return page_bytes_; }
  std::int64_t allocated_bytes() const { return memory_.bytes(); }
  std::byte* data() const { return memory_.data(); }

  /// Takes a free page, held once. There must be one.
  PageId take();
  /// The same; zeros, so that a snapshot of whole pages has nothing of who held it before.
  PageId take_cleared();
  void hold(PageId page) { ++holders_[page]; }
  /// Gives a page up; the last holder frees it. Its memory stays for the next one to take.
  void drop(PageId page);
  bool is_shared(PageId page) const { return holders_[page] > 1; }
  /// Copies the content of `from` to `to`.
  void copy(PageId from, PageId to);

 private:
  std::int64_t page_bytes_;
  ReservedMemory memory_;
  std::vector<std::uint32_t> holders_;  // by page; 0: free
  std::vector<bool> is_used_;           // by page; it may hold something
  std::vector<PageId> free_;            // the next one to take is last
};

}  // namespace vernal::cpu_avx2
