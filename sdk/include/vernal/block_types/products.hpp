// Formats in which every weight is a product of three factors:
//   D   a float for each block or row
//   s   the scale, a small integer for each group of weights
//   v   the value, an integer for each weight that fits a signed byte
// A description of such a format has two uses: to read floats, and to take the integers out for
// products with integer activations.
//
// A description has these members:
//   kWeights, kBytes, kRowHeader  weights of a block, bytes of a block, bytes of the row header
//   kGroup                        number of weights that share s
//   unit(row, block)              D
//   scale(block, g)               s of group g, -128..127
//   code(block, w)                v of weight w, -127..127
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "vernal/block_types/fields.hpp"

namespace vernal {

/// Calls visit(row, block) for each block of a row. `block` is a copy; for_each_weight() says why.
template <class Format, class Visit>
void for_each_block(const std::byte* row, std::uint64_t columns, Visit visit) {
  std::array<std::byte, Format::kBytes> block;
  const std::byte* stored = row + Format::kRowHeader;
  for (std::uint64_t first = 0; first < columns; first += Format::kWeights) {
    std::copy_n(stored, Format::kBytes, block.begin());
    visit(row, static_cast<const std::byte*>(block.data()));
    stored += Format::kBytes;
  }
}

/// Reads a row of a described format: (D * s) * v, rounded after each product. If D is an f16, both
/// products are exact.
template <class Format>
void dequantize_products(const std::byte* row, std::uint64_t columns, float* out) {
  for_each_block<Format>(row, columns, [&out](const std::byte* of_row, const std::byte* block) {
    const float unit = Format::unit(of_row, block);
    for (std::uint32_t w = 0; w < Format::kWeights; w += Format::kGroup) {
      const float scale = unit * static_cast<float>(Format::scale(block, w / Format::kGroup));
      for (std::uint32_t i = w; i < w + Format::kGroup; ++i) {
        *out++ = scale * static_cast<float>(Format::code(block, i));
      }
    }
  });
}

namespace block_products {

/// 2 n + 1 for a stored n. The scales of grid formats are odd.
constexpr std::int32_t odd(std::uint32_t stored) noexcept {
  return static_cast<std::int32_t>(2 * stored + 1);
}

constexpr std::int32_t negated_if(bool is_negative, std::int32_t magnitude) noexcept {
  return is_negative ? -magnitude : magnitude;
}

}  // namespace block_products

}  // namespace vernal
