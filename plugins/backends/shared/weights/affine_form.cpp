#include "shared/weights/affine_form.hpp"

#include <array>
#include <cstring>

#include "vernal/block_types/dequantize.hpp"

namespace vernal::backend {

namespace {

using block_fields::f16_at;
using block_fields::nibble_at;
using block_fields::plane_at;

void store_float(float value, std::byte* out) { std::memcpy(out, &value, sizeof(value)); }

std::byte code_byte(std::int32_t code) { return static_cast<std::byte>(code & 255); }

std::int32_t fifth_bit(const std::byte* field, std::uint32_t w) {
  return static_cast<std::int32_t>(plane_at(field, 1, 1, w) << 4U);
}

// The fields of blocks of 32, as vernal/block_types/dequantize.hpp reads them.

struct Q4_1 {
  static constexpr std::int64_t kBytes = 20;
  static float unit(const std::byte* b) { return f16_at(b, 0); }
  static float minimum(const std::byte* b) { return f16_at(b, 2); }
  static std::int32_t code(const std::byte* b, std::uint32_t w) { return nibble_at(b + 4, 16, w); }
};

struct Q5_0 {
  static constexpr std::int64_t kBytes = 22;
  static float unit(const std::byte* b) { return f16_at(b, 0); }
  static float minimum(const std::byte*) { return 0.0F; }
  static std::int32_t code(const std::byte* b, std::uint32_t w) {
    return (nibble_at(b + 6, 16, w) | fifth_bit(b + 2, w)) - 16;
  }
};

struct Q5_1 {
  static constexpr std::int64_t kBytes = 24;
  static float unit(const std::byte* b) { return f16_at(b, 0); }
  static float minimum(const std::byte* b) { return f16_at(b, 2); }
  static std::int32_t code(const std::byte* b, std::uint32_t w) {
    return nibble_at(b + 8, 16, w) | fifth_bit(b + 4, w);
  }
};

struct Q6_0 {
  static constexpr std::int64_t kBytes = 26;
  static float unit(const std::byte* b) { return f16_at(b, 0); }
  static float minimum(const std::byte*) { return 0.0F; }
  static std::int32_t code(const std::byte* b, std::uint32_t w) {
    const std::uint32_t shift = w / 8 % 2 * 4 + w / 16 * 2;
    const auto high =
        static_cast<std::int32_t>((block_fields::byte_at(b, 2 + w % 8) >> shift & 3U) << 4U);
    return (nibble_at(b + 10, 16, w) | high) - 32;
  }
};

struct Mxfp4 {
  static constexpr std::int64_t kBytes = 17;
  static float unit(const std::byte* b) { return mxfp4_scale(block_fields::byte_at(b, 0)); }
  static float minimum(const std::byte*) { return 0.0F; }
  static std::int32_t code(const std::byte* b, std::uint32_t w) {
    return kMxfp4Values[plane_at(b + 1, 16, 4, w)];
  }
};

template <class Format>
void write_blocks_of_32(const std::byte* stored, std::uint64_t num_columns, std::byte* out) {
  for (std::uint64_t first = 0; first < num_columns; first += 32) {
    store_float(Format::unit(stored), out);
    store_float(Format::minimum(stored), out + 4);
    for (std::uint32_t w = 0; w < 32; ++w) out[8 + w] = code_byte(Format::code(stored, w));
    stored += Format::kBytes;
    out += kAffine32Bytes;
  }
}

/// c 16 bytes @0: scale in the low half, minimum in the high half; codes @16; D f16 @80, M f16 @82.
void write_q2_k(const std::byte* stored, std::uint64_t num_columns, std::byte* out) {
  for (std::uint64_t first = 0; first < num_columns; first += 256) {
    store_float(f16_at(stored, 80), out);
    store_float(-f16_at(stored, 82), out + 4);
    for (std::uint32_t g = 0; g < 16; ++g) {
      const std::uint32_t both = block_fields::byte_at(stored, g);
      out[8 + g] = static_cast<std::byte>(both & 15U);
      out[24 + g] = static_cast<std::byte>(both >> 4U);
    }
    for (std::uint32_t w = 0; w < 256; ++w) {
      out[40 + w] = static_cast<std::byte>(plane_at(stored + 16, 32, 2, w));
    }
    stored += 84;
    out += kAffine256Bytes;
  }
}

struct AffineWriter {
  std::string_view id;
  WriteEightBitRow* write;
};

constexpr std::array<AffineWriter, 5> kAffineWriters{{
    {"ggml.q4_1/1", write_blocks_of_32<Q4_1>},
    {"ggml.q5_0/1", write_blocks_of_32<Q5_0>},
    {"ggml.q5_1/1", write_blocks_of_32<Q5_1>},
    {"ggml.q6_0/1", write_blocks_of_32<Q6_0>},
    {"ggml.mxfp4/1", write_blocks_of_32<Mxfp4>},
}};

}  // namespace

WriteEightBitRow* find_affine32_writer(std::string_view id) {
  for (const AffineWriter& writer : kAffineWriters) {
    if (writer.id == id) return writer.write;
  }
  return nullptr;
}

WriteEightBitRow* find_affine256_writer(std::string_view id) {
  return id == "ggml.q2_k/1" ? write_q2_k : nullptr;
}

}  // namespace vernal::backend
