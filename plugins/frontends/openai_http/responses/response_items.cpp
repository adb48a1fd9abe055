#include "openai_http/responses/response_items.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "openai_http/protocol/api_error.hpp"
#include "openai_http/protocol/identifiers.hpp"
#include "openai_http/protocol/json_text.hpp"
#include "openai_http/protocol/text_safety.hpp"

namespace vernal::openai_http {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxItems = 100'000;

json::object text_part(std::string_view type, std::string_view text) {
  json::object part{{"type", type}, {"text", text}};
  if (type == "output_text") {
    part["annotations"] = json::array();
    part["logprobs"] = json::array();
  }
  return part;
}

json::object item_of(const JsonFields& item, std::string_view type, std::string_view id_prefix) {
  const std::string_view id = item.string("id").value_or("");
  return {{"id", id.empty() ? make_id(id_prefix) : std::string(id)},
          {"type", type},
          {"status", "completed"}};
}

/// A part of a message. Clients send parts back under the names of either direction.
json::object read_part(const JsonFields& part, std::string_view part_type) {
  const std::string_view type = part.required_string("type");
  if (type == "input_text" || type == "output_text" || type == "text") {
    return text_part(part_type, part.required_string("text"));
  }
  if (type == "refusal") {
    return {{"type", "refusal"}, {"refusal", part.required_string("refusal")}};
  }
  throw RequestRefused(unreadable_part(part.path_of("type"), type,
                                       "a content part of type input_text or output_text"));
}

json::array read_parts(const JsonFields& item, std::string_view key, std::string_view part_type) {
  const json::value* const content = item.find(key);
  json::array parts;
  if (content == nullptr) item.refuse(key, "a string or an array of content parts");
  if (content->is_string()) {
    parts.push_back(text_part(part_type, *item.string(key)));
    return parts;
  }
  if (!content->is_array()) item.refuse(key, "a string or an array of content parts");
  const json::array& list = content->get_array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_object()) item.refuse(key, "an array of objects, each with a type");
    const JsonFields part(list[i].get_object(), element_path(item.path_of(key), i));
    parts.push_back(read_part(part, part_type));
  }
  return parts;
}

json::object read_message_item(const JsonFields& item) {
  const std::string_view role = item.required_string("role");
  if (role != "user" && role != "assistant" && role != "system" && role != "developer") {
    item.refuse("role", "one of user, assistant, system, developer");
  }
  const bool is_output = role == "assistant";
  json::object out = item_of(item, "message", "msg_");
  out["role"] = role;
  out["content"] = read_parts(item, "content", is_output ? "output_text" : "input_text");
  return out;
}

json::object read_call_item(const JsonFields& item) {
  json::object out = item_of(item, "function_call", "fc_");
  out["call_id"] = item.required_string("call_id");
  out["name"] = item.required_string("name");
  // A string by the API; some clients of local servers send the object itself.
  const json::value* const arguments = item.find("arguments");
  const bool is_object = arguments != nullptr && arguments->is_object();
  out["arguments"] =
      is_object ? to_text(*arguments) : std::string(item.string("arguments").value_or(""));
  return out;
}

json::object read_call_output_item(const JsonFields& item) {
  json::object out = item_of(item, "function_call_output", "fco_");
  out["call_id"] = item.required_string("call_id");
  const json::value* const output = item.find("output");
  if (output != nullptr && output->is_string()) {
    out["output"] = item.required_string("output");
  } else {
    out["output"] = read_parts(item, "output", "input_text");
  }
  return out;
}

/// Texts of {"type": part_type, "text": ...}. Parts without a text are left out.
json::array read_reasoning_texts(const JsonFields& item, std::string_view key,
                                 std::string_view part_type) {
  json::array out;
  const json::value* const list = item.find(key);
  if (list == nullptr || !list->is_array()) return out;
  for (const json::value& part : list->get_array()) {
    const json::value* const text =
        part.is_object() ? part.get_object().if_contains("text") : nullptr;
    if (text != nullptr && text->is_string()) {
      out.push_back(text_part(part_type, text_of(text->get_string())));
    }
  }
  return out;
}

json::object read_reasoning_item(const JsonFields& item) {
  json::object out = item_of(item, "reasoning", "rs_");
  out["summary"] = read_reasoning_texts(item, "summary", "summary_text");
  out["content"] = read_reasoning_texts(item, "content", "reasoning_text");
  return out;
}

json::object referenced_item(const JsonFields& item, const FindItem& find_item) {
  const std::string_view id = item.required_string("id");
  if (auto found = find_item(id)) return std::move(*found);
  throw RequestRefused(invalid_value(
      item.path_of("id"),
      fmt::format(
          "Invalid value for '{}': no item \"{}\" is stored. Send the item itself, or go on "
          "with previous_response_id.",
          item.path_of("id"), shortened(id))));
}

/// Nothing for an item of another type.
std::optional<json::object> read_item(const JsonFields& item, const FindItem& find_item) {
  const std::string_view type =
      item.string("type").value_or(item.find("role") != nullptr ? "message" : "");
  if (type == "message") return read_message_item(item);
  if (type == "function_call") return read_call_item(item);
  if (type == "function_call_output") return read_call_output_item(item);
  if (type == "reasoning") return read_reasoning_item(item);
  if (type == "item_reference" || (type.empty() && item.find("id") != nullptr)) {
    return referenced_item(item, find_item);
  }
  if (type.empty()) item.refuse("type", "the type of an item, or a role");
  return std::nullopt;
}

