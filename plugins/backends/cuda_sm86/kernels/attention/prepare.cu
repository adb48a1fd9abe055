#include "kernels/attention/attention.hpp"
#include "kernels/attention/rotate.hpp"
#include "kernels/attention/store.hpp"
#include "kernels/reduce.hpp"

namespace vernal::cuda_sm86 {

namespace {

constexpr int kWarps = 4;

/// A row of each warp.
struct Rows {
  float of[kWarps][kMostHeadNumbers];
};

/// The factor of rmsnorm/1 for a row.
__device__ float norm_factor(const HeadRows& rows, const float* x, int dim, int lane) {
  float sum = 0.0F;
  for (int i = lane; i < dim; i += kWarpSize) sum += x[i] * x[i];
  return 1.0F / sqrtf(warp_sum(sum) / static_cast<float>(dim) + rows.norm_epsilon);
}

/// Turns the pairs of a row by the angles of a token.
__device__ void rotate_pairs(const HeadRotation& rope, float* row, int token, int lane) {
  const float* const cosines = rope.table + static_cast<int64_t>(token) * rope.num_pairs;
  const float* const sines = cosines + static_cast<int64_t>(rope.most_tokens) * rope.num_pairs;
  for (int j = lane; j < rope.num_pairs; j += kWarpSize) {
    const int u = rope.is_interleaved ? 2 * j : j;
    const int v = rope.is_interleaved ? 2 * j + 1 : j + rope.num_pairs;
    const float before = row[u];
    const float after = row[v];
    row[u] = before * cosines[j] - after * sines[j];
    row[v] = before * sines[j] + after * cosines[j];
  }
  __syncwarp();
}

/// Brings a row to shared memory, normed and rotated by its position.
__device__ void load_row(float* row, const HeadRows& rows, int token, int head, int dim, int lane) {
  const float* const x = rows.x + token * rows.token_stride + head * rows.head_stride;
  const float factor = rows.has_norm ? norm_factor(rows, x, dim, lane) : 1.0F;
  for (int i = lane; i < dim; i += kWarpSize) {
    float number = x[i];
    if (rows.has_norm) number *= factor;
    if (rows.norm_weight != nullptr) number *= rows.norm_weight[i];
    row[i] = number;
  }
  __syncwarp();
  if (rows.rope.table != nullptr) rotate_pairs(rows.rope, row, token, lane);
}

/// Writes a query in the order of fragments, scaled, with zeros behind it.
__device__ void store_query(const Attention& a, const float* row, int number, int lane) {
  const int padded = padded_dim(a.keys.dim);
  uint16_t* const out = a.queries + static_cast<int64_t>(number) * padded;
  for (int i = lane; i < padded; i += kWarpSize) {
    const float x = i < a.keys.dim ? row[i] * a.query_factor : 0.0F;
    out[i / kGroupNumbers * kGroupNumbers + in_group(i % kGroupNumbers)] = stored_half(x);
  }
}

/// A warp for each head of queries, of keys and of values of each token.
__global__ void __launch_bounds__(kWarps* kWarpSize) prepare_rows(Attention a) {
  VERNAL_SHARED(Rows, rows);
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  const int per_token = a.num_query_heads + 2 * a.num_heads;
  const int index = static_cast<int>(blockIdx.x) * kWarps + warp;
  const int token = index / per_token;
  if (token >= a.counts->num_tokens) return;
  float* const row = rows.of[warp];
  int head = index % per_token;
  if (head < a.num_query_heads) {
    const int number = token * a.num_query_heads + head;
    load_row(row, a.q, token, head, a.keys.dim, lane);
    rotate_row_of_warp(a.keys, row, lane);
    store_query(a, row, number, lane);
    return;
  }
  head -= a.num_query_heads;
  const bool is_key = head < a.num_heads;
  if (!is_key) head -= a.num_heads;
  const int sequence = a.token_sequence[token];
  const SequencePart part = a.sequences[sequence];
  const int position = part.first_position + token - part.start;
  const uint32_t page =
      a.page_ids[static_cast<int64_t>(sequence) * a.most_pages + position / kPagePositions];
  unsigned char* const data = a.pages + page * a.page_stride + head * a.head_bytes;
  const KvRun& run = is_key ? a.keys : a.values;
  load_row(row, is_key ? a.k : a.v, token, head, run.dim, lane);
  rotate_row_of_warp(run, row, lane);
  if (is_key) {
    store_row<true>(run, data + run.at, position % kPagePositions, row, lane);
  } else {
    store_row<false>(run, data + run.at, position % kPagePositions, row, lane);
  }
}

}  // namespace

cudaError_t launch_prepare(const Attention& a, const LaunchSize& size) {
  const int64_t rows = int64_t{size.num_tokens} * (a.num_query_heads + 2 * a.num_heads);
  return launch(size.stream, blocks_for(rows, kWarps), kWarps * kWarpSize, prepare_rows, a);
}

}  // namespace vernal::cuda_sm86
