// Forms for weights with a minimum, and for blocks of 32 with scales that are no f16: 8-bit codes,
// written out as the 8-bit form is (eight_bit_form.hpp), for backends without a kernel of their own.
// Nothing is rounded: D * code + M gives the floats of the storage format.
//
//   blocks of 32    D f32 @0, M f32 @4, 32 signed codes @8: 10 bits per weight
//   blocks of 256   D f32 @0, M f32 @4, sixteen scales s @8 and minima m @24 as unsigned bytes, 256
//                   signed codes @40: (D * s) * code + M * m; 9.25 bits per weight
#pragma once

#include "shared/weights/eight_bit_form.hpp"

namespace vernal::backend {

inline constexpr std::int64_t kAffine32Bytes = 40;
inline constexpr std::int64_t kAffine256Bytes = 296;

/// The writer of rows in blocks of 32 or 256 for a storage format, or null if the format has no such
/// form.
WriteEightBitRow* find_affine32_writer(std::string_view id);
WriteEightBitRow* find_affine256_writer(std::string_view id);

}  // namespace vernal::backend
