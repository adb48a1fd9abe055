#include "kv_page.hpp"

#include "simd.hpp"

namespace vernal::cpu_avx2 {

namespace {

constexpr std::int64_t kGroup = 32;  // numbers that share a q8_0 scale

std::int64_t scales_at(std::int64_t dim) { return kPageTokens * dim; }

void store_f16(const float* x, std::int64_t dim, std::byte* row) {
  for (std::int64_t i = 0; i < dim; i += kLanes) {
    const __m128i halves =
        _mm256_cvtps_ph(_mm256_maskload_ps(x + i, lane_mask(dim - i)), _MM_FROUND_TO_NEAREST_INT);
    alignas(16) std::byte bytes[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(bytes), halves);
    std::memcpy(row + 2 * i, bytes,
                static_cast<std::size_t>(dim - i < kLanes ? 2 * (dim - i) : 16));
  }
}

/// 32 floats -> 32 codes and their scale.
void store_group(const float* x, std::byte* codes, std::byte* scale) {
  __m256 v[4];
  __m256 largest = _mm256_setzero_ps();
  for (int i = 0; i < 4; ++i) {
    v[i] = _mm256_loadu_ps(x + 8 * i);
    largest = _mm256_max_ps(largest, _mm256_andnot_ps(_mm256_set1_ps(-0.0F), v[i]));
  }
  const std::uint16_t half = _cvtss_sh(max_lanes(largest) / 127.0F, _MM_FROUND_TO_NEAREST_INT);
  std::memcpy(scale, &half, sizeof(half));
  const float rounded = _cvtsh_ss(half);
  const __m256 inverse = _mm256_set1_ps(rounded > 0.0F ? 1.0F / rounded : 0.0F);
  // The scale was rounded, perhaps down: codes may reach 128 and must not wrap. Packing saturates.
  __m256i part[4];
  for (int i = 0; i < 4; ++i) part[i] = _mm256_cvtps_epi32(_mm256_mul_ps(v[i], inverse));
  const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(part[0], part[1]),
                                            _mm256_packs_epi32(part[2], part[3]));
  store_256(codes, _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
}

void prefetch_row(const std::byte* next, std::int64_t offset, std::int64_t bytes) {
  if (next == nullptr) return;
  for (std::int64_t line = 0; line < bytes; line += 64) {
    _mm_prefetch(reinterpret_cast<const char*>(next + offset + line), _MM_HINT_T0);
  }
}

void load_f16_row(const std::byte* row, std::int64_t dim, float* out) {
  std::int64_t i = 0;
  for (; i + kLanes <= dim; i += kLanes) _mm256_storeu_ps(out + i, load_f16(row + 2 * i));
  for (; i < dim; ++i) out[i] = _cvtsh_ss(load_as<std::uint16_t>(row + 2 * i));
}

void load_q8_row(const std::byte* codes, const std::byte* scales, std::int64_t dim, float* out) {
  for (std::int64_t i = 0; i < dim; i += kGroup) {
    const __m256 scale = _mm256_set1_ps(_cvtsh_ss(load_as<std::uint16_t>(scales + i / kGroup * 2)));
    for (std::int64_t k = i; k < i + kGroup; k += kLanes) {
      const __m256 code = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(load_64(codes + k)));
      _mm256_storeu_ps(out + k, _mm256_mul_ps(code, scale));
    }
  }
}

}  // namespace

std::optional<KvFormat> find_kv_format(std::string_view name) {
  if (name == "f16") return KvFormat::kF16;
  if (name == "q8_0") return KvFormat::kQ8_0;
  return std::nullopt;
}

std::int64_t KvLayout::run_bytes(KvFormat format, std::int64_t dim) {
  return format == KvFormat::kF16 ? kPageTokens * dim * 2 : kPageTokens * (dim + dim / kGroup * 2);
}

void store_kv_row(KvFormat format, const float* x, std::int64_t dim, std::int64_t slot,
                  std::byte* run) {
  if (format == KvFormat::kF16) {
    store_f16(x, dim, run + slot * dim * 2);
    return;
  }
  std::byte* scales = run + scales_at(dim) + slot * (dim / kGroup) * 2;
  for (std::int64_t i = 0; i < dim; i += kGroup) {
    store_group(x + i, run + slot * dim + i, scales + i / kGroup * 2);
  }
}

void load_kv_rows(const KvRun& run, std::int64_t first, std::int64_t last, float* out) {
  const std::int64_t dim = run.dim;
  for (std::int64_t slot = first; slot < last; ++slot, out += dim) {
    if (run.format == KvFormat::kF16) {
      prefetch_row(run.next, slot * dim * 2, dim * 2);
      load_f16_row(run.data + slot * dim * 2, dim, out);
    } else {
      const std::int64_t scales = scales_at(dim) + slot * (dim / kGroup) * 2;
      prefetch_row(run.next, slot * dim, dim);
      load_q8_row(run.data + slot * dim, run.data + scales, dim, out);
    }
  }
}

}  // namespace vernal::cpu_avx2
