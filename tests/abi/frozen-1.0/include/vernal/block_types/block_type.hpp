// One storage format of weights: how many bytes a row takes and how it is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vernal {

/// Reads one row: `columns` floats to `out` from the bytes of `row`. `columns` satisfies
/// accepts_columns(), `row` holds row_bytes(columns) bytes at any alignment and does not overlap
/// `out`.
using DequantizeRow = void (*)(const std::byte* row, std::uint64_t columns, float* out);

/// A tensor is rows of `columns` values; a row is a header (most formats have none) and then blocks
/// of equal size in column order. Rows follow each other without a gap.
struct BlockType {
  std::string_view id;              ///< "ggml.q4_k/1": the name across the plugin interface
  std::string_view name;            ///< "q4_K": the short name in listings
  std::uint32_t gguf_number;        ///< the type's number in GGUF files
  std::uint32_t weights_per_block;  ///< 1 for plain numbers
  std::uint32_t bytes_per_block;    ///< without the row header
  std::uint32_t row_header_bytes;   ///< in front of every row; 0 for most
  DequantizeRow dequantize;         ///< null: known by size, but not readable here

  /// No tensor has longer rows; the bound keeps row_bytes() from wrapping.
  static constexpr std::uint64_t kMaxColumns = std::uint64_t{1} << 48U;

  /// True for a positive multiple of weights_per_block, at most kMaxColumns.
  constexpr bool accepts_columns(std::uint64_t columns) const noexcept {
    return columns != 0 && columns <= kMaxColumns && columns % weights_per_block == 0;
  }

  /// Bytes of one row, header included, for a number of columns that accepts_columns() takes.
  constexpr std::uint64_t row_bytes(std::uint64_t columns) const noexcept {
    return row_header_bytes + columns / weights_per_block * bytes_per_block;
  }

  /// Storage per weight without row headers, as files are advertised: 4.5 for q4_K.
  constexpr double bits_per_weight() const noexcept {
    return 8.0 * static_cast<double>(bytes_per_block) / static_cast<double>(weights_per_block);
  }

  constexpr bool is_readable() const noexcept { return dequantize != nullptr; }
};

}  // namespace vernal
