#include "kernels/recurrent/delta_rule.hpp"

#include "kernels/elementwise/normalise_row.hpp"
#include "kernels/reduce.hpp"

namespace vernal::cuda_sm86 {

namespace {

/// Warps of a block of threads, each with eight columns of S: those that share the rows of a token, or
/// all columns of a head.
constexpr int kWarps = 4;
[[maybe_unused]] constexpr int kMostHeadWarps =
    kMostNormedValues / kWarpColumns;  // emulated blocks have no bounds

/// What a thread works on: rows `part` modulo 4 of one column of a head's S.
struct Place {
  int head;
  int key_head;
  int column;
  int part;
  bool is_in_matrix;  ///< the last block may have more columns than S
};

/// What the rule takes of one token for the heads of a place.
struct TokenInputs {
  const float* q;  ///< null: nobody asks for y
  const float* k;
  const float* v;
  const float* gates;  ///< one, or key_dim
  const float* beta;
};

/// The rows of one token that all columns of a block use, by part, so that a thread reads its rows
/// in a row. Four numbers more keep the parts in different banks.
template <int kRows>
struct SharedRows {
  static constexpr int kPartNumbers = kRows + 4;
  float k[kRowParts * kPartNumbers];      ///< normalised if the node says so
  float q[kRowParts * kPartNumbers];      ///< as k, times the scale
  float decay[kRowParts * kPartNumbers];  ///< e^g
};

/// Those of this token and of the next one.
template <int kRows>
struct TokenRows {
  SharedRows<kRows> of[2];
};

/// The sum over the four lanes of a column, in each of them.
__device__ __forceinline__ float column_sum(float x) {
  x += __shfl_xor_sync(kFullWarp, x, 1);
  return x + __shfl_xor_sync(kFullWarp, x, 2);
}

/// The rows of a token that a warp brings to shared memory, as its lanes hold them: those of k in warp
/// 0, of q in warp 1, the gates in warp 2. They are loaded a token ahead.
template <int kRows>
struct LoadedRows {
  static constexpr int kCount = kRows * kRowParts / kWarpSize;
  float of[kCount];  ///< lane l has rows l, l + 32, ...

