// Patterns of ECMAScript as expressions.
#pragma once

#include <string>
#include <string_view>

#include "text/grammar/regex/pool.hpp"

namespace vernal::grammar {

enum class Anchoring : std::uint8_t {
  kSearch,  ///< the pattern matches somewhere in the text, as in JSON Schema
  kWhole,   ///< it matches the whole text, as for a regular expression that a client asks for
};

struct Pattern {
  Re re = kNothing;
  std::string problem;  ///< why `re` is not what the pattern means; empty if it is
};

/// Reads a pattern, which is UTF-8, with the flag u: \d and \w are ASCII, \s knows Unicode, "."
/// ends at a line, \p{...} is a class of Unicode. Where an expression of another dialect has one
/// meaning only, it is taken: identity escapes, a brace that repeats nothing, a leading (?i).
/// Lookahead in a sequence is an intersection with what follows. Lookbehind, references, word
/// borders and lookahead that is repeated are named as the problem.
/// Errors   RegexLimit
Pattern parse_pattern(RegexPool& pool, std::string_view text, Anchoring anchoring);

/// The code points of `text`; bytes that are no UTF-8 become U+FFFD.
std::u32string to_code_points(std::string_view text);
std::string to_utf8(std::u32string_view text);

}  // namespace vernal::grammar
