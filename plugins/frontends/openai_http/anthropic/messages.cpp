#include "openai_http/anthropic/messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "openai_http/protocol/answer_format.hpp"
#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/json_fields.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/refused_members.hpp"
#include "openai_http/protocol/text_safety.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

/// What one message of blocks becomes: results of tools first, for they answer the message before.
struct MessageParts {
  json::array results;  // whole messages of role tool
  json::array text;     // content parts
  json::array calls;
  std::string reasoning;
};

[[noreturn]] void refuse_block(const JsonFields& block, std::string_view type) {
  throw RequestRefused(invalid_value(
      block.path_of("type"),
      fmt::format("Invalid value for '{}': this model takes blocks of type text, tool_use, "
                  "tool_result and thinking, found \"{}\".",
                  block.path_of("type"), shortened(type))));
}

json::object text_part(std::string_view text) {
  return json::object{{"type", "text"}, {"text", text}};
}

/// A string or a list of text blocks, as parts.
json::array read_text(const JsonFields& fields, std::string_view key) {
  json::array parts;
  const json::value* const value = fields.find(key);
  if (value == nullptr) return parts;
  if (const auto* const text = value->if_string()) {
    parts.push_back(text_part(text_of(*text)));
    return parts;
  }
  if (!value->is_array()) fields.refuse(key, "a string or an array of text blocks");
  const json::array& blocks = value->get_array();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (!blocks[i].is_object()) fields.refuse(key, "an array of objects");
    const JsonFields block(blocks[i].get_object(), element_path(fields.path_of(key), i));
    const std::string_view type = block.required_string("type");
    if (type != "text") refuse_block(block, type);
    parts.push_back(text_part(block.required_string("text")));
  }
  return parts;
}

/// One text part is a plain string: templates treat it as what chat clients send.
json::value simplified(json::array parts) {
  if (parts.empty()) return "";
  if (parts.size() > 1) return parts;
  return parts.front().get_object().at("text");
}

json::object read_tool_use(const JsonFields& block) {
  const json::object* const input = block.object("input");
  json::object function{{"name", block.required_string("name")},
                        {"arguments", input == nullptr ? json::object() : *input}};
  return {
      {"id", block.required_string("id")}, {"type", "function"}, {"function", std::move(function)}};
}

void read_block(const JsonFields& block, MessageParts& parts) {
  const std::string_view type = block.required_string("type");
  if (type == "text") {
    parts.text.push_back(text_part(block.required_string("text")));
  } else if (type == "tool_use") {
    parts.calls.push_back(read_tool_use(block));
  } else if (type == "tool_result") {
    parts.results.push_back(json::object{{"role", "tool"},
                                         {"tool_call_id", block.required_string("tool_use_id")},
                                         {"content", simplified(read_text(block, "content"))}});
  } else if (type == "thinking") {
    parts.reasoning += block.required_string("thinking");
  } else if (type != "redacted_thinking") {
    refuse_block(block, type);
  }
}

MessageParts read_blocks(const JsonFields& message) {
  const json::value* const content = message.find("content");
  MessageParts parts;
  if (content != nullptr && content->is_string()) {
    parts.text.push_back(text_part(text_of(content->get_string())));
    return parts;
  }
  // An answer that ended before its first word comes back as null.
  if (content == nullptr && message.required_string("role") == "assistant") return parts;
  const json::array& blocks = message.required_array("content");
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (!blocks[i].is_object()) message.refuse("content", "a string or an array of blocks");
    read_block(JsonFields(blocks[i].get_object(), element_path(message.path_of("content"), i)),
               parts);
  }
  return parts;
}

void append_message(const JsonFields& message, json::array& out) {
  const std::string_view role = message.required_string("role");
  if (role != "user" && role != "assistant" && role != "system") {
    message.refuse("role", "one of user, assistant");
  }
  MessageParts parts = read_blocks(message);
  for (json::value& result : parts.results) out.push_back(std::move(result));
  const bool has_calls = !parts.calls.empty();
  if (parts.text.empty() && !has_calls && !parts.results.empty()) return;
  json::object converted{{"role", role}};
  converted["content"] =
      parts.text.empty() && has_calls ? json::value() : simplified(std::move(parts.text));
  if (has_calls) converted["tool_calls"] = std::move(parts.calls);
  if (role == "assistant" && !parts.reasoning.empty())
    converted["reasoning_content"] = parts.reasoning;
  out.push_back(std::move(converted));
}

/// Members that speak to the server, not to the model.
constexpr std::array<std::string_view, 6> kNotForModels = {
    "type",          "cache_control", "defer_loading", "allowed_callers", "eager_input_streaming",
    "input_examples"};

/// A tool as templates know it: the same members in the same order, the schema as `parameters`.
json::object function_of(const json::object& tool) {
  json::object function;
  for (const auto& member : tool) {
    const std::string_view key(member.key().data(), member.key().size());
    if (std::find(kNotForModels.begin(), kNotForModels.end(), key) != kNotForModels.end()) continue;
    function[key == "input_schema" ? json::string_view("parameters") : member.key()] =
        member.value();
  }
  return function;
}

json::array read_anthropic_tools(const JsonFields& fields) {
  json::array out;
  const json::array* const tools = fields.array("tools");
  if (tools == nullptr) return out;
  for (std::size_t i = 0; i < tools->size(); ++i) {
    if (!(*tools)[i].is_object()) fields.refuse("tools", "an array of objects");
    const json::object& tool_object = (*tools)[i].get_object();
    const JsonFields tool(tool_object, element_path("tools", i));
    const json::object* const schema = tool.object("input_schema");
    if (schema == nullptr) continue;
    tool.required_string("name");
    tool.string("description");
    out.push_back(json::object{{"type", "function"}, {"function", function_of(tool_object)}});
  }
  return out;
}

void read_thinking_member(const JsonFields& fields, json::object& document) {
  const json::object* const thinking = fields.object("thinking");
  if (thinking == nullptr) return;
  const std::string_view type = JsonFields(*thinking, "thinking.").string("type").value_or("");
  if (type == "enabled") document["thinking"] = "on";
  if (type == "disabled") document["thinking"] = "off";
}

}  // namespace

MessagesDocument read_anthropic_messages(const json::object& body) {
  const JsonFields fields(body);
  refuse_members_that_bind(fields);
  json::array messages;
  json::array system = read_text(fields, "system");
  if (!system.empty()) {
    messages.push_back(
        json::object{{"role", "system"}, {"content", simplified(std::move(system))}});
  }
  const json::array& sent = fields.required_array("messages");
  if (sent.empty()) fields.refuse("messages", "at least one message");
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (!sent[i].is_object()) fields.refuse("messages", "an array of objects");
    append_message(JsonFields(sent[i].get_object(), element_path("messages", i)), messages);
  }
  json::object document{{"kind", "generate"}, {"messages", std::move(messages)}};
  json::array tools = read_anthropic_tools(fields);
  if (!tools.empty()) document["tools"] = std::move(tools);
  read_thinking_member(fields, document);
  read_answer_format(fields, document);
  return {std::string(fields.string("model").value_or("")), to_text(document)};
}

}  // namespace vernal::openai_http