  __device__ __forceinline__ void load(const DeltaRule& rule, const TokenInputs& token) {
    const int warp = warp_of_block();
    if (warp > 2) return;
    const float* const from = warp == 0 ? token.k : warp == 1 ? token.q : token.gates;
    const bool is_number = warp == 2 && !rule.has_key_gates;
    VERNAL_UNROLL
    for (int i = 0; i < kCount; ++i) {
      const int row = static_cast<int>(threadIdx.x) % kWarpSize + i * kWarpSize;
      of[i] = row < rule.key_dim && from != nullptr ? from[is_number ? 0 : row] : 0.0F;
    }
  }
};

/// The rows that a warp has loaded, times `scale`, and normalised if the node says so.
template <int kRows>
__device__ __forceinline__ void scale_rows(const DeltaRule& rule, LoadedRows<kRows>& rows,
                                           float scale) {
  float factor = 1.0F;
  if (rule.is_normalized) {
    float squares = 0.0F;
    VERNAL_UNROLL
    for (int i = 0; i < rows.kCount; ++i) squares = __fmaf_rn(rows.of[i], rows.of[i], squares);
    factor = 1.0F / sqrtf(warp_sum(squares) + rule.epsilon);
  }
  VERNAL_UNROLL
  for (int i = 0; i < rows.kCount; ++i) rows.of[i] = scale * (rows.of[i] * factor);
}

/// Puts the rows that are loaded into shared memory. The block waits before it reads them.
template <int kRows>
__device__ __forceinline__ void share_token(const DeltaRule& rule, LoadedRows<kRows> rows,
                                            SharedRows<kRows>& shared) {
  const int warp = warp_of_block();
  if (warp > 2) return;
  if (warp < 2) {
    scale_rows(rule, rows, warp == 0 ? 1.0F : rule.scale);
  } else {
    VERNAL_UNROLL
    for (int i = 0; i < rows.kCount; ++i) rows.of[i] = expf(rows.of[i]);
  }
  float* const to = warp == 0 ? shared.k : warp == 1 ? shared.q : shared.decay;
  VERNAL_UNROLL
  for (int i = 0; i < rows.kCount; ++i) {
    const int row = static_cast<int>(threadIdx.x) % kWarpSize + i * kWarpSize;
    to[row % kRowParts * SharedRows<kRows>::kPartNumbers + row / kRowParts] = rows.of[i];
  }
}

/// One token: changes S and returns the thread's number of y.
template <int kRows>
__device__ __forceinline__ float pass_token(int part, const SharedRows<kRows>& rows, float v,
                                            float beta, float (&s)[kRows]) {
  const float* const k = rows.k + part * SharedRows<kRows>::kPartNumbers;
  const float* const q = rows.q + part * SharedRows<kRows>::kPartNumbers;
  const float* const decay = rows.decay + part * SharedRows<kRows>::kPartNumbers;
  float known = 0.0F;
  VERNAL_UNROLL
  for (int i = 0; i < kRows; ++i) {
    s[i] = __fmul_rn(s[i], decay[i]);
    known = __fmaf_rn(s[i], k[i], known);
  }
  const float u = beta * (v - column_sum(known));
  float y = 0.0F;
  VERNAL_UNROLL
  for (int i = 0; i < kRows; ++i) {
    s[i] = __fmaf_rn(k[i], u, s[i]);
    y = __fmaf_rn(s[i], q[i], y);
  }
  return column_sum(y);
}

/// Where the log has what the rule takes of one token.
struct LoggedToken {
  float* k;
  float* v;
  float* gates;
  float* beta;
};

/// That of the token at a position of the sequence.
__device__ LoggedToken logged_token(const DeltaRule& rule, unsigned char* state, const Place& place,
                                    int position, int side) {
  const DeltaRuleLog& log = rule.log;
  const int at = position % log.depth;
  auto* const keys = reinterpret_cast<float*>(state + log.keys_offset +
                                              (int64_t{side} * log.depth + at) * log.key_bytes);
  auto* const values = reinterpret_cast<float*>(state + log.values_offset);
  float* const gates = keys + rule.num_key_heads * rule.key_dim;
  const int gates_per_head = rule.has_key_gates ? rule.key_dim : 1;
  return {
      keys + place.key_head * rule.key_dim,
      values + (int64_t{at} * rule.num_value_heads + place.head) * rule.value_dim + place.column,
      gates + place.head * gates_per_head,
      gates + rule.num_value_heads * gates_per_head + place.head};
}

__device__ TokenInputs step_token(const DeltaRule& rule, const Place& place, int64_t token) {
  const int64_t key = int64_t{place.key_head} * rule.key_dim;
  const int64_t head = token * rule.num_value_heads + place.head;
  return {rule.q + token * rule.q_stride + key, rule.k + token * rule.k_stride + key,
          rule.v + token * rule.v_stride + place.head * rule.value_dim + place.column,
          rule.g + (rule.has_key_gates ? head * rule.key_dim : head), rule.beta + head};
}

/// That of a position of the sequence, logged or new.
__device__ TokenInputs token_at(const DeltaRule& rule, unsigned char* state, const Place& place,
                                const SequencePart& part, int position) {
  if (position >= part.first_position) {
    return step_token(rule, place, part.start + position - part.first_position);
  }
  const LoggedToken from = logged_token(rule, state, place, position, part.log_side);
  return {nullptr, from.k, from.v, from.gates, from.beta};
}

/// What a thread loads of a token by itself.
struct ThreadInputs {
  float v;
  float beta;
};

__device__ __forceinline__ ThreadInputs load_inputs(const TokenInputs& token, const Place& place) {
  return {place.is_in_matrix ? *token.v : 0.0F, *token.beta};
}

__device__ void copy_by_block(const float* from, float* to, int count) {
  VERNAL_NO_UNROLL
  for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) {
    to[i] = from[i];
  }
}

/// Writes what a later replay needs of a token. The first block of a head writes what all of its
/// columns share; of the heads that use one key, the first writes it.
__device__ void write_log(const DeltaRule& rule, const Place& place, const TokenInputs& from,
                          const LoggedToken& to) {
  if (place.part == 0 && place.is_in_matrix) *to.v = *from.v;
  if (blockIdx.x > 0) return;
  copy_by_block(from.gates, to.gates, rule.has_key_gates ? rule.key_dim : 1);
  copy_by_block(from.beta, to.beta, 1);
  const int heads_of_key = rule.num_value_heads / rule.num_key_heads;
  const bool is_first =
      rule.is_grouped ? place.head % heads_of_key == 0 : place.head < rule.num_key_heads;
  if (is_first) copy_by_block(from.k, to.k, rule.key_dim);
}

__device__ Place place_of_thread(const DeltaRule& rule) {
  const int head = static_cast<int>(blockIdx.y);
  const int column = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x) / kRowParts;
  return {head,
          rule.is_grouped ? head * rule.num_key_heads / rule.num_value_heads
                          : head % rule.num_key_heads,
          column, static_cast<int>(threadIdx.x) % kRowParts, column < rule.value_dim};
}

