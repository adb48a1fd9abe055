// How a model writes calls, read from an example.
#pragma once

#include <optional>
#include <string_view>

#include "text/answer/answer_syntax.hpp"
#include "text/grammar/calls/call_source.hpp"
#include "text/grammar/options.hpp"

namespace vernal {

/// What stands before a recipient, in answers and at the end of prompts.
inline constexpr std::string_view kRecipientMark = ">>>";

/// An example taken apart. The texts have the words of AnswerSyntax::example in them.
struct ReadExample {
  grammar::CallSource source;  ///< without tools
  grammar::Whitespace whitespace = grammar::Whitespace::kSpaced;
  const CallOpening* opening = nullptr;  ///< of the syntax; null: the call has no mark
  std::string_view head;                 ///< of one call, before its arguments
  std::string_view tail;                 ///< behind them
};

/// Takes the example of `syntax` apart, which outlives the result. Nothing: there is none, or it is
/// written in a form that has no grammar.
///   is_list   several calls may follow one another
std::optional<ReadExample> read_example(const AnswerSyntax& syntax, bool is_list);

/// From the mark that opens the call in a text that a template printed to behind what closes it;
/// empty if it has none. The text is in the words of AnswerSyntax::example.
std::string_view example_in(std::string_view printed, const AnswerSyntax& syntax);

}  // namespace vernal
