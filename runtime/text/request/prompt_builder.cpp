#include "text/request/prompt_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "text/request/generic_tools.hpp"
#include "text/request/message_repair.hpp"
#include "text/request/request_error.hpp"

namespace vernal {
namespace {

constexpr std::size_t kEndingBytes = 256;

RequestError template_failed(const TemplateError& error) {
  const bool is_costly = error.code() == VERNAL_RESOURCE_EXHAUSTED;
  return invalid_value(
      "messages",
      fmt::format("{}: {}",
                  is_costly ? "The messages cost the chat template of this model too much"
                            : "The chat template of this model refuses the messages",
                  error.what()));
}

bool lacks_members(const ToolDefinition& tool) {
  const boost::json::object& function = tool.definition.at("function").as_object();
  const auto has = [&](std::string_view key) {
    const boost::json::value* member = function.if_contains(key);
    return member != nullptr && !member->is_null();
  };
  return !has("description") || !has("parameters");
}

bool is_plain_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.';
  });
}

// Whether the prompt names every tool. A name that a printer may escape counts as there.
bool shows_all(const std::string& prompt, const std::vector<ToolDefinition>& tools) {
  return std::all_of(tools.begin(), tools.end(), [&](const ToolDefinition& tool) {
    return !is_plain_name(tool.name) || prompt.find(tool.name) != std::string::npos;
  });
}

}  // namespace

PromptBuilder::ProbedTemplate::ProbedTemplate(std::shared_ptr<const ChatTemplate> chat_template)
    : source(std::move(chat_template)) {
  if (source) {
    capabilities = probe_template(*source);
  }
}

PromptBuilder::PromptBuilder(std::shared_ptr<const Tokenizer> tokenizer, ModelTemplates templates,
                             Clock clock)
    : tokenizer_(std::move(tokenizer)),
      chat_(std::move(templates.chat)),
      tool_use_(std::move(templates.tool_use)),
      problem_(std::move(templates.problem)),
      clock_(std::move(clock)),
      controls_(*tokenizer_) {}

std::string PromptBuilder::text(const RequestDocument& document) const {
  return document.messages ? render(document).plain_text() : document.prompt.value_or("");
}

Prompt PromptBuilder::prompt(const RequestDocument& document) const {
  if (!document.messages) {
    return {.tokens =
                with_bos(tokenizer_->encode(document.prompt.value_or(""), {.parse_special = true})),
            .warnings = {}};
  }
  Rendering rendering = render(document);
  const std::string_view text = rendering.text;
  return {.tokens = with_bos(rendering.is_protected
                                 ? rendering.guard.encode(*tokenizer_, rendering.text)
                                 : tokenizer_->encode(rendering.text, {.parse_special = true})),
          .warnings = std::move(rendering.warnings),
          .ending = std::string(text.substr(text.size() - std::min(kEndingBytes, text.size()))),
          .has_preamble = rendering.has_preamble};
}

PromptBuilder::Rendering PromptBuilder::render(const RequestDocument& document) const {
  if (!chat_.source) {
    throw RequestError(
        "no_chat_template", {.param = "messages"},
        fmt::format("This model has no chat template{}{}; send a prompt instead of messages.",
                    problem_.empty() ? "" : ": ", problem_));
  }
  const RepairMessages repair = document.message_policy.repair;
  try {
    if (repair == RepairMessages::kAlways) return render_repaired(document);
    return render_as_is(document);
  } catch (const TemplateError& error) {
    const bool may_repair =
        repair == RepairMessages::kWhenRefused && error.code() != VERNAL_RESOURCE_EXHAUSTED;
    if (!may_repair) throw template_failed(error);
  }
  try {
    return render_repaired(document);
  } catch (const TemplateError& error) {
    throw template_failed(error);
  }
}

PromptBuilder::Rendering PromptBuilder::render_repaired(const RequestDocument& document) const {
  RequestDocument repaired = document;
  Warnings warnings;
  repaired.messages = repair_messages(*document.messages, document.message_policy, warnings);
  const auto render_now = [&] {
    Rendering rendering = render_as_is(repaired);
    rendering.warnings.insert(rendering.warnings.begin(), warnings.begin(), warnings.end());
    return rendering;
  };
  try {
    return render_now();
  } catch (const TemplateError& error) {
    if (error.code() == VERNAL_RESOURCE_EXHAUSTED) throw;
    // Some want user and assistant in turns, whatever stands between them.
    repaired.messages = separate_results(std::move(*repaired.messages), warnings);
  }
  return render_now();
}

PromptBuilder::Rendering PromptBuilder::render_as_is(const RequestDocument& document) const {
  if (document.tools.empty()) {
    return render_in_form(document, chat_, ToolForm::kAsSent);
  }
  const ProbedTemplate& used = tool_use_.source ? tool_use_ : chat_;
  if (std::optional<Rendering> rendering = render_with_tools(document, used)) {
    return *std::move(rendering);
  }
  return render_with_preamble(document, used);
}

// Nothing where the template does not print the tools. Templates that need what a client left out
// get it, but only they.
std::optional<PromptBuilder::Rendering> PromptBuilder::render_with_tools(
    const RequestDocument& document, const ProbedTemplate& used) const {
  if (!used.capabilities.supports_tools) {
    return std::nullopt;
  }
  std::vector<ToolForm> forms = {ToolForm::kAsSent};
  if (std::any_of(document.tools.begin(), document.tools.end(), lacks_members)) {
    forms.push_back(ToolForm::kCompleted);
  }
  for (const ToolForm form : forms) {
    try {
      Rendering rendering = render_in_form(document, used, form);
      return shows_all(rendering.plain_text(), document.tools) ? std::optional(std::move(rendering))
                                                               : std::nullopt;
    } catch (const TemplateError&) {
      continue;  // the next form, and then the preamble, may do
    }
  }
  return std::nullopt;
}

PromptBuilder::Rendering PromptBuilder::render_with_preamble(const RequestDocument& document,
                                                             const ProbedTemplate& used) const {
  Rendering rendering = render_in_form(document, used, ToolForm::kPreamble);
  if (rendering.plain_text().find(kPreambleBegin) == std::string::npos) {
    throw unsupported_parameter(
        "tools",
        "Unsupported parameter: 'tools' is not supported by this model: its chat template prints "
        "neither tools nor the text of a message before the first one.");
  }
  return rendering;
}

PromptBuilder::Rendering PromptBuilder::render_in_form(const RequestDocument& document,
                                                       const ProbedTemplate& used,
                                                       ToolForm tools) const {
  Warnings warnings;
  const TemplateForm form{used.capabilities, tools};
  const std::vector<ChatMessage> messages =
      adapt_messages(document, form.capabilities, form.tools, warnings);
  ContentGuard guard(controls_);
  ChatTemplate::Inputs inputs =
      make_chat_inputs(document, messages, form, [&](std::string_view text) {
        guard.inspect(text);
        return std::string(text);
      });
  guard.inspect(document.answer_beginning);
  if (guard.is_needed()) {
    guard.choose_mark();
    inputs = make_chat_inputs(document, messages, form,
                              [&](std::string_view text) { return guard.protect(text); });
  }
  inputs.bos_token = tokenizer_->token_bytes(tokenizer_->bos());
  inputs.eos_token = tokenizer_->token_bytes(tokenizer_->eos());
  std::string text = used.source->render(inputs, RenderLimits(), clock_);
  text += guard.is_needed() ? guard.protect(document.answer_beginning) : document.answer_beginning;
  return {std::move(text), guard, guard.is_needed(), tools == ToolForm::kPreamble,
          std::move(warnings)};
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