/// The thread's numbers of the matrix that a slot stores: every kWarpSize-th from here on.
__device__ float* matrix_of(const DeltaRule& rule, unsigned char* state, const Place& place) {
  const int64_t first = int64_t{place.head} * rule.key_dim * rule.value_dim;
  const int64_t group = static_cast<int64_t>(place.column / kWarpColumns) * kWarpColumns;
  return reinterpret_cast<float*>(state) + first + group * rule.key_dim +
         place.column % kWarpColumns * kRowParts + place.part;
}

/// All tokens of a sequence, the pending ones first, with S in registers.
///   take  called with each new token's number among those of the sequence, and the thread's number of y
template <int kRows, class Take>
__device__ __forceinline__ void pass_sequence(const DeltaRule& rule, const Place& place,
                                              const SequencePart& part,
                                              TokenRows<kRows>& shared_rows, Take take) {
  unsigned char* const state = rule.states + part.slot * rule.slot_bytes;
  float* const matrix = matrix_of(rule, state, place);
  const int rows = rule.key_dim / kRowParts;
  const int known = part.first_position - part.pending;  // tokens in the matrix
  const int end = part.first_position + part.count;
  // Tokens in the matrix after the step, unless it has more of them already.
  const int stored = end - rule.log.depth;
  const bool has_matrix = known > 0 && place.is_in_matrix;
  float s[kRows];
  VERNAL_UNROLL
  for (int i = 0; i < kRows; ++i) {
    s[i] = i < rows && has_matrix ? matrix[static_cast<int64_t>(i) * kWarpSize] : 0.0F;
  }
  LoadedRows<kRows> loaded{};
  ThreadInputs next{};
  if (known < end) {
    const TokenInputs token = token_at(rule, state, place, part, known);
    loaded.load(rule, token);
    next = load_inputs(token, place);
  }
  VERNAL_NO_UNROLL
  for (int position = known; position < end; ++position) {
    // Threads that are ahead fill the other rows: one barrier for a token is enough.
    SharedRows<kRows>& rows_here = shared_rows.of[(position - known) % 2];
    const ThreadInputs inputs = next;
    share_token(rule, loaded, rows_here);
    if (position + 1 < end) {
      const TokenInputs token = token_at(rule, state, place, part, position + 1);
      loaded.load(rule, token);
      next = load_inputs(token, place);
    }
    __syncthreads();
    const float y = pass_token(place.part, rows_here, inputs.v, inputs.beta, s);
    if (position >= part.first_position && place.part == 0 && place.is_in_matrix) {
      take(position - part.first_position, y);
    }
    if (position + 1 == stored && place.is_in_matrix) {
      VERNAL_UNROLL
      for (int i = 0; i < kRows; ++i) {
        if (i < rows) matrix[static_cast<int64_t>(i) * kWarpSize] = s[i];
      }
    }
    if (position >= stored) {
      write_log(rule, place, token_at(rule, state, place, part, position),
                logged_token(rule, state, place, position, 1 - part.log_side));
    }
  }
}

