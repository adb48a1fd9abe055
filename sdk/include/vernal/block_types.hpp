// The table of storage formats: the name, GGUF number and size of every weight format, and the
// function that reads it. It needs the standard library only, so that backends, converters and
// tests can use it, inside this tree and outside. sdk/spec/formats.md says what the bytes mean.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "vernal/block_types/block_type.hpp"
#include "vernal/block_types/dequantize.hpp"
#include "vernal/block_types/float16.hpp"
#include "vernal/block_types/quantize.hpp"

namespace vernal {

/// All known formats by rising GGUF number. A format without a reader can be listed and measured
/// only. A reader in its line makes it readable everywhere.
///   id, name, GGUF number, weights per block, bytes per block, bytes of the row header, reader
inline constexpr std::array<BlockType, 43> kBlockTypes{{
    {"f32", "f32", 0, 1, 4, 0, dequantize_f32},
    {"f16", "f16", 1, 1, 2, 0, dequantize_f16},
    {"ggml.q4_0/1", "q4_0", 2, 32, 18, 0, dequantize_q4_0},
    {"ggml.q4_1/1", "q4_1", 3, 32, 20, 0, dequantize_q4_1},
    {"ggml.q5_0/1", "q5_0", 6, 32, 22, 0, dequantize_q5_0},
    {"ggml.q5_1/1", "q5_1", 7, 32, 24, 0, dequantize_q5_1},
    {"ggml.q8_0/1", "q8_0", 8, 32, 34, 0, dequantize_q8_0},
    {"ggml.q2_k/1", "q2_K", 10, 256, 84, 0, dequantize_q2_k},
    {"ggml.q3_k/1", "q3_K", 11, 256, 110, 0, dequantize_products<block_products::Q3K>},
    {"ggml.q4_k/1", "q4_K", 12, 256, 144, 0, dequantize_q4_k},
    {"ggml.q5_k/1", "q5_K", 13, 256, 176, 0, dequantize_q5_k},
    {"ggml.q6_k/1", "q6_K", 14, 256, 210, 0, dequantize_q6_k},
    {"ggml.iq2_xxs/1", "iq2_xxs", 16, 256, 66, 0, dequantize_products<block_products::Iq2Xxs>},
    {"ggml.iq2_xs/1", "iq2_xs", 17, 256, 74, 0, dequantize_products<block_products::Iq2Xs>},
    {"ggml.iq3_xxs/1", "iq3_xxs", 18, 256, 98, 0, dequantize_products<block_products::Iq3Xxs>},
    {"ggml.iq1_s/1", "iq1_s", 19, 256, 50, 0, dequantize_products<block_products::Iq1S>},
    {"ggml.iq4_nl/1", "iq4_nl", 20, 32, 18, 0, dequantize_iq4_nl},
    {"ggml.iq3_s/1", "iq3_s", 21, 256, 110, 0, dequantize_products<block_products::Iq3S>},
    {"ggml.iq2_s/1", "iq2_s", 22, 256, 82, 0, dequantize_products<block_products::Iq2S>},
    {"ggml.iq4_xs/1", "iq4_xs", 23, 256, 136, 0, dequantize_iq4_xs},
    {"i8", "i8", 24, 1, 1, 0, nullptr},
    {"i16", "i16", 25, 1, 2, 0, nullptr},
    {"i32", "i32", 26, 1, 4, 0, nullptr},
    {"i64", "i64", 27, 1, 8, 0, nullptr},
    {"f64", "f64", 28, 1, 8, 0, nullptr},
    {"ggml.iq1_m/1", "iq1_m", 29, 256, 56, 0, dequantize_products<block_products::Iq1M>},
    {"bf16", "bf16", 30, 1, 2, 0, dequantize_bf16},
    {"ggml.mxfp4/1", "mxfp4", 39, 32, 17, 0, dequantize_mxfp4},
    {"ggml.q6_0/1", "q6_0", 133, 32, 26, 0, dequantize_q6_0},
    {"ggml.iq2_k/1", "iq2_k", 137, 256, 76, 0, dequantize_products<block_products::Iq2K>},
    {"ggml.iq3_k/1", "iq3_k", 138, 256, 110, 0, dequantize_products<block_products::Iq3K>},
    {"ggml.iq4_k/1", "iq4_k", 139, 256, 144, 0, dequantize_products<block_products::Iq4K>},
    {"ggml.iq5_k/1", "iq5_k", 140, 256, 176, 0, dequantize_products<block_products::Iq5K>},
    {"ggml.iq6_k/1", "iq6_k", 141, 256, 212, 0, dequantize_products<block_products::Iq6K>},
    {"ggml.iq4_ks/1", "iq4_ks", 144, 256, 136, 4, dequantize_iq4_ks},
    {"ggml.iq2_ks/1", "iq2_ks", 145, 256, 70, 2, dequantize_products<block_products::Iq2Ks>},
    {"ggml.iq4_kss/1", "iq4_kss", 146, 256, 128, 4, dequantize_products<block_products::Iq4Kss>},
    {"ggml.iq5_ks/1", "iq5_ks", 152, 256, 168, 4, dequantize_products<block_products::Iq5Ks>},
    {"ggml.iq2_kt/1", "iq2_kt", 153, 256, 68, 4, dequantize_products<block_products::Iq2Kt>},
    {"ggml.iq3_kt/1", "iq3_kt", 154, 256, 100, 4, dequantize_iq3_kt},
    {"ggml.iq4_kt/1", "iq4_kt", 155, 256, 128, 4, dequantize_products<block_products::Iq4Kt>},
    {"ggml.iq3_ks/1", "iq3_ks", 156, 256, 102, 2, dequantize_products<block_products::Iq3Ks>},
    {"ggml.iq2_kl/1", "iq2_kl", 157, 256, 86, 2, dequantize_products<block_products::Iq2Kl>},
}};

/// The format with that GGUF number, or null. Static storage.
constexpr const BlockType* find_block_type(std::uint32_t gguf_number) noexcept {
  for (const BlockType& type : kBlockTypes) {
    if (type.gguf_number == gguf_number) return &type;
  }
  return nullptr;
}

/// The format with that id ("ggml.q4_k/1", "f16"), or null. Static storage.
constexpr const BlockType* find_block_type(std::string_view id) noexcept {
  for (const BlockType& type : kBlockTypes) {
    if (type.id == id) return &type;
  }
  return nullptr;
}

/// Reads one row into floats. The result is exact to the last bit of the format's definition.
///   type     a format with is_readable()
///   row      type.row_bytes(columns) bytes, any alignment
///   columns  a number that type.accepts_columns() takes
///   out      [columns], not overlapping row
/// Thread     any
/// Errors     none: every pattern of bits has a meaning
inline void dequantize_row(const BlockType& type, const std::byte* row, std::uint64_t columns,
                           float* out) {
  type.dequantize(row, columns, out);
}

}  // namespace vernal
