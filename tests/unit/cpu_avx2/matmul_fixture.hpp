// A random matrix of any storage format, and its products.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/matmul/matmul.hpp"
#include "random_data.hpp"

namespace vernal::cpu_avx2 {

using Buffer = std::unique_ptr<std::byte, decltype(&std::free)>;

inline Buffer aligned(std::int64_t bytes) {
  const std::size_t size = (static_cast<std::size_t>(bytes) + 63) / 64 * 64;
  return {static_cast<std::byte*>(std::aligned_alloc(64, size == 0 ? 64 : size)), &std::free};
}

inline const BlockType& type_of(std::string_view id) {
  const BlockType* const type = find_block_type(id);
  if (type == nullptr) throw std::logic_error("no block type " + std::string(id));
  return *type;
}

inline const WeightFormat& format_of(std::string_view id) {
  const WeightFormat* const format = find_weight_format(id);
  if (format == nullptr) throw std::logic_error("no kernel multiplies " + std::string(id));
  return *format;
}

/// A random matrix in packed form and as floats.
struct Fixture {
  Fixture(const BlockType& stored_type, std::int64_t num_rows, std::int64_t num_columns)
      : type(stored_type),
        format(format_of(type.id)),
        rows(num_rows),
        columns(num_columns),
        row_bytes(static_cast<std::int64_t>(type.row_bytes(static_cast<std::uint64_t>(columns)))),
        stored(random_weights(type, rows, columns, 17)),
        packed(aligned(packed_bytes(format, rows, columns))) {
    pack();
  }

  void pack() const {
    const Buffer scratch = aligned(kRowGroup * stored_row_bytes(format, columns));
    for (std::int64_t g = 0; g * kRowGroup < rows; ++g) {
      convert_and_pack_group(type, columns, stored.data() + g * kRowGroup * row_bytes,
                             std::min(kRowGroup, rows - g * kRowGroup), scratch.get(),
                             packed.get() + g * group_bytes(format, columns));
    }
  }

  /// The same byte everywhere, with scales D of 1.
  void fill(std::byte byte) {
    std::fill(stored.begin(), stored.end(), byte);
    for (std::int64_t r = 0; r < rows; ++r) {
      std::byte* const row = stored.data() + r * row_bytes;
      const float one = 1.0F;
      if (type.row_header_bytes == 4) std::memcpy(row, &one, sizeof(one));
      if (type.row_header_bytes == 2) put_half(row, one);
      for (std::int64_t b = 0; b < columns / type.weights_per_block; ++b) {
        if (type.row_header_bytes == 0) put_scale(type, row + b * type.bytes_per_block, one);
      }
    }
    pack();
  }

  PackedMatrix matrix() const { return {&format, rows, columns, packed.get()}; }

  std::vector<float> row(std::int64_t r) const {
    std::vector<float> out(static_cast<std::size_t>(columns));
    dequantize_row(type, stored.data() + r * row_bytes, static_cast<std::uint64_t>(columns),
                   out.data());
    return out;
  }

  /// y[tokens, rows]; the groups are done in pieces of `groups`, by kernels of `set`.
  std::vector<float> multiply(const float* x, std::int64_t tokens, const float* bias,
                              std::int64_t groups, InstructionSet set = InstructionSet::kAvx2,
                              Requests requests = Requests::kAsMeasured) const {
    const ActivationKind kind = format.activations;
    const Buffer buffer =
        aligned(static_cast<std::int64_t>(activation_bytes(kind, tokens, columns)));
    Matmul matmul;
    matmul.weights = matrix();
    matmul.weights.format = find_weight_format(type.id, set);
    if (kind != ActivationKind::kFloat) {
      matmul.blocks = activation_blocks(kind, tokens, columns, buffer.get());
      quantize_rows(x, columns, matmul.blocks, 0, tokens);
    }
    matmul.x = x;
    matmul.x_stride = columns;
    matmul.num_tokens = tokens;
    matmul.requests = requests;
    matmul.bias = bias;
    std::vector<float> y(static_cast<std::size_t>(tokens * rows), -1.0F);
    matmul.y = y.data();
    matmul.y_stride = rows;
    const std::int64_t all = matrix().num_groups();
    for (std::int64_t first = 0; first < all; first += groups) {
      matmul_groups(matmul, first, std::min(first + groups, all));
    }
    return y;
  }

  const BlockType& type;
  const WeightFormat& format;
  std::int64_t rows;
  std::int64_t columns;
  std::int64_t row_bytes;
  std::vector<std::byte> stored;
  Buffer packed;
};

}  // namespace vernal::cpu_avx2