/// Blocks of threads are (columns of S, head, sequence).
template <int kRows>
__global__ void __launch_bounds__(kWarps* kWarpSize, kRows <= 32 ? 4 : 2)
    run_delta_rule(DeltaRule rule) {
  VERNAL_SHARED(TokenRows<kRows>, shared_rows);
  const int index = static_cast<int>(blockIdx.z);
  if (index >= rule.counts->num_sequences) return;
  const SequencePart part = rule.sequences[index];
  const Place place = place_of_thread(rule);
  pass_sequence(rule, place, part, shared_rows, [&](int i, float y) {
    const int64_t row = int64_t{part.start + i} * rule.num_value_heads + place.head;
    rule.y[row * rule.value_dim + place.column] = y;
  });
}

/// y of a head for the tokens of a sequence.
struct HeadRows {
  float of[kMostNormedTokens][kMostNormedValues];
};

/// The same, and a head's rows are normed where they are made.
__global__ void __launch_bounds__(kMostHeadWarps* kWarpSize)
    run_normed_delta_rule(DeltaRule rule, Norm norm) {
  VERNAL_SHARED(TokenRows<kMostNormedKeys / kRowParts>, shared_rows);
  VERNAL_SHARED(HeadRows, head_rows);
  const int index = static_cast<int>(blockIdx.z);
  if (index >= rule.counts->num_sequences) return;
  const SequencePart part = rule.sequences[index];
  const Place place = place_of_thread(rule);
  pass_sequence(rule, place, part, shared_rows,
                [&](int i, float y) { head_rows.of[i][place.column] = y; });
  __syncthreads();
  const int num_warps = static_cast<int>(blockDim.x) / kWarpSize;
  BlockSums<kWarpSize> unused;  // a warp needs no memory for its sum
  for (int i = warp_of_block(); i < part.count; i += num_warps) {
    const int64_t row = int64_t{part.start + i} * rule.num_value_heads + place.head;
    normalise_row(norm, head_rows.of[i], row, unused);
  }
}

}  // namespace

cudaError_t launch_delta_rule(const DeltaRule& rule, const LaunchSize& size) {
  const dim3 grid(blocks_for(rule.value_dim, kWarps * kWarpColumns),
                  static_cast<unsigned>(rule.num_value_heads),
                  static_cast<unsigned>(size.num_sequences));
  const auto put = [&](auto kernel) {
    return launch(size.stream, grid, kWarps * kWarpSize, kernel, rule);
  };
  if (rule.key_dim <= 8 * kRowParts) return put(run_delta_rule<8>);
  if (rule.key_dim <= 32 * kRowParts) return put(run_delta_rule<32>);
  return put(run_delta_rule<kMostKeyNumbers / kRowParts>);
}

cudaError_t launch_normed_delta_rule(const DeltaRule& rule, const Norm& norm,
                                     const LaunchSize& size) {
  const dim3 grid(1, static_cast<unsigned>(rule.num_value_heads),
                  static_cast<unsigned>(size.num_sequences));
  const auto threads = static_cast<unsigned>(rule.value_dim / kWarpColumns * kWarpSize);
  return launch(size.stream, grid, threads, run_normed_delta_rule, rule, norm);
}

}  // namespace vernal::cuda_sm86
