// From what a request asks of its answer to the grammars that hold it.
#pragma once

#include "engine/answer/answer_grammar.hpp"
#include "engine/request/grammar_store.hpp"
#include "text/answer/model_answers.hpp"
#include "text/request/prompt_builder.hpp"
#include "text/request/request_document.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

/// The grammars of a request: its format, and the calls of the tools that it may or must call, in the
/// form that the model writes. What they do not hold is named in `warnings`. Any thread.
/// Errors   RequestError: a format or schema that cannot be held and has to be, calls in a form that
///          has no grammar where they are required, rules for tokens beside them
AnswerRules answer_rules(GrammarStore& grammars, const RequestDocument& document,
                         const AnswerFormat& format, const Tokenizer& tokenizer,
                         Warnings& warnings);

}  // namespace vernal
