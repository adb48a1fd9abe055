// The storage formats of weights, and what multiplies them: one row for each.
#pragma once

#include <string_view>

#include "kernels/matmul/matmul.hpp"
#include "shared/weights/eight_bit_form.hpp"
#include "vernal/block_types.hpp"

namespace vernal::cuda_sm86 {

/// How weights of a format are kept and multiplied. Rows of the table have static storage.
struct WeightFormat {
  std::string_view
      id;  ///< of vernal/block_types.hpp; "8-bit ..." for forms that are converted into
  const MatrixKernels* kernels = nullptr;
  /// Forms only: columns and bytes of a block as kernels read it, 0 for formats of files.
  std::int64_t block_columns = 0;
  std::int64_t block_bytes = 0;

  bool is_form() const { return block_columns > 0; }
};

/// The format whose kernels multiply weights of that id of vernal/block_types.hpp ("ggml.q4_k/1"):
/// the same codes if there is one, else a form of 8-bit codes if they can be converted, else null.
const WeightFormat* find_weight_format(std::string_view id);

/// What converts rows of that format for find_weight_format(). Not null if that is a form.
backend::WriteEightBitRow* find_converter(std::string_view id);

}  // namespace vernal::cuda_sm86
