// "Did you mean": the known name nearest to a misspelt one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vernal {

/// The candidate with the smallest edit distance to `name`, if that is at most a third of its
/// length (and at least one edit is allowed) and some of it stays; else empty. Ties: the first.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

/// `; did you mean "x"?` or nothing.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace vernal
