// What is done with a page of the KV cache, as functions of one instruction set. All sets give the
// same bits.
#pragma once

#include <cstdint>

#include "kernels/attention/kv_page.hpp"
#include "kernels/instruction_set.hpp"

namespace vernal::cpu_avx2 {

/// Slots [first, last) of a page.
struct Slots {
  std::int64_t first;
  std::int64_t last;
};

/// Weighted sums of values of neighbouring rows: row r at data + r * stride.
struct ValueSums {
  float* data;
  std::int64_t stride;
};

/// Queries of a tile that share a KV head, one row each, as the format of the keys wants them.
struct QueryRows {
  std::int64_t count = 0;
  const float* numbers = nullptr;       ///< [count][dim], for f16 keys
  const std::int16_t* codes = nullptr;  ///< [count][dim], for q8_0 and q4_0: quantize_query()
};

/// A run of a page to work through, and the one that will be needed next.
struct PageRun {
  KvRun run;
  const std::byte* ahead = nullptr;  ///< null: nothing to ask for
  Slots slots;                       ///< that some row sees
};

struct ScoreScaling {
  float scale;
  float softcap;  ///< 0: none
};

/// Whether scores need only be multiplied by a number that keeps their order.
[[gnu::always_inline]] inline bool is_plain(ScoreScaling scaling) {
  return scaling.softcap <= 0.0F && scaling.scale >= 0.0F;
}

inline constexpr float kLog2OfE = 1.44269504F;

/// 2^f = 1 + f (t0 + f (t1 + ...)): power_of_two() of page_softmax.hpp.
inline constexpr float kPowerTerms[5] = {0.69314700F, 0.24022242F, 0.055507336F, 0.0096715130F,
                                         0.0013264727F};

/// The weights of one row in one page.
struct PageWeights {
  float greatest;  ///< score; the weights are e^(score - greatest)
  float sum;       ///< of the weights
};

struct PageKernels {
  /// scores[r * 64 + slot] = q[r] . key[slot], for codes in units of the query's scale. Slots that
  /// nobody sees may hold anything.
  ///   scratch  page_scratch_floats(), 32-byte aligned
  void (*score)(const QueryRows& q, const PageRun& keys, float* scratch, float* scores);
  /// Turns the 64 scores of a row, of which it sees `seen` (not none), into weights; 0 where unseen.
  PageWeights (*weigh)(float* scores, Slots seen, ScoreScaling scaling);
  /// The same for eight rows that see the whole page, where scaling is_plain().
  ///   scales, greatest, sums  [8]: as in ScoreScaling and PageWeights
  void (*weigh_eight)(float* scores, const float* scales, float* greatest, float* sums);
  /// sums[r] += factors[r] * weights[r * 64 + slot] * value[slot], over all slots and `count` rows.
  ///   factors  room for a multiple of 8
  ///   scratch  as above
  void (*add)(const float* weights, const float* factors, std::int64_t count, const PageRun& values,
              float* scratch, ValueSums sums);
};

/// f32 numbers of scratch memory for the work on one page with up to `rows` rows.
std::int64_t page_scratch_floats(const KvLayout& layout, std::int64_t rows);

/// To be called where the set is available.
const PageKernels& page_kernels(InstructionSet set);

/// For page_kernels(); to be run where AVX-512 with VNNI is available.
const PageKernels& avx512_vnni_page_kernels();

}  // namespace vernal::cpu_avx2
