#include "text/request/chat_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
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

void read_content(ObjectReader& reader, ChatMessage& out) {
  const json::value* content = reader.find("content");
  const std::string path = reader.path_of("content");
  out.has_content = content != nullptr;
  if (content == nullptr) {
    return;
  }
  if (const json::array* array = content->if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      out.parts.push_back(read_part((*array)[i], fmt::format("{}[{}]", path, i)));
    }
    return;
  }
  out.parts.push_back(read_string(*content, path, kAnyLength));
}

// The object that a text of arguments stands for, or null.
json::value object_of(const std::string& text) {
  try {
    const json::value parsed = parse_json(text, JsonLimits());
    return parsed.is_object() ? json::value(parsed, json::storage_ptr()) : json::value();
  } catch (const RequestError&) {
    return {};
  }
}

// Templates print arguments as JSON or walk over them. Models do write broken arguments: what is no
// object stays the text it was, and the template decides.
void read_arguments(ObjectReader& function, ToolCall& out) {
  out.arguments = json::object();
  const json::value* value = function.find("arguments");
  if (value == nullptr) {
    return;
  }
  if (value->is_object()) {
    out.arguments = json::value(*value, json::storage_ptr());
    return;
  }
  std::string text = read_string(*value, function.path_of("arguments"), kAnyLength);
  if (text.find_first_not_of(" \t\r\n") != std::string::npos) {
    out.arguments = object_of(text);
    out.arguments_text = std::move(text);
  }
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
  read_arguments(function, call);
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
  read_content(reader, message);
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

namespace {

// The tool as a template gets it. A definition may come as it is, or as the bare function in it.
ToolDefinition read_tool(const json::value& value, const std::string& path) {
  ObjectReader outer(value, path);
  const bool is_bare = outer.find("function") == nullptr;
  if (!is_bare && outer.find_string("type", kMaxNameBytes).value_or("function") != "function") {
    throw invalid_value(
        outer.path_of("type"),
        fmt::format("Invalid value for '{}': expected function.", outer.path_of("type")));
  }
  const json::value& function = is_bare ? value : outer.require("function");
  ObjectReader reader(function, is_bare ? path : outer.path_of("function"));
  ToolDefinition tool;
  tool.name = read_string(reader.require("name"), reader.path_of("name"), kMaxNameBytes);
  reader.find_string("description", kAnyLength);
  reader.find_object("parameters");
  if (is_bare) {
    tool.definition["type"] = "function";
    tool.definition["function"] = function;
  } else {
    tool.definition = json::object(value.get_object(), json::storage_ptr());
  }
  return tool;
}

}  // namespace

std::vector<ToolDefinition> read_tools(const json::array& tools) {
  std::vector<ToolDefinition> result;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    const std::string path = fmt::format("tools[{}]", i);
    ToolDefinition tool = read_tool(tools[i], path);
    const auto has_same_name = [&](const ToolDefinition& other) { return other.name == tool.name; };
    if (tool.name.empty() || std::any_of(result.begin(), result.end(), has_same_name)) {
      throw invalid_value(
          path + ".name",
          fmt::format("Invalid value for '{}.name': expected a name that no other tool has.",
                      path));
    }
    result.push_back(std::move(tool));
  }
  return result;
}

}  // namespace vernal
