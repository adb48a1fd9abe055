// The table of plain floats.
#include "kernels/matmul/matmul_float.hpp"

namespace vernal::cpu_avx2 {

namespace {

template <class Weights>
constexpr WeightFormat row(std::string_view id) {
  WeightFormat format;
  format.id = id;
  format.block_bytes = Weights::kBytes;
  format.multiply = matmul_groups_float<Weights>;
  return format;
}

constexpr std::array kFormats{
    row<F32Weights>("f32"),
    row<F16Weights>("f16"),
    row<Bf16Weights>("bf16"),
};
static_assert(have_sizes_of_files(kFormats));

}  // namespace

std::span<const WeightFormat> float_formats() { return kFormats; }

}  // namespace vernal::cpu_avx2
