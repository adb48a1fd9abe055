#include "openai_http/openai/chat_messages.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <string>

#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/text_safety.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxMessages = 100'000;
constexpr std::size_t kMaxTools = 1'000;

/// The text of one content part. Refusals of an assistant are text too.
std::string_view part_text(const JsonFields& part) {
  const std::string_view type = part.required_string("type");
  if (type == "text") return part.required_string("text");
  if (type == "refusal") return part.required_string("refusal");
  throw RequestRefused(invalid_value(
      part.path_of("type"),
      fmt::format("Invalid value for '{}': this model takes content parts of type text only, found "
                  "\"{}\".",
                  part.path_of("type"), shortened(type))));
}

json::array read_parts(const json::array& parts, const std::string& path) {
  json::array out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].is_object()) {
      throw RequestRefused(invalid_value(
          path, fmt::format("Invalid value for '{}': expected content parts that are objects, each "
                            "with a type.",
                            path)));
    }
    const JsonFields part(parts[i].get_object(), element_path(path, i));
    out.push_back(json::object{{"type", "text"}, {"text", part_text(part)}});
  }
  return out;
}

/// String, parts or nothing. Nothing is allowed beside tool calls only.
void read_content(const JsonFields& message, bool may_be_absent, json::object& out) {
  const json::value* const content = message.find("content");
  if (content == nullptr) {
    if (!may_be_absent) message.refuse("content", "a string or an array of content parts");
    out["content"] = "";
  } else if (content->is_string()) {
    out["content"] = *content;
  } else if (content->is_array()) {
    out["content"] = read_parts(content->get_array(), message.path_of("content"));
  } else {
    message.refuse("content", "a string or an array of content parts");
  }
}

json::object read_tool_call(const JsonFields& call) {
  const json::object* const function = call.object("function");
  if (function == nullptr) call.refuse("function", "an object with name and arguments");
  const JsonFields fields(*function, call.path_of("function."));
  json::object out_function{{"name", fields.required_string("name")},
                            {"arguments", fields.string("arguments").value_or("")}};
  json::object out{{"type", "function"}, {"function", std::move(out_function)}};
  if (const auto id = call.string("id")) out["id"] = *id;
  return out;
}

/// Whether the message has any.
bool read_tool_calls(const JsonFields& message, json::object& out) {
  const json::array* const calls = message.array("tool_calls");
  if (calls == nullptr || calls->empty()) return false;
  json::array out_calls;
  for (std::size_t i = 0; i < calls->size(); ++i) {
    if (!(*calls)[i].is_object()) message.refuse("tool_calls", "an array of objects");
    const JsonFields call((*calls)[i].get_object(), element_path(message.path_of("tool_calls"), i));
    out_calls.push_back(read_tool_call(call));
  }
  out["tool_calls"] = std::move(out_calls);
  return true;
}

void copy_string(const JsonFields& from, std::string_view key, json::object& to) {
  if (const auto text = from.string(key)) to[json::string_view(key.data(), key.size())] = *text;
}

json::object read_message(const JsonFields& message) {
  std::string_view role = message.required_string("role");
  if (role == "developer") role = "system";
  if (role != "system" && role != "user" && role != "assistant" && role != "tool") {
    message.refuse("role", "one of system, developer, user, assistant, tool");
  }
  json::object out{{"role", role}};
  bool has_calls = false;
  if (role == "assistant") {
    has_calls = read_tool_calls(message, out);
    copy_string(message, "reasoning_content", out);
  }
  if (role == "tool") copy_string(message, "tool_call_id", out);
  copy_string(message, "name", out);
  const bool has_reasoning = out.contains("reasoning_content");
  read_content(message, has_calls || has_reasoning, out);
  return out;
}

json::object read_tool(const JsonFields& function) {
  json::object out{{"name", function.required_string("name")}};
  if (function.required_string("name").empty()) function.refuse("name", "a name");
  copy_string(function, "description", out);
  if (const json::object* const parameters = function.object("parameters")) {
    out["parameters"] = *parameters;
  }
  return out;
}

json::array read_tool_list(const JsonFields& fields, const json::array& tools) {
  if (tools.size() > kMaxTools) fields.refuse("tools", fmt::format("at most {} tools", kMaxTools));
  json::array out;
  for (std::size_t i = 0; i < tools.size(); ++i) {
    if (!tools[i].is_object()) fields.refuse("tools", "an array of objects");
    const JsonFields tool(tools[i].get_object(), element_path("tools", i));
    if (tool.string("type").value_or("function") != "function") continue;
    const json::object* const function = tool.object("function");
    if (function == nullptr) tool.refuse("function", "an object with a name");
    out.push_back(read_tool(JsonFields(*function, tool.path_of("function."))));
  }
  return out;
}

/// Name that a tool_choice object asks for.
std::string_view named_choice(const JsonFields& fields, const json::object& choice) {
  const JsonFields choice_fields(choice, "tool_choice.");
  if (choice_fields.string("type").value_or("function") != "function") {
    choice_fields.refuse("type", "\"function\"");
  }
  const json::object* const function = choice_fields.object("function");
  if (function == nullptr) fields.refuse("tool_choice", "an object with a member function");
  return JsonFields(*function, "tool_choice.function.").required_string("name");
}

[[noreturn]] void refuse_choice(std::string_view message) {
  throw RequestRefused(invalid_value("tool_choice", message));
}

void read_tool_choice(const JsonFields& fields, const json::array& tools, json::object& document) {
  const json::value* const choice = fields.find("tool_choice");
  if (choice == nullptr) return;
  if (const auto* const object = choice->if_object()) {
    const std::string_view name = named_choice(fields, *object);
    if (!offers_tool(tools, name)) {
      refuse_choice(fmt::format(
          "Invalid value for 'tool_choice': the tool \"{}\" is not among the tools of the request.",
          shortened(name)));
    }
    document["tool_choice"] = json::object{{"name", name}};
    return;
  }
  const std::string_view word = choice->is_string() ? text_of(choice->get_string()) : "";
  if (word != "none" && word != "auto" && word != "required") {
    fields.refuse("tool_choice", "\"none\", \"auto\", \"required\" or an object that names a tool");
  }
  if (word == "required" && tools.empty()) {
    refuse_choice(
        "Invalid value for 'tool_choice': \"required\" needs tools, but the request offers none.");
  }
  if (!tools.empty()) document["tool_choice"] = word;
}

}  // namespace

bool offers_tool(const json::array& tools, std::string_view name) {
  for (const json::value& tool : tools) {
    if (text_of(tool.get_object().at("name").get_string()) == name) return true;
  }
  return false;
}

json::array read_messages(const JsonFields& fields) {
  const json::array& messages = fields.required_array("messages");
  if (messages.empty() || messages.size() > kMaxMessages) {
    fields.refuse("messages", fmt::format("from 1 to {} messages", kMaxMessages));
  }
  json::array out;
  out.reserve(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (!messages[i].is_object()) fields.refuse("messages", "an array of objects");
    out.push_back(read_message(JsonFields(messages[i].get_object(), element_path("messages", i))));
  }
  return out;
}

void read_tools(const JsonFields& fields, json::object& document) {
  json::array tools;
  if (const json::array* const listed = fields.array("tools")) {
    tools = read_tool_list(fields, *listed);
  }
  read_tool_choice(fields, tools, document);
  if (!tools.empty()) document["tools"] = std::move(tools);
}

}  // namespace vernal::openai_http
