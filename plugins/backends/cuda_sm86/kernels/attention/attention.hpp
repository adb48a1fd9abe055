// Attention over a paged KV cache, read in its storage format.
//
//   y[t,h,:] = softmax(scale * q[t,h,:] K[0..n,g,:]^T) V[0..n,g,:],   g = h * Hkv / Hq
//
// The softmax is online (Milakov and Gimelshein 2018; Dao 2023, "FlashAttention-2", alg. 1). The
// keys of a query are cut in splits of 512, counted from the start of its sequence. A split is summed
// up page by page; the splits are merged in order. So the bits of a result depend on its sequence
// alone: a step of few tokens spreads the splits over blocks of threads (attend.hpp), which write
// partial sums that are merged afterwards, and a step of many gives a block all splits of its rows.
//
// Three launches: prepare.cu brings queries, keys and values of the step into the form in which
// products read them, and stores the keys and values; attend.hpp multiplies; finish.cu merges.
// Scores are in units of log2: 2^s is cheaper than e^s.
#pragma once

#include "kernels/attention/kv_run.hpp"
#include "kernels/matmul/activation_blocks.hpp"
#include "kernels/step.hpp"

namespace vernal::cuda_sm86 {

/// Positions of a split.
inline constexpr int kSplitPositions = 512;

/// Steps of at most so many tokens spread the splits of a query over blocks of threads.
inline constexpr int kMostSplitTokens = 8;

/// Most numbers of a key or value.
inline constexpr int kMostHeadNumbers = 512;

inline constexpr float kLog2E = 1.44269504F;

/// The largest score and the sum of 2^(score - maximum) of the keys of a row so far.
struct SoftmaxSum {
  float maximum;
  float sum;
};

/// A rotation by positions (kernels/elementwise/rope.hpp). table null: none.
struct HeadRotation {
  const float* table;   ///< cosines [most_tokens][num_pairs], then sines
  int32_t most_tokens;  ///< of the table
  int32_t num_pairs;
  bool is_interleaved;  ///< pair j is (2j, 2j + 1), else (j, j + num_pairs)
};

/// Rows of heads as they are before they are normed and rotated: row h of token t begins at
/// x + t * token_stride + h * head_stride. Strides count numbers.
struct HeadRows {
  const float* x;
  int64_t token_stride;
  int64_t head_stride;
  const float* norm_weight;  ///< [dim] or null
  float norm_epsilon;
  bool has_norm;  ///< rmsnorm/1 comes first
  HeadRotation rope;
};

/// One attention node. All memory is borrowed and on the device.
struct Attention {
  HeadRows q;  ///< [T][num_query_heads] rows of keys.dim numbers
  HeadRows k;  ///< [T][num_heads] of keys.dim
  HeadRows v;  ///< [T][num_heads] of values.dim
  HeadRows
      gate;  ///< [T][num_query_heads] of values.dim: y is multiplied with their sigmoid; x null: none
  float* y;                  ///< [T][num_query_heads][values.dim]
  ActivationBlocks result;   ///< y in 8-bit form, a row for each token; null tiles: not wanted
  const float* sinks;        ///< [num_query_heads] or null
  uint16_t* queries;         ///< f16 [T][num_query_heads][padded keys.dim], groups as in_group()
  SoftmaxSum* sums;          ///< [T][num_query_heads], of steps that are not spread
  float* partials;           ///< [kMostSplitTokens][num_query_heads][max_splits][values.dim]
  SoftmaxSum* partial_sums;  ///< [kMostSplitTokens][num_query_heads][max_splits]
  unsigned char* pages;      ///< page p of this state begins at pages + p * page_stride
  const uint32_t* page_ids;  ///< [sequences of the step][most_pages]
  const int32_t* token_sequence;  ///< [T] index of the token's sequence in the step
  const SequencePart* sequences;  ///< of the step
  const StepCounts* counts;
  int64_t page_stride;
  int64_t head_bytes;  ///< from one head to the next in a page
  KvRun keys;
  KvRun values;
  int32_t most_pages;
  int32_t max_splits;  ///< that the context has
  int32_t num_heads;   ///< of keys and values
  int32_t num_query_heads;
  int32_t window;      ///< query i sees key j iff i - j < window; 0: no window
  float query_factor;  ///< that queries are multiplied with: the scale of scores
  float softcap;       ///< scores s become softcap tanh(s); 0: they stay
  bool is_causal;
};

/// Numbers of a query in Attention::queries: whole groups.
__host__ __device__ constexpr int padded_dim(int dim) {
  return (dim + kGroupNumbers - 1) / kGroupNumbers * kGroupNumbers;
}

/// The keys that a query sees, by position.
struct VisibleKeys {
  int first;
  int end;

  __device__ int first_split() const { return first / kSplitPositions; }
  __device__ int end_split() const { return (end + kSplitPositions - 1) / kSplitPositions; }
};

__device__ __forceinline__ VisibleKeys visible_keys(const Attention& a, const SequencePart& part,
                                                    int position) {
  const int end = a.is_causal ? position + 1 : part.first_position + part.count;
  const int first = a.window > 0 && position >= a.window ? position - a.window + 1 : 0;
  return {first, end};
}

/// Whether the splits of a step are spread over blocks of threads.
inline bool is_spread(const Attention& a, const LaunchSize& size) {
  return a.max_splits > 1 && size.num_tokens <= kMostSplitTokens;
}

/// Brings queries, keys and values of the step into their form: norm, rotation by position, Hadamard
/// rotation. Stores the keys and values.
cudaError_t launch_prepare(const Attention& attention, const LaunchSize& size);

/// After launch_prepare(): sums of all rows, partial ones of a step that is spread. By the format of
/// keys: files of their own.
using LaunchAttend = cudaError_t(const Attention& attention, const LaunchSize& size);
LaunchAttend launch_attend_f16, launch_attend_q8_0, launch_attend_q4_0;

inline cudaError_t launch_attend(const Attention& attention, const LaunchSize& size) {
  switch (attention.keys.format) {
    case RunFormat::kF16:
      return launch_attend_f16(attention, size);
    case RunFormat::kQ8_0:
      return launch_attend_q8_0(attention, size);
    case RunFormat::kQ4_0:
      break;
  }
  return launch_attend_q4_0(attention, size);
}

/// After launch_attend(): the results.
cudaError_t launch_finish(const Attention& attention, const LaunchSize& size);

}  // namespace vernal::cuda_sm86
