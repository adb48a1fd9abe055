// Attention over a paged KV cache, read in its storage format.
//
//   out[t,h,:] = softmax(scale * q[t,h,:] K[0..n,g,:]^T) V[0..n,g,:],   g = h * Hkv / Hq
//
// Codes are widened in registers for up to six rows (query heads of a group, queries of a tile) each
// time, or with AVX2 in memory for all rows of a tile. The softmax is online (Milakov and
// Gimelshein 2018; Dao 2023, "FlashAttention-2", alg. 1): a running maximum, sum and weighted sum of
// values per row.
//
// A state may store keys and values rotated (hadamard.hpp). Queries are then rotated alike, which
// leaves scores what they were, and the weighted sum of values is rotated back.
//
// One order of operations for a row (a query and its head), whatever else is in the step:
//   keys      page after page of 64 positions, counted from the start of the sequence; a page
//             without a visible key is skipped
//   splits    512 positions each, counted from the start of the sequence, every split on its own
//             and then merged in order. Splits may run on different threads.
// So the bits of a row depend on its own sequence alone, and not even on where its chunks begin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/attention/page_kernels.hpp"

namespace vernal::cpu_avx2 {

/// Positions that one thread works through before a merge.
inline constexpr std::int64_t kSplitTokens = 512;

/// One sequence of a step. Tokens [start, start + count) of the batch are its positions
/// [first_position, first_position + count).
struct AttentionSequence {
  const std::uint32_t* pages = nullptr;  ///< page of positions 64 i .. 64 i + 63; may hold unused
                                         ///< ids where a window has moved on
  std::int64_t start = 0;
  std::int64_t count = 0;
  std::int64_t first_position = 0;
};

/// One attention node in one step. All memory is borrowed.
struct Attention {
  const float* q = nullptr;      ///< [T][num_query_heads][key_dim]
  float* out = nullptr;          ///< [T][num_query_heads][value_dim]
  const float* sinks = nullptr;  ///< [num_query_heads] or null
  std::byte* pages = nullptr;    ///< page p of this state begins at pages + p * page_stride
  std::int64_t page_stride = 0;
  KvLayout layout;
  std::int64_t num_query_heads = 0;
  std::int64_t window = 0;  ///< query i sees key j iff i - j < window; 0: no window
  float scale = 1.0F;
  float softcap = 0.0F;  ///< 0: none
  bool is_causal = true;
  std::span<const AttentionSequence> sequences;
  const PageKernels* kernels = &page_kernels(InstructionSet::kAvx2);

  std::int64_t heads_per_group() const { return num_query_heads / layout.num_heads; }
};

/// Stores the new keys and values of tokens [first, last) of the batch. Different tokens may be
/// done by different threads at once; run_attention_item() only after all of them.
///   k  [T][num_heads][key_dim],  v  [T][num_heads][value_dim]
void append_kv(const Attention& attention, const float* k, const float* v, std::int64_t first,
               std::int64_t last);

/// A piece of work for one thread: some queries of a sequence with one KV head.
struct AttentionItem {
  std::int32_t sequence = 0;
  std::int32_t head = 0;         ///< KV head
  std::int64_t first_query = 0;  ///< in the sequence's part of the batch
  std::int64_t last_query = 0;
  std::int32_t split = -1;  ///< the one split to do, or -1: all, and write the result
};

/// How the work of a step is cut up. The choice never changes a bit of the result.
struct AttentionSchedule {
  std::vector<AttentionItem> items;
  std::int64_t max_splits = 0;  ///< 0: items write results, else partials to be merged
};

/// Cuts a step into items: tiles of queries, or single queries by splits when there are too few of
/// them for `num_threads`.
///   max_partial_rows  how many (query, head) rows the partials buffer holds for each split
void schedule_attention(const Attention& attention, std::int64_t num_threads,
                        std::int64_t partial_capacity, AttentionSchedule& schedule);

/// f32 numbers of one partial result: weighted values, maximum, sum.
std::int64_t partial_floats(std::int64_t value_dim);

/// Numbers of scratch memory one thread needs, f32.
std::int64_t attention_scratch_floats(const Attention& attention);

/// Runs one item.
///   partials  [T * num_query_heads][max_splits][partial_floats()], only if max_splits > 0
///   scratch   attention_scratch_floats(), 32-byte aligned, of the calling thread alone
void run_attention_item(const Attention& attention, const AttentionItem& item,
                        std::int64_t max_splits, float* partials, float* scratch);

/// After all items, if max_splits > 0: merges the partials of rows [first, last) of the
/// T * num_query_heads rows and writes their results.
void merge_attention_rows(const Attention& attention, std::int64_t max_splits,
                          const float* partials, std::int64_t first, std::int64_t last,
                          float* scratch);

}  // namespace vernal::cpu_avx2
