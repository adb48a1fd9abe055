// The table of one instruction set: a kernel for each format that has one.
#pragma once

#include <array>

#include "kernels/matmul/matmul_kernels.hpp"
#include "kernels/matmul/vnni/multiply_256.hpp"

namespace vernal::cpu_avx2::vnni {

template <class V>
inline constexpr MatmulKernel kKernels[] = {
    {"ggml.q4_k/1", matmul_groups_256<V, Q4K<V>>},
    {"ggml.q6_k/1", matmul_groups_256<V, Q6K<V>>},
};

}  // namespace vernal::cpu_avx2::vnni
