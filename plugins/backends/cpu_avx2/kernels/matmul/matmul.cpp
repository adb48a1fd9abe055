#include "kernels/matmul/matmul.hpp"

#include <algorithm>

namespace vernal::cpu_avx2 {

std::int64_t token_tile(std::int64_t bytes_per_token) {
  constexpr std::int64_t kCacheBytes = std::int64_t{1} << 20;
  const std::int64_t fit = kCacheBytes / bytes_per_token / 12 * 12;
  return std::clamp<std::int64_t>(fit, 36, kTokenTile);
}

namespace {

// Where the weights of a group and the activations do not fit the first cache together, the
// activations come from the second one for each group. On Zen 4 that keeps the prefetchers from
// following the weights: 4096 columns of q4_K with four tokens came from memory at 0.47 of the
// speed of plain reads, with requests at 0.85. Where they fit, requests only cost, unless blocks
// are unpacked first (1536 columns of q4_K, six tokens, AVX2: 0.27 without, 0.41 with).
Requests requests_on_zen_4(const Matmul& matmul) {
  constexpr std::int64_t kFirstCacheBytes = 20 * 1024;  // what others leave of 32 KiB
  const std::int64_t columns = matmul.weights.num_columns;
  const std::int64_t tokens = std::min(matmul.num_tokens, token_tile(columns));
  const auto activations =
      static_cast<std::int64_t>(activation_bytes(matmul.blocks.kind, tokens, columns));
  const bool fits = activations + group_bytes(*matmul.weights.format, columns) <= kFirstCacheBytes;
  constexpr std::int64_t kFewTokens = 4;
  return fits && tokens <= kFewTokens ? Requests::kNone : Requests::kSecondCache;
}

}  // namespace

Requests requests_of(const Matmul& matmul, ProcessorLine line) {
  if (matmul.requests != Requests::kAsMeasured) return matmul.requests;
  switch (line) {
    case ProcessorLine::kZen4:
      return requests_on_zen_4(matmul);
    case ProcessorLine::kIntel:
      return Requests::kSecondCache;
    case ProcessorLine::kOther:
      break;
  }
  return Requests::kReadOnce;
}

void matmul_groups(const Matmul& matmul, std::int64_t first, std::int64_t last) {
  matmul.weights.format->multiply(matmul, first, last);
}

}  // namespace vernal::cpu_avx2
