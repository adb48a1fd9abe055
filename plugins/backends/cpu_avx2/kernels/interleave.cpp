#include "kernels/interleave.hpp"

#include <cstring>

#include "kernels/simd.hpp"

namespace vernal::cpu_avx2 {

namespace {

constexpr std::int64_t kRows = 8;
constexpr std::int64_t kWordBytes = 4;
/// Words of each row that a tile takes: as many as a 128-bit load holds.
constexpr std::int64_t kTileWords = 4;

/// Four words of each of the eight rows, word i to `out(i)`. Rows r and r + 4 share a register, so
/// that the transposition stays within the halves of registers.
template <class Out>
void interleave_tile(const std::byte* rows, std::int64_t row_bytes, Out&& out) {
  __m256i pair[4];
  for (std::int64_t r = 0; r < 4; ++r) {
    pair[r] = combine(load_128(rows + r * row_bytes), load_128(rows + (r + 4) * row_bytes));
  }
  const __m256i low_01 = _mm256_unpacklo_epi32(pair[0], pair[1]);
  const __m256i low_23 = _mm256_unpacklo_epi32(pair[2], pair[3]);
  const __m256i high_01 = _mm256_unpackhi_epi32(pair[0], pair[1]);
  const __m256i high_23 = _mm256_unpackhi_epi32(pair[2], pair[3]);
  store_256(out(0), _mm256_unpacklo_epi64(low_01, low_23));
  store_256(out(1), _mm256_unpackhi_epi64(low_01, low_23));
  store_256(out(2), _mm256_unpacklo_epi64(high_01, high_23));
  store_256(out(3), _mm256_unpackhi_epi64(high_01, high_23));
}

void interleave_word(const std::byte* rows, std::int64_t row_bytes, std::byte* out) {
  for (std::int64_t r = 0; r < kRows; ++r) {
    std::memcpy(out + r * kWordBytes, rows + r * row_bytes, kWordBytes);
  }
}

}  // namespace

void interleave_eight_rows(const std::byte* rows, std::int64_t row_bytes, std::int64_t num_words,
                           const std::uint8_t* places, std::byte* out) {
  const auto place = [&](std::int64_t w) {
    return out + (places != nullptr ? places[w] : w) * kRows * kWordBytes;
  };
  std::int64_t w = 0;
  for (; w + kTileWords <= num_words; w += kTileWords) {
    interleave_tile(rows + w * kWordBytes, row_bytes, [&](int i) { return place(w + i); });
  }
  for (; w < num_words; ++w) interleave_word(rows + w * kWordBytes, row_bytes, place(w));
}

}  // namespace vernal::cpu_avx2
