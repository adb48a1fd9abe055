// The delta rule by blocks of tokens. With c the running sum of a block's gates, and all tokens i
// <= j of the block:
//
//   A[j,i] = beta_j (k_j . k_i) e^(c_j - c_i), i < j        B[j,i] = (q_j . k_i) e^(c_j - c_i)
//   U = (I + A)^-1 beta (V - e^c K S)                       by forward substitution
//   Y = e^c Q S + B U                                       S <- e^c_last S + (e^(c_last - c) K)^T
//   U
//
// Only differences c_j - c_i <= 0 are ever exponents, whatever the gates. Panel by panel of S,
// three rows at a time: what a row needs of earlier rows is a matrix product, what it needs of its
// own three is done by hand. Every sum runs over its index in order, so the bits of a row do not
// depend on how many rows follow it, nor on where it stands in a tile.
#include <cstdint>

#include "delta_block.hpp"
#include "vector_math.hpp"

namespace vernal::cpu_avx2 {

namespace {

/// Rows of a tile: with four vectors each, twelve sums in registers.
constexpr std::int64_t kTileRows = 3;

struct ChunkInputs {
  float* transposed;     // [key_dim][kDeltaBlock]: keys by column, zeros behind the last
  float* key_weights;    // [count][kDeltaBlock]: A
  float* query_weights;  // [count][kDeltaBlock]: B
  float* changes;        // [count][columns of a panel]: U
  float* faded;          // as changes: e^(c_n - c) U
  float* decays;         // [count]: e^c
  double* sums;          // [count]: c
};

ChunkInputs chunk_inputs(const DeltaRule& rule, float* work) {
  ChunkInputs in{};
  in.sums = reinterpret_cast<double*>(work);
  work += 2 * kDeltaBlock;
  in.decays = work;
  work += kDeltaBlock;
  in.transposed = work;
  work += rule.key_dim * kDeltaBlock;
  in.key_weights = work;
  work += kDeltaBlock * kDeltaBlock;
  in.query_weights = work;
  work += kDeltaBlock * kDeltaBlock;
  in.changes = work;
  work += kDeltaBlock * kPanelColumns;
  in.faded = work;
  return in;
}

// ---- before the panels
// ---------------------------------------------------------------------------

/// sums[r][c] += weights[r][0 .. depth) times rows: kRows rows of kVectors vectors.
///   weights  row r at weights + r * weight_stride;  rows: row i at rows + i * row_stride
template <int kRows, int kVectors>
inline void multiply_add(const float* weights, std::int64_t weight_stride, const float* rows,
                         std::int64_t row_stride, std::int64_t depth,
                         __m256 (&sums)[kRows][kVectors]) {
  __m256 total[kRows][kVectors];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < kVectors; ++c) total[r][c] = sums[r][c];
  }
  for (std::int64_t i = 0; i < depth; ++i) {
    __m256 w[kRows];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) w[r] = _mm256_broadcast_ss(weights + r * weight_stride + i);
#pragma GCC unroll 4
    for (int c = 0; c < kVectors; ++c) {
      const __m256 x = _mm256_loadu_ps(rows + i * row_stride + kLanes * c);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) total[r][c] = _mm256_fmadd_ps(w[r], x, total[r][c]);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int c = 0; c < kVectors; ++c) sums[r][c] = total[r][c];
  }
}

void transpose_keys(const DeltaRule& rule, const DeltaBlock& block, float* out) {
  for (std::int64_t n = 0; n < kDeltaBlock; n += kLanes) {
    for (std::int64_t i = 0; i < rule.key_dim; i += kLanes) {
      __m256i rows[8];
      __m256i columns[8];
      for (std::int64_t r = 0; r < kLanes; ++r) {
        rows[r] = n + r < block.count ? load_256(block.keys + (n + r) * rule.key_dim + i)
                                      : _mm256_setzero_si256();
      }
      transpose_dwords(rows, columns);
      for (std::int64_t r = 0; r < kLanes; ++r) {
        store_256(out + (i + r) * kDeltaBlock + n, columns[r]);
      }
    }
  }
}

/// out[j][i] = x_j . k_i for rows [j, j + kRows) and all i up to them, and some more.
template <int kRows>
void multiply_keys(const DeltaRule& rule, const float* x, const float* transposed, std::int64_t j,
                   float* out) {
  for (std::int64_t i = 0; i < j + kRows; i += kPanelColumns) {
    __m256 sums[kRows][4] = {};
    multiply_add<kRows, 4>(x + j * rule.key_dim, rule.key_dim, transposed + i, kDeltaBlock,
                           rule.key_dim, sums);
    for (int r = 0; r < kRows; ++r) {
      for (int c = 0; c < 4; ++c) {
        _mm256_storeu_ps(out + (j + r) * kDeltaBlock + i + kLanes * c, sums[r][c]);
      }
    }
  }
}

