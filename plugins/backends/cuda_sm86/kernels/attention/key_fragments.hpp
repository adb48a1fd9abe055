// Keys as the left factor of a product: 16 keys of a page times the numbers of a group (kv_run.hpp).
//
// A format gives
//   kChunkGroups   groups that a lane loads at a time; kHasScales
//   Chunk load(at, groups, first, lane)   `at`: where the numbers of a row begin that the lane loads
//   unpack(chunk, group, a)               two fragments of 16 keys x 16 numbers, without the scale
// Row r < 8 of a fragment is key 4 (r / 2) + r % 2 of the 16, row r + 8 is two keys on: a lane then
// has the weights of two keys that make a register of the next product (value_fragments.hpp).
#pragma once

#include "kernels/attention/half_codes.hpp"
#include "kernels/attention/kv_run.hpp"

namespace vernal::cuda_sm86 {

/// The key of row g of a fragment, of 16. That of row g + 8 is two more.
__device__ __forceinline__ int key_of_row(int g) { return g / 2 * 4 + g % 2; }

/// Both rows of a lane.
struct KeyWords {
  uint4 rows[2];
};

struct KeysQ4_0 {
  static constexpr RunFormat kFormat = RunFormat::kQ4_0;
  static constexpr int kChunkGroups = 4;
  static constexpr bool kHasScales = true;
  using Chunk = KeyWords;

  /// The groups from `first` on of the rows `key` and key + 2 of a run with so many groups.
  __device__ static Chunk load(const unsigned char* run, int dim, int key, int first, int t) {
    const int groups = dim / kGroupNumbers;
    const int count = min(groups - first, kChunkGroups);
    Chunk out{};
    VERNAL_UNROLL
    for (int r = 0; r < 2; ++r) {
      const unsigned char* const at =
          run + (static_cast<int64_t>(key + 2 * r) * groups + first) * 16 + t * count * 4;
      if (count == 4) {
        out.rows[r] = load_once(reinterpret_cast<const uint4*>(at));
      } else if (count == 2) {
        const uint2 words = load_once(reinterpret_cast<const uint2*>(at));
        out.rows[r].x = words.x;
        out.rows[r].y = words.y;
      } else {
        out.rows[r].x = word_at(at);
        if (count == 3) {
          out.rows[r].y = word_at(at + 4);
          out.rows[r].z = word_at(at + 8);
        }
      }
    }
    return out;
  }

  __device__ static void unpack(const Chunk& chunk, int group, uint32_t (&a)[2][4]) {
    VERNAL_UNROLL
    for (int r = 0; r < 2; ++r) {
      const uint32_t even = word_of(chunk.rows[r], group);
      const uint32_t odd = even >> 8;
      a[0][r] = low_nibbles(even);
      a[0][2 + r] = low_nibbles(odd);
      a[1][r] = high_nibbles(even);
      a[1][2 + r] = high_nibbles(odd);
    }
  }
};

struct KeysQ8_0 {
  static constexpr RunFormat kFormat = RunFormat::kQ8_0;
  static constexpr int kChunkGroups = 2;
  static constexpr bool kHasScales = true;
  using Chunk = KeyWords;

  __device__ static Chunk load(const unsigned char* run, int dim, int key, int first, int t) {
    const int groups = dim / kGroupNumbers;
    const int count = min(groups - first, kChunkGroups);
    Chunk out{};
    VERNAL_UNROLL
    for (int r = 0; r < 2; ++r) {
      const unsigned char* const at =
          run + (static_cast<int64_t>(key + 2 * r) * groups + first) * 32 + t * count * 8;
      if (count == 2) {
        out.rows[r] = load_once(reinterpret_cast<const uint4*>(at));
      } else {
        const uint2 words = load_once(reinterpret_cast<const uint2*>(at));
        out.rows[r].x = words.x;
        out.rows[r].y = words.y;
      }
    }
    return out;
  }

  __device__ static void unpack(const Chunk& chunk, int group, uint32_t (&a)[2][4]) {
    VERNAL_UNROLL
    for (int r = 0; r < 2; ++r) {
      VERNAL_UNROLL
      for (int step = 0; step < 2; ++step) {
        const uint32_t word = word_of(chunk.rows[r], 2 * group + step);
        a[step][r] = signed_bytes<0x4140>(word);
        a[step][2 + r] = signed_bytes<0x4342>(word);
      }
    }
  }
};

struct KeysF16 {
  static constexpr RunFormat kFormat = RunFormat::kF16;
  static constexpr int kChunkGroups = 1;
  static constexpr bool kHasScales = false;
  using Chunk = KeyWords;

  __device__ static Chunk load(const unsigned char* run, int dim, int key, int first, int t) {
    const int groups = dim / kGroupNumbers;
    Chunk out{};
    VERNAL_UNROLL
    for (int r = 0; r < 2; ++r) {
      if (first < groups) {
        const int64_t row = static_cast<int64_t>(key + 2 * r) * groups + first;
        out.rows[r] = load_once(reinterpret_cast<const uint4*>(run + row * 64 + t * 16));
      } else {
        out.rows[r] = load_rest(run, dim, key + 2 * r, t);
      }
    }
    return out;
  }

  __device__ static void unpack(const Chunk& chunk, int, uint32_t (&a)[2][4]) {
    VERNAL_UNROLL
    for (int r = 0; r < 2; ++r) {
      a[0][r] = chunk.rows[r].x;
      a[0][2 + r] = chunk.rows[r].y;
      a[1][r] = chunk.rows[r].z;
      a[1][2 + r] = chunk.rows[r].w;
    }
  }

 private:
  /// What a row has beyond its whole groups, and zeros.
  __device__ static uint4 load_rest(const unsigned char* run, int dim, int key, int t) {
    const int rest = dim % kGroupNumbers;
    const auto* const numbers = reinterpret_cast<const uint16_t*>(run) +
                                static_cast<int64_t>(kPagePositions) * (dim - rest) + key * rest;
    uint32_t words[4];
    VERNAL_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int first = i / 2 * 16 + 4 * t + i % 2;
      const uint32_t low = first < rest ? numbers[first] : 0U;
      const uint32_t high = first + 2 < rest ? numbers[first + 2] : 0U;
      words[i] = low | high << 16;
    }
    return make_uint4(words[0], words[1], words[2], words[3]);
  }
};

}  // namespace vernal::cuda_sm86
