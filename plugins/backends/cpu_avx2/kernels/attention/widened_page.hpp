// The two products of attention with a page of q8_0 or q4_0 keys and values, for the many rows of a
// tile: codes are widened to int16 once for all of them, where a pass of kv_products_codes.hpp widens
// them for its own six. Sums, and so bits, are the same.
//
// A block is what a pass has the sums of for each row: 16 slots of keys, 16 numbers of values.
//   keys    [64 / 16][dim / 2][16][2] int16
//   values  [dim / 16][64 / 2][16][2] int16
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/attention/kv_products_codes.hpp"

namespace vernal::cpu_avx2 {

/// Slots of keys, or numbers of values, in a block.
inline constexpr std::int64_t kBlock = 2 * kLanes;

/// int16 numbers of a block for each pair: two numbers of its slots, two slots of its numbers.
inline constexpr std::int64_t kPairCodes = 2 * kBlock;

/// Scratch memory of one page's work on `rows` rows. A view.
struct PageScratch {
  PageScratch(float* memory, std::int64_t dim, std::int64_t rows)
      : value_scales(memory),
        inverses(value_scales + scales(dim)),
        units(inverses + padded(rows)),
        codes(reinterpret_cast<std::int16_t*>(units + padded(rows))),
        widened(codes + rows * kPageTokens) {}

  /// f32 numbers that it takes.
  static std::int64_t floats(std::int64_t dim, std::int64_t rows) {
    return scales(dim) + 2 * padded(rows) + (rows + dim) * kPageTokens / 2;
  }

  float* value_scales;    // [dim / 32][64]
  float* inverses;        // [rows], room for a multiple of 8
  float* units;           // the same
  std::int16_t* codes;    // [rows][64]
  std::int16_t* widened;  // [dim * 64]

 private:
  static std::int64_t scales(std::int64_t dim) { return dim / kKvGroup * kPageTokens; }
  static std::int64_t padded(std::int64_t rows) { return (rows + kLanes - 1) / kLanes * kLanes; }
};

/// Requests for the codes of a run that will be needed next, spread over the passes of a tile: all at
/// once they would hold up the widening.
template <class Codes>
class SpreadRequests {
 public:
  /// run: null: there is none
  SpreadRequests(const std::byte* run, std::int64_t dim, std::int64_t passes)
      : run_(run),
        bytes_(dim / Codes::kPairs * kPageTokens),
        lines_((bytes_ / kLine + passes - 1) / passes) {}

  /// To be called in each pass.
  void ask() {
    for (std::int64_t i = 0; i < lines_ && next_ < bytes_; ++i, next_ += kLine) {
      prefetch<Codes::kInto>(run_, next_);
    }
  }

 private:
  const std::byte* run_;
  std::int64_t bytes_;
  std::int64_t lines_;  // of a pass
  std::int64_t next_ = 0;
};

/// Widens all slots of keys.
template <class Codes>
void widen_keys(const KvRun& keys, std::int16_t* widened) {
  for (std::int64_t i = 0; i < keys.dim; i += 2 * Codes::kPairs) {
    const std::int64_t offset = i / Codes::kPairs * kPageTokens;
    for (int pair = 0; pair < Codes::kPairs; ++pair) {
      std::int16_t* out = widened + (i / 2 + pair) * kPairCodes;
      for (std::int64_t slot = 0; slot < kPageTokens; slot += kBlock) {
        const std::byte* p = keys.data + offset + 2 * slot;
        store_256(out + slot * keys.dim, Codes::widen(p, pair));
        store_256(out + slot * keys.dim + kBlock, Codes::widen(p + 16, pair));
      }
    }
  }
}

/// Widens the slots of values and their neighbours up to a pair.
template <class Codes>
void widen_values(const KvRun& values, Slots slots, std::int16_t* widened) {
  constexpr std::int64_t kBytes = 2 / Codes::kPairs;  // of two slots, each number
  for (std::int64_t slot = slots.first / 2 * 2; slot < slots.last; slot += 2) {
    const std::int64_t offset = slot / 2 * kBytes * values.dim;
    for (std::int64_t i = 0; i < values.dim; i += kBlock) {
      const std::byte* p = values.data + offset + kBytes * i;
      std::int16_t* out = widened + i * kPageTokens + slot * kBlock;
      store_256(out, Codes::widen(p, 0));
      store_256(out + kBlock, Codes::widen(p + 1 / Codes::kPairs * 16, 1 % Codes::kPairs));
    }
  }
}

/// int32 products of kRows rows with `pairs` pairs of a block.
///   rows  row r at rows + r * stride
template <class Products, int kRows>
inline void multiply_block(const std::int16_t* block, const std::int16_t* rows, std::int64_t stride,
                           std::int64_t pairs, __m256i (&sums)[kRows][2]) {
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) sums[r][0] = sums[r][1] = _mm256_setzero_si256();
  for (std::int64_t pair = 0; pair < pairs; ++pair) {
    const __m256i first = load_256(block + pair * kPairCodes);
    const __m256i second = load_256(block + pair * kPairCodes + kBlock);
#pragma GCC unroll 6
    for (int r = 0; r < kRows; ++r) {
      const __m256i factors = broadcast_dword(rows + r * stride + 2 * pair);
      Products::template add<kRows>(sums[r][0], first, factors);
      Products::template add<kRows>(sums[r][1], second, factors);
    }
  }
}

