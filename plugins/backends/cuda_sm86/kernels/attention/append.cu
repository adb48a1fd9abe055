#include "kernels/attention/attention.hpp"
#include "kernels/attention/kv_numbers.hpp"

namespace vernal::cuda_sm86 {

namespace {

constexpr int kThreads = 64;

struct Row {
  float numbers[kMostHeadNumbers];
};

/// The scale of a group of 32 numbers as it is stored, and its inverse.
struct GroupScale {
  uint16_t pattern;
  float inverse;
};

/// As vernal::block_scale(): a scale that is not finite becomes NaN, so that the fault is seen.
__device__ GroupScale group_scale(float wanted) {
  if (!(fabsf(wanted) < INFINITY)) return {0x7E00U, 0.0F};
  const uint16_t pattern = half_of_float(fminf(fmaxf(wanted, -65504.0F), 65504.0F));
  const float stored = float_of_half(pattern);
  return {pattern, stored == 0.0F ? 0.0F : 1.0F / stored};
}

/// The number of largest magnitude of a group, with its sign; the first one of equals, or one that
/// is not finite.
__device__ float extreme_of(const float* x) {
  float extreme = 0.0F;
  for (int i = 0; i < kGroupNumbers; ++i) {
    if (!(fabsf(x[i]) < INFINITY)) return x[i];
    if (fabsf(x[i]) > fabsf(extreme)) extreme = x[i];
  }
  return extreme;
}

__device__ int code_of(float x, GroupScale scale, float least, float most) {
  return __float2int_rn(fminf(fmaxf(x * scale.inverse, least), most));
}

/// Stores one group of a row; a thread has it alone. Rounding is that of vernal::quantize_row_q8_0()
/// and quantize_row_q4_0().
template <bool kIsKey>
__device__ void store_group(const KvRun& run, unsigned char* data, int position, int first,
                            const float* x) {
  using Order = RunOrder<kIsKey>;
  const bool is_q8 = run.format == RunFormat::kQ8_0;
  const float extreme = extreme_of(x);
  const GroupScale scale = group_scale(is_q8 ? fabsf(extreme) / 127.0F : extreme / -8.0F);
  auto* const scales = reinterpret_cast<uint16_t*>(data + run.scales_at);
  scales[Order::scale(run, position, first)] = scale.pattern;
  if (is_q8) {
    for (int i = 0; i < kGroupNumbers; ++i) {
      data[Order::number(run, position, first + i)] =
          static_cast<unsigned char>(code_of(x[i], scale, -127.0F, 127.0F) & 255);
    }
    return;
  }
  for (int i = 0; i < 16; ++i) {
    const int low = code_of(x[i], scale, -8.0F, 7.0F) + 8;
    const int high = code_of(x[i + 16], scale, -8.0F, 7.0F) + 8;
    data[Order::byte_of_nibble(run, position, first + i)] =
        static_cast<unsigned char>(low | high << 4);
  }
}

/// Stores the row in shared memory. All threads of the block.
template <bool kIsKey>
__device__ void store_row(const KvRun& run, unsigned char* data, int position, const float* row) {
  const int first = static_cast<int>(threadIdx.x);
  if (run.format == RunFormat::kF16) {
    auto* const halves = reinterpret_cast<uint16_t*>(data);
    for (int i = first; i < run.dim; i += kThreads) {
      halves[RunOrder<kIsKey>::number(run, position, i)] = half_of_float(row[i]);
    }
    return;
  }
  for (int group = first; group < run.dim / kGroupNumbers; group += kThreads) {
    store_group<kIsKey>(run, data, position, group * kGroupNumbers, row + group * kGroupNumbers);
  }
}

/// A block for each token and head: its key, then its value.
__global__ void append_rows(Attention a) {
  VERNAL_SHARED(Row, row);
  const int token = static_cast<int>(blockIdx.y);
  if (token >= a.counts->num_tokens) return;
  const int head = static_cast<int>(blockIdx.x);
  const int index = a.token_sequence[token];
  const SequencePart part = a.sequences[index];
  const int position = part.first_position + token - part.start;
  const uint32_t page =
      a.page_ids[static_cast<int64_t>(index) * a.most_pages + position / kPagePositions];
  unsigned char* const data = a.pages + page * a.page_stride + head * a.head_bytes;
  const int64_t source = static_cast<int64_t>(token) * a.num_heads + head;
  const int in_page = position % kPagePositions;
  for (int i = static_cast<int>(threadIdx.x); i < a.keys.dim; i += kThreads) {
    row.numbers[i] = a.k[source * a.keys.dim + i];
  }
  __syncthreads();
  rotate_row(a.keys, row.numbers);
  store_row<true>(a.keys, data + a.keys.at, in_page, row.numbers);
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < a.values.dim; i += kThreads) {
    row.numbers[i] = a.v[source * a.values.dim + i];
  }
  __syncthreads();
  rotate_row(a.values, row.numbers);
  store_row<false>(a.values, data + a.values.at, in_page, row.numbers);
}

}  // namespace

cudaError_t launch_append(const Attention& attention, const LaunchSize& size) {
  const dim3 grid(static_cast<unsigned>(attention.num_heads),
                  static_cast<unsigned>(size.num_tokens));
  return launch(size.stream, grid, kThreads, append_rows, attention);
}

}  // namespace vernal::cuda_sm86
