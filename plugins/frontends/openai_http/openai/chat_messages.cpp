#include "openai_http/openai/chat_messages.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "openai_http/protocol/api_error.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxMessages = 100'000;

/// A string, or the texts of parts that have one.
std::string joined_text(const json::value& value) {
  if (value.is_string()) return std::string(text_of(value.get_string()));
  std::string out;
  if (!value.is_array()) return out;
  for (const json::value& part : value.get_array()) {
    const json::value* const text =
        part.is_object() ? part.get_object().if_contains("text") : nullptr;
    if (text != nullptr && text->is_string()) out += text_of(text->get_string());
  }
  return out;
}

/// The text of one content part. Refusals of an assistant are text too.
std::string_view part_text(const JsonFields& part) {
  const std::string_view type = part.required_string("type");
  if (type == "text") return part.required_string("text");
  if (type == "refusal") return part.required_string("refusal");
  throw RequestRefused(unreadable_part(part.path_of("type"), type, "a content part of type text"));
}

/// The text of a part that is thinking; nothing for other parts. Servers and models call it
/// {"type": "thinking", "thinking": text or text parts} or {"type": "reasoning", "reasoning" or
/// "text": text}.
std::optional<std::string> thinking_text(const json::object& part) {
  const json::value* const type = part.if_contains("type");
  if (type == nullptr || !type->is_string()) return std::nullopt;
  const std::string_view name = text_of(type->get_string());
  if (name == "redacted_thinking") return std::string();
  if (name != "thinking" && name != "reasoning") return std::nullopt;
  for (const std::string_view key : {"thinking", "reasoning", "text"}) {
    const json::value* const text = part.if_contains(key);
    if (text != nullptr) return joined_text(*text);
  }
  return std::string();
}

/// Parts of an assistant that are thinking go to `thinking`.
json::array read_parts(const json::array& parts, const std::string& path, std::string* thinking) {
  json::array out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].is_object()) {
      throw RequestRefused(invalid_value(
          path, fmt::format("Invalid value for '{}': expected content parts that are objects, each "
                            "with a type.",
                            path)));
    }
    if (thinking != nullptr) {
      if (const auto text = thinking_text(parts[i].get_object())) {
        *thinking += *text;
        continue;
      }
    }
    const JsonFields part(parts[i].get_object(), element_path(path, i));
    out.push_back(json::object{{"type", "text"}, {"text", part_text(part)}});
  }
  return out;
}

/// The names under which clients send back what a model thought, best first. They take them from
/// the servers that they know.
constexpr std::array<std::string_view, 4> kReasoningNames = {"reasoning_content", "reasoning",
                                                             "reasoning_text", "thinking"};

/// OpenRouter's form: a list of objects with a text or a summary.
std::string reasoning_details(const JsonFields& message) {
  std::string out;
  const json::value* const details = message.find("reasoning_details");
  if (details == nullptr || !details->is_array()) return out;
  for (const json::value& detail : details->get_array()) {
    if (!detail.is_object()) continue;
    for (const std::string_view key : {"text", "summary"}) {
      const json::value* const text = detail.get_object().if_contains(key);
      if (text != nullptr && text->is_string()) out += text_of(text->get_string());
    }
  }
  return out;
}

/// What an assistant's message says that it thought, outside of its content.
std::string read_reasoning(const JsonFields& message) {
  message.string(kReasoningNames.front());  // refuses another type: this one is the API's own
  for (const std::string_view name : kReasoningNames) {
    const json::value* const text = message.find(name);
    if (text != nullptr && text->is_string() && !text->get_string().empty()) {
      return std::string(text_of(text->get_string()));
    }
  }
  return reasoning_details(message);
}

json::value no_content(const json::object& message) {
  return message.contains("tool_calls") ? json::value(nullptr) : json::value("");
}

/// String, parts or nothing. No parts are an empty message. An assistant that said nothing has one
/// too, or null beside calls: there some templates ask for null.
void read_content(const JsonFields& message, std::string_view role, std::string& thinking,
                  json::object& out) {
  const json::value* const content = message.find("content");
  if (content == nullptr) {
    if (role != "assistant" && role != "tool") {
      message.refuse("content", "a string or an array of content parts");
    }
    out["content"] = no_content(out);
  } else if (content->is_string()) {
    out["content"] = *content;
  } else if (content->is_array()) {
    json::array parts = read_parts(content->get_array(), message.path_of("content"),
                                   role == "assistant" ? &thinking : nullptr);
    out["content"] = parts.empty() ? no_content(out) : json::value(std::move(parts));
  } else {
    message.refuse("content", "a string or an array of content parts");
  }
}

