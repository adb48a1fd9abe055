// The numbers of keys and values in a page (kv_run.hpp): where they lie, and how one is read.
#pragma once

#include "kernels/attention/kv_run.hpp"

namespace vernal::cuda_sm86 {

/// Which number of a page a code is. Keys: position after position; values: number after number.
template <bool kIsKey>
struct RunOrder {
  __device__ static int64_t number(const KvRun& run, int position, int i) {
    return kIsKey ? static_cast<int64_t>(position) * run.dim + i
                  : static_cast<int64_t>(i) * kPagePositions + position;
  }
  __device__ static int64_t byte_of_nibble(const KvRun& run, int position, int i) {
    const int pair = i / kGroupNumbers * 16 + i % 16;
    return kIsKey ? static_cast<int64_t>(position) * (run.dim / 2) + pair
                  : static_cast<int64_t>(pair) * kPagePositions + position;
  }
  __device__ static int64_t scale(const KvRun& run, int position, int i) {
    const int group = i / kGroupNumbers;
    return kIsKey ? static_cast<int64_t>(position) * (run.dim / kGroupNumbers) + group
                  : static_cast<int64_t>(group) * kPagePositions + position;
  }
};

/// Number `i` at a position, as a float. `data`: where the run of the head begins.
template <bool kIsKey>
__device__ __forceinline__ float read_number(const KvRun& run, const unsigned char* data,
                                             int position, int i) {
  using Order = RunOrder<kIsKey>;
  if (run.format == RunFormat::kF16) {
    const auto* const halves = reinterpret_cast<const uint16_t*>(data);
    return float_of_half(halves[Order::number(run, position, i)]);
  }
  const auto* const scales = reinterpret_cast<const uint16_t*>(data + run.scales_at);
  const float scale = float_of_half(scales[Order::scale(run, position, i)]);
  if (run.format == RunFormat::kQ8_0) {
    const auto code = static_cast<int8_t>(data[Order::number(run, position, i)]);
    return scale * static_cast<float>(code);
  }
  const int byte = data[Order::byte_of_nibble(run, position, i)];
  const int code = i % kGroupNumbers < 16 ? byte & 15 : byte >> 4;
  return scale * static_cast<float>(code - 8);
}

/// y = H x in blocks of run.rotation numbers, in place: y_i = sum over j of (-1)^popcount(i & j)
/// x_j / sqrt(block). All threads of the block call it; `row` is shared memory that they have
/// filled before a barrier, and may read after it returns.
__device__ __forceinline__ void rotate_row(const KvRun& run, float* row) {
  if (run.rotation == 0) return;
  for (int half = 1; half < run.rotation; half *= 2) {
    for (int i = static_cast<int>(threadIdx.x); i < run.dim / 2;
         i += static_cast<int>(blockDim.x)) {
      const int low = i / half * 2 * half + i % half;
      const float a = row[low];
      const float b = row[low + half];
      row[low] = a + b;
      row[low + half] = a - b;
    }
    __syncthreads();
  }
  const float norm = 1.0F / sqrtf(static_cast<float>(run.rotation));
  for (int i = static_cast<int>(threadIdx.x); i < run.dim; i += static_cast<int>(blockDim.x)) {
    row[i] *= norm;
  }
  __syncthreads();
}

}  // namespace vernal::cuda_sm86
