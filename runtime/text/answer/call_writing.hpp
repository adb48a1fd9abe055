// How a model writes calls, as a grammar is made from it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/answer/answer_syntax.hpp"
#include "text/grammar/grammar.hpp"
#include "text/request/chat_message.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

/// A grammar of calls, and the text by which a reader of the answer knows that one begins.
struct CallGrammarSource {
  grammar::GrammarSource source;
  std::string opener;  ///< bytes as in the grammar; empty: any text may turn out to be a call
};

/// A grammar of calls of `tools`, written like the example of `syntax`. Schemas are taken as they
/// are; a tool without one takes any object. Nothing where the form has no grammar: typed attributes,
/// elements, an example that is missing or not read.
///   is_list   several calls may follow one another
std::optional<CallGrammarSource> call_grammar_source(const AnswerSyntax& syntax,
                                                     const std::vector<ToolDefinition>& tools,
                                                     bool is_list, const Tokenizer& tokenizer);

/// From the mark that opens the call in a text that a template printed to behind what closes it;
/// empty if it has none. The text is in the words of AnswerSyntax::example.
std::string_view example_in(std::string_view printed, const AnswerSyntax& syntax);

}  // namespace vernal
