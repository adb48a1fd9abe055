#include "kernels/recurrent/conv1d.hpp"

#include <algorithm>

#include "kernels/elementwise/elementwise.hpp"
#include "kernels/simd.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Widest kernel whose taps are turned around on the stack; wider ones are read as they lie.
constexpr std::int64_t kMostTaps = 8;

/// Column `position` of a sequence, or null before its start.
const float* column(const Conv1d& conv, const ConvSequence& sequence, std::int64_t position) {
  if (position < 0) return nullptr;
  if (position >= sequence.first_position) {
    return conv.x + (sequence.start + position - sequence.first_position) * conv.num_channels;
  }
  return sequence.columns + position % conv.num_columns * conv.num_channels;
}

/// Taps of channels [first, last), by tap: taps[i][c].
void turn_taps(const Conv1d& conv, std::int64_t first, std::int64_t last,
               float (*taps)[kConvChannels]) {
  for (std::int64_t c = first; c < last; ++c) {
    for (std::int64_t i = 0; i < conv.width; ++i) {
      taps[i][c - first] = conv.weight[c * conv.width + i];
    }
  }
}

/// sums[0 .. count) += tap ⊙ column.
void add_column(const float* tap, const float* x, std::int64_t count, float* sums) {
  std::int64_t c = 0;
  for (; c + kLanes <= count; c += kLanes) {
    const __m256 sum = _mm256_fmadd_ps(_mm256_loadu_ps(tap + c), _mm256_loadu_ps(x + c),
                                       _mm256_loadu_ps(sums + c));
    _mm256_storeu_ps(sums + c, sum);
  }
  if (c == count) return;
  const __m256i mask = lane_mask(count - c);
  const __m256 sum =
      _mm256_fmadd_ps(_mm256_maskload_ps(tap + c, mask), _mm256_maskload_ps(x + c, mask),
                      _mm256_maskload_ps(sums + c, mask));
  _mm256_maskstore_ps(sums + c, mask, sum);
}

}  // namespace

void conv1d_channels(const Conv1d& conv, const ConvSequence& sequence, std::int64_t first,
                     std::int64_t last) {
  const std::int64_t count = last - first;
  alignas(32) float taps[kMostTaps][kConvChannels];
  alignas(32) float wide_tap[kConvChannels];
  if (conv.width <= kMostTaps) turn_taps(conv, first, last, taps);
  for (std::int64_t t = 0; t < sequence.count; ++t) {
    float* y = conv.y + (sequence.start + t) * conv.num_channels + first;
    if (conv.bias) {
      std::copy_n(conv.bias + first, count, y);
    } else {
      std::fill_n(y, count, 0.0F);
    }
    for (std::int64_t i = 0; i < conv.width; ++i) {
      const float* x = column(conv, sequence, sequence.first_position + t + i + 1 - conv.width);
      if (x == nullptr) continue;
      if (conv.width <= kMostTaps) {
        add_column(taps[i], x + first, count, y);
        continue;
      }
      for (std::int64_t c = 0; c < count; ++c) {
        wide_tap[c] = conv.weight[(first + c) * conv.width + i];
      }
      add_column(wide_tap, x + first, count, y);
    }
    if (conv.is_silu) activate(Activation::kSilu, y, y, 0, count);
  }
  const std::int64_t kept = std::min(sequence.count, conv.num_columns);
  for (std::int64_t t = sequence.count - kept; t < sequence.count; ++t) {
    const std::int64_t at = (sequence.first_position + t) % conv.num_columns;
    std::copy_n(conv.x + (sequence.start + t) * conv.num_channels + first, count,
                sequence.columns + at * conv.num_channels + first);
  }
}

}  // namespace vernal::cpu_avx2
