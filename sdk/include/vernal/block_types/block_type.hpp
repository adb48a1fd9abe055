// One storage format of weights: how many bytes a row has, and how it is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vernal {

/// Reads one row.
///   row      row_bytes(columns) bytes, at any alignment
///   columns  a number that accepts_columns() takes
///   out      [columns], not overlapping row
using DequantizeRow = void (*)(const std::byte* row, std::uint64_t columns, float* out);

/// A tensor consists of rows of `columns` values, without gaps between rows. A row consists of a
/// header, which most formats do not have, and of blocks of equal size in the order of columns.
struct BlockType {
  std::string_view id;              ///< "ggml.q4_k/1": the name across the plugin interface
  std::string_view name;            ///< "q4_K": the short name in listings
  std::uint32_t gguf_number;        ///< the type's number in GGUF files
  std::uint32_t weights_per_block;  ///< 1 for plain numbers
  std::uint32_t bytes_per_block;    ///< without the row header
  std::uint32_t row_header_bytes;   ///< in front of every row; 0 for most
  DequantizeRow dequantize;         ///< null: only the size is known, nothing reads the format

  /// The longest row. The bound keeps row_bytes() from overflowing.
  static constexpr std::uint64_t kMaxColumns = std::uint64_t{1} << 48U;

  /// Whether a row can have so many columns: a positive multiple of weights_per_block, at most
  /// kMaxColumns.
  constexpr bool accepts_columns(std::uint64_t columns) const noexcept {
    return columns != 0 && columns <= kMaxColumns && columns % weights_per_block == 0;
  }

  /// The bytes of one row, header included. `columns` is a number that accepts_columns() takes.
  constexpr std::uint64_t row_bytes(std::uint64_t columns) const noexcept {
    return row_header_bytes + columns / weights_per_block * bytes_per_block;
  }

  /// Bits of storage for each weight, without row headers, as files are advertised: 4.5 for q4_K.
  constexpr double bits_per_weight() const noexcept {
    return 8.0 * static_cast<double>(bytes_per_block) / static_cast<double>(weights_per_block);
  }

  /// Whether dequantize may be called.
  constexpr bool is_readable() const noexcept { return dequantize != nullptr; }
};

}  // namespace vernal
