// What one rendering of a template may cost. Templates come from model files and are not trusted.
#pragma once

#include <cstdint>

namespace vernal {

/// Bounds of one rendering. Reaching one ends it with vernal::TemplateLimit, before the memory is
/// taken. The values a caller passes in are not counted as the template's heap.
struct RenderLimits {
  /// Nodes evaluated, plus one for each 256 bytes or 8 elements that an operation reads or writes.
  std::uint64_t max_steps = 1'000'000;
  /// Nesting of macro calls, recursive loops and values (lists in lists).
  std::uint32_t max_depth = 200;
  std::uint64_t max_output_bytes = std::uint64_t{16} << 20;
  /// Estimate of all strings, lists and mappings that the template holds at one time.
  std::uint64_t max_heap_bytes = std::uint64_t{64} << 20;
  /// Wall-clock time of the rendering; 0 means no limit, which keeps results independent of load.
  std::uint32_t timeout_ms = 0;
  /// Whether list.append, dict.update and their like may change a value. Off by default, because
  /// published templates are written for an environment that refuses them.
  bool allow_mutation = false;
};

}  // namespace vernal