/// Name and arguments of a call.
json::object read_called_function(const JsonFields& fields) {
  json::object out_function{{"name", fields.required_string("name")}};
  // A string by the API; some clients of local servers send the object itself.
  const json::value* const arguments = fields.find("arguments");
  if (arguments != nullptr && arguments->is_object()) {
    out_function["arguments"] = *arguments;
  } else {
    out_function["arguments"] = fields.string("arguments").value_or("");
  }
  return out_function;
}

json::object read_tool_call(const JsonFields& call) {
  const json::object* const function = call.object("function");
  if (function == nullptr) call.refuse("function", "an object with name and arguments");
  const JsonFields fields(*function, call.path_of("function."));
  json::object out{{"type", "function"}, {"function", read_called_function(fields)}};
  if (const auto id = call.string("id")) out["id"] = *id;
  return out;
}

void read_tool_calls(const JsonFields& message, json::object& out) {
  const json::array* const calls = message.array("tool_calls");
  if (calls == nullptr || calls->empty()) return;
  json::array out_calls;
  for (std::size_t i = 0; i < calls->size(); ++i) {
    if (!(*calls)[i].is_object()) message.refuse("tool_calls", "an array of objects");
    const JsonFields call((*calls)[i].get_object(), element_path(message.path_of("tool_calls"), i));
    out_calls.push_back(read_tool_call(call));
  }
  out["tool_calls"] = std::move(out_calls);
}

void copy_string(const JsonFields& from, std::string_view key, json::object& to) {
  if (const auto text = from.string(key)) to[json::string_view(key.data(), key.size())] = *text;
}

/// Messages of a history, one after the other. In the older API a call has no id: an assistant's
/// "function_call" is answered by the next message of role "function" with its name. Here both get
/// one, and are a call and a result like others.
class MessageReader {
 public:
  json::object read(const JsonFields& message) {
    ++num_read_;
    std::string_view role = message.required_string("role");
    if (role == "developer") role = "system";
    if (role == "function") return read_function_result(message);
    if (role != "system" && role != "user" && role != "assistant" && role != "tool") {
      message.refuse("role", "one of system, developer, user, assistant, tool, function");
    }
    json::object out{{"role", role}};
    if (role == "assistant") read_calls(message, out);
    if (role == "tool") copy_string(message, "tool_call_id", out);
    copy_string(message, "name", out);
    std::string thinking;
    read_content(message, role, thinking, out);
    if (role == "assistant") {
      const std::string reasoning = read_reasoning(message);
      if (!reasoning.empty()) thinking = reasoning;
      if (!thinking.empty()) out["reasoning_content"] = thinking;
    }
    return out;
  }

 private:
  void read_calls(const JsonFields& message, json::object& out) {
    read_tool_calls(message, out);
    const json::object* const function = message.object("function_call");
    if (function == nullptr) return;
    if (out.contains("tool_calls")) message.refuse("function_call", "none beside tool_calls");
    const JsonFields fields(*function, message.path_of("function_call."));
    json::object called = read_called_function(fields);
    open_name_ = fields.required_string("name");
    open_id_ = fmt::format("call_{}", num_read_);
    out["tool_calls"] = json::array{
        json::object{{"type", "function"}, {"function", std::move(called)}, {"id", open_id_}}};
  }

  json::object read_function_result(const JsonFields& message) {
    const std::string_view name = message.required_string("name");
    json::object out{{"role", "tool"}, {"name", name}};
    if (!open_id_.empty() && name == open_name_) {
      out["tool_call_id"] = std::exchange(open_id_, {});
    }
    std::string thinking;
    read_content(message, "tool", thinking, out);
    return out;
  }

  std::size_t num_read_ = 0;
  // The last call without a result, of the older API; no id: there is none.
  std::string open_name_;
  std::string open_id_;
};

}  // namespace

json::array read_messages(const JsonFields& fields) {
  const json::array& messages = fields.required_array("messages");
  if (messages.empty() || messages.size() > kMaxMessages) {
    fields.refuse("messages", fmt::format("from 1 to {} messages", kMaxMessages));
  }
  MessageReader reader;
  json::array out;
  out.reserve(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (!messages[i].is_object()) fields.refuse("messages", "an array of objects");
    out.push_back(reader.read(JsonFields(messages[i].get_object(), element_path("messages", i))));
  }
  return out;
}

}  // namespace vernal::openai_http
