// The syntax of GBNF, context-free grammars as local inference servers take them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/grammar/regex/charset.hpp"

namespace vernal::grammar {

struct GbnfNode {
  enum class Kind : std::uint8_t { kSet, kRule, kSequence, kChoice, kRepeat };

  Kind kind = Kind::kSequence;
  Charset set;
  std::uint32_t rule = 0;
  std::vector<GbnfNode> parts;  ///< one for kRepeat
  std::uint32_t min = 0;        ///< kRepeat
  std::uint32_t max = 0;
};

struct GbnfRule {
  std::string name;
  GbnfNode body;
  std::uint32_t line = 0;  ///< of its definition; 0 if there is none
};

/// Rule 0 is "root".
/// Errors   GrammarError with "line 3" as the pointer: a mistake, a rule that is used and not
///          defined or defined twice, a repetition of more than a million, groups nested more than 100
///          deep
std::vector<GbnfRule> parse_gbnf(std::string_view text);

}  // namespace vernal::grammar
