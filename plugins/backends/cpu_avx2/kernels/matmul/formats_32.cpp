// The table of formats in blocks of 32. A scale that is no part of a word is the first of a block.
#include "kernels/matmul/formats_32.hpp"

#include "kernels/matmul/matmul_32.hpp"

namespace vernal::cpu_avx2 {

namespace {

constexpr BlockScale scale_of(ScalePlace place) {
  if (place == ScalePlace::kWord) return {};
  return {0, place == ScalePlace::kExponentLine ? 1 : 2};
}

template <class Format>
constexpr WeightFormat row(std::string_view id) {
  return block_format(id, ActivationKind::kBlocks32, Format::kWords, 0, scale_of(Format::kScale),
                      matmul_groups_32<Format>);
}

constexpr std::array kFormats{
    row<Q4_0>("ggml.q4_0/1"),   row<Q4_1>("ggml.q4_1/1"),    row<Q5_0>("ggml.q5_0/1"),
    row<Q5_1>("ggml.q5_1/1"),   row<Q6_0>("ggml.q6_0/1"),    row<Q8_0>("ggml.q8_0/1"),
    row<Mxfp4>("ggml.mxfp4/1"), row<Iq4Nl>("ggml.iq4_nl/1"),
};
static_assert(have_sizes_of_files(kFormats));

}  // namespace

std::span<const WeightFormat> formats_in_blocks_of_32() { return kFormats; }

}  // namespace vernal::cpu_avx2
