#include "kernels/matmul/weight_format.hpp"

#include "shared/weights/eight_bit_form.hpp"

namespace vernal::cpu_avx2 {

namespace {

const WeightFormat* find_row(std::string_view id) {
  for (const std::span<const WeightFormat> family : weight_format_families()) {
    for (const WeightFormat& format : family) {
      if (format.id == id) return &format;
    }
  }
  return nullptr;
}

}  // namespace

std::array<std::span<const WeightFormat>, 4> weight_format_families() {
  return {float_formats(), formats_in_blocks_of_32(), formats_in_blocks_of_256(),
          formats_with_value_tables()};
}

const WeightFormat* find_weight_format(std::string_view id) {
  if (const WeightFormat* format = find_row(id)) return format;
  return backend::find_eight_bit_writer(id) != nullptr ? find_row(kEightBitId) : nullptr;
}

}  // namespace vernal::cpu_avx2
