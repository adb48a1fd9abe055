// Sizes and durations with their units, as deployment files write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vernal {

/// The bytes of a size such as "512MiB" or "1.5GiB". Units: B, KiB, MiB, GiB, TiB, KB, MB, GB, TB.
/// Errors  INVALID_ARGUMENT: what was expected
std::uint64_t parse_size(std::string_view text);

/// The milliseconds of a duration such as "30s". Units: ms, s, m, h.
/// Errors  INVALID_ARGUMENT: what was expected
std::uint64_t parse_duration_ms(std::string_view text);

/// A size for people: 1610612736 becomes "1.50 GiB".
std::string format_size(std::uint64_t bytes);

}  // namespace vernal
