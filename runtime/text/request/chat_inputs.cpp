#include "text/request/chat_inputs.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <utility>

#include "text/exact_json.hpp"

namespace vernal {
namespace {

namespace json = boost::json;

// Keys too: they come from the client as much as values do.
json::value map_strings(const json::value& value, const StringMap& map) {
  if (is_written_number(value)) {
    return value;
  }
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

// Nine letters and digits that stand for an id: the same for the same.
std::string short_id(std::string_view id) {
  constexpr std::string_view kDigits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr std::size_t kLength = 9;
  const auto is_plain = [&](char c) { return kDigits.find(c) != std::string_view::npos; };
  if (id.size() == kLength && std::all_of(id.begin(), id.end(), is_plain)) {
    return std::string(id);
  }
  std::uint64_t hash = 0xCBF2'9CE4'8422'2325;  // FNV-1a
  for (const char c : id) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x0000'0100'0000'01B3;
  }
  std::string result;
  for (std::size_t i = 0; i < kLength; ++i, hash /= kDigits.size()) {
    result += kDigits[hash % kDigits.size()];
  }
  return result;
}

/// Makes the template's objects of messages and tools.
class InputMaker {
 public:
  InputMaker(const TemplateCapabilities& capabilities, const StringMap& map)
      : capabilities_(capabilities), map_(map) {}

  json::object message(const ChatMessage& message) const {
    json::object result;
    result["role"] = message.role;
    result["content"] = content(message);
    if (message.reasoning) {
      result[capabilities_.reasoning_member] = map_(*message.reasoning);
    }
    if (!message.tool_calls.empty()) {
      json::array calls;
      for (const ToolCall& next : message.tool_calls) {
        calls.push_back(call(next));
      }
      result["tool_calls"] = std::move(calls);
    }
    if (message.name) {
      result["name"] = map_(*message.name);
    }
    if (message.tool_call_id) {
      result["tool_call_id"] = id(*message.tool_call_id);
    }
    return result;
  }

  json::value tool(const ToolDefinition& tool, ToolForm form) const {
    json::object definition = tool.definition;
    json::object& function = definition["function"].as_object();
    if (form == ToolForm::kCompleted) {
      complete(function, "description", json::string());
      complete(function, "parameters",
               json::object{{"type", "object"}, {"properties", json::object()}});
    }
    return map_strings(definition, map_);
  }

 private:
  static void complete(json::object& function, std::string_view key, json::value value) {
    if (json::value& member = function[key]; member.is_null()) {
      member = std::move(value);
    }
  }

  bool is_null(const ChatMessage& message) const {
    const bool is_empty = message.parts.empty() || message.text().empty();
    if (message.tool_calls.empty() || !is_empty) {
      return false;
    }
    return capabilities_.empty_content == EmptyContent::kNull ||
           (capabilities_.empty_content == EmptyContent::kAsSent && !message.has_content);
  }

  json::value content(const ChatMessage& message) const {
    if (is_null(message)) {
      return nullptr;
    }
    if (!capabilities_.requires_content_parts) {
      return json::string(map_(message.text()));
    }
    json::array parts;
    for (const std::string& part : message.parts) {
      parts.push_back(json::object{{"type", "text"}, {"text", map_(part)}});
    }
    return parts;
  }

  json::value arguments(const ToolCall& call) const {
    const bool is_object = call.arguments.is_object();
    const bool wants_text = capabilities_.arguments != ArgumentForm::kObject;
    if (call.arguments_text && (wants_text || !is_object)) {
      return json::string(map_(*call.arguments_text));
    }
    if (capabilities_.arguments == ArgumentForm::kText) {
      return json::string(map_(exact_json_text(call.arguments)));
    }
    return map_strings(call.arguments, map_);
  }

  std::string id(const std::string& sent) const {
    return capabilities_.needs_short_call_ids ? short_id(sent) : map_(sent);
  }

  json::object call(const ToolCall& call) const {
    json::object result;
    if (!call.id.empty()) {
      result["id"] = id(call.id);
    }
    result["type"] = "function";
    result["function"] = json::object{{"name", map_(call.name)}, {"arguments", arguments(call)}};
    return result;
  }

  const TemplateCapabilities& capabilities_;
  const StringMap& map_;
};

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
                                      const std::vector<ChatMessage>& messages,
                                      const TemplateForm& form, const StringMap& map) {
  const InputMaker maker(form.capabilities, map);
  ChatTemplate::Inputs inputs;
  for (const ChatMessage& message : messages) {
    inputs.messages.push_back(maker.message(message));
  }
  if (form.tools != ToolForm::kPreamble) {
    for (const ToolDefinition& tool : document.tools) {
      inputs.tools.push_back(maker.tool(tool, form.tools));
    }
  }
  add_thinking(document.thinking, inputs.extra);
  for (const auto& member : document.template_kwargs) {
    inputs.extra[member.key()] = map_strings(member.value(), map);
  }
  return inputs;
}

}  // namespace vernal
