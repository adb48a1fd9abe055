#include "kernels/matmul/matmul_float.hpp"
#include "kernels/matmul/matmul_kernels.hpp"

namespace vernal::cpu_avx2 {

void matmul_groups_f32(const Matmul& matmul, std::int64_t first, std::int64_t last) {
  matmul_groups_float<F32Weights>(matmul, first, last);
}

}  // namespace vernal::cpu_avx2
