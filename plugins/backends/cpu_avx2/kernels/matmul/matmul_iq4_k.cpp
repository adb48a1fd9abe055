#include "kernels/matmul/formats_iqk.hpp"
#include "kernels/matmul/matmul_256.hpp"
#include "kernels/matmul/matmul_kernels.hpp"

namespace vernal::cpu_avx2 {

void matmul_groups_iq4_k(const Matmul& matmul, std::int64_t first, std::int64_t last) {
  matmul_groups_256<Iq4K>(matmul, first, last);
}

}  // namespace vernal::cpu_avx2
