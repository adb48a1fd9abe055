#include "text/request/message_forms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "text/request/generic_tools.hpp"

namespace vernal {
namespace {

bool has_calls_or_results(const std::vector<ChatMessage>& messages) {
  return std::any_of(messages.begin(), messages.end(), [](const ChatMessage& message) {
    return message.role == "tool" || !message.tool_calls.empty();
  });
}

bool has_text(const ChatMessage& message) {
  return std::any_of(message.parts.begin(), message.parts.end(),
                     [](const std::string& part) { return !part.empty(); });
}

// Several messages may share a reason.
void warn_once(Warnings& warnings, std::string_view sentence) {
  if (std::find(warnings.begin(), warnings.end(), sentence) == warnings.end()) {
    warnings.emplace_back(sentence);
  }
}

void clear_text(ChatMessage& message) {
  message.parts.clear();
  message.has_content = false;
}

// Text of a message with calls, as far as the template loses one of them.
void adapt_text_beside_calls(const TemplateCapabilities& capabilities, ChatMessage message,
                             std::vector<ChatMessage>& out, Warnings& warnings) {
  switch (capabilities.text_beside_calls) {
    case TextBesideCalls::kShown:
      break;
    case TextBesideCalls::kSeparate: {
      ChatMessage text = message;
      text.tool_calls.clear();
      out.push_back(std::move(text));
      clear_text(message);
      message.reasoning.reset();
      break;
    }
    case TextBesideCalls::kDropsCall:
      clear_text(message);
      [[fallthrough]];
    case TextBesideCalls::kDropped:
      warn_once(warnings,
                "The chat template of this model leaves out the text of messages with tool calls.");
      break;
  }
  if (capabilities.refuses_reasoning_beside_text && has_text(message) && message.reasoning) {
    message.reasoning.reset();
    warn_once(
        warnings,
        "The chat template of this model takes no thinking beside text and tool calls: it was "
        "left out.");
  }
  out.push_back(std::move(message));
}

std::vector<ChatMessage> adapt_calls(std::vector<ChatMessage> messages,
                                     const TemplateCapabilities& capabilities, Warnings& warnings) {
  std::vector<ChatMessage> result;
  for (ChatMessage& message : messages) {
    if (!message.tool_calls.empty() && has_text(message)) {
      adapt_text_beside_calls(capabilities, std::move(message), result, warnings);
    } else {
      result.push_back(std::move(message));
    }
  }
  return result;
}

// Where the results that begin at `first` end.
std::size_t end_of_results(const std::vector<ChatMessage>& messages, std::size_t first) {
  std::size_t last = first;
  while (last < messages.size() && messages[last].role == "tool") {
    ++last;
  }
  return last;
}

// Moves the result of a call, the one with its id or else the next one, behind it.
void move_result(const ToolCall& call, std::vector<ChatMessage>& results,
                 std::vector<ChatMessage>& out) {
  const auto answers = [&](const ChatMessage& result) { return result.tool_call_id == call.id; };
  auto found = std::find_if(results.begin(), results.end(), answers);
  if (found == results.end()) {
    found = std::find_if(results.begin(), results.end(),
                         [](const ChatMessage& result) { return !result.tool_call_id; });
  }
  if (found != results.end()) {
    out.push_back(std::move(*found));
    results.erase(found);
  }
}

// Each call in a message of its own, its result behind it.
std::vector<ChatMessage> split_calls(std::vector<ChatMessage> messages) {
  std::vector<ChatMessage> out;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].tool_calls.size() < 2) {
      out.push_back(std::move(messages[i]));
      continue;
    }
    const std::size_t last = end_of_results(messages, i + 1);
    std::vector<ChatMessage> results;
    for (std::size_t k = i + 1; k < last; ++k) results.push_back(std::move(messages[k]));
    const std::vector<ToolCall> calls = std::exchange(messages[i].tool_calls, {});
    ChatMessage next = std::move(messages[i]);  // the first keeps text and thinking
    for (const ToolCall& call : calls) {
      next.tool_calls = {call};
      out.push_back(std::exchange(next, ChatMessage()));
      move_result(call, results, out);
      next.role = "assistant";
      clear_text(next);
    }
    for (ChatMessage& rest : results) out.push_back(std::move(rest));
    i = last - 1;
  }
  return out;
}

// Each system message in front of the next message of the user, or as one of the user's where there
// is none.
std::vector<ChatMessage> fold_system_messages(std::vector<ChatMessage> messages) {
  std::vector<ChatMessage> result;
  std::vector<std::string> waiting;
  for (ChatMessage& message : messages) {
    if (message.role == "system") {
      waiting.push_back(message.text());
      continue;
    }
    result.push_back(std::move(message));
    ChatMessage& added = result.back();
    if (added.role == "user" && !waiting.empty()) {
      waiting.push_back(added.text());
      added.parts = {fmt::format("{}", fmt::join(waiting, "\n\n"))};
      waiting.clear();
    }
  }
  if (!waiting.empty()) {
    ChatMessage last;
    last.role = "user";
    last.parts = {fmt::format("{}", fmt::join(waiting, "\n\n"))};
    result.push_back(std::move(last));
  }
  return result;
}

}  // namespace

std::vector<ChatMessage> adapt_messages(const RequestDocument& document,
                                        const TemplateCapabilities& capabilities,
                                        ToolForm tool_form, Warnings& warnings) {
  std::vector<ChatMessage> messages = *document.messages;
  const bool has_calls = has_calls_or_results(messages);
  if (tool_form == ToolForm::kPreamble) {
    // The history shows the syntax that the preamble asks for.
    if (has_calls) messages = with_calls_as_text(messages);
    add_preamble(document.tools, messages);
    warnings.emplace_back(
        "The chat template of this model does not print these tools: they stand in a general "
        "preamble before the first message, and calls in the messages as text.");
  } else if (has_calls && !capabilities.supports_tool_calls) {
    messages = with_calls_as_text(messages);
    warnings.emplace_back(
        "The chat template of this model prints no tool calls: they stand in the messages as "
        "text.");
  } else if (has_calls) {
    messages = adapt_calls(std::move(messages), capabilities, warnings);
    if (capabilities.takes_one_call_a_message) messages = split_calls(std::move(messages));
  }
  if (tool_form == ToolForm::kCompleted) {
    warnings.emplace_back(
        "The chat template of this model refuses tools without description or parameters: empty "
        "ones were added.");
  }
  return capabilities.supports_system_role ? messages : fold_system_messages(std::move(messages));
}

}  // namespace vernal
