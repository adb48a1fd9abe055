#include "kernels/matmul/matmul_32.hpp"
#include "kernels/matmul/matmul_kernels.hpp"

namespace vernal::cpu_avx2 {

void matmul_groups_q8_0(const Matmul& matmul, std::int64_t first, std::int64_t last) {
  matmul_groups_32<Q8_0>(matmul, first, last);
}

}  // namespace vernal::cpu_avx2
