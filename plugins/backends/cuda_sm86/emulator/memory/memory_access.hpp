// How kernels reach memory through functions: shared memory, reads that bypass L1, and copies to
// shared memory that go on while the thread does something else.
//
// Thread  only threads of a kernel (see block.hpp)
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "emulator/counters.hpp"
#include "emulator/include/vector_types.h"
#include "emulator/warp.hpp"

namespace vernal::cuda_sm86::emulator {

// ---- shared memory

/// The object of the running block that belongs to `key`. It is made, with all bytes 0xFF, when the
/// first thread asks for it.
/// Faults  a block has more than 48 KiB of such objects, the most that CUDA allows without dynamic
///         shared memory
void* shared_object(const void* key, const char* name, std::size_t bytes, std::size_t alignment);

template <class Type>
Type& shared_object(const void* key, const char* name) {
  static_assert(
      std::is_trivially_default_constructible_v<Type> && std::is_trivially_destructible_v<Type>,
      "shared memory cannot have initial values");
  return *static_cast<Type*>(shared_object(key, name, sizeof(Type), alignof(Type)));
}

// ---- global memory

/// The addresses that the device can reach: its own memory and pinned memory of the host.
struct AddressRange {
  std::uintptr_t begin = 0;
  std::size_t bytes = 0;

  bool contains(const void* at) const {
    return reinterpret_cast<std::uintptr_t>(at) - begin < bytes;
  }
};
extern AddressRange reachable;

/// `0x7f...`, the same on all systems.
std::string text_of_address(const void* at);

/// Reports an access through a pointer that is not aligned or that the device cannot reach.
[[noreturn]] void refuse_access(const char* function, const void* at, Place place,
                                std::size_t alignment = 16);

inline bool is_aligned_16(const void* at) {
  return (reinterpret_cast<std::uintptr_t>(at) & 15U) == 0;
}

inline uint4 load_once(const uint4* at, Place place = Place::current()) {
  if (!reachable.contains(at) || !is_aligned_16(at)) [[unlikely]] {
    refuse_access("load_once", at, place);
  }
  counters_in_kernel.load_once_bytes += sizeof(uint4);
  return *at;
}
inline uint2 load_once(const uint2* at, Place place = Place::current()) {
  if (!reachable.contains(at) || (reinterpret_cast<std::uintptr_t>(at) & 7U) != 0) [[unlikely]] {
    refuse_access("load_once", at, place, sizeof(uint2));
  }
  counters_in_kernel.load_once_bytes += sizeof(uint2);
  return *at;
}

// ---- copies. The destination is filled with 0xFF at once, and gets its content in the
// wait_copies() that covers the copy. Without one it never does.

void copy_async(void* shared, const void* global, Place place = Place::current());
void commit_copies();
void wait_until_pending(int most);

template <int kPending>
void wait_copies() {
  static_assert(kPending >= 0);
  wait_until_pending(kPending);
}

}  // namespace vernal::cuda_sm86::emulator
