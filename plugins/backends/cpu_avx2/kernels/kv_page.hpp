// Layout of keys and values in a page of 64 positions, and how rows get in and out.
//
//   page of one state:  per head  keys, then values
//   f16                 codes [64][dim] f16
//   q8_0                codes [64][dim] i8, then scales [64][dim / 32] f16
// so that the keys of a head in a page are one run of memory, read front to back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vernal::cpu_avx2 {

inline constexpr std::int64_t kPageTokens = 64;

enum class KvFormat : std::uint8_t { kF16, kQ8_0 };

/// The format with that name ("f16", "q8_0"), or nothing.
std::optional<KvFormat> find_kv_format(std::string_view name);

/// Shape and format of one KV state. `dim` of a q8_0 format is a multiple of 32.
struct KvLayout {
  std::int64_t num_heads = 0;
  std::int64_t key_dim = 0;
  std::int64_t value_dim = 0;
  KvFormat keys = KvFormat::kF16;
  KvFormat values = KvFormat::kF16;

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

/// Writes one row of `dim` floats at position `slot` (0..63) of a run, rounded to the format:
/// f16 to nearest even; q8_0 with scale = f16(max|x| / 127) per 32 and codes round(x / scale).
void store_kv_row(KvFormat format, const float* x, std::int64_t dim, std::int64_t slot,
                  std::byte* run);

/// Rows [first, last) of a run as floats: out[(slot - first) * dim + i].
/// Asks for the same rows of `next` (a run of the following page, or null) on the way.
struct KvRun {
  KvFormat format = KvFormat::kF16;
  const std::byte* data = nullptr;
  const std::byte* next = nullptr;
  std::int64_t dim = 0;
};
void load_kv_rows(const KvRun& run, std::int64_t first, std::int64_t last, float* out);

}  // namespace vernal::cpu_avx2