/// e^(c_n - c_i) for i in 0 .. kLanes - 1 from `i` on, those behind n as if they were n.
inline __m256 fading(const double* sums, std::int64_t n, std::int64_t i) {
  alignas(32) float differences[kLanes];
  for (std::int64_t lane = 0; lane < kLanes; ++lane) {
    differences[lane] = static_cast<float>(sums[n] - sums[std::min(n, i + lane)]);
  }
  return exp_ps(_mm256_load_ps(differences));
}

/// Fills sums, decays, A and B.
void prepare_chunk(const DeltaHead& head, const DeltaBlock& block, const ChunkInputs& in) {
  const DeltaRule& rule = head.rule;
  double sum = 0.0;
  for (std::int64_t n = 0; n < block.count; ++n) {
    sum += static_cast<double>(*head.gates(block.first + n));
    in.sums[n] = sum;
    in.decays[n] = _mm256_cvtss_f32(exp_ps(_mm256_set1_ps(static_cast<float>(sum))));
  }
  transpose_keys(rule, block, in.transposed);
  std::int64_t j = 0;
  for (; j + kTileRows <= block.count; j += kTileRows) {
    multiply_keys<kTileRows>(rule, block.keys, in.transposed, j, in.key_weights);
    multiply_keys<kTileRows>(rule, block.queries, in.transposed, j, in.query_weights);
  }
  for (; j < block.count; ++j) {
    multiply_keys<1>(rule, block.keys, in.transposed, j, in.key_weights);
    multiply_keys<1>(rule, block.queries, in.transposed, j, in.query_weights);
  }
  for (std::int64_t n = 0; n < block.count; ++n) {
    const __m256 beta = _mm256_set1_ps(head.beta(block.first + n));
    for (std::int64_t i = 0; i <= n; i += kLanes) {
      float* a = in.key_weights + n * kDeltaBlock + i;
      float* b = in.query_weights + n * kDeltaBlock + i;
      const __m256 faded = fading(in.sums, n, i);
      _mm256_storeu_ps(a, _mm256_mul_ps(_mm256_mul_ps(beta, faded), _mm256_loadu_ps(a)));
      _mm256_storeu_ps(b, _mm256_mul_ps(faded, _mm256_loadu_ps(b)));
    }
  }
}

// ---- a panel
// -------------------------------------------------------------------------------------

/// sums -= A of rows [n, n + kRows) times what the rows before them changed; then row by row.
template <int kRows, int kVectors>
inline void substitute(const ChunkInputs& in, std::int64_t n, __m256 (&sums)[kRows][kVectors]) {
  constexpr std::int64_t kWidth = kVectors * kLanes;
  __m256 known[kRows][kVectors] = {};
  multiply_add<kRows, kVectors>(in.key_weights + n * kDeltaBlock, kDeltaBlock, in.changes, kWidth,
                                n, known);
  for (int r = 0; r < kRows; ++r) {
    for (int before = 0; before < r; ++before) {
      const __m256 w = _mm256_broadcast_ss(in.key_weights + (n + r) * kDeltaBlock + n + before);
      for (int c = 0; c < kVectors; ++c) {
        known[r][c] = _mm256_fmadd_ps(w, sums[before][c], known[r][c]);
      }
    }
    for (int c = 0; c < kVectors; ++c) {
      sums[r][c] = _mm256_sub_ps(sums[r][c], known[r][c]);
      _mm256_storeu_ps(in.changes + (n + r) * kWidth + kLanes * c, sums[r][c]);
    }
  }
}

/// Rows [n, n + kRows) of the block: U, then Y.
template <int kRows, int kVectors>
void solve_rows(const DeltaHead& head, const DeltaBlock& block, const ChunkInputs& in,
                std::int64_t n, std::int64_t column) {
  constexpr std::int64_t kWidth = kVectors * kLanes;
  const std::int64_t key_dim = head.rule.key_dim;
  const float* panel = head.working_panel(column);
  __m256 sums[kRows][kVectors] = {};
  multiply_add<kRows, kVectors>(block.keys + n * key_dim, key_dim, panel, kWidth, key_dim, sums);
  for (int r = 0; r < kRows; ++r) {
    const std::int64_t t = block.first + n + r;
    const __m256 decay = _mm256_set1_ps(in.decays[n + r]);
    const __m256 beta = _mm256_set1_ps(head.beta(t));
    const float* values = block.values + (n + r) * head.rule.value_dim + column;
    for (int c = 0; c < kVectors; ++c) {
      const __m256 v = _mm256_loadu_ps(values + kLanes * c);
      sums[r][c] = _mm256_mul_ps(beta, _mm256_fnmadd_ps(decay, sums[r][c], v));
    }
  }
  substitute<kRows, kVectors>(in, n, sums);
  __m256 out[kRows][kVectors] = {};
  multiply_add<kRows, kVectors>(block.queries + n * key_dim, key_dim, panel, kWidth, key_dim, out);
  for (int r = 0; r < kRows; ++r) {
    const __m256 decay = _mm256_set1_ps(in.decays[n + r]);
    for (int c = 0; c < kVectors; ++c) out[r][c] = _mm256_mul_ps(decay, out[r][c]);
  }
  multiply_add<kRows, kVectors>(in.query_weights + n * kDeltaBlock, kDeltaBlock, in.changes, kWidth,
                                n, out);
  for (int r = 0; r < kRows; ++r) {
    for (int i = 0; i <= r; ++i) {
      const __m256 w = _mm256_broadcast_ss(in.query_weights + (n + r) * kDeltaBlock + n + i);
      for (int c = 0; c < kVectors; ++c) out[r][c] = _mm256_fmadd_ps(w, sums[i][c], out[r][c]);
    }
    float* y = block.values + (n + r) * head.rule.value_dim + column;
    for (int c = 0; c < kVectors; ++c) _mm256_storeu_ps(y + kLanes * c, out[r][c]);
  }
}

