// Families whose calls are written as in Python or with marked strings: those that literal_calls.cpp
// reads.
#include <utility>

#include "text/answer/families/descriptions.hpp"
#include "text/answer/families/shared_openings.hpp"

namespace vernal::families {

AnswerSyntax pythonic() {
  AnswerSyntax syntax{.family = "pythonic",
                      .openings = {{.mark = "<|python_start|>",
                                    .form = CallForm::kFunctions,
                                    .closes = {"<|python_end|>"}}}};
  add_bare_json(syntax.openings);
  return syntax;
}

AnswerSyntax lfm2() {
  AnswerSyntax syntax{.family = "lfm2",
                      .thinking = {think_tags()},
                      .openings = {{.mark = "<|tool_call_start|>",
                                    .form = CallForm::kFunctions,
                                    .closes = {"<|tool_call_end|>"}}}};
  add_bare_json(syntax.openings);
  return syntax;
}

AnswerSyntax gemma(std::string family, const std::vector<std::string>& marks,
                   std::string string_mark) {
  return {.family = std::move(family),
          .thinking = {{"<|channel>thought", "<channel|>", true}},
          .openings = {{.mark = marks[0],
                        .form = CallForm::kMarked,
                        .closes = {marks[1]},
                        .values = ValueStyle::kMarked,
                        .string_mark = std::move(string_mark)}}};
}

}  // namespace vernal::families
