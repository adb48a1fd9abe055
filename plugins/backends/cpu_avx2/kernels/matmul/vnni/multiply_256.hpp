// Integer matrix kernels over weight formats in blocks of 256 with VNNI (formats_256.hpp): the two
// ways of matmul_256.hpp, with the same sums and so the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/vnni/formats_256.hpp"
#include "kernels/matmul/vnni/rows.hpp"
#include "kernels/matmul/vnni/unrolled.hpp"

namespace vernal::cpu_avx2::vnni {

/// Activations of neighbouring tokens for one block of columns.
struct Input256 {
  const std::int8_t* codes;  // 256 per token
  const std::int16_t* sums;  // kSumsPerBlock256 per token, multipliers among them
  const float* scales;       // one per token
};

template <class V>
Input256 input_256(const ActivationBlocks& x, std::int64_t b, std::int64_t token) {
  const std::int64_t at = b * x.num_tokens + token;
  return {x.codes + 256 * at, x.sums + kSumsPerBlock256 * at, x.scales + at};
}

/// Bytes of a block's scales that are no part of a word.
template <class Format>
inline constexpr int kScaleBytes = Format::kScaleLine ? 16 : 0;

template <class V, class Format>
Block<V> block_of(const Rows<V>& rows, std::int64_t b) {
  const std::byte* const blocks = rows.data + (Format::kHeader ? 32 : 0);
  const BlockPlace place = block_place(b, 32 * Format::kWords, kScaleBytes<Format>);
  return {{blocks + place.words, rows.stride},
          {blocks + place.scales, rows.stride},
          {rows.data, rows.stride}};
}

template <class V, class Format>
using AheadOf = Ahead<V, Format::kWords, kScaleBytes<Format>>;

template <class Format>
constexpr int group_of(int column) {
  return column / (256 / Format::kGroups);
}

/// sum(c * sigma) of the block's correction words.
template <class V, class Format, class CorrectionWords>
typename V::Ints correction_sum(const CorrectionWords& words, const std::int16_t* sums) {
  const std::int16_t* group_sums = sums + (Format::kGroups == 16 ? 0 : kSumsOf32At);
  typename V::Ints total = V::zero();
  unrolled<Format::kGroups / 2>([&](auto pair) VERNAL_INLINE {
    constexpr int kPair = decltype(pair)::kValue;
    total = V::dot_pairs(total, words(pair), group_sums + 2 * kPair);
  });
  return total;
}

/// total += the block, given its integer sum and correction: as add_block() of block_256.hpp.
template <class V, class Format>
typename V::Floats add_block(typename V::Floats total, const Factors<V>& factors,
                             float activation_scale, typename V::Ints sum,
                             typename V::Ints correction) {
  const auto a = V::floats(activation_scale);
  if constexpr (Format::kCorrection == Correction::kFromSum) sum = V::subtract(sum, correction);
  total = V::multiply_add(V::multiply(factors.scale, a), V::to_floats(sum), total);
  if constexpr (Format::kCorrection == Correction::kMinimum) {
    const auto minimum = V::multiply(factors.minimum, a);
    total = V::subtract_product(total, minimum, V::to_floats(correction));
  }
  return total;
}

// ---- few tokens ---------------------------------------------------------------------------------

/// sums[n] += part kPart of the block with kTokens tokens.
template <class V, class Format, int kTokens, int kPart>
[[gnu::always_inline]] inline void multiply_part(const Words<V>& words,
                                                 const typename Format::Scales& scales,
                                                 const Input256& x, typename V::Ints* sums) {
  typename V::Ints products[Format::kSums][kTokens];
  for (auto& group : products) {
    for (auto& product : group) product = V::zero();
  }
  unrolled<Format::kWordsPerPart>([&](auto word) VERNAL_INLINE {
    constexpr int kWord = decltype(word)::kValue;
    typename V::Ints codes[Format::kStreams];
    Format::template raw_codes<kPart, kWord>(words, codes);
    for (int s = 0; s < Format::kStreams; ++s) {
      const std::int8_t* a = x.codes + Format::column(kPart, s) + 4 * kWord;
      for (int n = 0; n < kTokens; ++n) {
        auto& product = products[s % Format::kSums][n];
        product = V::dot_bytes(product, codes[s], a + 256 * n);
      }
    }
  });
  unrolled<Format::kSums>([&](auto stream) VERNAL_INLINE {
    constexpr int kStream = decltype(stream)::kValue;
    constexpr int kColumn = Format::column(kPart, kStream);
    constexpr int kShift = Format::shift(kStream);
    const auto scale = scales.template scale<group_of<Format>(kColumn)>();
    for (int n = 0; n < kTokens; ++n) {
      auto product = products[kStream][n];
      if constexpr (kShift > 0) product = V::template right32_signed<kShift>(product);
      const std::int16_t* m = x.sums + kSumsPerBlock256 * n + kMultipliersAt + kColumn / 32 * 2;
      sums[n] = V::add(sums[n], V::multiply(product, V::multiply_by(scale, m)));
    }
  });
}

/// y for kTokens tokens from `token` on.
template <class V, class Format, int kTokens>
[[gnu::flatten]] void multiply_few(const Matmul& matmul, const Rows<V>& rows, std::int64_t token) {
  const std::int64_t num_blocks = matmul.blocks.num_columns / 256;
  typename V::Floats total[kTokens];
  for (auto& sum : total) sum = V::float_zero();
  for (std::int64_t b = 0; b < num_blocks; ++b) {
    const Block<V> block = block_of<V, Format>(rows, b);
    const Input256 x = input_256<V>(matmul.blocks, b, token);
    const AheadOf<V, Format> ahead(rows, block.words, b, num_blocks);
    const typename Format::Scales scales(block.words);
    typename V::Ints sums[kTokens];
    for (auto& sum : sums) sum = V::zero();
    unrolled<Format::kParts>([&](auto part) VERNAL_INLINE {
      constexpr int kPart = decltype(part)::kValue;
      ahead.template prefetch<kPart, Format::kParts>();
      multiply_part<V, Format, kTokens, kPart>(block.words, scales, x, sums);
    });
    const Factors<V> factors = Format::factors(block);
    for (int n = 0; n < kTokens; ++n) {
      const auto correction = correction_sum<V, Format>(
          [&](auto pair) { return scales.template correction<decltype(pair)::kValue>(); },
          x.sums + kSumsPerBlock256 * n);
      total[n] = add_block<V, Format>(total[n], factors, x.scales[n], sums[n], correction);
    }
  }
  for (int n = 0; n < kTokens; ++n) rows.store(matmul, token + n, total[n]);
}

// ---- many tokens --------------------------------------------------------------------------------

/// One block of the rows, unpacked.
template <class V, class Format>
struct Tile256 {
  typename V::Ints codes[64];  // word c: columns 4c .. 4c + 3
  typename V::Ints scales[Format::kGroups];
  typename V::Ints corrections[Format::kGroups / 2];
  Factors<V> factors;
};

template <class V, class Format>
[[gnu::flatten]] void unpack_tile(const Block<V>& block, Tile256<V, Format>& tile) {
  unrolled<Format::kParts>([&](auto part) VERNAL_INLINE {
    constexpr int kPart = decltype(part)::kValue;
    unrolled<Format::kWordsPerPart>([&](auto word) VERNAL_INLINE {
      constexpr int kWord = decltype(word)::kValue;
      typename V::Ints codes[Format::kStreams];
      Format::template codes<kPart, kWord>(block.words, codes);
      for (int s = 0; s < Format::kStreams; ++s) {
        tile.codes[Format::column(kPart, s) / 4 + kWord] = codes[s];
      }
    });
  });
  const typename Format::Scales scales(block.words);
  unrolled<Format::kGroups>([&](auto group) VERNAL_INLINE {
    constexpr int kGroup = decltype(group)::kValue;
    tile.scales[kGroup] = scales.template scale<kGroup>();
  });
  unrolled<Format::kGroups / 2>([&](auto pair) VERNAL_INLINE {
    constexpr int kPair = decltype(pair)::kValue;
    tile.corrections[kPair] = scales.template correction<kPair>();
  });
  tile.factors = Format::factors(block);
}

/// total[n] += the tile with kTokens tokens.
template <class V, class Format, int kTokens>
[[gnu::flatten]] void multiply_tile(const Tile256<V, Format>& tile, const Input256& x,
                                    typename V::Floats* total) {
  constexpr int kWords = 64 / Format::kGroups;
  typename V::Ints sums[kTokens];
  for (auto& sum : sums) sum = V::zero();
  for (int g = 0; g < Format::kGroups; ++g) {
    typename V::Ints products[kTokens];
    for (auto& product : products) product = V::zero();
    unrolled<kWords>([&](auto word) VERNAL_INLINE {
      const int at = kWords * g + decltype(word)::kValue;
      const auto codes = tile.codes[at];
      unrolled<kTokens>([&](auto token) VERNAL_INLINE {
        constexpr int kToken = decltype(token)::kValue;
        products[kToken] = V::dot_bytes(products[kToken], codes, x.codes + 256 * kToken + 4 * at);
      });
    });
    const auto scale = tile.scales[g];
    const std::int16_t* m = x.sums + kMultipliersAt + g * 8 / Format::kGroups * 2;
    unrolled<kTokens>([&](auto token) VERNAL_INLINE {
      constexpr int kToken = decltype(token)::kValue;
      const auto scaled = V::multiply_by(scale, m + kSumsPerBlock256 * kToken);
      sums[kToken] = V::add(sums[kToken], V::multiply(products[kToken], scaled));
    });
  }
  for (int n = 0; n < kTokens; ++n) {
    const auto correction = correction_sum<V, Format>(
        [&](auto pair) { return tile.corrections[decltype(pair)::kValue]; },
        x.sums + kSumsPerBlock256 * n);
    total[n] = add_block<V, Format>(total[n], tile.factors, x.scales[n], sums[n], correction);
  }
}

/// y for tokens [first, first + count).
template <class V, class Format>
void multiply_many(const Matmul& matmul, const Rows<V>& rows, std::int64_t first,
                   std::int64_t count) {
  constexpr int kTokens = V::kTileTokens;
  const ActivationBlocks& x = matmul.blocks;
  const std::int64_t num_blocks = x.num_columns / 256;
  typename V::Floats total[kTokenTile];
  for (std::int64_t n = 0; n < count; ++n) total[n] = V::float_zero();
  Tile256<V, Format> tile;
  for (std::int64_t b = 0; b < num_blocks; ++b) {
    const Block<V> block = block_of<V, Format>(rows, b);
    AheadOf<V, Format>(rows, block.words, b, num_blocks).template prefetch<0, 1>();
    unpack_tile<V, Format>(block, tile);
    std::int64_t n = 0;
    for (; n + kTokens <= count; n += kTokens) {
      multiply_tile<V, Format, kTokens>(tile, input_256<V>(x, b, first + n), total + n);
    }
    for (; n + 4 <= count; n += 4) {
      multiply_tile<V, Format, 4>(tile, input_256<V>(x, b, first + n), total + n);
    }
    for (; n + 2 <= count; n += 2) {
      multiply_tile<V, Format, 2>(tile, input_256<V>(x, b, first + n), total + n);
    }
    if (n < count) multiply_tile<V, Format, 1>(tile, input_256<V>(x, b, first + n), total + n);
  }
  for (std::int64_t n = 0; n < count; ++n) rows.store(matmul, first + n, total[n]);
}

/// multiply_few() for `count` tokens, 1 <= count <= kMost.
template <class V, class Format, int kMost>
void multiply_few_of(const Matmul& matmul, const Rows<V>& rows, std::int64_t token,
                     std::int64_t count) {
  if constexpr (kMost > 1) {
    if (count < kMost) return multiply_few_of<V, Format, kMost - 1>(matmul, rows, token, count);
  }
  multiply_few<V, Format, kMost>(matmul, rows, token);
}

/// The kernel of one format: matmul_groups() for it.
template <class V, template <class> class Format>
void matmul_groups_256(const Matmul& matmul, std::int64_t first, std::int64_t last) {
  using Narrow = typename V::Narrow;
  if (matmul.num_tokens <= V::kFewTokens) {
    for_each_rows<Narrow>(
        matmul, first, last, [&](const Rows<Narrow>& rows, std::int64_t token, std::int64_t count) {
          multiply_few_of<Narrow, Format<Narrow>, V::kFewTokens>(matmul, rows, token, count);
        });
    return;
  }
  for_each_rows<V>(matmul, first, last,
                   [&](const Rows<V>& rows, std::int64_t token, std::int64_t count) {
                     multiply_many<V, Format<V>>(matmul, rows, token, count);
                   });
}

}  // namespace vernal::cpu_avx2::vnni
