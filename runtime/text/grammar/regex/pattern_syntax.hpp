// The syntax tree of a pattern.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/regex/charset.hpp"

namespace vernal::grammar {

struct PatternNode {
  enum class Kind : std::uint8_t { kSet, kSequence, kChoice, kRepeat, kBegin, kEnd, kLookahead };

  Kind kind = Kind::kSequence;
  Charset set;                     ///< kSet
  std::vector<PatternNode> parts;  ///< one for kRepeat and kLookahead
  std::uint32_t min = 0;           ///< kRepeat
  std::uint32_t max = 0;
  bool is_negative = false;  ///< kLookahead
};

/// What a pattern cannot be read for: "lookbehind is not supported at 12".
struct PatternProblem {
  std::string reason;
};

/// Errors   PatternProblem
PatternNode parse_pattern_syntax(std::string_view text);

}  // namespace vernal::grammar
