#include "kernels/matmul/matmul.hpp"

#include <algorithm>

namespace vernal::cpu_avx2 {

std::int64_t token_tile(std::int64_t bytes_per_token) {
  constexpr std::int64_t kCacheBytes = std::int64_t{1} << 20;
  const std::int64_t fit = kCacheBytes / bytes_per_token / 12 * 12;
  return std::clamp<std::int64_t>(fit, 36, kTokenTile);
}

void matmul_groups(const Matmul& matmul, std::int64_t first, std::int64_t last) {
  matmul.weights.format->multiply(matmul, first, last);
}

}  // namespace vernal::cpu_avx2
