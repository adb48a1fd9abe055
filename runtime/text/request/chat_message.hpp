// Messages and tools of a request, checked and brought into one form.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace vernal {

/// Of a tool, a message's author, a call's id.
inline constexpr std::size_t kMaxNameBytes = 256;

/// A call that the model made in an earlier answer.
struct ToolCall {
  std::string id;  ///< may be empty
  std::string name;
  boost::json::value arguments;  ///< an object; null where the text that was sent is none
  /// The arguments as they were sent, byte for byte; absent if they were sent as an object.
  std::optional<std::string> arguments_text = {};
};

/// One message. The role is "system" (also for "developer"), "user", "assistant" or "tool".
struct ChatMessage {
  std::string role;
  std::vector<std::string> parts;        ///< the texts of the content, in order
  bool has_content = true;               ///< false: the content is null or absent
  std::optional<std::string> reasoning;  ///< assistant: what it thought before the content
  std::vector<ToolCall> tool_calls;      ///< assistant
  std::optional<std::string> name;
  std::optional<std::string> tool_call_id;  ///< tool: the call that this is the result of

  /// All parts, a line feed between two.
  std::string text() const;
};

/// A function that the model may ask for.
struct ToolDefinition {
  std::string name;
  /// {"type": "function", "function": {"name": ...}}, with every member as it was sent.
  boost::json::object definition;
};

/// Reads the `messages` of a request document (sdk/spec/request.md).
/// Errors   RequestError: an empty list, an unknown role, a part that is not text, a wrong type, an
/// unknown key
std::vector<ChatMessage> read_messages(const boost::json::array& messages);

/// Reads the `tools` of a request document: functions, bare or each in the object that
/// ToolDefinition::definition describes.
/// Errors   RequestError: a wrong type, a name that is empty, too long or comes twice
std::vector<ToolDefinition> read_tools(const boost::json::array& tools);

}  // namespace vernal
