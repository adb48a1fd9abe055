// How the keys and values of a state are stored in pages: shapes, formats and sizes. Where in a run
// a number lies is the backend's choice.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "shared/state/page.hpp"
#include "vernal/backend_types.hpp"
#include "vernal/module.hpp"

namespace vernal::backend {

/// Most numbers of a row that is rotated.
inline constexpr std::int64_t kMostRotated = 1024;

/// Numbers of a row that share a scale.
inline constexpr std::int64_t kKvGroup = 32;

enum class KvFormat : std::uint8_t { kF16, kQ8_0, kQ4_0 };

/// Whether numbers are stored as integer codes with a scale for each kKvGroup of them.
inline constexpr bool has_codes(KvFormat format) { return format != KvFormat::kF16; }

/// The format with that name ("f16", "q8_0", "q4_0"), or nothing.
std::optional<KvFormat> find_kv_format(std::string_view name);

/// Numbers that are rotated together in a row of `dim`: the greatest power of two that divides it.
inline constexpr std::int64_t rotation_block(std::int64_t dim) { return dim & -dim; }

/// Shape and format of one KV state. A page holds, head by head, a run of keys and then a run of
/// values; behind the codes of a run stand its scales. `dim` of a format with codes is a multiple
/// of 32.
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

/// By state of the module; empty for states that are no keys and values.
///   float_step  the `dim` of formats without codes is a multiple of this
/// Errors  UNSUPPORTED: a storage format or a head size that KvLayout does not describe
std::vector<KvLayout> kv_layouts(const Module& module, const PlanOptions& options,
                                 std::int64_t float_step);

/// Bytes that a page takes in each of them.
std::vector<std::int64_t> page_bytes_of(const std::vector<KvLayout>& layouts);

}  // namespace vernal::backend
