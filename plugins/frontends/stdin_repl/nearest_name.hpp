// What somebody who mistyped a name meant.
#pragma once

#include <span>
#include <string_view>

namespace vernal::stdin_repl {

/// The name most like `word`: one it begins, or else one within a third of its letters inserted,
/// left out, replaced or swapped. Empty if none is near.
std::string_view nearest_name(std::string_view word, std::span<const std::string_view> names);

}  // namespace vernal::stdin_repl
