// The matrix kernels one per storage format, each instantiated in its own file; matmul.cpp picks.
#pragma once

#include <cstdint>

#include "kernels/matmul/matmul.hpp"

namespace vernal::cpu_avx2 {

/// matmul_groups() of one format.
using MatmulGroups = void(const Matmul& matmul, std::int64_t first, std::int64_t last);

MatmulGroups matmul_groups_f32, matmul_groups_f16, matmul_groups_bf16;
MatmulGroups matmul_groups_q4_0, matmul_groups_q4_1, matmul_groups_q5_0, matmul_groups_q5_1,
    matmul_groups_q6_0, matmul_groups_q8_0, matmul_groups_mxfp4;
MatmulGroups matmul_groups_q2_k, matmul_groups_q3_k, matmul_groups_q4_k, matmul_groups_q5_k,
    matmul_groups_q6_k;
MatmulGroups matmul_groups_iq4_nl, matmul_groups_iq4_xs, matmul_groups_iq4_ks;
MatmulGroups matmul_groups_iq2_k, matmul_groups_iq3_k, matmul_groups_iq4_k, matmul_groups_iq5_k,
    matmul_groups_iq5_ks, matmul_groups_iq6_k;
MatmulGroups matmul_groups_eight_bit;

}  // namespace vernal::cpu_avx2
