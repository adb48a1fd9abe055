// The kernels of attend.hpp for one format of keys; each is a file of its own.
#pragma once

#include "kernels/attention/attend.hpp"

namespace vernal::cuda_sm86 {

template <class Keys, class Values, class Shape>
cudaError_t launch_shape(const Attention& a, const LaunchSize& size) {
  const ColumnSplit split = split_columns(a.num_query_heads / a.num_heads, Shape::kColumns);
  const int sequences = size.num_sequences < size.num_tokens ? size.num_sequences : size.num_tokens;
  // Each sequence has a token at least; one more tile for each split.tokens of the others.
  const int tiles = (size.num_tokens - sequences) / split.tokens + sequences;
  const dim3 grid(static_cast<unsigned>(a.num_heads * split.chunks), static_cast<unsigned>(tiles),
                  static_cast<unsigned>(is_spread(a, size) ? a.max_splits : 1));
  return launch(size.stream, grid, Shape::kThreads, attend<Keys, Values, Shape>, a);
}

template <class Keys, class Values>
cudaError_t launch_values(const Attention& a, const LaunchSize& size) {
  const bool is_wide = a.keys.dim > ManyQueries::kMostGroups * kGroupNumbers ||
                       a.values.dim > ManyQueries::kMostGroups * kGroupNumbers;
  if (a.num_query_heads / a.num_heads * size.num_tokens <= kTileColumns) {
    return is_wide ? launch_shape<Keys, Values, FewWideQueries>(a, size)
                   : launch_shape<Keys, Values, FewQueries>(a, size);
  }
  return is_wide ? launch_shape<Keys, Values, ManyWideQueries>(a, size)
                 : launch_shape<Keys, Values, ManyQueries>(a, size);
}

template <class Keys>
cudaError_t launch_keys(const Attention& a, const LaunchSize& size) {
  switch (a.values.format) {
    case RunFormat::kF16:
      return launch_values<Keys, ValuesF16>(a, size);
    case RunFormat::kQ8_0:
      return launch_values<Keys, ValuesQ8_0>(a, size);
    case RunFormat::kQ4_0:
      break;
  }
  return launch_values<Keys, ValuesQ4_0>(a, size);
}

}  // namespace vernal::cuda_sm86
