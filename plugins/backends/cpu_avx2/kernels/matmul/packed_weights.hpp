// The form in which weights lie in memory: the file's bytes, interleaved over eight rows.
//
// Eight neighbouring rows make a group. Inside a group the four-byte words of the rows are
// interleaved: word i of row 0, of row 1, ... of row 7, then word i + 1. A 256-bit load then holds
// the same columns of eight rows, so sums over columns need no step across lanes and scales are
// unpacked for eight rows at once. It is a permutation of bytes: nothing is rounded, nothing grows
// (but for padding to cache lines), and a row can be taken out again.
//
//   group: row headers       [8] f32, formats with a scale per row only
//          blocks            [words per block][8] u32, for some formats in the order of
//                            word_places.hpp
//          lines of scales   [4][8] f16 in front of every four blocks, where the block's f16 D does
//                            not fit into a word (of mxfp4: [8][8] bytes in front of eight blocks)
// So a kernel reads a group from front to back. Plain floats (f32, f16, bf16) keep whole rows: [8][columns].
//
// Storage formats without a kernel are converted to the 8-bit form (eight_bit_form.hpp) before they
// are packed; that grows them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/weight_format.hpp"

namespace vernal::cpu_avx2 {

/// Rows that lie interleaved.
inline constexpr std::int64_t kRowGroup = 8;

/// Bytes that the scales of neighbouring blocks have together in front of these.
inline constexpr std::int64_t kScaleLine = 64;

/// Where a block of eight rows lies, in bytes from the first block of its group.
struct BlockPlace {
  std::int64_t words;
  std::int64_t scales;  ///< if they are no part of a word
};

/// The place of block b. Inlined always, because kernels compiled for different processors use it.
///   word_bytes   of the words of a block of eight rows
///   scale_bytes  of its scales, a divisor of kScaleLine; 0: they are part of a word
[[gnu::always_inline]] constexpr BlockPlace block_place(std::int64_t b, std::int64_t word_bytes,
                                                        std::int64_t scale_bytes) {
  if (scale_bytes == 0) return {b * word_bytes, 0};
  const std::int64_t blocks_per_line = kScaleLine / scale_bytes;
  const std::int64_t lines = b / blocks_per_line;
  return {b * word_bytes + (lines + 1) * kScaleLine,
          lines * (kScaleLine + blocks_per_line * word_bytes) + b % blocks_per_line * scale_bytes};
}

/// Whether a line of scales lies right in front of block b. Arguments as in block_place().
[[gnu::always_inline]] constexpr bool is_behind_scales(std::int64_t b, std::int64_t scale_bytes) {
  return scale_bytes > 0 && b % (kScaleLine / scale_bytes) == 0;
}

/// A matrix [num_rows, num_columns] in packed form. Borrowed.
struct PackedMatrix {
  const WeightFormat* format = nullptr;  ///< a row of the tables
  std::int64_t num_rows = 0;
  std::int64_t num_columns = 0;
  const std::byte* data = nullptr;  ///< groups, 64-byte aligned, the last one filled with zeros

  std::int64_t num_groups() const { return (num_rows + kRowGroup - 1) / kRowGroup; }
};

/// Bytes of one row before it is packed: as stored in a file, or converted.
std::int64_t stored_row_bytes(const WeightFormat& format, std::int64_t num_columns);

/// Bytes from one group to the next, a multiple of 64.
std::int64_t group_bytes(const WeightFormat& format, std::int64_t num_columns);

/// Bytes of a packed matrix.
std::int64_t packed_bytes(const WeightFormat& format, std::int64_t num_rows,
                          std::int64_t num_columns);

/// Packs `num_rows` <= 8 rows into one group; missing rows become zeros.
///   rows   num_rows * stored_row_bytes() bytes, any alignment
///   group  group_bytes() bytes, must not overlap
void pack_group(const WeightFormat& format, std::int64_t num_columns, const std::byte* rows,
                std::int64_t num_rows, std::byte* group);

/// pack_group() for rows of the storage format `stored`, converted first where
/// find_weight_format() says so.
///   rows     num_rows * stored.row_bytes() bytes
///   scratch  kRowGroup * stored_row_bytes() bytes of the format packed into
void convert_and_pack_group(const BlockType& stored, std::int64_t num_columns,
                            const std::byte* rows, std::int64_t num_rows, std::byte* scratch,
                            std::byte* group);

/// Takes row `row` out again: stored_row_bytes() bytes, as they were before.
void unpack_row(const PackedMatrix& matrix, std::int64_t row, std::byte* stored);

/// Row `row` as floats: out[num_columns], the values of vernal::dequantize_row() of the file's
/// bytes.
///   scratch  stored_row_bytes() bytes
void dequantize_packed_row(const PackedMatrix& matrix, std::int64_t row, std::byte* scratch,
                           float* out);

}  // namespace vernal::cpu_avx2
