#include "text/request/prompt_builder.hpp"

#include <fmt/format.h>

#include <utility>

#include "text/request/request_error.hpp"

namespace vernal {
namespace {

RequestError template_failed(const Error& error) {
  const bool is_costly = error.code() == VERNAL_RESOURCE_EXHAUSTED;
  return invalid_value(
      "messages",
      fmt::format("{}: {}",
                  is_costly ? "The messages cost the chat template of this model too much"
                            : "The chat template of this model refuses the messages",
                  error.what()));
}

}  // namespace

PromptBuilder::PromptBuilder(std::shared_ptr<const Tokenizer> tokenizer,
                             std::shared_ptr<const ChatTemplate> chat_template,
                             std::string template_problem, Clock clock)
    : tokenizer_(std::move(tokenizer)),
      chat_template_(std::move(chat_template)),
      template_problem_(std::move(template_problem)),
      clock_(std::move(clock)),
      controls_(*tokenizer_) {
  if (chat_template_) {
    capabilities_ = chat_template_->probe();
  }
}

std::string PromptBuilder::text(const RequestDocument& document) const {
  if (!document.messages) {
    return document.prompt.value_or("");
  }
  const Rendering rendering = render(document);
  return rendering.is_protected ? rendering.guard.strip(rendering.text) : rendering.text;
}

std::vector<TokenId> PromptBuilder::tokens(const RequestDocument& document) const {
  if (!document.messages) {
    return with_bos(tokenizer_->encode(document.prompt.value_or(""), {.parse_special = true}));
  }
  const Rendering rendering = render(document);
  return with_bos(rendering.is_protected
                      ? rendering.guard.encode(*tokenizer_, rendering.text)
                      : tokenizer_->encode(rendering.text, {.parse_special = true}));
}

PromptBuilder::Rendering PromptBuilder::render(const RequestDocument& document) const {
  if (!chat_template_) {
    throw RequestError(
        "no_chat_template", {.param = "messages"},
        fmt::format("This model has no chat template{}{}; send a prompt instead of messages.",
                    template_problem_.empty() ? "" : ": ", template_problem_));
  }
  ContentGuard guard(controls_);
  ChatTemplate::Inputs inputs =
      make_chat_inputs(document, capabilities_, [&](std::string_view text) {
        guard.inspect(text);
        return std::string(text);
      });
  if (guard.is_needed()) {
    guard.choose_mark();
    inputs = make_chat_inputs(document, capabilities_,
                              [&](std::string_view text) { return guard.protect(text); });
  }
  inputs.bos_token = tokenizer_->token_bytes(tokenizer_->bos());
  inputs.eos_token = tokenizer_->token_bytes(tokenizer_->eos());
  try {
    std::string text = chat_template_->render(inputs, RenderLimits(), clock_);
    return {std::move(text), guard, guard.is_needed()};
  } catch (const Error& error) {
    throw template_failed(error);
  }
}

std::vector<TokenId> PromptBuilder::with_bos(std::vector<TokenId> tokens) const {
  const TokenId bos = tokenizer_->bos();
  const bool has_bos = !tokens.empty() && tokens.front() == bos;
  if (tokenizer_->adds_bos() && bos != kNoToken && !has_bos) {
    tokens.insert(tokens.begin(), bos);
  }
  return tokens;
}

}  // namespace vernal
