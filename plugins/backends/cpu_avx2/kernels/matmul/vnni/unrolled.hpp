// Loops whose index is a constant in each round: an immediate of an instruction depends on it.
#pragma once

/// On the lambda that is the body of such a loop: no compiler judges it too large to be inlined.
#define VERNAL_INLINE __attribute__((always_inline))

namespace vernal::cpu_avx2::vnni {

template <int kIndex>
struct Index {
  static constexpr int kValue = kIndex;
};

/// body(Index<0>{}), ..., body(Index<kCount - 1>{}).
template <int kCount, int kFirst = 0, class Body>
[[gnu::always_inline]] inline void unrolled(const Body& body) {
  if constexpr (kFirst < kCount) {
    body(Index<kFirst>{});
    unrolled<kCount, kFirst + 1>(body);
  }
}

}  // namespace vernal::cpu_avx2::vnni
