// The table of formats in blocks of 256 with tables of values.
#include "kernels/matmul/formats_iqk.hpp"

#include "kernels/matmul/matmul_256.hpp"

namespace vernal::cpu_avx2 {

namespace {

constexpr std::array kFormats{
    row_256<Iq2K>("ggml.iq2_k/1"), row_256<Iq3K>("ggml.iq3_k/1", 0), row_256<Iq4K>("ggml.iq4_k/1"),
    row_256<Iq5K>("ggml.iq5_k/1"), row_256<Iq5Ks>("ggml.iq5_ks/1"),  row_256<Iq6K>("ggml.iq6_k/1"),
};
static_assert(have_sizes_of_files(kFormats));

}  // namespace

std::span<const WeightFormat> formats_with_value_tables() { return kFormats; }

}  // namespace vernal::cpu_avx2
