// The syntaxes in which a model answers.
#pragma once

#include <optional>
#include <string>

#include "text/answer/answer_syntax.hpp"
#include "text/answer/syntax_probe.hpp"
#include "text/request/prompt_builder.hpp"
#include "text/request/request_document.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

/// How the answer to one prompt is read.
struct AnswerFormat {
  const AnswerSyntax* syntax = nullptr;  ///< null: all of it is content
  bool is_thinking = false;              ///< the prompt ends inside the thinking
};

/// What a model's templates teach of its answers, or what the deployment says. Immutable; any thread.
class ModelAnswers {
 public:
  /// Tries the templates out.
  ///   tool_syntax   the name of a family, or "auto"
  /// Errors   INVALID_ARGUMENT: no family has that name
  ModelAnswers(const ModelTemplates& templates, const std::string& tool_syntax,
               const Tokenizer& tokenizer);

  /// Of a conversation; the answer to a plain prompt is content. The syntax lives as long as this.
  AnswerFormat format_of(const RequestDocument& document, const Prompt& prompt) const;

 private:
  ProbedSyntax chat_;
  std::optional<ProbedSyntax> tool_use_;  // of a template of its own
  AnswerSyntax preamble_;                 // of tools that stand in the general preamble
};

}  // namespace vernal
