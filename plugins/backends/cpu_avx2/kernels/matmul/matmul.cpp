#include "kernels/matmul/matmul.hpp"

#include <array>

#include "kernels/matmul/matmul_kernels.hpp"

namespace vernal::cpu_avx2 {

void matmul_groups(const Matmul& matmul, std::int64_t first, std::int64_t last) {
  // In the order of WeightFormat.
  static constexpr std::array<MatmulGroups*, kNumWeightFormats> kKernels{
      matmul_groups_f32,       matmul_groups_f16,    matmul_groups_bf16,   matmul_groups_q4_0,
      matmul_groups_q4_1,      matmul_groups_q5_0,   matmul_groups_q5_1,   matmul_groups_q8_0,
      matmul_groups_q4_k,      matmul_groups_q5_k,   matmul_groups_q6_k,   matmul_groups_iq4_nl,
      matmul_groups_iq4_xs,    matmul_groups_iq4_ks, matmul_groups_q2_k,   matmul_groups_q6_0,
      matmul_groups_mxfp4,     matmul_groups_q3_k,   matmul_groups_iq2_k,  matmul_groups_iq3_k,
      matmul_groups_iq4_k,     matmul_groups_iq5_k,  matmul_groups_iq5_ks, matmul_groups_iq6_k,
      matmul_groups_eight_bit,
  };
  kKernels[static_cast<std::size_t>(matmul.weights.format)](matmul, first, last);
}

}  // namespace vernal::cpu_avx2
