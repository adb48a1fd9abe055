// Attention over a paged KV cache, read in its storage format.
//
//   y[t,h,:] = softmax(scale * q[t,h,:] K[0..n,g,:]^T) V[0..n,g,:],   g = h * Hkv / Hq
//
// The softmax is online (Milakov and Gimelshein 2018; Dao 2023, "FlashAttention-2", alg. 1). The
// keys of a query are cut in splits of 512, counted from the start of its sequence; every split is
// summed up by itself, and the splits are merged in order. So the bits of a result depend on its
// sequence alone, whether one block of threads does all splits or many do one each.
#pragma once

#include "kernels/attention/kv_run.hpp"
#include "kernels/step.hpp"

namespace vernal::cuda_sm86 {

/// Positions of a split.
inline constexpr int kSplitPositions = 512;

/// Steps of at most so many tokens spread the splits of a query over blocks of threads.
inline constexpr int kMostSplitTokens = 8;

/// Most numbers of a key or value.
inline constexpr int kMostHeadNumbers = 512;

/// One attention node. All memory is borrowed and on the device.
struct Attention {
  const float* q;            ///< [T][num_query_heads][keys.dim]
  const float* k;            ///< [T][num_heads][keys.dim]
  const float* v;            ///< [T][num_heads][values.dim]
  float* y;                  ///< [T][num_query_heads][values.dim]
  const float* sinks;        ///< [num_query_heads] or null
  float* partials;           ///< [kMostSplitTokens][num_query_heads][max_splits][values.dim + 2]
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
  int32_t window;  ///< query i sees key j iff i - j < window; 0: no window
  float scale;
  float softcap;  ///< 0: none
  bool is_causal;
};

/// Rotates and stores the keys and values of the step.
cudaError_t launch_append(const Attention& attention, const LaunchSize& size);

/// After launch_append(): the results of all tokens of the step.
cudaError_t launch_attention(const Attention& attention, const LaunchSize& size);

}  // namespace vernal::cuda_sm86
