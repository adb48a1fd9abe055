#include "kernels/attention/kv_page.hpp"

#include "kernels/simd.hpp"
#include "vernal/block_types/quantize.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Where number i of the row at `slot` lies, counted in numbers (f16) or bytes. Number i of a q4_0
/// row is the low half of its byte, number i + kNextNibble the high half.
struct KeyOrder {
  static constexpr std::int64_t kNextNibble = 2;
  static std::int64_t at(const KvRun& run, std::int64_t slot, std::int64_t i) {
    if (run.format == KvFormat::kF16) return i * kPageTokens + slot;
    if (run.format == KvFormat::kQ4_0) return (i / 4 * kPageTokens + slot) * 2 + i % 2;
    return (i / 2 * kPageTokens + slot) * 2 + i % 2;
  }
};
struct ValueOrder {
  static constexpr std::int64_t kNextNibble = 8;
  static std::int64_t at(const KvRun& run, std::int64_t slot, std::int64_t i) {
    if (run.format == KvFormat::kF16) return slot * run.dim + i;
    if (run.format == KvFormat::kQ4_0) {
      return slot / 2 * run.dim + i / 16 * 16 + i % 8 * 2 + slot % 2;
    }
    return (slot / 2 * run.dim + i) * 2 + slot % 2;
  }
};

std::byte* scale_at(const KvRun& run, std::int64_t slot, std::int64_t group) {
  return run.data + KvLayout::code_bytes(run.format, run.dim) + (group * kPageTokens + slot) * 2;
}

std::uint16_t half_of(float x) { return _cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT); }

/// 32 floats -> 32 codes; returns their scale as f16.
std::uint16_t quantize_group(const float* x, std::int8_t* codes) {
  __m256 v[4];
  __m256 largest = _mm256_setzero_ps();
  for (int i = 0; i < 4; ++i) {
    v[i] = _mm256_loadu_ps(x + 8 * i);
    largest = _mm256_max_ps(largest, _mm256_andnot_ps(_mm256_set1_ps(-0.0F), v[i]));
  }
  const std::uint16_t half = half_of(max_lanes(largest) / 127.0F);
  const float rounded = _cvtsh_ss(half);
  const __m256 inverse = _mm256_set1_ps(rounded > 0.0F ? 1.0F / rounded : 0.0F);
  // The scale may have been rounded down; packing saturates, so codes never wrap.
  __m256i part[4];
  for (int i = 0; i < 4; ++i) part[i] = _mm256_cvtps_epi32(_mm256_mul_ps(v[i], inverse));
  const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(part[0], part[1]),
                                            _mm256_packs_epi32(part[2], part[3]));
  store_256(codes, _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
  return half;
}

/// 32 floats -> 32 codes 0..15; returns their scale as f16. A number that is not finite makes the
/// scale infinite, as in q8_0: unlike a NaN, that survives the search for the greatest product.
std::uint16_t quantize_nibbles(const float* x, std::uint8_t* codes) {
  std::byte block[18];
  quantize_row_q4_0(x, kKvGroup, block);
  for (std::size_t j = 0; j < 16; ++j) {
    const auto pair = std::to_integer<std::uint8_t>(block[2 + j]);
    codes[j] = pair & 15U;
    codes[j + 16] = static_cast<std::uint8_t>(pair >> 4U);
  }
  const auto scale = load_as<std::uint16_t>(block);
  constexpr std::uint16_t kInfinity = 0x7C00;
  return (scale & 0x7FFFU) > kInfinity ? kInfinity : scale;
}

template <class Order>
void store_nibbles(const KvRun& run, std::int64_t slot, const float* x) {
  for (std::int64_t first = 0; first < run.dim; first += kKvGroup) {
    std::uint8_t codes[kKvGroup];
    const std::uint16_t scale = quantize_nibbles(x + first, codes);
    std::memcpy(scale_at(run, slot, first / kKvGroup), &scale, sizeof(scale));
    for (std::int64_t i = 0; i < kKvGroup; ++i) {
      if (i % (2 * Order::kNextNibble) >= Order::kNextNibble) continue;
      run.data[Order::at(run, slot, first + i)] =
          static_cast<std::byte>(codes[i] | codes[i + Order::kNextNibble] << 4U);
    }
  }
}

template <class Order>
void store_row(const KvRun& run, std::int64_t slot, const float* x) {
  if (run.format == KvFormat::kQ4_0) return store_nibbles<Order>(run, slot, x);
  if (run.format == KvFormat::kF16) {
    for (std::int64_t i = 0; i < run.dim; ++i) {
      const std::uint16_t half = half_of(x[i]);
      std::memcpy(run.data + 2 * Order::at(run, slot, i), &half, sizeof(half));
    }
    return;
  }
  for (std::int64_t first = 0; first < run.dim; first += kKvGroup) {
    alignas(32) std::int8_t codes[kKvGroup];
    const std::uint16_t scale = quantize_group(x + first, codes);
    std::memcpy(scale_at(run, slot, first / kKvGroup), &scale, sizeof(scale));
    for (std::int64_t i = 0; i < kKvGroup; ++i) {
      run.data[Order::at(run, slot, first + i)] = static_cast<std::byte>(codes[i]);
    }
  }
}

template <class Order>
void load_row(const KvRun& run, std::int64_t slot, float* out) {
  for (std::int64_t i = 0; i < run.dim; ++i) {
    const std::int64_t at = Order::at(run, slot, i);
    if (run.format == KvFormat::kF16) {
      out[i] = _cvtsh_ss(load_as<std::uint16_t>(run.data + 2 * at));
      continue;
    }
    const float scale = _cvtsh_ss(load_as<std::uint16_t>(scale_at(run, slot, i / kKvGroup)));
    if (run.format == KvFormat::kQ8_0) {
      out[i] = scale * static_cast<float>(static_cast<std::int8_t>(run.data[at]));
    } else {
      const bool is_high = i % (2 * Order::kNextNibble) >= Order::kNextNibble;
      const int code = std::to_integer<int>(run.data[at]) >> (is_high ? 4 : 0) & 15;
      out[i] = scale * static_cast<float>(code - 8);
    }
  }
}

}  // namespace

void store_key(const KvRun& run, std::int64_t slot, const float* x) {
  store_row<KeyOrder>(run, slot, x);
}

void store_value(const KvRun& run, std::int64_t slot, const float* x) {
  store_row<ValueOrder>(run, slot, x);
}

void load_key(const KvRun& run, std::int64_t slot, float* out) {
  load_row<KeyOrder>(run, slot, out);
}

void load_value(const KvRun& run, std::int64_t slot, float* out) {
  load_row<ValueOrder>(run, slot, out);
}

}  // namespace vernal::cpu_avx2
