// Layout of keys and values in a page of 64 positions, and how rows get in and out.
//
//   page of one state   per head: a run of keys, then a run of values
//   f16   keys [dim][64], values [64][dim]
//   q8_0  keys [dim / 2][64][2] i8, values [32][dim][2] i8 (the last index is the number of the
//         key, and the position of the value); behind each run scales [dim / 32][64] f16
//   q4_0  keys [dim / 4][64][2], values [32][dim / 16][8][2] bytes of two codes; scales as q8_0.
//         A byte of a key holds numbers i (low) and i + 2, one of a value i (low) and i + 8:
//         both of the same position, so that no two positions share a byte
// Eight lanes are then eight keys, so a score needs no sum across lanes, and eight numbers of a
// value. The pairs of q8_0 and q4_0 are what one instruction multiplies and adds.
#pragma once

#include <cstddef>
#include <cstdint>

#include "shared/state/kv_layout.hpp"

namespace vernal::cpu_avx2 {

using backend::find_kv_format;
using backend::has_codes;
using backend::kKvGroup;
using backend::kMostRotated;
using backend::kPageTokens;
using backend::KvFormat;
using backend::KvLayout;
using backend::rotation_block;

/// The keys or the values of one head in a page.
struct KvRun {
  KvFormat format = KvFormat::kF16;
  std::byte* data = nullptr;
  std::int64_t dim = 0;
};

/// Writes `dim` floats as the key (or value) at position `slot` (0..63), rounded to the format: f16
/// to nearest even; q8_0 with scale = f16(max|x| / 127) per 32 numbers and codes round(x / scale);
/// q4_0 as vernal::quantize_row_q4_0().
void store_key(const KvRun& run, std::int64_t slot, const float* x);
void store_value(const KvRun& run, std::int64_t slot, const float* x);

/// Reads one row back: out[dim].
void load_key(const KvRun& run, std::int64_t slot, float* out);
void load_value(const KvRun& run, std::int64_t slot, float* out);

}  // namespace vernal::cpu_avx2
