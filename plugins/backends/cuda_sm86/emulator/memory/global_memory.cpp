#include "emulator/memory/global_memory.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>
#include <vector>

#include "emulator/sanitizers.hpp"

namespace vernal::cuda_sm86::emulator {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kAlignment = 256;  // of allocations, as CUDA's
constexpr std::size_t kFillBytes = std::size_t{4} << 20;
constexpr int kGapByteOfMemory = 0xC5;

std::size_t rounded_up(std::size_t bytes, std::size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

std::byte* pointer_to(std::uintptr_t at) { return reinterpret_cast<std::byte*>(at); }

void check_mapped(const void* at) {
  if (at == MAP_FAILED) {
    throw std::bad_alloc();
  }
}

// A file of kFillBytes bytes 0xFF. Pages are private copies of it, made when they are written.
int filled_file() {
  static const int kFile = [] {
    const int made = memfd_create("vernal-emulated-memory", MFD_CLOEXEC);
    const std::vector<std::byte> content(kFillBytes, std::byte{0xFF});
    if (made < 0 ||
        write(made, content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
      throw std::bad_alloc();
    }
    return made;
  }();
  return kFile;
}

// Gives addresses new pages of zeros.
void map_empty(std::uintptr_t at, std::size_t bytes, int protection) {
  check_mapped(mmap(pointer_to(at), bytes, protection,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0));
}

// Gives addresses new pages of bytes 0xFF.
void map_filled(std::uintptr_t at, std::size_t bytes) {
  for (std::size_t done = 0; done < bytes; done += kFillBytes) {
    check_mapped(mmap(pointer_to(at + done), std::min(kFillBytes, bytes - done),
                      PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE,
                      filled_file(), 0));
  }
}

}  // namespace

AddressRange reserve_addresses(std::size_t bytes) {
  void* const at =
      mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  check_mapped(at);
  return {reinterpret_cast<std::uintptr_t>(at), bytes};
}

MemoryArena::MemoryArena(AddressRange range) : range_(range), next_(range.begin) {}

// Calls `use` with the bytes before the allocation in its pages, and with those behind it.
template <class Use>
void MemoryArena::with_surroundings(std::uintptr_t at, const Allocation& allocation,
                                    const Use& use) {
  const std::uintptr_t end = at + allocation.bytes;
  use(pointer_to(allocation.first_page), at - allocation.first_page);
  use(pointer_to(end), allocation.first_page + allocation.page_bytes - end);
}

void* MemoryArena::allocate(std::size_t bytes) {
  const std::size_t used = rounded_up(bytes, kAlignment);
  Allocation allocation;
  allocation.bytes = bytes;
  allocation.page_bytes = rounded_up(used, kPageBytes);
  allocation.first_page = find_room(allocation.page_bytes + kPageBytes);
  if (allocation.first_page == 0) {
    return nullptr;
  }
  map_filled(allocation.first_page, allocation.page_bytes);
  const std::uintptr_t at = allocation.first_page + allocation.page_bytes - used;
  with_surroundings(at, allocation, [](std::byte* gap, std::size_t gap_bytes) {
    std::memset(gap, kGapByteOfMemory, gap_bytes);
    forbid(gap, gap_bytes);
  });
  if (!is_open_) {
    mprotect(pointer_to(allocation.first_page), allocation.page_bytes, PROT_NONE);
  }
  allocations_.emplace(at, allocation);
  allocated_bytes_ += used;
  next_ = allocation.first_page + allocation.page_bytes + kPageBytes;
  return pointer_to(at);
}

bool MemoryArena::release(void* at) {
  const auto found = allocations_.find(reinterpret_cast<std::uintptr_t>(at));
  if (found == allocations_.end()) {
    return false;
  }
  drop_pages(found->first, found->second);
  allocated_bytes_ -= rounded_up(found->second.bytes, kAlignment);
  allocations_.erase(found);
  return true;
}

void MemoryArena::release_all() {
  for (const auto& [at, allocation] : allocations_) {
    drop_pages(at, allocation);
  }
  allocations_.clear();
  allocated_bytes_ = 0;
}

void MemoryArena::open() {
  if (!is_open_) {
    protect(PROT_READ | PROT_WRITE);
    is_open_ = true;
  }
}

void MemoryArena::close() {
  if (is_open_) {
    protect(PROT_NONE);
    is_open_ = false;
  }
}

void MemoryArena::protect(int protection) const {
  for (const auto& [at, allocation] : allocations_) {
    mprotect(pointer_to(allocation.first_page), allocation.page_bytes, protection);
  }
}

// First behind the last allocation, then from the beginning. 0: nowhere.
std::uintptr_t MemoryArena::find_room(std::size_t bytes) const {
  const std::uintptr_t end = range_.begin + range_.bytes;
  const std::uintptr_t behind = find_room_between(next_, end, bytes);
  return behind != 0 ? behind : find_room_between(range_.begin, end, bytes);
}

std::uintptr_t MemoryArena::find_room_between(std::uintptr_t begin, std::uintptr_t end,
                                              std::size_t bytes) const {
  std::uintptr_t at = begin;
  for (auto next = allocations_.lower_bound(begin); at + bytes <= end; ++next) {
    if (next == allocations_.end() || at + bytes <= next->second.first_page) {
      return at;
    }
    at = next->second.first_page + next->second.page_bytes + kPageBytes;
  }
  return 0;
}

void MemoryArena::set(void* at, int value, std::size_t bytes) {
  constexpr std::size_t kLeastRemapped = std::size_t{1} << 20;
  const auto begin = reinterpret_cast<std::uintptr_t>(at);
  const std::uintptr_t first = rounded_up(begin, kPageBytes);
  const std::uintptr_t last = (begin + bytes) / kPageBytes * kPageBytes;
  const int byte = value & 0xFF;
  if ((byte != 0 && byte != 0xFF) || last < first + kLeastRemapped) {
    std::memset(at, byte, bytes);
    return;
  }
  std::memset(at, byte, first - begin);
  std::memset(pointer_to(last), byte, begin + bytes - last);
  if (byte == 0) {
    map_empty(first, last - first, PROT_READ | PROT_WRITE);
  } else {
    map_filled(first, last - first);
  }
}

// Gives the memory back and leaves addresses without memory.
void MemoryArena::drop_pages(std::uintptr_t at, const Allocation& allocation) {
  with_surroundings(at, allocation, allow);
  map_empty(allocation.first_page, allocation.page_bytes, PROT_NONE);
}

bool MemoryArena::holds(const void* at, std::size_t bytes) const {
  const auto begin = reinterpret_cast<std::uintptr_t>(at);
  const auto next = allocations_.upper_bound(begin);
  if (next == allocations_.begin()) {
    return false;
  }
  const auto& [first, allocation] = *std::prev(next);
  return begin - first <= allocation.bytes && bytes <= allocation.bytes - (begin - first);
}

std::vector<const void*> MemoryArena::allocations_of(std::size_t bytes) const {
  std::vector<const void*> out;
  for (const auto& [at, allocation] : allocations_) {
    if (allocation.bytes == bytes) {
      out.push_back(pointer_to(at));
    }
  }
  return out;
}

// Looks at the bytes up to the page that nobody may touch, and at as many before the allocation.
bool MemoryArena::is_damaged(std::uintptr_t at, const Allocation& allocation) {
  static const std::vector<std::byte> kGap(kAlignment, std::byte{kGapByteOfMemory});
  const std::uintptr_t end = at + allocation.bytes;
  const std::size_t behind = allocation.first_page + allocation.page_bytes - end;
  const std::size_t before = std::min(kAlignment, at - allocation.first_page);
  return std::memcmp(pointer_to(at - before), kGap.data(), before) != 0 ||
         std::memcmp(pointer_to(end), kGap.data(), behind) != 0;
}

std::string MemoryArena::damage() const {
  if (!kAddressSanitizer) {
    for (const auto& [at, allocation] : allocations_) {
      if (is_damaged(at, allocation)) {
        return "bytes before or behind the allocation of " + std::to_string(allocation.bytes) +
               " bytes at " + text_of_address(pointer_to(at)) + " were overwritten";
      }
    }
  }
  return {};
}

std::string MemoryArena::text_of(const void* at) const {
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  const auto next = allocations_.upper_bound(address);
  if (next == allocations_.begin()) {
    return "memory that was never allocated or is freed";
  }
  const auto& [first, allocation] = *std::prev(next);
  const std::string place = " the allocation of " + std::to_string(allocation.bytes) +
                            " bytes at " + text_of_address(pointer_to(first));
  if (address - first < allocation.bytes) {
    return "byte " + std::to_string(address - first) + " of" + place;
  }
  return std::to_string(address - first - allocation.bytes) + " bytes behind the end of" + place;
}

}  // namespace vernal::cuda_sm86::emulator
