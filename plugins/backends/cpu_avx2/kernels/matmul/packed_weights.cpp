#include "kernels/matmul/packed_weights.hpp"

#include <cstring>

#include "kernels/interleave.hpp"
#include "shared/weights/eight_bit_form.hpp"

namespace vernal::cpu_avx2 {

namespace {

constexpr std::int64_t kWordBytes = 4;

BlockPlace place_of(const WeightFormat& format, std::int64_t b) {
  return block_place(b, format.num_words * kRowGroup * kWordBytes, format.scale_bytes * kRowGroup);
}

/// Calls move(stored_offset, group_offset, bytes) for every piece of row `row` of a group. The
/// format is a copy: so the compiler knows that a stored byte does not change it, and does not read
/// it again for every word.
template <class Move>
void for_each_piece(WeightFormat format, std::int64_t num_columns, std::int64_t row, Move&& move) {
  const std::int64_t blocks = num_columns / format.block_columns;
  if (format.num_words == 0) {
    const std::int64_t bytes = blocks * format.block_bytes;
    move(std::int64_t{0}, row * bytes, bytes);
    return;
  }
  if (format.header_bytes > 0)
    move(std::int64_t{0}, row * format.header_bytes, format.header_bytes);
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::int64_t stored = format.header_bytes + b * format.block_bytes;
    const BlockPlace place = place_of(format, b);
    const std::int64_t words_at = kRowGroup * format.header_bytes + place.words;
    for (std::int64_t w = 0; w < format.num_words; ++w) {
      const std::int64_t at = format.word_places != nullptr ? format.word_places[w] : w;
      move(stored + format.words_at + w * kWordBytes,
           words_at + (at * kRowGroup + row) * kWordBytes, kWordBytes);
    }
    if (format.scale_at >= 0) {
      move(stored + format.scale_at,
           kRowGroup * format.header_bytes + place.scales + row * format.scale_bytes,
           format.scale_bytes);
    }
  }
}

/// Copies a piece; the word-sized case is spelled out because it is nearly all of them.
void copy_piece(std::byte* to, const std::byte* from, std::int64_t bytes) {
  if (bytes == kWordBytes) {
    std::memcpy(to, from, kWordBytes);
  } else {
    std::memcpy(to, from, static_cast<std::size_t>(bytes));
  }
}

/// A group of eight rows in blocks: the words of all rows at once, then what is no word.
void pack_whole_group(const WeightFormat& format, std::int64_t num_columns, const std::byte* rows,
                      std::byte* group) {
  const std::int64_t row_bytes = stored_row_bytes(format, num_columns);
  const std::int64_t blocks = num_columns / format.block_columns;
  const std::byte* const first_block = rows + format.header_bytes;
  std::byte* const packed = group + kRowGroup * format.header_bytes;
  const bool is_in_order = format.scale_at < 0 && format.word_places == nullptr;
  if (is_in_order) {
    interleave_eight_rows(first_block, row_bytes, blocks * format.num_words, nullptr, packed);
  }
  for (std::int64_t b = 0; b < blocks && !is_in_order; ++b) {
    const std::byte* const block = first_block + b * format.block_bytes;
    const BlockPlace place = place_of(format, b);
    interleave_eight_rows(block + format.words_at, row_bytes, format.num_words, format.word_places,
                          packed + place.words);
    for (std::int64_t row = 0; row < kRowGroup && format.scale_at >= 0; ++row) {
      copy_piece(packed + place.scales + row * format.scale_bytes,
                 block + row * row_bytes + format.scale_at, format.scale_bytes);
    }
  }
  for (std::int64_t row = 0; row < kRowGroup && format.header_bytes > 0; ++row) {
    copy_piece(group + row * format.header_bytes, rows + row * row_bytes, format.header_bytes);
  }
}

}  // namespace

std::int64_t stored_row_bytes(const WeightFormat& format, std::int64_t num_columns) {
  return format.header_bytes + num_columns / format.block_columns * format.block_bytes;
}

std::int64_t group_bytes(const WeightFormat& format, std::int64_t num_columns) {
  constexpr std::int64_t kLine = 64;
  const std::int64_t blocks = num_columns / format.block_columns;
  std::int64_t bytes = kRowGroup * stored_row_bytes(format, num_columns);
  if (format.scale_at >= 0) {  // the last line of scales may have room to spare
    const std::int64_t last_words = format.num_words * kRowGroup * kWordBytes;
    bytes = kRowGroup * format.header_bytes + place_of(format, blocks - 1).words + last_words;
  }
  return (bytes + kLine - 1) / kLine * kLine;
}

std::int64_t packed_bytes(const WeightFormat& format, std::int64_t num_rows,
                          std::int64_t num_columns) {
  return (num_rows + kRowGroup - 1) / kRowGroup * group_bytes(format, num_columns);
}

void pack_group(const WeightFormat& format, std::int64_t num_columns, const std::byte* rows,
                std::int64_t num_rows, std::byte* group) {
  if (num_rows == kRowGroup && format.num_words > 0) {
    pack_whole_group(format, num_columns, rows, group);
    return;
  }
  const std::int64_t row_bytes = stored_row_bytes(format, num_columns);
  if (num_rows < kRowGroup) {
    std::memset(group, 0, static_cast<std::size_t>(group_bytes(format, num_columns)));
  }
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const std::byte* from = rows + row * row_bytes;
    for_each_piece(format, num_columns, row,
                   [&](std::int64_t in_row, std::int64_t in_group, std::int64_t bytes) {
                     copy_piece(group + in_group, from + in_row, bytes);
                   });
  }
}

void convert_and_pack_group(const BlockType& stored, std::int64_t num_columns,
                            const std::byte* rows, std::int64_t num_rows, std::byte* scratch,
                            std::byte* group) {
  const WeightFormat& format = *find_weight_format(stored.id);
  if (format.id != kEightBitId) {
    pack_group(format, num_columns, rows, num_rows, group);
    return;
  }
  const auto columns = static_cast<std::uint64_t>(num_columns);
  backend::WriteEightBitRow* const write = backend::find_eight_bit_writer(stored.id);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    write(rows + row * static_cast<std::int64_t>(stored.row_bytes(columns)), columns,
          scratch + row * stored_row_bytes(format, num_columns));
  }
  pack_group(format, num_columns, scratch, num_rows, group);
}

void unpack_row(const PackedMatrix& matrix, std::int64_t row, std::byte* stored) {
  const std::byte* group =
      matrix.data + row / kRowGroup * group_bytes(*matrix.format, matrix.num_columns);
  for_each_piece(*matrix.format, matrix.num_columns, row % kRowGroup,
                 [&](std::int64_t in_row, std::int64_t in_group, std::int64_t bytes) {
                   copy_piece(stored + in_row, group + in_group, bytes);
                 });
}

void dequantize_packed_row(const PackedMatrix& matrix, std::int64_t row, std::byte* scratch,
                           float* out) {
  unpack_row(matrix, row, scratch);
  if (matrix.format->id == kEightBitId) {
    backend::read_eight_bit_row(scratch, matrix.num_columns, out);
    return;
  }
  const BlockType* type = find_block_type(matrix.format->id);
  dequantize_row(*type, scratch, static_cast<std::uint64_t>(matrix.num_columns), out);
}

}  // namespace vernal::cpu_avx2
