// Reading single fields of a stored block: numbers, planes of small codes, six-bit pairs. All
// fields are little-endian and unaligned.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "vernal/block_types/float16.hpp"

namespace vernal {

namespace block_fields {

constexpr std::uint32_t byte_at(const std::byte* block, std::uint32_t offset) noexcept {
  return std::to_integer<std::uint32_t>(block[offset]);
}

constexpr std::int32_t signed_byte_at(const std::byte* block, std::uint32_t offset) noexcept {
  return static_cast<std::int8_t>(block[offset]);
}

constexpr std::uint16_t u16_at(const std::byte* block, std::uint32_t offset) noexcept {
  return static_cast<std::uint16_t>(byte_at(block, offset) | byte_at(block, offset + 1) << 8U);
}

constexpr std::uint32_t u32_at(const std::byte* block, std::uint32_t offset) noexcept {
  return static_cast<std::uint32_t>(u16_at(block, offset)) |
         static_cast<std::uint32_t>(u16_at(block, offset + 2)) << 16U;
}

constexpr float f16_at(const std::byte* block, std::uint32_t offset) noexcept {
  return float_from_f16(u16_at(block, offset));
}

constexpr float f32_at(const std::byte* block, std::uint32_t offset) noexcept {
  return std::bit_cast<float>(u32_at(block, offset));
}

/// Number `index` of a field of `width`-bit numbers that are stored in planes. A run of `run` bytes
/// holds the first `run` numbers in its lowest bits, the next `run` numbers in the bits above, and
/// so on; then the next run of bytes follows. With run 1 the numbers fill byte after byte, from the
/// lowest bits on.
constexpr std::uint32_t plane_at(const std::byte* field, std::uint32_t run, std::uint32_t width,
                                 std::uint32_t index) noexcept {
  const std::uint32_t numbers_per_run = run * (8U / width);
  const std::uint32_t byte = index / numbers_per_run * run + index % run;
  const std::uint32_t plane = index % numbers_per_run / run;
  return byte_at(field, byte) >> plane * width & ((1U << width) - 1U);
}

/// The four-bit code of weight w in a field of planes of `run` bytes.
constexpr std::int32_t nibble_at(const std::byte* field, std::uint32_t run,
                                 std::uint32_t w) noexcept {
  return static_cast<std::int32_t>(plane_at(field, run, 4, w));
}

/// Scale and minimum of a group of 32 weights, six bits each.
struct SixBitPair {
  std::uint32_t scale;
  std::uint32_t minimum;
};

/// The pair of group 0 to 7. Eight pairs are packed in twelve bytes.
constexpr SixBitPair six_bit_pair_at(const std::byte* packed, std::uint32_t group) noexcept {
  if (group < 4) return {byte_at(packed, group) & 63U, byte_at(packed, group + 4) & 63U};
  const std::uint32_t low = byte_at(packed, group + 4);
  return {(low & 15U) | byte_at(packed, group - 4) >> 6U << 4U,
          low >> 4U | byte_at(packed, group) >> 6U << 4U};
}

/// Calls read(block, w) for each weight of each block of a row and stores the results. `block` is a
/// copy: so the compiler knows that a stored float does not change it, and reads each field once.
template <std::uint32_t kWeights, std::uint32_t kBytes, typename Read>
void for_each_weight(const std::byte* blocks, std::uint64_t columns, float* out, Read read) {
  std::array<std::byte, kBytes> block;
  for (std::uint64_t first = 0; first < columns; first += kWeights) {
    std::copy_n(blocks, kBytes, block.begin());
    for (std::uint32_t w = 0; w < kWeights; ++w) *out++ = read(block.data(), w);
    blocks += kBytes;
  }
}

}  // namespace block_fields

}  // namespace vernal
