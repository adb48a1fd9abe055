// The syntax of answers that a chat template teaches, found by rendering short conversations.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "text/answer/answer_syntax.hpp"
#include "text/chat_template.hpp"
#include "text/template_probe.hpp"

namespace vernal {

/// How a syntax was found.
enum class SyntaxOrigin : std::uint8_t {
  kLearned,  ///< the template printed a call, which a syntax reads again
  kFound,    ///< a family's mark stands in what it prints of the tools, in its source or vocabulary
  kNamed,    ///< by the deployment
  kAssumed,  ///< neither: calls in <tool_call>, or as bare or fenced objects
};

struct ProbedSyntax {
  AnswerSyntax syntax;
  SyntaxOrigin origin = SyntaxOrigin::kAssumed;
};

/// Whether the model's vocabulary has a token of that text.
using IsToken = std::function<bool(std::string_view text)>;

/// Renders some ten short conversations. Never throws for what the template does; meant to be called
/// once when a model is loaded.
ProbedSyntax probe_answer_syntax(const ChatTemplate& chat_template,
                                 const TemplateCapabilities& capabilities, const IsToken& is_token);

/// Whether a prompt that ends with this text leaves the thinking open: what the model writes next is
/// reasoning.
bool ends_in_thinking(std::string_view prompt_end, const AnswerSyntax& syntax);

}  // namespace vernal
