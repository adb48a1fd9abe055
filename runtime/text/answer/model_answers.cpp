#include "text/answer/model_answers.hpp"

#include <fmt/format.h>

#include "text/template_probe.hpp"
#include "vernal/error.hpp"

namespace vernal {
namespace {

// The general preamble asks for calls as this family writes them.
constexpr std::string_view kPreambleFamily = "hermes";

ProbedSyntax syntax_of(const ChatTemplate& chat_template, const std::string& tool_syntax,
                       const IsToken& is_token) {
  ProbedSyntax probed = probe_answer_syntax(chat_template, probe_template(chat_template), is_token);
  if (tool_syntax == "auto" || tool_syntax == probed.syntax.family) return probed;
  const AnswerSyntax* const named = find_answer_syntax(tool_syntax);
  if (named == nullptr) {
    throw Error(VERNAL_INVALID_ARGUMENT,
                fmt::format("tool_syntax = \"{}\": expected auto, {}", tool_syntax,
                            fmt::join(answer_families(), ", ")));
  }
  return {*named, SyntaxOrigin::kNamed};
}

}  // namespace

ModelAnswers::ModelAnswers(const ModelTemplates& templates, const std::string& tool_syntax,
                           const Tokenizer& tokenizer)
    : preamble_(*find_answer_syntax(kPreambleFamily)) {
  if (!templates.chat) return;
  const IsToken is_token = [&](std::string_view text) {
    return tokenizer.encode(text, {.parse_special = true}).size() == 1;
  };
  chat_ = syntax_of(*templates.chat, tool_syntax, is_token);
  if (templates.tool_use) tool_use_ = syntax_of(*templates.tool_use, tool_syntax, is_token);
  preamble_.thinking = chat_.syntax.thinking;
}

AnswerFormat ModelAnswers::format_of(const RequestDocument& document, const Prompt& prompt) const {
  if (!document.messages) return {};
  const bool has_tools = !document.tools.empty();
  const AnswerSyntax* syntax = &chat_.syntax;
  if (has_tools && tool_use_) syntax = &tool_use_->syntax;
  if (has_tools && prompt.has_preamble) syntax = &preamble_;
  if (!has_tools && !syntax->has_thinking() && syntax->wrappers.empty()) return {};
  return {syntax, ends_in_thinking(prompt.ending, *syntax)};
}

}  // namespace vernal