/// score_page_codes() for kRows rows and the block of slots that begins at `slot`. Like add_block() a
/// function of its own: inlined into the loop over passes, g++ keeps its sums on the stack.
template <class Products, int kRows>
[[gnu::noinline]] void score_block(const std::int16_t* q, const KvRun& keys,
                                   const std::int16_t* block, std::int64_t slot, float* scores) {
  const std::byte* scales = scales_at(keys);
  for (std::int64_t group = 0; group < keys.dim / kKvGroup; ++group) {
    __m256i sums[kRows][2];
    multiply_block<Products, kRows>(block + group * kKvGroup * kBlock, q + group * kKvGroup,
                                    keys.dim, kKvGroup / 2, sums);
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      const __m256 scale = scales_of(scales, group, slot + kLanes * v);
#pragma GCC unroll 6
      for (int r = 0; r < kRows; ++r) {
        float* total = scores + r * kPageTokens + slot + kLanes * v;
        const __m256 before = group == 0 ? _mm256_setzero_ps() : _mm256_loadu_ps(total);
        _mm256_storeu_ps(total, _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[r][v]), scale, before));
      }
    }
  }
}

/// Numbers of a block of the sums of kRows rows += units[r] * codes[r] . values, over 2 * pairs slots.
///   codes  row r at codes + r * 64
template <class Products, int kRows>
[[gnu::noinline]] void add_block(const std::int16_t* codes, const float* units,
                                 const std::int16_t* block, std::int64_t pairs, ValueSums sums) {
  __m256i total[kRows][2];
  multiply_block<Products, kRows>(block, codes, kPageTokens, pairs, total);
#pragma GCC unroll 6
  for (int r = 0; r < kRows; ++r) {
    const __m256 unit = _mm256_set1_ps(units[r]);
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      float* sum = sums.data + r * sums.stride + kLanes * v;
      const __m256 added = _mm256_cvtepi32_ps(total[r][v]);
      _mm256_storeu_ps(sum, _mm256_fmadd_ps(added, unit, _mm256_loadu_ps(sum)));
    }
  }
}

/// PageKernels::score for the rows of a tile.
template <class Codes>
void score_tile(const QueryRows& q, const PageRun& page, float* scratch, float* scores) {
  const KvRun& keys = page.run;
  std::int16_t* widened = PageScratch(scratch, keys.dim, q.count).widened;
  widen_keys<Codes>(keys, widened);
  const std::int64_t first_slot = page.slots.first / kBlock * kBlock;
  const std::int64_t blocks = (page.slots.last - first_slot + kBlock - 1) / kBlock;
  SpreadRequests<Codes> requests(page.ahead, keys.dim, blocks * num_passes(q.count));
  for (std::int64_t slot = first_slot; slot < page.slots.last; slot += kBlock) {
    for_passes(q.count, [&](std::int64_t r, auto rows) {
      requests.ask();
      score_block<typename Codes::Products, rows>(
          q.codes + r * keys.dim, keys, widened + slot * keys.dim, slot, scores + r * kPageTokens);
    });
  }
}

/// PageKernels::add for the rows of a tile.
template <class Codes>
void add_tile(const float* weights, const float* factors, std::int64_t count, const PageRun& page,
              float* scratch, ValueSums sums) {
  const KvRun& values = page.run;
  const PageScratch memory(scratch, values.dim, count);
  load_value_scales(values, page.slots, memory.value_scales);
  widen_values<Codes>(values, page.slots, memory.widened);
  SpreadRequests<Codes> requests(page.ahead, values.dim, values.dim / kBlock * num_passes(count));
  const std::int64_t first_slot = page.slots.first / 2 * 2;
  const std::int64_t pairs = (page.slots.last - first_slot + 1) / 2;
  for (std::int64_t group = 0; group < values.dim / kKvGroup; ++group) {
    const float* scales = memory.value_scales + group * kPageTokens;
    for (std::int64_t r = 0; r < count; r += kLanes) {
      find_units(weights + r * kPageTokens, factors + r, scales, std::min(kLanes, count - r),
                 memory.inverses + r, memory.units + r);
    }
    quantize_weights(weights, scales, memory.inverses, count, memory.codes);
    for (std::int64_t i = group * kKvGroup; i < (group + 1) * kKvGroup; i += kBlock) {
      const std::int16_t* block = memory.widened + i * kPageTokens + first_slot * kBlock;
      for_passes(count, [&](std::int64_t r, auto rows) {
        requests.ask();
        add_block<typename Codes::Products, rows>(memory.codes + r * kPageTokens + first_slot,
                                                  memory.units + r, block, pairs,
                                                  {sums.data + r * sums.stride + i, sums.stride});
      });
    }
  }
}

}  // namespace vernal::cpu_avx2
