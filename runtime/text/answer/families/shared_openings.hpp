// Marks of thinking and calls that several families share, and the forms of their tags.
#pragma once

#include <string>
#include <vector>

#include "text/answer/answer_syntax.hpp"

namespace vernal::families {

/// <think> and </think>
MarkPair think_tags();

/// <function=N> <parameter=k>v</parameter> </function>
TagForm equals_tags(bool has_line_breaks);
/// N <arg_key>k</arg_key> <arg_value>v</arg_value>, with `suffix` in each tag's name
TagForm key_value_tags(const std::string& suffix);

/// <tool_call>, in which the first byte decides.
CallOpening tool_call_opening();
/// <function=N> without the mark that belongs before it.
CallOpening bare_function_opening();
/// <|python_tag|>
CallOpening python_tag();
/// An object that begins a line, alone, in a list or in a fence.
void add_bare_json(std::vector<CallOpening>& openings);

}  // namespace vernal::families
