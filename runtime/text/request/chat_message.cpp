#include "text/request/chat_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <cstddef>
#include <string_view>
#include <utility>

#include "text/request/json_reader.hpp"
#include "text/request/request_error.hpp"

namespace vernal {
namespace {

namespace json = boost::json;

// Texts are bounded by the size of the document.
constexpr std::size_t kAnyLength = SIZE_MAX;
constexpr std::size_t kMaxNameBytes = 256;
constexpr std::array<std::string_view, 4> kRoles = {"system", "user", "assistant", "tool"};

std::string read_role(ObjectReader& reader) {
  std::string role = read_string(reader.require("role"), reader.path_of("role"), kAnyLength);
  if (role == "developer") {
    return "system";
  }
  if (std::find(kRoles.begin(), kRoles.end(), role) == kRoles.end()) {
    throw invalid_value(reader.path_of("role"),
                        fmt::format("Invalid value for '{}': expected system, developer, user, "
                                    "assistant or tool.",
                                    reader.path_of("role")));
  }
  return role;
}

std::string read_part(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  const std::string type =
      read_string(reader.require("type"), reader.path_of("type"), kMaxNameBytes);
  if (type != "text") {
    throw RequestError(
        "unsupported_content", {.param = path},
        fmt::format("This model reads text only: '{}' is not a part of type text.", path));
  }
  std::string text = read_string(reader.require("text"), reader.path_of("text"), kAnyLength);
  reader.refuse_unknown_keys();
  return text;
}

std::vector<std::string> read_content(ObjectReader& reader) {
  const json::value* content = reader.find("content");
  const std::string path = reader.path_of("content");
  std::vector<std::string> parts;
  if (content == nullptr) {
    return parts;
  }
  if (const json::array* array = content->if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      parts.push_back(read_part((*array)[i], fmt::format("{}[{}]", path, i)));
    }
    return parts;
  }
  parts.push_back(read_string(*content, path, kAnyLength));
  return parts;
}

// Templates print arguments as JSON or walk over them, so they want an object. Models do write
// broken arguments: what is no object stays the string it was, and the template decides.
json::value read_arguments(ObjectReader& function) {
  const json::value* value = function.find("arguments");
  if (value == nullptr) {
    return json::object();
  }
  if (value->is_object()) {
    return json::value(*value, json::storage_ptr());
  }
  const std::string text = read_string(*value, function.path_of("arguments"), kAnyLength);
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return json::object();
  }
  try {
    json::value parsed = parse_json(text, JsonLimits());
    if (parsed.is_object()) {
      return json::value(parsed, json::storage_ptr());
    }
  } catch (const RequestError&) {
    return json::string(text);
  }
  return json::string(text);
}

ToolCall read_tool_call(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  ToolCall call;
  call.id = reader.find_string("id", kMaxNameBytes).value_or("");
  const std::string type = reader.find_string("type", kMaxNameBytes).value_or("function");
  if (type != "function") {
    throw invalid_value(
        reader.path_of("type"),
        fmt::format("Invalid value for '{}': expected function.", reader.path_of("type")));
  }
  ObjectReader function(reader.require("function"), reader.path_of("function"));
  reader.refuse_unknown_keys();
  call.name = read_string(function.require("name"), function.path_of("name"), kMaxNameBytes);
  call.arguments = read_arguments(function);
  function.refuse_unknown_keys();
  return call;
}

void require_content(const ChatMessage& message, const std::string& path) {
  const bool may_lack = message.role == "assistant" || message.role == "tool";
  if (message.parts.empty() && !may_lack) {
    throw invalid_value(path + ".content",
                        fmt::format("Missing required field '{}.content' in the request.", path));
  }
}

ChatMessage read_message(const json::value& value, const std::string& path) {
  ObjectReader reader(value, path);
  ChatMessage message;
  message.role = read_role(reader);
  message.parts = read_content(reader);
  message.name = reader.find_string("name", kMaxNameBytes);
  if (message.role == "assistant") {
    message.reasoning = reader.find_string("reasoning_content", kAnyLength);
    if (const json::array* calls = reader.find_array("tool_calls")) {
      for (std::size_t i = 0; i < calls->size(); ++i) {
        message.tool_calls.push_back(
            read_tool_call((*calls)[i], fmt::format("{}[{}]", reader.path_of("tool_calls"), i)));
      }
    }
  }
  if (message.role == "tool") {
    message.tool_call_id = reader.find_string("tool_call_id", kMaxNameBytes);
  }
  reader.refuse_unknown_keys();
  require_content(message, path);
  return message;
}

}  // namespace

std::string ChatMessage::text() const { return fmt::format("{}", fmt::join(parts, "\n")); }

std::vector<ChatMessage> read_messages(const json::array& messages) {
  if (messages.empty()) {
    throw invalid_value("messages",
                        "Invalid value for 'messages': at least one message is needed.");
  }
  std::vector<ChatMessage> result;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    result.push_back(read_message(messages[i], fmt::format("messages[{}]", i)));
  }
  return result;
}

std::vector<ToolDefinition> read_tools(const json::array& tools) {
  std::vector<ToolDefinition> result;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    ObjectReader reader(tools[i], fmt::format("tools[{}]", i));
    ToolDefinition tool;
    tool.name = read_string(reader.require("name"), reader.path_of("name"), kMaxNameBytes);
    tool.description = reader.find_string("description", kAnyLength).value_or("");
    if (const json::object* parameters = reader.find_object("parameters")) {
      tool.parameters = json::object(*parameters, json::storage_ptr());
    }
    reader.refuse_unknown_keys();
    const auto has_same_name = [&](const ToolDefinition& other) { return other.name == tool.name; };
    if (tool.name.empty() || std::any_of(result.begin(), result.end(), has_same_name)) {
      throw invalid_value(reader.path_of("name"),
                          fmt::format("Invalid value for '{}': expected a name that no other tool "
                                      "has.",
                                      reader.path_of("name")));
    }
    result.push_back(std::move(tool));
  }
  return result;
}

}  // namespace vernal
