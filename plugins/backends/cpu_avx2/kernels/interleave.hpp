// Eight rows of words side by side, as packed weights have them (matmul/packed_weights.hpp).
#pragma once

#include <cstddef>
#include <cstdint>

namespace vernal::cpu_avx2 {

/// Writes word w of row r as word places[w] * 8 + r of `out`.
///   rows       the words of row 0; those of row r begin r * row_bytes bytes behind them, at any
///              alignment
///   num_words  of four bytes, in each row; at least 1
///   places     [num_words], each of 0 .. num_words - 1 once; null: places[w] = w
///   out        num_words * 32 bytes, at any alignment; must not overlap the rows
void interleave_eight_rows(const std::byte* rows, std::int64_t row_bytes, std::int64_t num_words,
                           const std::uint8_t* places, std::byte* out);

}  // namespace vernal::cpu_avx2
