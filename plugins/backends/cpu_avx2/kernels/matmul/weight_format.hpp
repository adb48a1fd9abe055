// The storage formats that the kernels multiply: one row for each.
//
// A row stands in the table of its family, beside the template that makes its kernel:
// formats_float.cpp, formats_32.cpp, formats_256.cpp and formats_iqk.cpp. Adding a format means
// adding a row there, and its description (how codes are unpacked) to the header of the same name.
// Kernels for other instruction sets than AVX2 are rows of vnni/kernel_table.hpp; nothing else in
// the backend names formats.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "kernels/instruction_set.hpp"
#include "kernels/matmul/activation_blocks.hpp"
#include "kernels/matmul/matmul_kernels.hpp"
#include "vernal/block_types.hpp"

namespace vernal::cpu_avx2 {

/// A format: what it is called, how a row lies in a file, and what multiplies it. Rows of the
/// tables have static storage; everybody else holds a pointer to one.
struct WeightFormat {
  std::string_view id;  ///< of vernal/block_types.hpp; kEightBitId for the 8-bit form
  ActivationKind activations = ActivationKind::kFloat;  ///< what the kernel multiplies with
  std::int64_t block_columns = 1;
  std::int64_t block_bytes = 0;               ///< of a block in the file
  std::int64_t header_bytes = 0;              ///< in front of each row
  std::int64_t words_at = 0;                  ///< of the block's 32-bit words, from its start
  std::int64_t num_words = 0;                 ///< 0: plain floats
  const std::uint8_t* word_places = nullptr;  ///< of each word when packed; null: as in the file
  std::int64_t scale_at = -1;                 ///< of a scale that is no part of a word, or -1
  std::int64_t scale_bytes = 0;
  MatmulGroups* multiply = nullptr;
  std::int64_t groups_at_once = 1;  ///< row groups that `multiply` likes to have side by side
};

/// The id of the form that other formats are converted into (eight_bit_form.hpp).
inline constexpr std::string_view kEightBitId = "8-bit";

/// The scale of a block that is no part of a word.
struct BlockScale {
  std::int64_t at = -1;  ///< bytes from the start of the block; -1: there is none
  std::int64_t bytes = 0;
};

/// Completes a row of a format in blocks. The words lie behind a scale at the start of a block.
///   num_words, header_bytes   as in WeightFormat
constexpr WeightFormat block_format(std::string_view id, ActivationKind activations,
                                    std::int64_t num_words, std::int64_t header_bytes,
                                    BlockScale scale, MatmulGroups* multiply) {
  WeightFormat format;
  format.id = id;
  format.activations = activations;
  format.block_columns = activations == ActivationKind::kBlocks256 ? 256 : 32;
  format.block_bytes = 4 * num_words + scale.bytes;
  format.header_bytes = header_bytes;
  format.words_at = scale.at == 0 ? scale.bytes : 0;
  format.num_words = num_words;
  format.scale_at = scale.at;
  format.scale_bytes = scale.bytes;
  format.multiply = multiply;
  return format;
}

/// Whether the rows of a table have the sizes that files have.
template <std::size_t kSize>
constexpr bool have_sizes_of_files(const std::array<WeightFormat, kSize>& formats) {
  for (const WeightFormat& format : formats) {
    if (format.id == kEightBitId) continue;
    const BlockType* type = find_block_type(format.id);
    if (type == nullptr || type->weights_per_block != format.block_columns ||
        type->bytes_per_block != format.block_bytes ||
        type->row_header_bytes != format.header_bytes) {
      return false;
    }
  }
  return true;
}

/// The tables of the families.
std::span<const WeightFormat> float_formats();
std::span<const WeightFormat> formats_in_blocks_of_32();
std::span<const WeightFormat> formats_in_blocks_of_256();
std::span<const WeightFormat> formats_with_value_tables();

/// All of them.
std::array<std::span<const WeightFormat>, 4> weight_format_families();

/// The format whose kernel multiplies weights of that id of vernal/block_types.hpp ("ggml.q4_k/1"):
/// the same bytes if there is one, else the 8-bit form if they can be converted, else null.
/// With another instruction set than AVX2 the same, but for the kernel of that set, if there is one.
const WeightFormat* find_weight_format(std::string_view id,
                                       InstructionSet set = InstructionSet::kAvx2);

}  // namespace vernal::cpu_avx2
