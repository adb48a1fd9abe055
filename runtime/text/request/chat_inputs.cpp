#include "text/request/chat_inputs.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <utility>
#include <vector>

namespace vernal {
namespace {

namespace json = boost::json;

// Keys too: they come from the client as much as values do.
json::value map_strings(const json::value& value, const StringMap& map) {
  if (const json::string* text = value.if_string()) {
    return json::string(map({text->data(), text->size()}));
  }
  if (const json::array* array = value.if_array()) {
    json::array result;
    for (const json::value& element : *array) {
      result.push_back(map_strings(element, map));
    }
    return result;
  }
  if (const json::object* object = value.if_object()) {
    json::object result;
    for (const auto& member : *object) {
      const std::string key = map({member.key().data(), member.key().size()});
      result[key] = map_strings(member.value(), map);
    }
    return result;
  }
  return value;
}

json::value content_of(const ChatMessage& message, const TemplateCapabilities& capabilities,
                       const StringMap& map) {
  if (!capabilities.requires_content_parts) {
    return json::string(map(message.text()));
  }
  json::array parts;
  for (const std::string& part : message.parts) {
    parts.push_back(json::object{{"type", "text"}, {"text", map(part)}});
  }
  return parts;
}

json::object call_of(const ToolCall& call, const TemplateCapabilities& capabilities,
                     const StringMap& map) {
  json::value arguments = map_strings(call.arguments, map);
  if (!capabilities.wants_object_arguments && arguments.is_object()) {
    arguments = json::string(json::serialize(arguments));
  }
  json::object result;
  if (!call.id.empty()) {
    result["id"] = map(call.id);
  }
  result["type"] = "function";
  result["function"] = json::object{{"name", map(call.name)}, {"arguments", std::move(arguments)}};
  return result;
}

json::object message_of(const ChatMessage& message, const TemplateCapabilities& capabilities,
                        const StringMap& map) {
  json::object result;
  result["role"] = message.role;
  result["content"] = content_of(message, capabilities, map);
  if (message.reasoning) {
    result["reasoning_content"] = map(*message.reasoning);
  }
  if (!message.tool_calls.empty()) {
    json::array calls;
    for (const ToolCall& call : message.tool_calls) {
      calls.push_back(call_of(call, capabilities, map));
    }
    result["tool_calls"] = std::move(calls);
  }
  if (message.name) {
    result["name"] = map(*message.name);
  }
  if (message.tool_call_id) {
    result["tool_call_id"] = map(*message.tool_call_id);
  }
  return result;
}

json::object tool_of(const ToolDefinition& tool, const StringMap& map) {
  json::object function;
  function["name"] = map(tool.name);
  function["description"] = map(tool.description);
  function["parameters"] = map_strings(tool.parameters, map);
  return {{"type", "function"}, {"function", std::move(function)}};
}

// Each system message in front of the next message of the user, or as one of the user's where there
// is none.
std::vector<ChatMessage> fold_system_messages(const std::vector<ChatMessage>& messages) {
  std::vector<ChatMessage> result;
  std::vector<std::string> waiting;
  for (const ChatMessage& message : messages) {
    if (message.role == "system") {
      waiting.push_back(message.text());
      continue;
    }
    result.push_back(message);
    if (message.role == "user" && !waiting.empty()) {
      waiting.push_back(message.text());
      result.back().parts = {fmt::format("{}", fmt::join(waiting, "\n\n"))};
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

void add_thinking(const std::string& thinking, json::object& variables) {
  if (thinking == "auto") {
    return;
  }
  const bool thinks = thinking != "off";
  variables["enable_thinking"] = thinks;
  variables["thinking"] = thinks;
  if (thinks && thinking != "on") {
    variables["reasoning_effort"] = thinking;
  }
}

}  // namespace

ChatTemplate::Inputs make_chat_inputs(const RequestDocument& document,
                                      const TemplateCapabilities& capabilities,
                                      const StringMap& map) {
  ChatTemplate::Inputs inputs;
  const std::vector<ChatMessage> folded = capabilities.supports_system_role
                                              ? std::vector<ChatMessage>()
                                              : fold_system_messages(*document.messages);
  for (const ChatMessage& message : folded.empty() ? *document.messages : folded) {
    inputs.messages.push_back(message_of(message, capabilities, map));
  }
  for (const ToolDefinition& tool : document.tools) {
    inputs.tools.push_back(tool_of(tool, map));
  }
  add_thinking(document.thinking, inputs.extra);
  for (const auto& member : document.template_kwargs) {
    inputs.extra[member.key()] = map_strings(member.value(), map);
  }
  return inputs;
}

}  // namespace vernal
