// A pass over a page of the KV cache: what the products of both storage formats share.
#pragma once

#include <cstdint>
#include <type_traits>

#include "kernels/attention/page_kernels.hpp"
#include "kernels/prefetch.hpp"
#include "kernels/simd.hpp"

namespace vernal::cpu_avx2 {

/// Most rows (query heads of a group, queries of a tile) that share a pass over a page.
inline constexpr int kMostRows = 6;

/// Rows for the next pass out of `left`. Six rows times two vectors keep the multipliers busy and fit
/// the registers; seven and eight are cut in halves, for one or two rows alone would leave them
/// waiting.
inline int rows_of_pass(std::int64_t left) {
  if (left == 7 || left == 8) return 4;
  return static_cast<int>(left < kMostRows ? left : kMostRows);
}

/// Vectors that a pass holds for each row.
template <int kRows>
inline constexpr int kVectorsOfPass = kRows > 2 ? 2 : 4;

/// Calls f with the number of rows of a pass as a compile-time constant.
template <class F>
inline void with_rows(int rows, F&& f) {
  switch (rows) {
    case 1:
      return f(std::integral_constant<int, 1>{});
    case 2:
      return f(std::integral_constant<int, 2>{});
    case 3:
      return f(std::integral_constant<int, 3>{});
    case 4:
      return f(std::integral_constant<int, 4>{});
    case 5:
      return f(std::integral_constant<int, 5>{});
    default:
      return f(std::integral_constant<int, kMostRows>{});
  }
}

/// Calls f(first row, number of rows as a constant) for each pass over `count` rows.
template <class F>
inline void for_passes(std::int64_t count, F&& f) {
  for (std::int64_t r = 0; r < count;) {
    const int rows = rows_of_pass(count - r);
    with_rows(rows, [&](auto constant) { f(r, constant); });
    r += rows;
  }
}

/// At least, and nearly, as many passes as for_passes() makes.
inline std::int64_t num_passes(std::int64_t count) { return (count + kMostRows - 1) / kMostRows; }

/// Bytes of a line of the processor's cache.
inline constexpr std::int64_t kLine = 64;

/// Asks for the line at `offset` of a run that will be needed next; null: there is none, or another
/// pass asks. Requests are spread over the work: many at once would hold up its own loads.
///   kInto  the second cache where a run is large for the work it gives (f16, q8_0), because misses of
///          the first one wait in few places (docs/cpu-kernels.md, "Attention")
template <Into kInto>
[[gnu::always_inline]] inline void prefetch(const std::byte* ahead, std::int64_t offset) {
  if (ahead != nullptr) prefetch_line<kInto>(address_of(ahead) + offset);
}

/// What to ask for after a pass over some slots of keys asked for `ahead`: two numbers of 64 slots
/// are two lines, the first for the first pass, the second for the second.
inline const std::byte* ahead_of_next_pass(const std::byte* ahead, bool is_first) {
  return ahead == nullptr || !is_first ? nullptr : ahead + kLine;
}

}  // namespace vernal::cpu_avx2
