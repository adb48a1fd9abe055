// Sizes and durations as they are written in a deployment file: the value carries the unit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vernal {

/// "512MiB" -> bytes. Units: B, KiB, MiB, GiB, TiB, KB, MB, GB, TB. Fractions are allowed
/// ("1.5GiB"). Throws Error(INVALID_ARGUMENT) saying what was expected.
std::uint64_t parse_size(std::string_view text);

/// "30s" -> milliseconds. Units: ms, s, m, h.
std::uint64_t parse_duration_ms(std::string_view text);

/// 1610612736 -> "1.50 GiB".
std::string format_size(std::uint64_t bytes);

}  // namespace vernal
