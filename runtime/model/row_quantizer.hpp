// From floats to the bytes of a block type, by rounding to the nearest code. Made for weights
// without a meaning: no importance matrix, no search over scales.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "vernal/block_types.hpp"

namespace vernal {

/// Writes one row of `columns` finite floats, a number the type accepts, as row_bytes(columns)
/// bytes to `out`, which does not overlap `in`. Reads back through dequantize_row(). Thread   any.
using QuantizeRow = void (*)(const float* in, std::uint64_t columns, std::byte* out);

/// The writer of a type, or null: f32, f16, bf16, q8_0, q4_0, q4_K, q6_K, iq4_nl and iq4_ks have
/// one.
QuantizeRow find_row_quantizer(const BlockType& type) noexcept;

/// The block type of that short name ("q4_K") if it has a writer, else null. Static storage.
const BlockType* find_quantizable_type(std::string_view name) noexcept;

/// "f32, f16, ...": for messages.
std::string quantizable_type_names();

}  // namespace vernal
