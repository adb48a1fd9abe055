// Messages to prompt text, by the template that comes with a model.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <string_view>

#include "text/jinja/builtins/clock.hpp"
#include "text/jinja/error.hpp"
#include "text/jinja/limits.hpp"
#include "text/jinja/template.hpp"

namespace vernal {

/// The chat template of a model: Jinja as published with models and rendered by transformers.
/// Immutable: any number of threads may render at the same time.
class ChatTemplate {
 public:
  struct Inputs {
    /// The conversation in the shape of OpenAI's chat API, oldest message first. Here and below
    /// numbers may be written numbers (exact_json.hpp).
    boost::json::array messages;
    /// Tools in the same shape; when empty the template sees none.
    boost::json::array tools;
    /// Whether the prompt ends where the assistant is to speak.
    bool add_generation_prompt = true;
    std::string bos_token;
    std::string eos_token;
    /// More variables by name, such as enable_thinking. They replace the two tokens above, but none
    /// of the other inputs.
    boost::json::object extra;
  };

  /// Parses. `name` stands in front of messages, as in `chat template line 12: ...`.
  /// Throws TemplateError, and TemplateLimit for a source that is too long or too deeply nested.
  static ChatTemplate parse(std::string_view source, std::string name = "chat template");

  /// The prompt, UTF-8. Special tokens are still text in it. Throws TemplateError; TemplateRaised
  /// with the template's own message when it refuses the conversation; TemplateLimit.
  std::string render(const Inputs& inputs, const RenderLimits& limits, const Clock& clock) const;

  /// Whether the template mentions a variable or function of that name.
  bool mentions(std::string_view name) const { return template_.mentions(name); }
  /// What was parsed.
  std::string_view source() const noexcept { return source_; }

 private:
  ChatTemplate(jinja::Template parsed, std::string_view source)
      : template_(std::move(parsed)), source_(source) {}

  jinja::Template template_;
  std::string source_;
};

}  // namespace vernal
