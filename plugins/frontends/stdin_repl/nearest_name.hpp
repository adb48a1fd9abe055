// Guesses which name somebody meant who mistyped it.
#pragma once

#include <span>
#include <string_view>

namespace vernal::stdin_repl {

/// The name nearest to `word`: one that begins with it; else one that differs in at most a third of
/// its letters, which may be inserted, left out, replaced or swapped. Empty if no name is near.
std::string_view nearest_name(std::string_view word, std::span<const std::string_view> names);

}  // namespace vernal::stdin_repl