/// The text of a part of any type.
std::string_view text_of_part(const json::value& part) {
  const json::object& object = part.get_object();
  const json::value* const text = object.if_contains("text");
  return text_of((text != nullptr ? *text : object.at("refusal")).get_string());
}

std::string joined_parts(const json::value& parts) {
  std::string out;
  for (const json::value& part : parts.get_array()) out += text_of_part(part);
  return out;
}

/// One part is a plain string, as chat clients send it.
json::value content_of(const json::value& parts) {
  if (parts.is_string()) return json::string(parts.get_string());
  const json::array& list = parts.get_array();
  if (list.empty()) return "";
  if (list.size() == 1) return json::string(text_of_part(list.front()));
  json::array out;
  for (const json::value& part : list) out.push_back(text_part("text", text_of_part(part)));
  return out;
}

/// Puts the messages of a document together.
class MessageList {
 public:
  void add_system(std::string_view text) {
    messages_.push_back(json::object{{"role", "system"}, {"content", text}});
  }

  void add(const json::object& item) {
    const std::string_view type = text_of(item.at("type").get_string());
    if (type == "reasoning") {
      add_reasoning(item);
    } else if (type == "function_call") {
      add_call(item);
    } else if (type == "function_call_output") {
      end_answer();
      messages_.push_back(json::object{{"role", "tool"},
                                       {"tool_call_id", item.at("call_id")},
                                       {"content", content_of(item.at("output"))}});
    } else {
      add_message(item);
    }
  }

  json::array take() {
    end_answer();
    return std::move(messages_);
  }

 private:
  void add_message(const json::object& item) {
    const std::string_view role = text_of(item.at("role").get_string());
    json::value content = content_of(item.at("content"));
    if (role == "assistant") {
      if (!is_open_ || !content_.is_null() || !calls_.empty()) begin_answer();
      content_ = std::move(content);
      return;
    }
    end_answer();
    messages_.push_back(
        json::object{{"role", role == "user" ? role : "system"}, {"content", std::move(content)}});
  }

  void add_reasoning(const json::object& item) {
    if (!is_open_ || !content_.is_null() || !calls_.empty()) begin_answer();
    const json::value& content = item.at("content");
    reasoning_ += joined_parts(content.get_array().empty() ? item.at("summary") : content);
  }

  void add_call(const json::object& item) {
    if (!is_open_) begin_answer();
    json::object function{{"name", item.at("name")}, {"arguments", item.at("arguments")}};
    calls_.push_back(json::object{
        {"id", item.at("call_id")}, {"type", "function"}, {"function", std::move(function)}});
  }

  void begin_answer() {
    end_answer();
    is_open_ = true;
  }

  /// The assistant's message is whole. Of reasoning alone nothing is told: without an answer behind
  /// it, it means nothing to a template.
  void end_answer() {
    if (!std::exchange(is_open_, false)) return;
    const bool is_empty = content_.is_null() && calls_.empty();
    json::object message{{"role", "assistant"}, {"content", std::exchange(content_, nullptr)}};
    if (!reasoning_.empty()) message["reasoning_content"] = std::exchange(reasoning_, {});
    if (!calls_.empty()) message["tool_calls"] = std::exchange(calls_, {});
    if (!is_empty) messages_.push_back(std::move(message));
  }

  json::array messages_;
  // Of the assistant's message that is being put together.
  bool is_open_ = false;
  json::value content_;
  std::string reasoning_;
  json::array calls_;
};

}  // namespace

json::array read_input_items(const JsonFields& fields, const FindItem& find_item) {
  json::array out;
  const json::value* const input = fields.find("input");
  if (input == nullptr) return out;
  if (input->is_string()) {
    const json::object message{{"role", "user"}, {"content", fields.required_string("input")}};
    out.push_back(read_message_item(JsonFields(message)));
    return out;
  }
  if (!input->is_array() || input->get_array().size() > kMaxItems) {
    fields.refuse("input", fmt::format("a string or an array of at most {} items", kMaxItems));
  }
  const json::array& items = input->get_array();
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is_object()) fields.refuse("input", "an array of objects");
    const JsonFields item(items[i].get_object(), element_path("input", i));
    if (auto read = read_item(item, find_item)) out.push_back(std::move(*read));
  }
  return out;
}

std::optional<json::object> item_with_id(const std::string& items, std::string_view id) {
  const json::value list = json::parse(items);
  for (const json::value& item : list.get_array()) {
    const json::value* const own = item.get_object().if_contains("id");
    if (own != nullptr && own->is_string() && text_of(own->get_string()) == id) {
      return item.get_object();
    }
  }
  return std::nullopt;
}

json::array messages_of(std::string_view instructions, const std::vector<json::array>& lists) {
  MessageList messages;
  if (!instructions.empty()) messages.add_system(instructions);
  for (const json::array& items : lists) {
    for (const json::value& item : items) messages.add(item.get_object());
  }
  return messages.take();
}

}  // namespace vernal::openai_http
