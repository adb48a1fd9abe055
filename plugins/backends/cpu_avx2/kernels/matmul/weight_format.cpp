#include "kernels/matmul/weight_format.hpp"

#include <vector>

#include "shared/weights/eight_bit_form.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// All formats with the kernels of an instruction set.
std::vector<WeightFormat> table_of(std::span<const MatmulKernel> kernels, std::int64_t groups) {
  std::vector<WeightFormat> table;
  for (const std::span<const WeightFormat> family : weight_format_families()) {
    for (WeightFormat format : family) {
      for (const MatmulKernel& kernel : kernels) {
        if (kernel.format != format.id) continue;
        format.multiply = kernel.multiply;
        format.groups_at_once = groups;
      }
      table.push_back(format);
    }
  }
  return table;
}

std::span<const WeightFormat> formats_with(InstructionSet set) {
  static const std::array<std::vector<WeightFormat>, kNumInstructionSets> kTables{
      table_of({}, 1), table_of(avx_vnni_kernels(), 1), table_of(avx512_vnni_kernels(), 2)};
  return kTables.at(static_cast<std::size_t>(set));
}

const WeightFormat* find_row(std::string_view id, InstructionSet set) {
  for (const WeightFormat& format : formats_with(set)) {
    if (format.id == id) return &format;
  }
  return nullptr;
}

}  // namespace

std::array<std::span<const WeightFormat>, 4> weight_format_families() {
  return {float_formats(), formats_in_blocks_of_32(), formats_in_blocks_of_256(),
          formats_with_value_tables()};
}

const WeightFormat* find_weight_format(std::string_view id, InstructionSet set) {
  if (const WeightFormat* format = find_row(id, set)) return format;
  return backend::find_eight_bit_writer(id) != nullptr ? find_row(kEightBitId, set) : nullptr;
}

}  // namespace vernal::cpu_avx2
