// Requests to prompts: chat template and tokenizer together.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/chat_template.hpp"
#include "text/request/chat_inputs.hpp"
#include "text/request/content_guard.hpp"
#include "text/request/control_texts.hpp"
#include "text/request/request_document.hpp"
#include "text/tokenizer/tokenizer.hpp"

namespace vernal {

/// The chat templates of a model.
struct ModelTemplates {
  std::shared_ptr<const ChatTemplate> chat{};      ///< null: requests with messages are refused
  std::shared_ptr<const ChatTemplate> tool_use{};  ///< for requests with tools; null: `chat`
  std::string problem{};                           ///< why there is no `chat`; may be empty
};

/// A prompt, and what its client is told about it.
struct Prompt {
  std::vector<TokenId> tokens;
  Warnings warnings;
  /// Of messages: the last bytes of the text, which say whether the model begins inside its thinking.
  std::string ending{};
  bool has_preamble = false;  ///< the tools stand in the general preamble
};

/// The text side of one model. Immutable; any thread.
class PromptBuilder {
 public:
  /// Tries the templates out to learn what they can do.
  ///   clock   what the templates' strftime_now reads
  PromptBuilder(std::shared_ptr<const Tokenizer> tokenizer, ModelTemplates templates, Clock clock);

  /// The text of a request with messages or a prompt. Tools that the template does not print stand
  /// in a preamble (generic_tools.hpp).
  /// Errors   RequestError: no template; the template refuses the messages, costs too much, or leaves
  ///          no place for the tools (param "tools")
  std::string text(const RequestDocument& document) const;

  /// Its tokens, with the vocabulary's beginning of sequence in front if it asks for one and the
  /// text has none. In a prompt the texts of control tokens become those tokens; in messages they
  /// stay text (content_guard.hpp).
  /// Errors   as text()
  Prompt prompt(const RequestDocument& document) const;
  std::vector<TokenId> tokens(const RequestDocument& document) const {
    return prompt(document).tokens;
  }

  const Tokenizer& tokenizer() const noexcept { return *tokenizer_; }
  bool has_chat_template() const noexcept { return chat_.source != nullptr; }

 private:
  // A template and what it can do.
  struct ProbedTemplate {
    explicit ProbedTemplate(std::shared_ptr<const ChatTemplate> chat_template);

    std::shared_ptr<const ChatTemplate> source;
    TemplateCapabilities capabilities;
  };

  // A rendering and the guard that its strings were protected with, if one was needed.
  struct Rendering {
    std::string plain_text() const { return is_protected ? guard.strip(text) : text; }

    std::string text;
    ContentGuard guard;
    bool is_protected;
    bool has_preamble;
    Warnings warnings;
  };

  Rendering render(const RequestDocument& document) const;
  std::optional<Rendering> render_with_tools(const RequestDocument& document,
                                             const ProbedTemplate& used) const;
  Rendering render_with_preamble(const RequestDocument& document, const ProbedTemplate& used) const;
  Rendering render_in_form(const RequestDocument& document, const ProbedTemplate& used,
                           ToolForm form) const;
  std::vector<TokenId> with_bos(std::vector<TokenId> tokens) const;

  std::shared_ptr<const Tokenizer> tokenizer_;  // shared with the engine
  ProbedTemplate chat_;
  ProbedTemplate tool_use_;  // without a template: chat_ serves tools too
  std::string problem_;
  Clock clock_;
  ControlTexts controls_;
};

}  // namespace vernal
