// Integer matrix kernels over weight formats in blocks of 32 with VNNI (formats_32.hpp), with the
// sums of matmul_32.hpp and so the same bits: one f32 fused multiply-add per block of 32 columns.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/vnni/formats_32.hpp"
#include "kernels/matmul/vnni/rows.hpp"
#include "kernels/matmul/vnni/unrolled.hpp"

namespace vernal::cpu_avx2::vnni {

/// One block of the rows, unpacked.
template <class V>
struct Codes32 {
  typename V::Ints codes[8];  // word c: columns 4c .. 4c + 3
  typename V::Floats scale;
  typename V::Floats minimum;
};

/// Unpacks block b and asks for weights that come later.
template <class V, class Format>
void unpack_ahead(const Rows<V>& rows, std::int64_t b, std::int64_t num_blocks, Codes32<V>& out) {
  constexpr int kScaleBytes = Format::kMinimum ? 0 : 16;  // of a block
  const BlockPlace place = block_place(b, 32 * Format::kWords, kScaleBytes);
  const Words<V> words{rows.data + place.words, rows.stride};
  Ahead<V, Format::kWords, kScaleBytes>(rows, words, b, num_blocks).template prefetch<0, 1>();
  Format::codes(words, out.codes);
  if constexpr (Format::kMinimum) {
    out.scale = V::low_half(words[0]);
    out.minimum = V::high_half(words[0]);
  } else {
    out.scale = V::load_halves(rows.data + place.scales, rows.stride);
  }
}

/// total[n] += the block with kTokens tokens, of which the first is number `at` of the blocks of x:
/// (D * A) * (sum - kOffset * sigma), then m * (A * sigma).
template <class V, class Format, int kTokens>
[[gnu::always_inline]] inline void multiply_block(const Codes32<V>& block,
                                                  const ActivationBlocks& x, std::int64_t at,
                                                  typename V::Floats* total) {
  typename V::Ints sums[kTokens];
  for (int n = 0; n < kTokens; ++n) {
    sums[n] = V::zero();
    if constexpr (Format::kOffset > 0) {
      const auto offset = V::dwords(-Format::kOffset & 0xFFFF);  // and 0 for the zero behind sigma
      sums[n] = V::dot_pairs(sums[n], offset, x.sums + kSumsPerBlock32 * (at + n));
    }
  }
  for (int c = 0; c < 8; ++c) {
    for (int n = 0; n < kTokens; ++n) {
      sums[n] = V::dot_bytes(sums[n], block.codes[c], x.codes + 32 * (at + n) + 4 * c);
    }
  }
  for (int n = 0; n < kTokens; ++n) {
    const auto scale = V::multiply(block.scale, V::floats(x.scales[at + n]));
    total[n] = V::multiply_add(scale, V::to_floats(sums[n]), total[n]);
    if constexpr (Format::kMinimum) {
      total[n] = V::multiply_add(block.minimum, V::floats(x.scaled_sums[at + n]), total[n]);
    }
  }
}

/// y for kTokens tokens from `token` on, without a detour over memory: decode.
template <class V, class Format, int kTokens>
[[gnu::flatten]] void multiply_few_32(const Matmul& matmul, const Rows<V>& rows,
                                      std::int64_t token) {
  const ActivationBlocks& x = matmul.blocks;
  const std::int64_t num_blocks = x.num_columns / 32;
  typename V::Floats total[kTokens];
  for (auto& sum : total) sum = V::float_zero();
  for (std::int64_t b = 0; b < num_blocks; ++b) {
    Codes32<V> block;
    unpack_ahead<V, Format>(rows, b, num_blocks, block);
    multiply_block<V, Format, kTokens>(block, x, b * x.num_tokens + token, total);
  }
  for (int n = 0; n < kTokens; ++n) rows.store(matmul, token + n, total[n]);
}

/// total[n] += `num_blocks` unpacked blocks with kTokens tokens.
template <class V, class Format, int kTokens>
[[gnu::flatten]] void multiply_blocks(const Codes32<V>* blocks, std::int64_t first_block,
                                      std::int64_t num_blocks, const ActivationBlocks& x,
                                      std::int64_t token, typename V::Floats* total) {
  for (std::int64_t b = 0; b < num_blocks; ++b) {
    const std::int64_t at = (first_block + b) * x.num_tokens + token;
    multiply_block<V, Format, kTokens>(blocks[b], x, at, total);
  }
}

/// y for tokens [first, first + count). Blocks are unpacked a few at a time, so that a token's
/// running sum is loaded and stored once per few blocks.
template <class V, class Format>
void multiply_many_32(const Matmul& matmul, const Rows<V>& rows, std::int64_t first,
                      std::int64_t count) {
  constexpr std::int64_t kBlocks = 8;
  constexpr int kTokens = V::kTileTokens;
  const ActivationBlocks& x = matmul.blocks;
  const std::int64_t num_blocks = x.num_columns / 32;
  typename V::Floats total[kTokenTile];
  for (std::int64_t n = 0; n < count; ++n) total[n] = V::float_zero();
  Codes32<V> blocks[kBlocks];
  for (std::int64_t b = 0; b < num_blocks; b += kBlocks) {
    const std::int64_t here = num_blocks - b < kBlocks ? num_blocks - b : kBlocks;
    for (std::int64_t i = 0; i < here; ++i) {
      unpack_ahead<V, Format>(rows, b + i, num_blocks, blocks[i]);
    }
    std::int64_t n = 0;
    for (; n + kTokens <= count; n += kTokens) {
      multiply_blocks<V, Format, kTokens>(blocks, b, here, x, first + n, total + n);
    }
    for (; n + 4 <= count; n += 4) {
      multiply_blocks<V, Format, 4>(blocks, b, here, x, first + n, total + n);
    }
    for (; n + 2 <= count; n += 2) {
      multiply_blocks<V, Format, 2>(blocks, b, here, x, first + n, total + n);
    }
    if (n < count) multiply_blocks<V, Format, 1>(blocks, b, here, x, first + n, total + n);
  }
  for (std::int64_t n = 0; n < count; ++n) rows.store(matmul, first + n, total[n]);
}

/// multiply_few_32() for `count` tokens, 1 <= count <= kMost.
template <class V, class Format, int kMost>
void multiply_few_of_32(const Matmul& matmul, const Rows<V>& rows, std::int64_t token,
                        std::int64_t count) {
  if constexpr (kMost > 1) {
    if (count < kMost) return multiply_few_of_32<V, Format, kMost - 1>(matmul, rows, token, count);
  }
  multiply_few_32<V, Format, kMost>(matmul, rows, token);
}

/// The kernel of one format: matmul_groups() for it.
template <class V, template <class> class Format>
void matmul_groups_32(const Matmul& matmul, std::int64_t first, std::int64_t last) {
  using Narrow = typename V::Narrow;
  if (matmul.num_tokens <= V::kFewTokens) {
    for_each_rows<Narrow>(
        matmul, first, last, [&](const Rows<Narrow>& rows, std::int64_t token, std::int64_t count) {
          multiply_few_of_32<Narrow, Format<Narrow>, V::kFewTokens>(matmul, rows, token, count);
        });
    return;
  }
  for_each_rows<V>(matmul, first, last,
                   [&](const Rows<V>& rows, std::int64_t token, std::int64_t count) {
                     multiply_many_32<V, Format<V>>(matmul, rows, token, count);
                   });
}

}  // namespace vernal::cpu_avx2::vnni
