// Scores, softmax and weighted sums of attention (attention.hpp), for any number of rows.
//
// A block of threads has one head of keys and values and a tile of queries: all query heads of the
// group times some tokens of one sequence, up to 8 kTiles columns. It goes through the pages of a
// split in order, so that a page is read once for all of them:
//   S^T = K Q^T   warp w of four has the keys 16w .. of the page
//   softmax       maxima and sums of columns pass between the warps through shared memory
//   O^T += V^T P  warp w has the numbers of groups w, w + 4, ...
// Keys and values go from memory to registers in their storage format and are unpacked there.
#pragma once

#include "kernels/attention/score_keys.hpp"
#include "kernels/attention/sum_values.hpp"

namespace vernal::cuda_sm86 {

/// The sums of a split: those of weights in shared.split.
template <class Keys, class Values, class Shape>
__device__ __forceinline__ void sum_split(WeightedSums<Shape>& sums, const Attention& a,
                                          AttendShared<Shape>& shared, const AttendWork& w,
                                          int split) {
  const int column = static_cast<int>(threadIdx.x);
  const bool has_column = column < w.num_tiles * kTileColumns;
  const int first = max(split * kSplitPositions, shared.any.first) / kPagePositions;
  const int end =
      (min((split + 1) * kSplitPositions, shared.any.end) + kPagePositions - 1) / kPagePositions;
  const int value_groups = padded_dim(a.values.dim) / kGroupNumbers;
  if (has_column) {
    shared.split[column] = {-INFINITY, 0.0F};
    shared.maximum[first % 2][column] = -INFINITY;
  }
  find_pages(a, shared, first, end);
  __syncthreads();
  if constexpr (Keys::kHasScales) {
    load_scales<Shape>(shared.key_scales[first % 2], a.keys, page_head(shared, first));
  }
  commit_copies();
  wait_copies<0>();
  __syncthreads();
  VERNAL_NO_UNROLL
  for (int page = first; page < end; ++page) {
    const int parity = page % 2;
    if (Keys::kHasScales && page + 1 < end) {
      load_scales<Shape>(shared.key_scales[1 - parity], a.keys, page_head(shared, page + 1));
    }
    if constexpr (Values::kHasScales) {
      load_scales<Shape>(shared.value_scales[parity], a.values, page_head(shared, page));
    }
    commit_copies();
    float s[Shape::kTiles][4];
    score_page<Keys, Shape>(s, a, shared, w, page_head(shared, page) + a.keys.at,
                            shared.key_scales[parity]);
    typename Values::Words words{};
    if (w.warp() < value_groups) {
      words = Values::load(page_head(shared, page) + a.values.at, a.values.dim, w.warp(), 0, w.g(),
                           w.t());
    }
    mask_scores<Shape>(s, a, shared, w, page);
    share_maxima<Shape>(s, shared, w);
    __syncthreads();
    share_weights<Shape>(s, shared, w, parity);
    if (has_column) {
      SoftmaxSum& own = shared.split[column];
      const float maximum = new_maximum(shared, parity, column);
      const float shrink = exp2f(own.maximum - reference_of(maximum));
      shared.maximum[1 - parity][column] = maximum;
      shared.shrink[column] = shrink;
      own = {maximum, own.sum * shrink};
    }
    wait_copies<0>();
    __syncthreads();
    if (has_column) {
      for (int i = 0; i < kKeyTiles; ++i) {
        shared.split[column].sum += shared.warp_sum[i][column];
      }
    }
    shrink_sums(sums, shared, w);
    const PageValues values{page_head(shared, page) + a.values.at, shared.value_scales[parity],
                            shared.stored_end - page * kPagePositions};
    VERNAL_UNROLL
    for (int i = 0; i < Shape::kGroups; ++i) {
      const int group = w.warp() + i * Shape::kWarps;
      if (group >= value_groups) break;
      if (i > 0) {
        words = Values::load(values.run, a.values.dim, group, 0, w.g(), w.t());
      }
      add_group<Values, Shape>(sums.of[i], words, a, values, group, shared, w);
    }
  }
}

template <class Shape>
__device__ __forceinline__ void write_partials(const WeightedSums<Shape>& sums, const Attention& a,
                                               const AttendShared<Shape>& shared,
                                               const AttendWork& w, int split) {
  const int thread = static_cast<int>(threadIdx.x);
  const auto at = [&](int column) {
    return static_cast<int64_t>(shared.row[column]) * a.max_splits + split;
  };
  if (thread < Shape::kColumns && shared.row[thread] >= 0) {
    a.partial_sums[at(thread)] = shared.split[thread];
  }
  for_each_sum(sums, w, a.values.dim, [&](int number, int column, float sum) {
    if (shared.row[column] >= 0) a.partials[at(column) * a.values.dim + number] = sum;
  });
}

/// Adds a split to the rows in y.
template <class Shape>
__device__ __forceinline__ void merge_split(const WeightedSums<Shape>& sums, const Attention& a,
                                            AttendShared<Shape>& shared, const AttendWork& w,
                                            bool is_first) {
  const int thread = static_cast<int>(threadIdx.x);
  __syncthreads();
  if (thread < w.num_tiles * kTileColumns) {
    // A row that sees no key of the split stays as it is.
    const bool has_keys = shared.split[thread].maximum != -INFINITY;
    const Merge merge = merge_sums(shared.total[thread], shared.split[thread]);
    shared.shrink[thread] = has_keys ? merge.old_factor : 1.0F;
    shared.gain[thread] = has_keys ? merge.new_factor : 0.0F;
    if (has_keys) shared.total[thread] = merge.total;
  }
  __syncthreads();
  for_each_sum(sums, w, a.values.dim, [&](int number, int column, float sum) {
    if (shared.row[column] < 0) return;
    float& y = a.y[static_cast<int64_t>(shared.row[column]) * a.values.dim + number];
    y = merged(is_first ? 0.0F : y, shared.shrink[column], sum, shared.gain[column]);
  });
}

/// Blocks of threads are (head of keys, tile of queries, split), or one for all splits.
template <class Keys, class Values, class Shape>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kBlocks) attend(Attention a) {
  VERNAL_SHARED(AttendShared<Shape>, shared);
  const ColumnSplit columns = split_columns(a.num_query_heads / a.num_heads, Shape::kColumns);
  const QueryTile tile = find_tile(a, static_cast<int>(blockIdx.y), columns.tokens);
  if (tile.num_tokens == 0) return;
  const int first = tile.position(tile.first_token);
  const VisibleKeys any{visible_keys(a, tile.part, first).first,
                        visible_keys(a, tile.part, first + tile.num_tokens - 1).end};
  const bool is_spread = gridDim.z > 1;
  int split = any.first_split();
  int end = any.end_split();
  if (is_spread) {
    const int own = static_cast<int>(blockIdx.z);
    if (own < split || own >= end) return;
    split = own;
    end = own + 1;
  }
  const AttendWork w{fill_columns(a, shared, tile, any)};
  __syncthreads();
  load_queries<Shape>(a, shared, w.num_tiles);
  VERNAL_NO_UNROLL
  for (bool is_first = true; split < end; ++split, is_first = false) {
    WeightedSums<Shape> sums{};
    sum_split<Keys, Values, Shape>(sums, a, shared, w, split);
    if (is_spread) {
      write_partials(sums, a, shared, w, split);
    } else {
      merge_split(sums, a, shared, w, is_first);
    }
  }
  const int column = static_cast<int>(threadIdx.x);
  if (!is_spread && column < Shape::kColumns && shared.row[column] >= 0) {
    a.sums[shared.row[column]] = shared.total[column];
  }
}

}  // namespace vernal::cuda_sm86
