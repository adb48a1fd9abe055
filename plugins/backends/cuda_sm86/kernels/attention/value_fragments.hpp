// Values as the left factor of a product: the 32 numbers of a group at the positions of a page
// (kv_run.hpp). In step s of a product, the columns of lane part t are the positions 16t + 4s .. +3, so
// that a lane multiplies what it loads; weights stand in the same order.
//
// A format gives
//   kParts   in which a page is loaded, each with kPageSteps / kParts steps; kHasScales
//   Words load(run, dim, group, part, g, t)   what a lane has of a group in a page
//   unpack(words, step, a)   fragments of numbers 0 .. 15 and 16 .. 31, without the scale; `step` of
//                            the part
#pragma once

#include "kernels/attention/half_codes.hpp"
#include "kernels/attention/kv_run.hpp"

namespace vernal::cuda_sm86 {

struct ValuesQ4_0 {
  static constexpr RunFormat kFormat = RunFormat::kQ4_0;
  static constexpr int kParts = 1;
  static constexpr bool kHasScales = true;
  struct Words {
    uint4 of[2];  ///< of bytes g and g + 8
  };

  __device__ static Words load(const unsigned char* run, int, int group, int, int g, int t) {
    const unsigned char* const at = run + (group * 16 + g) * kPagePositions + t * 16;
    return {{load_once(reinterpret_cast<const uint4*>(at)),
             load_once(reinterpret_cast<const uint4*>(at + 8 * kPagePositions))}};
  }

  __device__ static void unpack(const Words& words, int step, uint32_t (&a)[2][4]) {
    VERNAL_UNROLL
    for (int r = 0; r < 2; ++r) {
      const uint32_t even = word_of(words.of[r], step);
      const uint32_t odd = even >> 8;
      a[0][r] = low_nibbles(even);
      a[0][2 + r] = low_nibbles(odd);
      a[1][r] = high_nibbles(even);
      a[1][2 + r] = high_nibbles(odd);
    }
  }
};

struct ValuesQ8_0 {
  static constexpr RunFormat kFormat = RunFormat::kQ8_0;
  static constexpr int kParts = 1;
  static constexpr bool kHasScales = true;
  struct Words {
    uint4 of[4];  ///< of numbers g, g + 8, g + 16, g + 24
  };

  __device__ static Words load(const unsigned char* run, int, int group, int, int g, int t) {
    Words out;
    VERNAL_UNROLL
    for (int r = 0; r < 4; ++r) {
      const unsigned char* const at =
          run + (group * kGroupNumbers + g + 8 * r) * kPagePositions + t * 16;
      out.of[r] = load_once(reinterpret_cast<const uint4*>(at));
    }
    return out;
  }

  __device__ static void unpack(const Words& words, int step, uint32_t (&a)[2][4]) {
    VERNAL_UNROLL
    for (int r = 0; r < 4; ++r) {
      const uint32_t word = word_of(words.of[r], step);
      a[r / 2][r % 2] = signed_bytes<0x4240>(word);
      a[r / 2][2 + r % 2] = signed_bytes<0x4341>(word);
    }
  }
};

struct ValuesF16 {
  static constexpr RunFormat kFormat = RunFormat::kF16;
  static constexpr int kParts = 2;
  static constexpr bool kHasScales = false;
  struct Words {
    uint4 of[4];  ///< of numbers g, g + 8, g + 16, g + 24
  };

  __device__ static Words load(const unsigned char* run, int dim, int group, int part, int g,
                               int t) {
    Words out{};
    VERNAL_UNROLL
    for (int r = 0; r < 4; ++r) {
      const int number = group * kGroupNumbers + g + 8 * r;
      if (number >= dim) break;
      out.of[r] = load_once(reinterpret_cast<const uint4*>(run + number * 2 * kPagePositions) +
                            part * 4 + t);
    }
    return out;
  }

  __device__ static void unpack(const Words& words, int step, uint32_t (&a)[2][4]) {
    VERNAL_UNROLL
    for (int r = 0; r < 4; ++r) {
      a[r / 2][r % 2] = word_of(words.of[r], step * 2);
      a[r / 2][2 + r % 2] = word_of(words.of[r], step * 2 + 1);
    }
  }
};

}  // namespace vernal::cuda_sm86
