// The form in which weights lie in memory: the file's bytes, interleaved over eight rows.
//
// Eight neighbouring rows make a group. Inside a group the four-byte words of the rows are
// interleaved: word i of row 0, of row 1, ... of row 7, then word i + 1. A 256-bit load then holds
// the same columns of eight rows, so sums over columns need no step across lanes and scales are
// unpacked for eight rows at once. It is a permutation of bytes: nothing is rounded, nothing grows
// (but for padding of a group to a cache line), and a row can be taken out again.
//
//   group: row headers       [8] f32, formats with a scale per row only
//          words             [blocks][words per block][8] u32
//          scales            [blocks][8] f16, where the block's f16 D does not fit into a word (of
//                            mxfp4: one byte)
// Plain floats (f32, f16, bf16) keep whole rows: [8][columns].
//
// Storage formats without a kernel are converted to the 8-bit form (eight_bit_form.hpp) before they
// are packed; that grows them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "kernels/matmul/activation_blocks.hpp"
#include "vernal/block_types.hpp"

namespace vernal::cpu_avx2 {

/// Storage formats with kernels here.
enum class WeightFormat : std::uint8_t {
  kF32,
  kF16,
  kBf16,
  kQ4_0,
  kQ4_1,
  kQ5_0,
  kQ5_1,
  kQ8_0,
  kQ4K,
  kQ5K,
  kQ6K,
  kIq4Nl,
  kIq4Xs,
  kIq4Ks,
  kQ2K,
  kQ6_0,
  kMxfp4,
  kQ3K,
  kIq2K,
  kIq3K,
  kIq4K,
  kIq5K,
  kIq5Ks,
  kIq6K,
  kEightBit,  ///< what others are converted into
};

/// All of them.
inline constexpr std::int32_t kNumWeightFormats =
    static_cast<std::int32_t>(WeightFormat::kEightBit) + 1;

/// The format whose kernel multiplies weights of that id of vernal/block_types.hpp ("ggml.q4_k/1"):
/// the same bytes if there is one, else kEightBit if they can be converted, else nothing.
std::optional<WeightFormat> find_weight_format(std::string_view id);

/// The id of a format in vernal/block_types.hpp; "8-bit" for kEightBit.
std::string_view weight_format_id(WeightFormat format);

/// What the kernels of a format read activations as.
ActivationKind activation_kind(WeightFormat format);

/// Rows that lie interleaved.
inline constexpr std::int64_t kRowGroup = 8;

/// A matrix [num_rows, num_columns] in packed form. Borrowed.
struct PackedMatrix {
  WeightFormat format = WeightFormat::kF32;
  std::int64_t num_rows = 0;
  std::int64_t num_columns = 0;
  const std::byte* data = nullptr;  ///< groups, 64-byte aligned, the last one filled with zeros

  std::int64_t num_groups() const { return (num_rows + kRowGroup - 1) / kRowGroup; }
};

/// Bytes of one row before it is packed: as stored in a file, or converted.
std::int64_t stored_row_bytes(WeightFormat format, std::int64_t num_columns);

/// Bytes from one group to the next, a multiple of 64.
std::int64_t group_bytes(WeightFormat format, std::int64_t num_columns);

/// Bytes of a packed matrix.
std::int64_t packed_bytes(WeightFormat format, std::int64_t num_rows, std::int64_t num_columns);

/// Packs `num_rows` <= 8 rows into one group; missing rows become zeros.
///   rows   num_rows * stored_row_bytes() bytes, any alignment
///   group  group_bytes() bytes, must not overlap
void pack_group(WeightFormat format, std::int64_t num_columns, const std::byte* rows,
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
