// The form that weights without a kernel of their own are converted into when they are loaded: the
// integers of a product format (vernal/block_types/products.hpp), written out.
//
// A row is blocks of 256 weights: D f32 @0, s of sixteen groups as signed bytes @4, v as 256 signed
// bytes @20. Nothing is rounded: (D * s) * v gives the floats of the storage format, to the bit but
// for the sign of zero. 8.625 bits per weight, whatever the format had.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vernal/block_types.hpp"

namespace vernal::backend {

inline constexpr std::int64_t kEightBitBlockBytes = 276;
inline constexpr std::int64_t kEightBitScalesAt = 4;
inline constexpr std::int64_t kEightBitCodesAt = 20;

/// Writes row after row of a format in the 8-bit form: num_columns / 256 blocks to `out`.
using WriteEightBitRow = void(const std::byte* stored, std::uint64_t num_columns, std::byte* out);

/// The writer for a storage format, or null if the format has no such form.
WriteEightBitRow* find_eight_bit_writer(std::string_view id);

/// A row of the 8-bit form as floats.
void read_eight_bit_row(const std::byte* row, std::int64_t num_columns, float* out);

}  // namespace vernal::backend
