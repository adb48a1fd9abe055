// What a block of threads of attend.hpp has: its columns, its shared memory, its pages.
#pragma once

#include "kernels/attention/merge.hpp"

namespace vernal::cuda_sm86 {

inline constexpr int kTileColumns = 8;
inline constexpr int kKeyTiles = 4;  ///< of 16 keys, in a page

/// How many tiles of columns a block has at most, numbers a head, and blocks a multiprocessor is to
/// hold at least.
template <int kTiles_, int kMostDim_, int kBlocks_>
struct AttendShape {
  static constexpr int kTiles = kTiles_;
  static constexpr int kBlocks = kBlocks_;
  static constexpr int kWarps = kKeyTiles;
  static constexpr int kThreads = kWarps * kWarpSize;
  static constexpr int kColumns = kTiles * kTileColumns;
  static constexpr int kMostGroups = kMostDim_ / kGroupNumbers;
  static constexpr int kGroups = kMostGroups / kWarps;  ///< of values, of a warp
};
struct FewQueries : AttendShape<1, 256, 5> {};
struct FewWideQueries : AttendShape<1, 512, 3> {};
/// 48 columns: 8 tokens of 6 heads, 6 of 8, 12 of 4.
struct ManyQueries : AttendShape<6, 256, 2> {};
struct ManyWideQueries : AttendShape<4, 512, 2> {};

template <class Shape>
struct AttendShared {
  uint4 queries[Shape::kMostGroups][Shape::kTiles][kWarpSize];  ///< fragments of two steps
  uint4 weights[Shape::kTiles][kPageSteps / 2][kWarpSize];      ///< the same
  uint2 key_scales[2][Shape::kMostGroups * kPagePositions / 4];
  uint2 value_scales[2][Shape::kMostGroups * kPagePositions / 4];
  float warp_maximum[kKeyTiles][Shape::kColumns];
  float warp_sum[kKeyTiles][Shape::kColumns];
  float maximum[2][Shape::kColumns];
  float shrink[Shape::kColumns];
  float gain[Shape::kColumns];
  int row[Shape::kColumns];  ///< of q and y, -1: none
  VisibleKeys visible[Shape::kColumns];
  // A thread with a small index has a column. What it knows of it lies here: registers are scarce.
  SoftmaxSum split[Shape::kColumns];  ///< of the split so far
  SoftmaxSum total[Shape::kColumns];  ///< of the splits before
  VisibleKeys any;                    ///< keys that some column sees
  VisibleKeys all;                    ///< that all columns see
  int stored_end;                     ///< positions that the cache has
  int index;                          ///< of the sequence in the step
  int head;                           ///< of keys and values
  /// Where the head begins in the pages of a split.
  const unsigned char* pages[kSplitPositions / kPagePositions];
};

/// The tokens of a block of threads: some of one sequence.
struct QueryTile {
  SequencePart part;
  int index;  ///< of the sequence in the step
  int first_token;
  int num_tokens;  ///< 0: the step has no such tile

  __device__ int position(int token) const { return part.first_position + token - part.start; }
};

__device__ __forceinline__ QueryTile find_tile(const Attention& a, int number, int most_tokens) {
  for (int i = 0; i < a.counts->num_sequences; ++i) {
    const SequencePart part = a.sequences[i];
    const int tiles = (part.count + most_tokens - 1) / most_tokens;
    if (number < tiles) {
      const int first = number * most_tokens;
      return {part, i, part.start + first, min(most_tokens, part.count - first)};
    }
    number -= tiles;
  }
  return {{}, 0, 0, 0};
}

/// What a thread knows of its block's work and of its own part.
struct AttendWork {
  int num_tiles;  ///< of columns
  __device__ int warp() const { return static_cast<int>(threadIdx.x) / kWarpSize; }
  __device__ int lane() const { return static_cast<int>(threadIdx.x) % kWarpSize; }

