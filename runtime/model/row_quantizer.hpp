// Turns floats into the bytes of a block type by rounding to the nearest code. It is made for
// weights without a meaning, such as random ones: it has no importance matrix and does not search
// for scales.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "vernal/block_types.hpp"

namespace vernal {

/// Writes one row. dequantize_row() reads it back.
///   in       [columns], finite
///   columns  a number that the type accepts
///   out      row_bytes(columns) bytes, not overlapping `in`
/// Thread     any
using QuantizeRow = void (*)(const float* in, std::uint64_t columns, std::byte* out);

/// The writer of a type, or null if it has none. f32, f16, bf16, q8_0, q4_0, q4_K, q6_K, iq4_nl and
/// iq4_ks have one.
QuantizeRow find_row_quantizer(const BlockType& type) noexcept;

/// The block type of that short name ("q4_K") if it has a writer, else null. Static storage.
const BlockType* find_quantizable_type(std::string_view name) noexcept;

/// The names of the types that have a writer, for messages: "f32, f16, ...".
std::string quantizable_type_names();

}  // namespace vernal
