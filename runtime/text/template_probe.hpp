// What a chat template does with the messages it is given, found by rendering short conversations.
#pragma once

#include <cstdint>
#include <string_view>

#include "text/chat_template.hpp"

namespace vernal {

/// The form in which a template takes the arguments of a call.
enum class ArgumentForm : std::uint8_t {
  kEither,  ///< JSON text and an object give the same prompt: what the client sent
  kObject,  ///< it walks over an object, or prints one as JSON
  kText,    ///< it prints JSON text as it is, and an object not as JSON
};

/// What stands for the content of an assistant's message that has calls and no text.
enum class EmptyContent : std::uint8_t {
  kAsSent,  ///< both work: null or "", as the client sent it
  kNull,    ///< with "" the call is lost
  kText,    ///< null is refused, printed, or loses the call
};

/// What becomes of text and calls in one message.
enum class TextBesideCalls : std::uint8_t {
  kShown,      ///< both reach the prompt
  kDropped,    ///< the text is lost
  kSeparate,   ///< both reach the prompt from two messages, the text first
  kDropsCall,  ///< the calls are lost, unless the content is left out
};

/// What a template was seen to do with probe conversations.
struct TemplateCapabilities {
  /// A system message's text reaches the prompt.
  bool supports_system_role = false;
  /// The tools offered reach the prompt.
  bool supports_tools = false;
  /// An assistant message's tool calls and the tool's answer reach the prompt. Where they do not,
  /// what is said of calls below means nothing.
  bool supports_tool_calls = false;
  ArgumentForm arguments = ArgumentForm::kObject;
  EmptyContent empty_content = EmptyContent::kText;
  TextBesideCalls text_beside_calls = TextBesideCalls::kShown;
  /// Of several calls in one message some are lost or refused; one call in each message is shown.
  bool takes_one_call_a_message = false;
  /// Calls whose ids are not nine letters and digits are refused.
  bool needs_short_call_ids = false;
  /// The member of an assistant's message whose text reaches the prompt as its thinking.
  /// "reasoning_content" also where none does.
  std::string_view reasoning_member = "reasoning_content";
  /// Thinking, text and calls are refused in one message, but not thinking and calls.
  bool refuses_reasoning_beside_text = false;
  /// A user's content may be a list of {"type": "text", "text": ...} parts.
  bool accepts_content_parts = false;
  /// A user's content must be such a list: a plain string does not reach the prompt.
  bool requires_content_parts = false;
  /// The template looks at `enable_thinking`.
  bool has_thinking_switch = false;
};

/// Renders some 25 short conversations. Never throws for what the template does; meant to be called
/// once when a model is loaded.
TemplateCapabilities probe_template(const ChatTemplate& chat_template);

}  // namespace vernal