/// kRows rows of the state from row i on, after `count` tokens of the block.
template <int kRows, int kVectors>
void advance_rows(const ChunkInputs& in, std::int64_t count, std::int64_t i, const float* from,
                  float* to) {
  constexpr std::int64_t kWidth = kVectors * kLanes;
  const __m256 decay = _mm256_set1_ps(in.decays[count - 1]);
  __m256 sums[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int c = 0; c < kVectors; ++c) {
      const float* old = from + (i + r) * kWidth + kLanes * c;
      sums[r][c] = _mm256_mul_ps(decay, _mm256_loadu_ps(old));
    }
  }
  multiply_add<kRows, kVectors>(in.transposed + i * kDeltaBlock, kDeltaBlock, in.faded, kWidth,
                                count, sums);
  for (int r = 0; r < kRows; ++r) {
    for (int c = 0; c < kVectors; ++c) {
      _mm256_storeu_ps(to + (i + r) * kWidth + kLanes * c, sums[r][c]);
    }
  }
}

/// The panel after the first `count` tokens of the block: S <- e^c S + (e^(c_count - c) K)^T U.
template <int kVectors>
void advance_panel(const ChunkInputs& in, std::int64_t key_dim, std::int64_t count,
                   const float* from, float* to) {
  constexpr std::int64_t kWidth = kVectors * kLanes;
  for (std::int64_t n = 0; n < count; n += kLanes) {
    alignas(32) float factors[kLanes];
    _mm256_store_ps(factors, fading(in.sums, count - 1, n));
    for (std::int64_t r = n; r < std::min(n + kLanes, count); ++r) {
      const __m256 factor = _mm256_set1_ps(factors[r - n]);
      for (int c = 0; c < kVectors; ++c) {
        const __m256 u = _mm256_loadu_ps(in.changes + r * kWidth + kLanes * c);
        _mm256_storeu_ps(in.faded + r * kWidth + kLanes * c, _mm256_mul_ps(factor, u));
      }
    }
  }
  std::int64_t i = 0;
  for (; i + kTileRows <= key_dim; i += kTileRows) {
    advance_rows<kTileRows, kVectors>(in, count, i, from, to);
  }
  for (; i < key_dim; ++i) {
    advance_rows<1, kVectors>(in, count, i, from, to);
  }
}

template <int kVectors>
void run_panel(const DeltaHead& head, const DeltaBlock& block, const ChunkInputs& in,
               std::int64_t column) {
  std::int64_t n = 0;
  for (; n + kTileRows <= block.count; n += kTileRows) {
    solve_rows<kTileRows, kVectors>(head, block, in, n, column);
  }
  for (; n < block.count; ++n) solve_rows<1, kVectors>(head, block, in, n, column);
  float* panel = head.working_panel(column);
  for (n = 0; n < block.count; ++n) {
    float* kept = head.kept_panel(block.first + n, column);
    if (kept != nullptr) {
      advance_panel<kVectors>(in, head.rule.key_dim, n + 1, panel, kept);
    }
  }
  advance_panel<kVectors>(in, head.rule.key_dim, block.count, panel, panel);
}

}  // namespace

std::int64_t delta_chunk_floats(const DeltaRule& rule) {
  return kDeltaBlock * (3 + rule.key_dim + 2 * kDeltaBlock + 2 * kPanelColumns);
}

void run_delta_chunk(const DeltaHead& head, const DeltaBlock& block) {
  const ChunkInputs in = chunk_inputs(head.rule, block.work);
  prepare_chunk(head, block, in);
  for_each_panel(head.rule, [&](std::int64_t column, std::int64_t width) {
    switch (width / kLanes) {
      case 1:
        run_panel<1>(head, block, in, column);
        break;
      case 2:
        run_panel<2>(head, block, in, column);
        break;
      case 3:
        run_panel<3>(head, block, in, column);
        break;
      default:
        run_panel<4>(head, block, in, column);
        break;
    }
  });
}

}  // namespace vernal::cpu_avx2
