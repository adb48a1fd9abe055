// Requests for memory ahead of its use.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace vernal::cpu_avx2 {

/// Which cache a line is brought to.
enum class Into : std::uint8_t {
  kFirstCache,
  kSecondCache,
  kFirstCacheOnly,  ///< as what is read once: it pushes nothing out of the second
};

/// The address of p as a number: what is asked for may lie behind the end of an array, where no pointer
/// may point.
[[gnu::always_inline]] inline std::int64_t address_of(const void* p) {
  return reinterpret_cast<std::int64_t>(p);
}

/// Asks for the line at an address; there need not be memory. Inlined always: a compiler takes a call
/// that does nothing else for one without effect, and kernels compiled for different processors use it.
template <Into kInto>
[[gnu::always_inline]] inline void prefetch_line(std::int64_t number) {
  const auto* address = reinterpret_cast<const char*>(number);
  if constexpr (kInto == Into::kFirstCache) {
    _mm_prefetch(address, _MM_HINT_T0);
  } else if constexpr (kInto == Into::kSecondCache) {
    _mm_prefetch(address, _MM_HINT_T1);
  } else {
    _mm_prefetch(address, _MM_HINT_NTA);
  }
}

}  // namespace vernal::cpu_avx2
