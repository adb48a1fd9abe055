#include "kernels/recurrent/delta_rule.hpp"

#include "kernels/reduce.hpp"

namespace vernal::cuda_sm86 {

namespace {

constexpr int kWarps = 4;
constexpr int kBlockColumns = kWarps * kWarpColumns;

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

/// The sum over the four lanes of a column, in each of them.
__device__ __forceinline__ float column_sum(float x) {
  x += __shfl_xor_sync(kFullWarp, x, 1);
  return x + __shfl_xor_sync(kFullWarp, x, 2);
}

/// One warp puts a key or query into shared memory, times `scale`.
template <int kRows>
__device__ void share_rows(const DeltaRule& rule, const float* x, float scale, float* shared) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  float factor = 1.0F;
  if (rule.is_normalized) {
    float squares = 0.0F;
    VERNAL_NO_UNROLL
    for (int row = lane; row < rule.key_dim; row += kWarpSize) squares += x[row] * x[row];
    factor = 1.0F / sqrtf(warp_sum(squares) + rule.epsilon);
  }
  VERNAL_NO_UNROLL
  for (int row = lane; row < kRows * kRowParts; row += kWarpSize) {
    const int at = row % kRowParts * SharedRows<kRows>::kPartNumbers + row / kRowParts;
    shared[at] = row < rule.key_dim ? scale * (x[row] * factor) : 0.0F;
  }
}

/// One warp puts what the rows of S decay by into shared memory.
template <int kRows>
__device__ void share_decay(const DeltaRule& rule, const float* gates, float* shared) {
  const int lane = static_cast<int>(threadIdx.x) % kWarpSize;
  VERNAL_NO_UNROLL
  for (int row = lane; row < kRows * kRowParts; row += kWarpSize) {
    const int at = row % kRowParts * SharedRows<kRows>::kPartNumbers + row / kRowParts;
    shared[at] = row < rule.key_dim ? expf(gates[rule.has_key_gates ? row : 0]) : 0.0F;
  }
}

/// Each warp puts one kind of row into shared memory. The block waits before it reads them.
template <int kRows>
__device__ void share_token(const DeltaRule& rule, const TokenInputs& token,
                            SharedRows<kRows>& rows) {
  const int warp = static_cast<int>(threadIdx.x) / kWarpSize;
  if (warp == 0) share_rows<kRows>(rule, token.k, 1.0F, rows.k);
  if (warp == 1 && token.q != nullptr) share_rows<kRows>(rule, token.q, rule.scale, rows.q);
  if (warp == 2) share_decay<kRows>(rule, token.gates, rows.decay);
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
    s[i] *= decay[i];
    known += s[i] * k[i];
  }
  const float u = beta * (v - column_sum(known));
  float y = 0.0F;
  VERNAL_UNROLL
  for (int i = 0; i < kRows; ++i) {
    s[i] += k[i] * u;
    y += s[i] * q[i];
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
  const int64_t key = (token * rule.num_key_heads + place.key_head) * rule.key_dim;
  const int64_t head = token * rule.num_value_heads + place.head;
  return {rule.q + key, rule.k + key, rule.v + head * rule.value_dim + place.column,
          rule.g + (rule.has_key_gates ? head * rule.key_dim : head), rule.beta + head};
}

__device__ void copy_by_block(const float* from, float* to, int count) {
  VERNAL_NO_UNROLL
  for (int i = static_cast<int>(threadIdx.x); i < count; i += kWarps * kWarpSize) {
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
  const int column =
      static_cast<int>(blockIdx.x) * kBlockColumns + static_cast<int>(threadIdx.x) / kRowParts;
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

/// Blocks of threads are (columns of S, head, sequence).
template <int kRows>
__global__ void __launch_bounds__(kWarps* kWarpSize, kRows <= 32 ? 4 : 2)
    run_delta_rule(DeltaRule rule) {
  VERNAL_SHARED(SharedRows<kRows>, shared_rows);
  const int index = static_cast<int>(blockIdx.z);
  if (index >= rule.counts->num_sequences) return;
  const SequencePart part = rule.sequences[index];
  const Place place = place_of_thread(rule);
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
  VERNAL_NO_UNROLL
  for (int position = known; position < end; ++position) {
    const int64_t row = part.start + position - part.first_position;
    const bool is_logged = position < part.first_position;
    TokenInputs token;
    if (is_logged) {
      const LoggedToken from = logged_token(rule, state, place, position, part.log_side);
      token = {nullptr, from.k, from.v, from.gates, from.beta};
    } else {
      token = step_token(rule, place, row);
    }
    share_token(rule, token, shared_rows);
    __syncthreads();
    const float v = place.is_in_matrix ? *token.v : 0.0F;
    const float y = pass_token(place.part, shared_rows, v, *token.beta, s);
    __syncthreads();
    if (!is_logged && place.part == 0 && place.is_in_matrix) {
      rule.y[(row * rule.num_value_heads + place.head) * rule.value_dim + place.column] = y;
    }
    if (position + 1 == stored && place.is_in_matrix) {
      VERNAL_UNROLL
      for (int i = 0; i < kRows; ++i) {
        if (i < rows) matrix[static_cast<int64_t>(i) * kWarpSize] = s[i];
      }
    }
    if (position >= stored) {
      write_log(rule, place, token, logged_token(rule, state, place, position, 1 - part.log_side));
    }
  }
}

}  // namespace

cudaError_t launch_delta_rule(const DeltaRule& rule, const LaunchSize& size) {
  const dim3 grid(blocks_for(rule.value_dim, kBlockColumns),
                  static_cast<unsigned>(rule.num_value_heads),
                  static_cast<unsigned>(size.num_sequences));
  const auto put = [&](auto kernel) {
    return launch(size.stream, grid, kWarps * kWarpSize, kernel, rule);
  };
  if (rule.key_dim <= 8 * kRowParts) return put(run_delta_rule<8>);
  if (rule.key_dim <= 32 * kRowParts) return put(run_delta_rule<32>);
  return put(run_delta_rule<kMostKeyNumbers / kRowParts>);
}

}  // namespace vernal::cuda_sm86
