// Rules that begin with themselves.
#pragma once

#include <vector>

#include "text/grammar/gbnf/gbnf_syntax.hpp"

namespace vernal::grammar {

/// Turns rules that begin with themselves into repetitions: a ::= a x | y is a ::= y x*.
/// Errors   GrammarError: a rule that begins with itself by way of another one
void remove_left_recursion(std::vector<GbnfRule>& rules);

}  // namespace vernal::grammar
