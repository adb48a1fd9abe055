// How a model writes calls, as a grammar is made from it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/answer/answer_syntax.hpp"
#include "text/grammar/grammar.hpp"
#include "text/request/chat_message.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

/// A text by which a reader of the answer knows that a call begins, in bytes as in the grammar.
struct CallSign {
  enum class Place : std::uint8_t {
    kAnywhere,
    kLineStart,    ///< behind a line feed or at the beginning of the answer, and blanks
    kAnswerStart,  ///< only there
  };
  std::string before{};  ///< stands before the call and is no part of it
  std::string text{};    ///< the call begins with it
  Place place = Place::kAnywhere;
};

/// A grammar of calls, and the signs of calls in an answer that may hold other text as well.
struct CallGrammarSource {
  grammar::GrammarSource source;
  std::vector<CallSign> signs{};
  /// Whether every call begins with a sign. Else the model may write calls in other ways, such as
  /// with other white space, which are read as well.
  bool is_marked = false;
};

/// A grammar of calls of `tools`, written like the example of `syntax`. Schemas are taken as they
/// are; a tool without one takes any object. Nothing if there is no example, or one that is not read.
///   is_list   several calls may follow one another
std::optional<CallGrammarSource> call_grammar_source(const AnswerSyntax& syntax,
                                                     const std::vector<ToolDefinition>& tools,
                                                     bool is_list, const Tokenizer& tokenizer);

}  // namespace vernal
