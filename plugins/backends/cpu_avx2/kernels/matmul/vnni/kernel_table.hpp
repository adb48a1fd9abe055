// The table of one instruction set: a kernel for each format that has one.
#pragma once

#include <array>

#include "kernels/matmul/matmul_kernels.hpp"
#include "kernels/matmul/vnni/multiply_256.hpp"
#include "kernels/matmul/vnni/multiply_32.hpp"
#include "kernels/matmul/weight_format.hpp"

namespace vernal::cpu_avx2::vnni {

template <class V>
inline constexpr MatmulKernel kKernels[] = {
    {"ggml.q4_0/1", matmul_groups_32<V, Q4_0>},     {"ggml.q4_1/1", matmul_groups_32<V, Q4_1>},
    {"ggml.q5_0/1", matmul_groups_32<V, Q5_0>},     {"ggml.q5_1/1", matmul_groups_32<V, Q5_1>},
    {"ggml.q8_0/1", matmul_groups_32<V, Q8_0>},     {"ggml.iq4_nl/1", matmul_groups_32<V, Iq4Nl>},
    {"ggml.q2_k/1", matmul_groups_256<V, Q2K>},     {"ggml.q4_k/1", matmul_groups_256<V, Q4K>},
    {"ggml.q5_k/1", matmul_groups_256<V, Q5K>},     {"ggml.q6_k/1", matmul_groups_256<V, Q6K>},
    {"ggml.iq4_xs/1", matmul_groups_256<V, Iq4Xs>}, {"ggml.iq4_ks/1", matmul_groups_256<V, Iq4Ks>},
    {kEightBitId, matmul_groups_256<V, EightBit>},
};

}  // namespace vernal::cpu_avx2::vnni
