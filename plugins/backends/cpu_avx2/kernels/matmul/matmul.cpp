#include "kernels/matmul/matmul.hpp"

namespace vernal::cpu_avx2 {

void matmul_groups(const Matmul& matmul, std::int64_t first, std::int64_t last) {
  matmul.weights.format->multiply(matmul, first, last);
}

}  // namespace vernal::cpu_avx2
