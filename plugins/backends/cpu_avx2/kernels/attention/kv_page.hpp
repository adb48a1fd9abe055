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
#include <optional>
#include <string_view>

#include "shared/page.hpp"

namespace vernal::cpu_avx2 {

using backend::kPageTokens;

/// Most numbers of a row that is rotated.
inline constexpr std::int64_t kMostRotated = 1024;

/// Numbers of a row that share a scale.
inline constexpr std::int64_t kKvGroup = 32;

enum class KvFormat : std::uint8_t { kF16, kQ8_0, kQ4_0 };

/// Whether numbers are stored as integer codes with a scale for each kKvGroup of them.
inline constexpr bool has_codes(KvFormat format) { return format != KvFormat::kF16; }

/// The format with that name ("f16", "q8_0", "q4_0"), or nothing.
std::optional<KvFormat> find_kv_format(std::string_view name);

/// Shape and format of one KV state. `dim` of a format with codes is a multiple of 32, of f16
/// one of 8.
struct KvLayout {
  std::int64_t num_heads = 0;
  std::int64_t key_dim = 0;
  std::int64_t value_dim = 0;
  KvFormat keys = KvFormat::kF16;
  KvFormat values = KvFormat::kF16;
  /// Numbers that are rotated together (rotation_block()), 0: stored as they are.
  std::int64_t key_rotation = 0;
  std::int64_t value_rotation = 0;

  /// Bytes of the numbers or codes of one head in a page; scales are behind them.
  static std::int64_t code_bytes(KvFormat format, std::int64_t dim);
  /// Bytes of the keys or values of one head in a page.
  static std::int64_t run_bytes(KvFormat format, std::int64_t dim);

  std::int64_t head_bytes() const {
    return run_bytes(keys, key_dim) + run_bytes(values, value_dim);
  }
  std::int64_t page_bytes() const { return num_heads * head_bytes(); }
  std::int64_t keys_at(std::int64_t head) const { return head * head_bytes(); }
  std::int64_t values_at(std::int64_t head) const {
    return keys_at(head) + run_bytes(keys, key_dim);
  }
};

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
