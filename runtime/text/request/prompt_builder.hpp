// Requests to prompts: chat template and tokenizer together.
#pragma once

#include <memory>
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

/// The text side of one model. Immutable; any thread.
class PromptBuilder {
 public:
  /// Tries the template out to learn what it can do.
  ///   chat_template   null: requests with messages are refused, with `template_problem` as the
  ///   reason clock           what the template's strftime_now reads
  PromptBuilder(std::shared_ptr<const Tokenizer> tokenizer,
                std::shared_ptr<const ChatTemplate> chat_template, std::string template_problem,
                Clock clock);

  /// The text of a request with messages or a prompt.
  /// Errors   RequestError: no template; the template refuses the messages, or costs too much
  std::string text(const RequestDocument& document) const;

  /// Its tokens, with the vocabulary's beginning of sequence in front if it asks for one and the
  /// text has none. In a prompt the texts of control tokens become those tokens; in messages they
  /// stay text (content_guard.hpp). Errors   as text()
  std::vector<TokenId> tokens(const RequestDocument& document) const;

  const Tokenizer& tokenizer() const noexcept { return *tokenizer_; }
  bool has_chat_template() const noexcept { return chat_template_ != nullptr; }

 private:
  // A rendering and the guard that its strings were protected with, if one was needed.
  struct Rendering {
    std::string text;
    ContentGuard guard;
    bool is_protected;
  };

  Rendering render(const RequestDocument& document) const;
  std::vector<TokenId> with_bos(std::vector<TokenId> tokens) const;

  std::shared_ptr<const Tokenizer> tokenizer_;  // shared with the engine
  std::shared_ptr<const ChatTemplate> chat_template_;
  std::string template_problem_;
  Clock clock_;
  ControlTexts controls_;
  TemplateCapabilities capabilities_;
};

}  // namespace vernal
