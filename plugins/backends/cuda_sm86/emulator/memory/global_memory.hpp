// Memory of the device, and pinned memory of the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "emulator/memory/memory_access.hpp"

namespace vernal::cuda_sm86::emulator {

/// Allocations in a range of addresses that nothing else has.
///
/// All bytes are 0xFF at first, a NaN in each format. A page of the host gets memory when it is
/// written, so a large allocation costs nothing. Behind each allocation, at the next multiple of
/// 256 bytes, begins a page that nobody may touch. The bytes up to there, and those before the
/// allocation, are looked at by damage(); AddressSanitizer sees each access to them.
/// Addresses are used again as late as possible, so that old pointers lead nowhere.
class MemoryArena {
 public:
  /// Takes `range`, which must be mapped without access.
  explicit MemoryArena(AddressRange range);

  /// Null if there is no room for `bytes`, at least 1.
  void* allocate(std::size_t bytes);
  /// False if nothing was allocated at `at`.
  bool release(void* at);
  void release_all();

  /// Allows or forbids all access. It is allowed at first.
  void open();
  void close();

  /// Fills [at, at + bytes), part of an allocation, while open. Clearing large parts costs as little
  /// as allocating them.
  static void set(void* at, int value, std::size_t bytes);

  bool contains(const void* at) const { return range_.contains(at); }
  /// Whether [at, at + bytes) lies in one allocation.
  bool holds(const void* at, std::size_t bytes) const;
  std::size_t allocated_bytes() const { return allocated_bytes_; }
  /// Where the allocations of so many bytes lie.
  std::vector<const void*> allocations_of(std::size_t bytes) const;

  /// Which allocation has something written before or behind it; empty if none has. Only while open.
  std::string damage() const;
  /// Where `at` lies, as in "byte 12 of the 64 bytes at 0x7f...".
  std::string text_of(const void* at) const;

 private:
  struct Allocation {
    std::size_t bytes = 0;
    std::uintptr_t first_page = 0;
    std::size_t page_bytes = 0;  // without the page that nobody may touch
  };
  using Allocations = std::map<std::uintptr_t, Allocation>;  // by address

  std::uintptr_t find_room(std::size_t bytes) const;
  std::uintptr_t find_room_between(std::uintptr_t begin, std::uintptr_t end,
                                   std::size_t bytes) const;
  void protect(int protection) const;
  template <class Use>
  static void with_surroundings(std::uintptr_t at, const Allocation& allocation, const Use& use);
  static bool is_damaged(std::uintptr_t at, const Allocation& allocation);
  static void drop_pages(std::uintptr_t at, const Allocation& allocation);

  AddressRange range_;
  std::uintptr_t next_;  // where to look for room first
  std::size_t allocated_bytes_ = 0;
  Allocations allocations_;
  bool is_open_ = true;
};

/// Addresses without memory, for arenas.
/// Errors  throws std::bad_alloc
AddressRange reserve_addresses(std::size_t bytes);

}  // namespace vernal::cuda_sm86::emulator
