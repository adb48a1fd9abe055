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

/// The weights of one row in one page.
struct PageWeights {
  float greatest;  ///< score; the weights are e^(score - greatest)
  float sum;       ///< of the weights
};

struct PageKernels {
  /// scores[r * 64 + slot] = q[r] . key[slot], for codes in units of the query's scale. Slots that
  /// nobody sees may hold anything.
  void (*score)(const QueryRows& q, const PageRun& keys, float* scores);
  /// Turns the 64 scores of a row, of which it sees `seen` (not none), into weights; 0 where unseen.
  PageWeights (*weigh)(float* scores, Slots seen, ScoreScaling scaling);
  /// sums[r] += factors[r] * weights[r * 64 + slot] * value[slot], over all slots and `count` rows.
  ///   scratch  [value_dim / 32][64]
  void (*add)(const float* weights, const float* factors, std::int64_t count, const PageRun& values,
              float* scratch, ValueSums sums);
};

/// To be called where the set is available.
const PageKernels& page_kernels(InstructionSet set);

/// For page_kernels(); to be run where AVX-512 with VNNI is available.
const PageKernels& avx512_vnni_page_kernels();

}  // namespace vernal::cpu_avx2