  __device__ int g() const { return lane() / 4; }
  __device__ int t() const { return lane() % 4; }
};

/// How the query heads of a group and the tokens of a sequence make columns.
struct ColumnSplit {
  int heads;   ///< of a block
  int chunks;  ///< blocks that share the heads of a group
  int tokens;  ///< of a block, at most
};

__host__ __device__ constexpr ColumnSplit split_columns(int group_heads, int columns) {
  const int heads = group_heads < columns ? group_heads : columns;
  return {heads, (group_heads + heads - 1) / heads, columns / heads};
}

/// Fills what shared memory says of columns; returns the number of column tiles that have a row. All
/// threads; the caller has a barrier next.
template <class Shape>
__device__ __forceinline__ int fill_columns(const Attention& a, AttendShared<Shape>& shared,
                                            const QueryTile& tile, VisibleKeys any) {
  const int group_heads = a.num_query_heads / a.num_heads;
  const ColumnSplit split = split_columns(group_heads, Shape::kColumns);
  const int head = static_cast<int>(blockIdx.x) / split.chunks;
  const int first_head = static_cast<int>(blockIdx.x) % split.chunks * split.heads;
  const int heads = min(split.heads, group_heads - first_head);
  const int columns = heads * tile.num_tokens;
  const int column = static_cast<int>(threadIdx.x);
  if (column < Shape::kColumns) {
    const int token = tile.first_token + column / heads;
    const int row = token * a.num_query_heads + head * group_heads + first_head + column % heads;
    const bool has_row = column < columns;
    shared.row[column] = has_row ? row : -1;
    shared.visible[column] =
        has_row ? visible_keys(a, tile.part, tile.position(token)) : VisibleKeys{0, 0};
    shared.total[column] = has_row ? start_of_row(a, row) : SoftmaxSum{-INFINITY, 0.0F};
  }
  if (column == 0) {
    const int last = tile.first_token + tile.num_tokens - 1;
    shared.any = any;
    shared.all = {visible_keys(a, tile.part, tile.position(last)).first,
                  visible_keys(a, tile.part, tile.position(tile.first_token)).end};
    shared.stored_end = tile.part.first_position + tile.part.count;
    shared.index = tile.index;
    shared.head = head;
  }
  return (columns + kTileColumns - 1) / kTileColumns;
}

/// Starts to load the queries of all columns. After a barrier behind fill_columns().
template <class Shape>
__device__ __forceinline__ void load_queries(const Attention& a, AttendShared<Shape>& shared,
                                             int num_tiles) {
  const int dim = padded_dim(a.keys.dim);
  const int pieces = dim / kGroupNumbers * num_tiles * kWarpSize;
  for (int i = static_cast<int>(threadIdx.x); i < pieces; i += Shape::kThreads) {
    const int lane = i % kWarpSize;
    const int tile = i / kWarpSize % num_tiles;
    const int group = i / kWarpSize / num_tiles;
    const int row = shared.row[tile * kTileColumns + lane / 4];
    uint4* const to = &shared.queries[group][tile][lane];
    if (row < 0) {
      *to = make_uint4(0, 0, 0, 0);
    } else {
      copy_async(
          to, a.queries + static_cast<int64_t>(row) * dim + group * kGroupNumbers + lane % 4 * 8);
    }
  }
}

/// Starts to load the scales of a run. `head`: of a page.
template <class Shape>
__device__ __forceinline__ void load_scales(uint2* to, const KvRun& run,
                                            const unsigned char* head) {
  const int pieces = run.dim / kGroupNumbers * kPagePositions * 2 / 16;
  for (int i = static_cast<int>(threadIdx.x); i < pieces; i += Shape::kThreads) {
    copy_async(to + 2 * i, head + run.at + run.scales_at + i * 16);
  }
}

/// Looks the pages [first, end) of a split up. The caller has a barrier next.
template <class Shape>
__device__ __forceinline__ void find_pages(const Attention& a, AttendShared<Shape>& shared,
                                           int first, int end) {
  const int page = first + static_cast<int>(threadIdx.x);
  if (page >= end) return;
  const uint32_t id = a.page_ids[static_cast<int64_t>(shared.index) * a.most_pages + page];
  shared.pages[page % (kSplitPositions / kPagePositions)] =
      a.pages + id * a.page_stride + shared.head * a.head_bytes;
}
template <class Shape>
__device__ __forceinline__ const unsigned char* page_head(const AttendShared<Shape>& shared,
                                                          int page) {
  return shared.pages[page % (kSplitPositions / kPagePositions)];
}

}  // namespace vernal::cuda_sm86
