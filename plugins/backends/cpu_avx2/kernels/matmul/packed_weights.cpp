#include "kernels/matmul/packed_weights.hpp"

#include <array>
#include <cstring>

#include "kernels/matmul/eight_bit_form.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Where the parts of a stored block lie. `num_words` is 0 for plain floats.
struct Geometry {
  std::string_view id;
  ActivationKind activations;
  std::int64_t block_columns;
  std::int64_t block_bytes;
  std::int64_t header_bytes;
  std::int64_t words_at;
  std::int64_t num_words;
  std::int64_t scale_at;  // of a scale that is no part of a word, or -1
  std::int64_t scale_bytes;
};

constexpr auto kFloat = ActivationKind::kFloat;
constexpr auto kBy32 = ActivationKind::kBlocks32;
constexpr auto kBy256 = ActivationKind::kBlocks256;

/// In the order of WeightFormat.
constexpr std::array<Geometry, kNumWeightFormats> kGeometry{{
    {"f32", kFloat, 1, 4, 0, 0, 0, -1, 0},
    {"f16", kFloat, 1, 2, 0, 0, 0, -1, 0},
    {"bf16", kFloat, 1, 2, 0, 0, 0, -1, 0},
    {"ggml.q4_0/1", kBy32, 32, 18, 0, 2, 4, 0, 2},
    {"ggml.q4_1/1", kBy32, 32, 20, 0, 0, 5, -1, 0},
    {"ggml.q5_0/1", kBy32, 32, 22, 0, 2, 5, 0, 2},
    {"ggml.q5_1/1", kBy32, 32, 24, 0, 0, 6, -1, 0},
    {"ggml.q8_0/1", kBy32, 32, 34, 0, 2, 8, 0, 2},
    {"ggml.q4_k/1", kBy256, 256, 144, 0, 0, 36, -1, 0},
    {"ggml.q5_k/1", kBy256, 256, 176, 0, 0, 44, -1, 0},
    {"ggml.q6_k/1", kBy256, 256, 210, 0, 0, 52, 208, 2},
    {"ggml.iq4_nl/1", kBy32, 32, 18, 0, 2, 4, 0, 2},
    {"ggml.iq4_xs/1", kBy256, 256, 136, 0, 0, 34, -1, 0},
    {"ggml.iq4_ks/1", kBy256, 256, 136, 4, 0, 34, -1, 0},
    {"ggml.q2_k/1", kBy256, 256, 84, 0, 0, 21, -1, 0},
    {"ggml.q6_0/1", kBy32, 32, 26, 0, 2, 6, 0, 2},
    {"ggml.mxfp4/1", kBy32, 32, 17, 0, 1, 4, 0, 1},
    {"ggml.q3_k/1", kBy256, 256, 110, 0, 0, 27, 108, 2},
    {"ggml.iq2_k/1", kBy256, 256, 76, 0, 0, 19, -1, 0},
    {"ggml.iq3_k/1", kBy256, 256, 110, 0, 2, 27, 0, 2},
    {"ggml.iq4_k/1", kBy256, 256, 144, 0, 0, 36, -1, 0},
    {"ggml.iq5_k/1", kBy256, 256, 176, 0, 0, 44, -1, 0},
    {"ggml.iq5_ks/1", kBy256, 256, 168, 4, 0, 42, -1, 0},
    {"ggml.iq6_k/1", kBy256, 256, 212, 0, 0, 53, -1, 0},
    {"8-bit", kBy256, 256, 276, 0, 0, 69, -1, 0},
}};

const Geometry& geometry(WeightFormat format) {
  return kGeometry[static_cast<std::size_t>(format)];
}

constexpr std::int64_t kWordBytes = 4;

