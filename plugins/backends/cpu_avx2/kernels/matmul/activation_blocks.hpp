// Activations as 8-bit codes: what the integer matrix kernels multiply with.
//
// A row of K floats is cut into blocks of 256 (for weight formats in blocks of 256) or of 32.
//
//   blocks of 32   one scale A = max|x| / 127, codes round(x / A) in -127..127
//   blocks of 256  A = max|x| / (127 * 4); each group of 32 has a multiplier m in 1..4, the least
//                  with max|x of the group| <= 127 * m * A, and codes round(x / (m * A))
//
// A group of small numbers beside a large one keeps up to two bits more that way, and the sum of a
// block is still one exact integer: weights' scales are multiplied by m. Beside the codes lie their
// sums, which pay for the minimums and offsets of weight formats. Blocks lie block-major: the
// blocks of all tokens for the same columns are neighbours, so a tile of tokens reads one run of
// memory per block of weights.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vernal::cpu_avx2 {

/// How a matrix kernel wants its activations.
enum class ActivationKind : std::uint8_t { kFloat, kBlocks32, kBlocks256 };

/// int16 numbers per block of 256: the sums of the sixteen groups of 16 and of the eight groups of
/// 32, times the group's multiplier; then the eight multipliers, each with a zero behind it, so that
/// it can be read as 32 bits too.
inline constexpr std::int64_t kSumsPerBlock256 = 40;
inline constexpr int kSumsOf32At = 16;
inline constexpr int kMultipliersAt = 24;

/// int16 numbers per block of 32: the sum of the codes, and a zero.
inline constexpr std::int64_t kSumsPerBlock32 = 2;

/// Greatest multiplier: with more of them the sum of a block would not fit 32 bits in every format.
inline constexpr int kMostMultiplier = 4;

/// Quantised rows. Views one buffer; owns nothing. b = block, t = token, T = num_tokens.
struct ActivationBlocks {
  ActivationKind kind = ActivationKind::kBlocks256;
  std::int64_t num_tokens = 0;
  std::int64_t num_columns = 0;  ///< K, a multiple of block_columns()
  std::int8_t* codes = nullptr;  ///< [K / block][T][block]
  float* scales = nullptr;       ///< [K / block][T]
  float* scaled_sums = nullptr;  ///< [K / block][T], blocks of 32 only: A * sum of the codes
  std::int16_t* sums = nullptr;  ///< [K / block][T][sums_per_block()]

  std::int64_t block_columns() const { return kind == ActivationKind::kBlocks256 ? 256 : 32; }
  std::int64_t sums_per_block() const {
    return kind == ActivationKind::kBlocks256 ? kSumsPerBlock256 : kSumsPerBlock32;
  }
  std::int64_t num_blocks() const { return num_columns / block_columns(); }
};

/// Bytes of the buffer that holds `num_tokens` quantised rows of `num_columns`. A multiple of 64.
/// kFloat needs none and gives 0.
std::size_t activation_bytes(ActivationKind kind, std::int64_t num_tokens,
                             std::int64_t num_columns);

/// Lays the arrays out in `buffer`: activation_bytes() bytes, 64-byte aligned, owned by the caller.
ActivationBlocks activation_blocks(ActivationKind kind, std::int64_t num_tokens,
                                   std::int64_t num_columns, std::byte* buffer);

/// Quantises rows [first, last) of x into `out`. Rows may be done by different threads at once.
///   x         row t begins at x + t * x_stride, K floats
/// Rounding    to nearest, ties to even; a block whose largest magnitude is below 1e-30 is zero
void quantize_rows(const float* x, std::int64_t x_stride, const ActivationBlocks& out,
                   std::int64_t first, std::int64_t last);

}  // namespace vernal::cpu_avx2
