#include "model/row_quantizer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "vernal/block_types/codebooks.hpp"

namespace vernal {
namespace {

constexpr std::uint32_t kSuperBlock = 256;

std::int32_t nearest(float value, std::int32_t lowest, std::int32_t highest) noexcept {
  return static_cast<std::int32_t>(
      std::clamp(std::nearbyint(value), static_cast<float>(lowest), static_cast<float>(highest)));
}

float inverse_of(float scale) noexcept { return scale == 0.0F ? 0.0F : 1.0F / scale; }

void quantize_f32(const float* in, std::uint64_t columns, std::byte* out) {
  std::memcpy(out, in, columns * sizeof(float));
}

void quantize_f16(const float* in, std::uint64_t columns, std::byte* out) {
  for (std::uint64_t i = 0; i < columns; ++i) store_u16(f16_from_float(in[i]), out + 2 * i);
}

void quantize_bf16(const float* in, std::uint64_t columns, std::byte* out) {
  for (std::uint64_t i = 0; i < columns; ++i) store_u16(bf16_from_float(in[i]), out + 2 * i);
}

/// The code of iq4_nl whose value is nearest to `value`.
std::uint32_t nearest_iq4(float value) noexcept {
  // The code changes in the middle between two values.
  const auto& codes = kIq4Values[0];
  std::uint32_t code = 0;
  for (std::uint32_t i = 0; i + 1 < 16; ++i) {
    const float middle = 0.5F * static_cast<float>(codes[i] + codes[i + 1]);
    code += value > middle ? 1U : 0U;
  }
  return code;
}

/// Stores 32 codes of four bits in 16 bytes. The first 16 codes are in the low halves.
void store_iq4(const float* in, float inverse, std::byte* out) noexcept {
  for (std::uint32_t j = 0; j < 16; ++j) {
    out[j] = static_cast<std::byte>(nearest_iq4(in[j] * inverse) | nearest_iq4(in[j + 16] * inverse)
                                                                       << 4U);
  }
}

/// The scale with which the element of largest magnitude gets code 0, whose value has the largest
/// magnitude.
float iq4_scale(const float* in) noexcept {
  return extreme_of(in, 32) / static_cast<float>(kIq4Values[0][0]);
}

void quantize_iq4_nl(const float* in, std::uint64_t columns, std::byte* out) {
  for (std::uint64_t first = 0; first < columns; first += 32, in += 32, out += 18) {
    const BlockScale scale = block_scale(iq4_scale(in));
    store_u16(scale.pattern, out);
    store_iq4(in, scale.inverse, out + 2);
  }
}

// A row has one float. The scale of 32 weights is an odd multiple of it, from -127 to 127.
void quantize_iq4_ks(const float* in, std::uint64_t columns, std::byte* out) {
  float largest = 0.0F;
  for (std::uint64_t first = 0; first < columns; first += 32) {
    largest = std::max(largest, std::fabs(iq4_scale(in + first)));
  }
  const float row_scale = largest / 127.0F;
  std::memcpy(out, &row_scale, sizeof row_scale);
  out += sizeof row_scale;
  for (std::uint64_t first = 0; first < columns; first += kSuperBlock, in += kSuperBlock) {
    for (std::uint32_t g = 0; g < 8; ++g) {
      const float wanted = iq4_scale(in + g * 32) * inverse_of(row_scale);
      const std::int32_t half = nearest(0.5F * (wanted + 127.0F), 0, 127);
      const std::int32_t multiple = 2 * half - 127;
      out[g] = static_cast<std::byte>(2 * half);
      store_iq4(in + g * 32, inverse_of(row_scale * static_cast<float>(multiple)),
                out + 8 + g * 16);
    }
    out += 136;
  }
}

/// Six-bit scales and minima of eight groups, as q4_K packs them.
void store_scales_and_minima(const std::array<std::uint32_t, 8>& scales,
                             const std::array<std::uint32_t, 8>& minima, std::byte* out) noexcept {
  for (std::uint32_t g = 0; g < 4; ++g) {
    out[g] = static_cast<std::byte>(scales[g] | (scales[g + 4] >> 4U) << 6U);
    out[g + 4] = static_cast<std::byte>(minima[g] | (minima[g + 4] >> 4U) << 6U);
    out[g + 8] = static_cast<std::byte>((scales[g + 4] & 15U) | (minima[g + 4] & 15U) << 4U);
  }
}

void quantize_q4_k(const float* in, std::uint64_t columns, std::byte* out) {
  for (std::uint64_t first = 0; first < columns; first += kSuperBlock, in += 256, out += 144) {
    std::array<float, 8> scales{};
    std::array<float, 8> minima{};
    for (std::uint32_t g = 0; g < 8; ++g) {
      const auto [low, high] = std::minmax_element(in + g * 32, in + g * 32 + 32);
      minima[g] = std::max(0.0F, -*low);
      scales[g] = std::max(0.0F, *high + minima[g]) / 15.0F;
    }
    const BlockScale scale = block_scale(*std::ranges::max_element(scales) / 63.0F);
    const BlockScale minimum = block_scale(*std::ranges::max_element(minima) / 63.0F);
    store_u16(scale.pattern, out);
    store_u16(minimum.pattern, out + 2);
    std::array<std::uint32_t, 8> scale_codes{};
    std::array<std::uint32_t, 8> minimum_codes{};
    std::fill(out + 16, out + 144, std::byte{0});
    for (std::uint32_t g = 0; g < 8; ++g) {
      scale_codes[g] = static_cast<std::uint32_t>(nearest(scales[g] * scale.inverse, 0, 63));
      minimum_codes[g] = static_cast<std::uint32_t>(nearest(minima[g] * minimum.inverse, 0, 63));
      const float step = float_from_f16(scale.pattern) * static_cast<float>(scale_codes[g]);
      const float shift = float_from_f16(minimum.pattern) * static_cast<float>(minimum_codes[g]);
      for (std::uint32_t j = 0; j < 32; ++j) {
        const std::int32_t code = nearest((in[g * 32 + j] + shift) * inverse_of(step), 0, 15);
        out[16 + g / 2 * 32 + j] |= static_cast<std::byte>(code << (g % 2 * 4));
      }
    }
    store_scales_and_minima(scale_codes, minimum_codes, out + 4);
  }
}

void quantize_q6_k(const float* in, std::uint64_t columns, std::byte* out) {
  for (std::uint64_t first = 0; first < columns; first += kSuperBlock, in += 256, out += 210) {
    std::array<float, 16> scales{};
    for (std::uint32_t g = 0; g < 16; ++g) scales[g] = extreme_of(in + g * 16, 16) / -32.0F;
    const BlockScale scale = block_scale(extreme_of(scales.data(), 16) / -128.0F);
    std::fill(out, out + 192, std::byte{0});
    store_u16(scale.pattern, out + 208);
    for (std::uint32_t w = 0; w < kSuperBlock; ++w) {
      const std::uint32_t g = w / 16;
      const std::int32_t scale_code = nearest(scales[g] * scale.inverse, -128, 127);
      out[192 + g] = static_cast<std::byte>(scale_code & 0xFF);
      const float step = float_from_f16(scale.pattern) * static_cast<float>(scale_code);
      const auto code = static_cast<std::uint32_t>(nearest(in[w] * inverse_of(step), -32, 31) + 32);
      const std::uint32_t half = w / 128;
      const std::uint32_t i = w % 128;  // a half: 64 bytes of low four bits, 32 of high two bits
      out[half * 64 + i % 64] |= static_cast<std::byte>((code & 15U) << (i / 64 * 4));
      out[128 + half * 32 + i % 32] |= static_cast<std::byte>((code >> 4U) << (i / 32 * 2));
    }
  }
}

struct Writer {
  std::string_view name;
  QuantizeRow quantize;
};

constexpr std::array<Writer, 9> kWriters{{{"f32", quantize_f32},
                                          {"f16", quantize_f16},
                                          {"bf16", quantize_bf16},
                                          {"q8_0", quantize_row_q8_0},
                                          {"q4_0", quantize_row_q4_0},
                                          {"q4_K", quantize_q4_k},
                                          {"q6_K", quantize_q6_k},
                                          {"iq4_nl", quantize_iq4_nl},
                                          {"iq4_ks", quantize_iq4_ks}}};

}  // namespace

QuantizeRow find_row_quantizer(const BlockType& type) noexcept {
  const auto* const found = std::ranges::find(kWriters, type.name, &Writer::name);
  return found == kWriters.end() ? nullptr : found->quantize;
}

const BlockType* find_quantizable_type(std::string_view name) noexcept {
  if (std::ranges::find(kWriters, name, &Writer::name) == kWriters.end()) return nullptr;
  return std::ranges::find(kBlockTypes, name, &BlockType::name);
}

std::string quantizable_type_names() {
  std::string names;
  for (const Writer& writer : kWriters) {
    if (!names.empty()) names += ", ";
    names += writer.name;
  }
  return names;
}

}  // namespace vernal
