#include "text/request/generic_tools.hpp"

#include <fmt/format.h>

#include <utility>

#include "text/exact_json.hpp"

namespace vernal {
namespace {

namespace json = boost::json;

std::string call_text(const ToolCall& call) {
  const bool is_object = call.arguments.is_object();
  const json::value text = json::string(call.arguments_text.value_or(""));
  const std::string arguments = is_object && call.arguments_text
                                    ? *call.arguments_text
                                    : exact_json_text(is_object ? call.arguments : text);
  return fmt::format("<tool_call>\n{{\"name\": {}, \"arguments\": {}}}\n</tool_call>",
                     exact_json_text(json::string(call.name)), arguments);
}

ChatMessage with_calls_in_text(const ChatMessage& message) {
  ChatMessage result = message;
  result.tool_calls.clear();
  result.has_content = true;
  std::string text = message.text();
  for (const ToolCall& call : message.tool_calls) {
    text += text.empty() ? "" : "\n";
    text += call_text(call);
  }
  result.parts = {std::move(text)};
  return result;
}

ChatMessage user_message(std::string text) {
  ChatMessage message;
  message.role = "user";
  message.parts = {std::move(text)};
  return message;
}

}  // namespace

std::string tools_preamble(const std::vector<ToolDefinition>& tools) {
  std::string lines;
  for (const ToolDefinition& tool : tools) {
    lines += exact_json_text(tool.definition) + "\n";
  }
  return fmt::format(
      "{} The functions are described between <tools> and </tools>, one JSON object a line:\n"
      "<tools>\n{}</tools>\n\n"
      "To call a function, write its name and arguments as a JSON object between <tool_call> and "
      "</tool_call>:\n"
      "<tool_call>\n{{\"name\": \"the function's name\", \"arguments\": {{...}}}}\n</tool_call>\n"
      "Write one such block for each call, and nothing after the last. The results come between "
      "<tool_response> and </tool_response>. Without need of a function, answer in plain text.",
      kPreambleBegin, lines);
}

void add_preamble(const std::vector<ToolDefinition>& tools, std::vector<ChatMessage>& messages) {
  std::string preamble = tools_preamble(tools);
  if (!messages.empty() && messages.front().role == "system") {
    const std::string text = messages.front().text();
    messages.front().parts = {text.empty() ? preamble : preamble + "\n\n" + text};
    return;
  }
  ChatMessage system;
  system.role = "system";
  system.parts = {std::move(preamble)};
  messages.insert(messages.begin(), std::move(system));
}

std::vector<ChatMessage> with_calls_as_text(const std::vector<ChatMessage>& messages) {
  std::vector<ChatMessage> result;
  bool ends_with_results = false;
  for (const ChatMessage& message : messages) {
    const bool is_result = message.role == "tool";
    if (is_result) {
      std::string text = fmt::format("<tool_response>\n{}\n</tool_response>", message.text());
      if (ends_with_results) {
        result.back().parts.front() += "\n" + text;
      } else {
        result.push_back(user_message(std::move(text)));
      }
    } else if (message.role == "user" && ends_with_results) {
      result.back().parts.front() += "\n\n" + message.text();
    } else {
      result.push_back(message.tool_calls.empty() ? message : with_calls_in_text(message));
    }
    ends_with_results = is_result;
  }
  return result;
}

}  // namespace vernal