/// Calls move(stored_offset, group_offset, bytes) for every piece of row `row` of a group.
template <class Move>
void for_each_piece(const Geometry& g, std::int64_t num_columns, std::int64_t row, Move&& move) {
  const std::int64_t blocks = num_columns / g.block_columns;
  if (g.num_words == 0) {
    const std::int64_t bytes = blocks * g.block_bytes;
    move(std::int64_t{0}, row * bytes, bytes);
    return;
  }
  if (g.header_bytes > 0) move(std::int64_t{0}, row * g.header_bytes, g.header_bytes);
  const std::int64_t words_at = kRowGroup * g.header_bytes;
  const std::int64_t scales_at = words_at + blocks * g.num_words * kRowGroup * kWordBytes;
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::int64_t stored = g.header_bytes + b * g.block_bytes;
    for (std::int64_t w = 0; w < g.num_words; ++w) {
      const std::int64_t slot = (b * g.num_words + w) * kRowGroup + row;
      move(stored + g.words_at + w * kWordBytes, words_at + slot * kWordBytes, kWordBytes);
    }
    if (g.scale_at >= 0) {
      move(stored + g.scale_at, scales_at + (b * kRowGroup + row) * g.scale_bytes, g.scale_bytes);
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

}  // namespace

std::optional<WeightFormat> find_weight_format(std::string_view id) {
  for (std::size_t i = 0; i < kGeometry.size(); ++i) {
    if (kGeometry[i].id == id) return static_cast<WeightFormat>(i);
  }
  if (find_eight_bit_writer(id) != nullptr) return WeightFormat::kEightBit;
  return std::nullopt;
}

std::string_view weight_format_id(WeightFormat format) { return geometry(format).id; }

ActivationKind activation_kind(WeightFormat format) { return geometry(format).activations; }

std::int64_t stored_row_bytes(WeightFormat format, std::int64_t num_columns) {
  const Geometry& g = geometry(format);
  return g.header_bytes + num_columns / g.block_columns * g.block_bytes;
}

std::int64_t group_bytes(WeightFormat format, std::int64_t num_columns) {
  constexpr std::int64_t kLine = 64;
  return (kRowGroup * stored_row_bytes(format, num_columns) + kLine - 1) / kLine * kLine;
}

std::int64_t packed_bytes(WeightFormat format, std::int64_t num_rows, std::int64_t num_columns) {
  return (num_rows + kRowGroup - 1) / kRowGroup * group_bytes(format, num_columns);
}

void pack_group(WeightFormat format, std::int64_t num_columns, const std::byte* rows,
                std::int64_t num_rows, std::byte* group) {
  const Geometry& g = geometry(format);
  const std::int64_t row_bytes = stored_row_bytes(format, num_columns);
  if (num_rows < kRowGroup) {
    std::memset(group, 0, static_cast<std::size_t>(group_bytes(format, num_columns)));
  }
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const std::byte* from = rows + row * row_bytes;
    for_each_piece(g, num_columns, row,
                   [&](std::int64_t in_row, std::int64_t in_group, std::int64_t bytes) {
                     copy_piece(group + in_group, from + in_row, bytes);
                   });
  }
}

void convert_and_pack_group(const BlockType& stored, std::int64_t num_columns,
                            const std::byte* rows, std::int64_t num_rows, std::byte* scratch,
                            std::byte* group) {
  const WeightFormat format = *find_weight_format(stored.id);
  if (format != WeightFormat::kEightBit) {
    pack_group(format, num_columns, rows, num_rows, group);
    return;
  }
  const auto columns = static_cast<std::uint64_t>(num_columns);
  WriteEightBitRow* const write = find_eight_bit_writer(stored.id);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    write(rows + row * static_cast<std::int64_t>(stored.row_bytes(columns)), columns,
          scratch + row * stored_row_bytes(format, num_columns));
  }
  pack_group(format, num_columns, scratch, num_rows, group);
}

void unpack_row(const PackedMatrix& matrix, std::int64_t row, std::byte* stored) {
  const std::byte* group =
      matrix.data + row / kRowGroup * group_bytes(matrix.format, matrix.num_columns);
  for_each_piece(geometry(matrix.format), matrix.num_columns, row % kRowGroup,
                 [&](std::int64_t in_row, std::int64_t in_group, std::int64_t bytes) {
                   copy_piece(stored + in_row, group + in_group, bytes);
                 });
}

void dequantize_packed_row(const PackedMatrix& matrix, std::int64_t row, std::byte* scratch,
                           float* out) {
  unpack_row(matrix, row, scratch);
  if (matrix.format == WeightFormat::kEightBit) {
    read_eight_bit_row(scratch, matrix.num_columns, out);
    return;
  }
  const BlockType* type = find_block_type(weight_format_id(matrix.format));
  dequantize_row(*type, scratch, static_cast<std::uint64_t>(matrix.num_columns), out);
}

}  // namespace vernal::cpu_avx2
