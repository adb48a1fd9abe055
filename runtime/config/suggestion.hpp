// Finds the known name that a misspelt one was probably meant to be.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vernal {

/// The candidate with the smallest edit distance to `name`; of several the first. Empty if the
/// distance is more than a third of the length of `name` (but one edit is always allowed), or if no
/// character of `name` would stay.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

/// The text `; did you mean "x"?`, or an empty text if no candidate is near.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace vernal
