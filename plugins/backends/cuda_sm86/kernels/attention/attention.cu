#include "kernels/attention/attention.hpp"
#include "kernels/attention/kv_numbers.hpp"

namespace vernal::cuda_sm86 {

namespace {

constexpr int kThreads = 128;

/// The softmax of one query head so far: its values are in shared memory.
struct Running {
  float maximum;
  float sum;
};

/// What a block of threads works on: one query head at a time.
struct Shared {
  float q[kMostHeadNumbers];
  float values[kMostHeadNumbers];  ///< weighted sum, of this split
  float merged[kMostHeadNumbers];  ///< of all splits so far
  float weights[kPagePositions];   ///< of the keys of a page; scores at first
};

/// The keys that a query sees, by position.
struct Visible {
  int first;
  int end;
};

__device__ Visible visible_keys(const Attention& a, const SequencePart& part, int position) {
  const int end = a.is_causal ? position + 1 : part.first_position + part.count;
  const int first = a.window > 0 ? max(0, position - a.window + 1) : 0;
  return {first, end};
}

/// Where the run of keys or values of a head lies in the page of a position.
__device__ const unsigned char* run_at(const Attention& a, const KvRun& run, int index, int head,
                                       int page_index) {
  const uint32_t page = a.page_ids[static_cast<int64_t>(index) * a.most_pages + page_index];
  return a.pages + page * a.page_stride + head * a.head_bytes + run.at;
}

__device__ float score(const Attention& a, const unsigned char* keys, int in_page, const float* q) {
  float sum = 0.0F;
  for (int i = 0; i < a.keys.dim; ++i) sum += q[i] * read_number<true>(a.keys, keys, in_page, i);
  sum *= a.scale;
  return a.softcap > 0.0F ? a.softcap * tanhf(sum / a.softcap) : sum;
}

/// Adds one page to the running result of a head. Thread j < 64 has the key at j of the page.
__device__ Running add_page(const Attention& a, Shared& shared, Running running, int index,
                            int head, int page, Visible visible) {
  const int key = static_cast<int>(threadIdx.x) % kPagePositions;
  const int position = page * kPagePositions + key;
  const bool is_seen = position >= visible.first && position < visible.end;
  float s = -INFINITY;
  if (static_cast<int>(threadIdx.x) < kPagePositions) {
    if (is_seen) s = score(a, run_at(a, a.keys, index, head, page), key, shared.q);
    shared.weights[key] = s;
  }
  __syncthreads();
  float maximum = running.maximum;
  for (int j = 0; j < kPagePositions; ++j) maximum = fmaxf(maximum, shared.weights[j]);
  __syncthreads();
  if (static_cast<int>(threadIdx.x) < kPagePositions) {
    shared.weights[key] = is_seen ? expf(s - maximum) : 0.0F;
  }
  __syncthreads();
  const float shrink = expf(running.maximum - maximum);
  float sum = running.sum * shrink;
  for (int j = 0; j < kPagePositions; ++j) sum += shared.weights[j];
  const unsigned char* const values = run_at(a, a.values, index, head, page);
  const int first = max(visible.first - page * kPagePositions, 0);
  const int end = min(visible.end - page * kPagePositions, kPagePositions);
  for (int i = static_cast<int>(threadIdx.x); i < a.values.dim; i += kThreads) {
    float value = shared.values[i] * shrink;
    for (int j = first; j < end; ++j) {
      value += shared.weights[j] * read_number<false>(a.values, values, j, i);
    }
    shared.values[i] = value;
  }
  __syncthreads();
  return {maximum, sum};
}

/// The result of one split of a head, in shared.values.
__device__ Running sum_split(const Attention& a, Shared& shared, int index, int head, int split,
                             Visible visible) {
  for (int i = static_cast<int>(threadIdx.x); i < a.values.dim; i += kThreads) {
    shared.values[i] = 0.0F;
  }
  __syncthreads();
  Running running{-INFINITY, 0.0F};
  const int first = max(split * kSplitPositions, visible.first);
  const int end = min((split + 1) * kSplitPositions, visible.end);
  for (int page = first / kPagePositions; page * kPagePositions < end; ++page) {
    running = add_page(a, shared, running, index, head, page, {first, end});
  }
  return running;
}

/// The sum of the splits before and one more.
__device__ Running merge(const Attention& a, Shared& shared, Running before, Running split,
                         const float* values) {
  const float maximum = fmaxf(before.maximum, split.maximum);
  const float old_factor = expf(before.maximum - maximum);
  const float new_factor = expf(split.maximum - maximum);
  for (int i = static_cast<int>(threadIdx.x); i < a.values.dim; i += kThreads) {
    shared.merged[i] = shared.merged[i] * old_factor + values[i] * new_factor;
  }
  return {maximum, before.sum * old_factor + split.sum * new_factor};
}

/// Where merging begins: nothing, or a sink, which has weight and no value.
__device__ Running start_of_head(const Attention& a, Shared& shared, int query_head) {
  for (int i = static_cast<int>(threadIdx.x); i < a.values.dim; i += kThreads) {
    shared.merged[i] = 0.0F;
  }
  if (a.sinks == nullptr) return {-INFINITY, 0.0F};
  return {a.sinks[query_head], 1.0F};
}

__device__ void write_result(const Attention& a, Shared& shared, Running total, int64_t row) {
  __syncthreads();
  rotate_row(a.values, shared.merged);
  for (int i = static_cast<int>(threadIdx.x); i < a.values.dim; i += kThreads) {
    a.y[row * a.values.dim + i] = shared.merged[i] / total.sum;
  }
  __syncthreads();
}

__device__ void load_query(const Attention& a, Shared& shared, int64_t row) {
  for (int i = static_cast<int>(threadIdx.x); i < a.keys.dim; i += kThreads) {
    shared.q[i] = a.q[row * a.keys.dim + i];
  }
  __syncthreads();
  rotate_row(a.keys, shared.q);
}

/// Blocks of threads are (head of keys, token): all splits one after another.
__global__ void attend_whole(Attention a) {
  VERNAL_SHARED(Shared, shared);
  const int token = static_cast<int>(blockIdx.y);
  if (token >= a.counts->num_tokens) return;
  const int head = static_cast<int>(blockIdx.x);
  const int index = a.token_sequence[token];
  const SequencePart part = a.sequences[index];
  const Visible visible = visible_keys(a, part, part.first_position + token - part.start);
  const int heads = a.num_query_heads / a.num_heads;
  for (int h = 0; h < heads; ++h) {
    const int query_head = head * heads + h;
    const int64_t row = static_cast<int64_t>(token) * a.num_query_heads + query_head;
    load_query(a, shared, row);
    Running total = start_of_head(a, shared, query_head);
    for (int split = visible.first / kSplitPositions; split * kSplitPositions < visible.end;
         ++split) {
      const Running one = sum_split(a, shared, index, head, split, visible);
      total = merge(a, shared, total, one, shared.values);
      __syncthreads();
    }
    write_result(a, shared, total, row);
  }
}

/// Where the result of a split of a row is kept: its values, its maximum and its sum.
__device__ float* partial_of(const Attention& a, int64_t row, int split) {
  return a.partials + (row * a.max_splits + split) * (a.values.dim + 2);
}

/// Blocks of threads are (head of keys, token, split).
__global__ void attend_split(Attention a) {
  VERNAL_SHARED(Shared, shared);
  const int token = static_cast<int>(blockIdx.y);
  if (token >= a.counts->num_tokens) return;
  const int head = static_cast<int>(blockIdx.x);
  const int split = static_cast<int>(blockIdx.z);
  const int index = a.token_sequence[token];
  const SequencePart part = a.sequences[index];
  const Visible visible = visible_keys(a, part, part.first_position + token - part.start);
  if (split < visible.first / kSplitPositions || split * kSplitPositions >= visible.end) return;
  const int heads = a.num_query_heads / a.num_heads;
  for (int h = 0; h < heads; ++h) {
    const int64_t row = static_cast<int64_t>(token) * a.num_query_heads + head * heads + h;
    load_query(a, shared, row);
    const Running one = sum_split(a, shared, index, head, split, visible);
    float* const out = partial_of(a, row, split);
    for (int i = static_cast<int>(threadIdx.x); i < a.values.dim; i += kThreads) {
      out[i] = shared.values[i];
    }
    if (threadIdx.x == 0) {
      out[a.values.dim] = one.maximum;
      out[a.values.dim + 1] = one.sum;
    }
    __syncthreads();
  }
}

/// Blocks of threads are (query head, token): merges the splits in order.
__global__ void merge_splits(Attention a) {
  VERNAL_SHARED(Shared, shared);
  const int token = static_cast<int>(blockIdx.y);
  if (token >= a.counts->num_tokens) return;
  const int query_head = static_cast<int>(blockIdx.x);
  const SequencePart part = a.sequences[a.token_sequence[token]];
  const Visible visible = visible_keys(a, part, part.first_position + token - part.start);
  const int64_t row = static_cast<int64_t>(token) * a.num_query_heads + query_head;
  Running total = start_of_head(a, shared, query_head);
  for (int split = visible.first / kSplitPositions; split * kSplitPositions < visible.end;
       ++split) {
    const float* const one = partial_of(a, row, split);
    total = merge(a, shared, total, {one[a.values.dim], one[a.values.dim + 1]}, one);
  }
  write_result(a, shared, total, row);
}

}  // namespace

cudaError_t launch_attention(const Attention& a, const LaunchSize& size) {
  const auto tokens = static_cast<unsigned>(size.num_tokens);
  const auto heads = static_cast<unsigned>(a.num_heads);
  if (a.max_splits == 1 || size.num_tokens > kMostSplitTokens) {
    return launch(size.stream, dim3(heads, tokens), kThreads, attend_whole, a);
  }
  const dim3 grid(heads, tokens, static_cast<unsigned>(a.max_splits));
  const cudaError_t error = launch(size.stream, grid, kThreads, attend_split, a);
  if (error != cudaSuccess) return error;
  return launch(size.stream, dim3(static_cast<unsigned>(a.num_query_heads), tokens), kThreads,
                merge_splits, a);
}

}  // namespace vernal::cuda_sm86
