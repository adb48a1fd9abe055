#include "kernels/matmul/matmul_32.hpp"
#include "kernels/matmul/matmul_kernels.hpp"

namespace vernal::cpu_avx2 {

void matmul_groups_mxfp4(const Matmul& matmul, std::int64_t first, std::int64_t last) {
  matmul_groups_32<Mxfp4>(matmul, first, last);
}

}  // namespace vernal::cpu_avx2
