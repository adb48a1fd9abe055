// The table of formats in blocks of 256, and of the 8-bit form.
#include "kernels/matmul/formats_256.hpp"

#include "kernels/matmul/matmul_256.hpp"

namespace vernal::cpu_avx2 {

namespace {

constexpr std::array kFormats{
    row_256<Q2K>("ggml.q2_k/1"),      row_256<Q3K>("ggml.q3_k/1", 108),
    row_256<Q4K>("ggml.q4_k/1"),      row_256<Q5K>("ggml.q5_k/1"),
    row_256<Q6K>("ggml.q6_k/1", 208), row_256<Iq4Xs>("ggml.iq4_xs/1"),
    row_256<Iq4Ks>("ggml.iq4_ks/1"),  row_256<EightBit>(kEightBitId),
};
static_assert(have_sizes_of_files(kFormats));

}  // namespace

std::span<const WeightFormat> formats_in_blocks_of_256() { return kFormats; }

}  // namespace vernal::cpu_avx2
